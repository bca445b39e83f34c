"""
`EditableRun`: a run with what anybody may change of it at any time, while it trains or years later.

Properties and tags can be set, and points hidden, from any process: of a run that `repo.get_run` returns, too. A run
that records writes such a change into its own files; otherwise it is one small edit file (sdk/recording.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aim.core import contexts
from aim.core.logs import log
from aim.core.tags import check_tag, id_of_tag
from aim.engine import rewinding
from aim.sdk.recording import Recording
from aim.sdk.run_source import RunSource
from aim.sdk.run_view import RunView

if TYPE_CHECKING:
    from aim.engine.door import RunDoor


class EditableRun(RunView):
    """A run whose properties, tags and points can be changed; see `Run`."""

    def __init__(self, recording: Recording, opened: RunDoor | None = None) -> None:
        super().__init__(RunSource(recording.door, recording.run_hash, recording.settle, opened))
        self._recording = recording

    @property
    def name(self) -> str | None:
        """The name: `Run: <hash>` until it is set."""
        return self.props.name

    @name.setter
    def name(self, value: object) -> None:
        self._recording.set_property(name=_text(value))

    @property
    def description(self) -> str | None:
        """The description, or None."""
        return self.props.description

    @description.setter
    def description(self, value: object) -> None:
        self._recording.set_property(description=_text(value))

    @property
    def experiment(self) -> str | None:
        """The name of the experiment: `default` until it is set; None: none."""
        return self._state().experiment

    @experiment.setter
    def experiment(self, value: object) -> None:
        self._recording.set_property(experiment=_text(value))

    @property
    def notes(self) -> str:
        """What people have written about the run, as Markdown; '' when nothing."""
        return str(self._read_properties().get("notes") or "")

    @notes.setter
    def notes(self, value: object) -> None:
        self._recording.set_property(notes=_text(value))

    @property
    def archived(self) -> bool:
        """Whether the run is archived: queries leave it out by default."""
        return self.props.archived

    @archived.setter
    def archived(self, value: object) -> None:
        self._recording.set_property(archived=bool(value))

    def add_tag(self, value: object) -> None:
        """
        Add a tag. If the run has it already, a warning is logged and nothing changes.

        Args:
            value: the tag; anything but a str is converted to one.

        Raises:
            UsageError: *value* is None or empty.
        """
        tag = check_tag(value)
        if tag in self.tags:
            log.warning("Tag %r is on this run already.", tag)
            return
        self._recording.change_tags([tag], [])

    def remove_tag(self, tag_id: str | None = None, *, tag_name: str | None = None) -> bool:
        """
        Remove a tag; return whether the run had it.

        Args:
            tag_id: the tag's name or its id.
            tag_name: the same, as Aim 3.29 calls it.
        """
        tag = tag_id if tag_name is None else tag_name
        for name in self.tags:
            if tag in (name, id_of_tag(name)):
                self._recording.change_tags([], [name])
                return True
        log.warning("There is no tag %r on this run.", tag)
        return False

    def delete_points(
        self,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        steps: int | Iterable[int],
        items: int | Iterable[int] | None = None,
    ) -> int:
        """
        Hide what was tracked until now at some steps of a sequence, of numbers or of objects; return how many points.

        Args:
            steps: one, or several. Steps that the sequence does not have are ignored.
            items: only these of the list of objects tracked at each of the steps, counted from 0.

        The bytes stay in the files; `undelete_points` shows them again. What is tracked later is shown.

        >>> import tempfile
        >>> from aim.sdk.run import Run
        >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
        >>> for value in (3.0, 900.0, 2.0):
        ...     run.track(value, name="loss")
        >>> run.delete_points("loss", steps=1), run.get_metric("loss").values.tolist()
        (1, [3.0, 2.0])
        >>> run.undelete_points("loss"), run.get_metric("loss").values.tolist()
        (True, [3.0, 900.0, 2.0])
        >>> run.close()
        """
        indexes = None if items is None else rewinding.check_steps(items)
        key = (name, contexts.text(context))
        deletion = rewinding.deletion_of(self._settled(), key, rewinding.check_steps(steps), indexes)
        if deletion.entries:
            self._recording.hide({"delete": deletion.entries}, deletion.recorded_at_s)
        return deletion.point_count

    def undelete_points(self, name: str, context: Mapping[str, Any] | None = None) -> bool:
        """Show again all points of a sequence that `delete_points` hid; return whether there were any."""
        info = self._state().sequences.get((name, contexts.text(context)))
        entries = [] if info is None else rewinding.undeletion_of(info)
        if entries:
            self._recording.hide({"undelete": entries})
        return bool(entries)

    def delete_metric(self, name: str, context: Mapping[str, Any] | None = None) -> bool:
        """
        Hide what was tracked of a sequence until now, of numbers or of objects; return whether there was any.

        What is tracked later is shown, at steps that continue the hidden ones. The points stay in the files.

        >>> import tempfile
        >>> from aim.sdk.run import Run
        >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
        >>> run.track(0.5, name="los")
        >>> run.delete_metric("los"), run.get_metric("los")
        (True, None)
        >>> run.close()
        """
        deletion = rewinding.deletion_of_all(self._settled(), (name, contexts.text(context)))
        if deletion.entries:
            self._recording.hide({"drop": deletion.entries}, deletion.recorded_at_s)
        return bool(deletion.entries)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
