"""
The history of a run: taking it back to a step, what it was before, where it came from, and deleted points.

    run.rewind(50)               steps after 50 are hidden, and the next `track` gets 51
    run.rewinds                  [Rewind(step=50, ...)]
    run.before(run.rewinds[0])   the run as it stood just before that, for reading
    run.fork(50)                 a new run that goes on from step 50 of this one (sdk/run.py, storage/care/forking.py)

Nothing is erased by any of it.
"""

from __future__ import annotations

import html
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aim.core import contexts
from aim.core.clock import MICROSECOND_S
from aim.core.errors import ReadOnly, UsageError
from aim.core.values import step_number
from aim.engine import rewinding
from aim.engine.repository import Repository
from aim.sdk.run_reading import RunReadingMixin
from aim.storage.forms.history import ForkedFrom, Rewind
from aim.storage.forms.state import RunState
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
    from aim.storage.reading.points import Points
    from aim.storage.reading.reader import RunReader


class RunHistoryMixin:
    """The history of a `Run`; see there."""

    hash: str
    _writer: Writer | None
    _repository: Repository
    _repo: Any

    @abstractmethod
    def _state(self) -> RunState:
        """Return the run's state as it is now."""

    @abstractmethod
    def _reader(self) -> RunReader:
        """Return the reader of the run's points."""

    @abstractmethod
    def _edit(self, change: Mapping[str, Any], after_s: float = 0.0) -> float:
        """Change the run by an edit, later than *after_s*; give its time."""

    @abstractmethod
    def _recording(self) -> Writer:
        """Return the writer of a run that records."""

    @abstractmethod
    def __getitem__(self, key: Any) -> Any:
        """Return a param."""

    @abstractmethod
    def read_objects(self, points: Points, position: int) -> Any:
        """Return the objects of one point."""

    def rewind(self, step: object) -> Rewind:
        """
        Take the run back to *step*, as after loading a checkpoint: what was tracked until now at later steps is hidden,
        of all sequences and by any process. Values without a step go on at the one after it.

        Params stay, and so do terminal lines, log records and system metrics. Nothing is erased: `rewinds`, `before`
        and the `history` of sequences show what was hidden.

        Args:
            step: the last step that is kept; -1 hides all from 0 on.

        Raises:
            ReadOnly: the run is open for reading; `Run(hash)` resumes it.
            RunClosed: it was closed.
            UntrackableValue: *step* is no integer.

        >>> import tempfile
        >>> from aim.sdk.run import Run
        >>> run = Run(repo=tempfile.mkdtemp(), system_tracking_interval=None)
        >>> for value in (3.0, 2.0, float("nan")):
        ...     run.track(value, name="loss")
        >>> run.rewind(1).step
        1
        >>> run.track(1.5, name="loss")
        >>> [metric.values.sparse_list() for metric in run.get_metric("loss").history()]
        [([0, 1, 2], [3.0, 2.0, nan]), ([0, 1, 2], [3.0, 2.0, 1.5])]
        >>> run.close()
        """
        return rewinding.rewind(self._repository, self._recording(), step)

    @property
    def rewinds(self) -> list[Rewind]:
        """How often the run was taken back, to which step and when; oldest first."""
        return list(self._state().rewinds)

    def before(self, rewind: Rewind) -> RunBefore:
        """
        Return the run as it stood just before one of its `rewinds`, for reading its sequences.

        Raises:
            UsageError: it is none of this run's.
        """
        if rewind not in self._state().rewinds:
            raise UsageError(f"{rewind!r} is no rewind of run {self.hash}; they are in `run.rewinds`.")
        return RunBefore(self, rewind)

    @property
    def forked_from(self) -> ForkedFrom | None:
        """The run that this one goes on from, by `fork`: its hash, the last step that was copied, and when; or None."""
        return self._state().forked_from

    def _fork(self, step: object, name: str | None) -> str:
        # a run that is open for reading can be forked: it stays as it is
        if self._repo is not None and self._repo.read_only:
            raise ReadOnly(f"Repository {self._repo.root_path} is open for reading only: it can't take a run.")
        kept = step_number(step)
        self._reader()  # objects on their way are written first
        return self._repository.fork_run(self.hash, kept, name=name)

    def delete_points(
        self,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        steps: int | Iterable[int],
        items: int | Iterable[int] | None = None,
    ) -> int:
        """
        Hide what was tracked until now at some steps of a sequence, of numbers or of objects; give how many points.

        Args:
            steps: one, or several. What is not there is fine.
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
        chosen = None if items is None else rewinding.check_steps(items)
        key = (name, contexts.text(context))
        found = rewinding.deletion_of(self._reader(), key, rewinding.check_steps(steps), chosen)
        if found.entries:
            self._take_back({"delete": found.entries}, found.recorded_at_s)
        return found.point_count

    def undelete_points(self, name: str, context: Mapping[str, Any] | None = None) -> bool:
        """Show again all that `delete_points` hid of a sequence; give whether it had hidden anything."""
        facts = self._state().sequences.get((name, contexts.text(context)))
        entries = [] if facts is None else rewinding.undeletion_of(facts)
        if entries:
            self._take_back({"undelete": entries})
        return bool(entries)

    def _take_back(self, change: Mapping[str, Any], after_s: float = 0.0) -> None:
        at_s = self._edit(change, after_s)
        if self._writer is not None and not self._writer.closed:  # what comes next is not meant
            self._writer.set_earliest_time(at_s + MICROSECOND_S)


class RunBefore(RunReadingMixin):
    """
    A run as it stood just before a rewind: its sequences, for reading. `Run.before` gives it.

    Attributes:
        run: the run, as it is now.
        rewind: the one before which it stood so.
    """

    def __init__(self, run: RunHistoryMixin, rewind: Rewind) -> None:
        self.run = run
        self.rewind = rewind
        self.hash = run.hash

    def __repr__(self) -> str:
        return f"<Run#{self.hash} before its rewind to step {self.rewind.step}>"

    def _repr_html_(self) -> str:
        return html.escape(repr(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunBefore) and (self.run, self.rewind) == (other.run, other.rewind)

    def __hash__(self) -> int:
        return hash((self.hash, self.rewind))

    def __getitem__(self, key: Any) -> Any:
        """Return a param, as it is now: rewinds leave params alone."""
        return self.run[key]

    @property
    def rewinds(self) -> list[Rewind]:
        """The rewinds before this one."""
        return [rewind for rewind in self._state().rewinds if rewind.time_s < self.rewind.time_s]

    def before(self, rewind: Rewind) -> RunBefore:
        """Return the run as it stood just before another rewind."""
        return RunBefore(self.run, rewind)

    def _state(self) -> RunState:
        return self.run._state()

    def _reader(self) -> RunReader:
        self.run._reader()  # objects on their way are written first
        return self.run._repository.reader_before(self.hash, self.rewind)

    def read_points(self, name: str, context_text: str) -> Points | None:
        """Return the points of a sequence as they were."""
        return self._reader().points((name, context_text))

    def read_objects(self, points: Points, position: int) -> Any:
        """Return the objects of one point."""
        return self.run.read_objects(points, position)

    def delete_points(
        self,
        name: str,
        context: Mapping[str, Any] | None = None,
        *,
        steps: int | Iterable[int],
        items: int | Iterable[int] | None = None,
    ) -> int:
        """What was cannot be changed. Raises UsageError."""
        raise UsageError(f"{self!r} is what was; delete points of the run as it is now.")
