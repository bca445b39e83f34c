"""
The properties of a run: what people say of it. Name, description, experiment, tags, archived; and when it was.

A run that records sets them in its own files. From anywhere else (a run of `repo.get_run`, a closed run) a change is
one small edit file, so that a notebook may rename a run that is still training.
"""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from aim.core.statuses import RUNNING
from aim.core.tags import check_tag, id_of_tag
from aim.storage.forms.state import RunState

log = logging.getLogger("aim")


def naive_utc(moment_s: float) -> datetime:
    """
    Return Unix seconds as the datetime in UTC, without a zone, that the properties have.

    >>> naive_utc(0.5)
    datetime.datetime(1970, 1, 1, 0, 0, 0, 500000)
    """
    return datetime.fromtimestamp(moment_s, timezone.utc).replace(tzinfo=None)


@dataclass(frozen=True)
class RunProps:
    """
    The properties of a run at one moment: what `run.props` gives. They are set on the run itself: `run.name = "new"`.

    Attributes:
        creation_time, end_time: Unix seconds; created_at, updated_at, finalized_at: the same in UTC, without a zone.
    """

    hash: str
    name: str | None
    description: str | None
    experiment: str | None
    tags: list[str]
    archived: bool
    creation_time: float
    created_at: datetime
    updated_at: datetime
    end_time: float | None
    finalized_at: datetime | None
    notes: list[Any]


class StructuredRunMixin:
    """The properties of a `Run`; see there."""

    @abstractmethod
    def _state(self) -> RunState:
        """Return the run's state as it is now."""

    @abstractmethod
    def _set_property(self, **properties: object) -> None:
        """Set properties, as a writer or by an edit."""

    @abstractmethod
    def _change_tags(self, add: Sequence[str], remove: Sequence[str]) -> None:
        """Change tags, as a writer or by an edit."""

    @property
    def name(self) -> str | None:
        """The name: `Run: <hash>` until it is set."""
        name: str | None = self._state().name
        return name

    @name.setter
    def name(self, value: object) -> None:
        self._set_property(name=None if value is None else str(value))

    @property
    def description(self) -> str | None:
        """The description, or None."""
        return self._state().properties.get("description")

    @description.setter
    def description(self, value: object) -> None:
        self._set_property(description=None if value is None else str(value))

    @property
    def experiment(self) -> str | None:
        """The name of the experiment: `default` until it is set; None: none."""
        return self._state().experiment

    @experiment.setter
    def experiment(self, value: object) -> None:
        self._set_property(experiment=None if value is None else str(value))

    @property
    def notes(self) -> str:
        """What people have written about the run, as Markdown; '' when nothing."""
        return str(self._state().properties.get("notes") or "")

    @notes.setter
    def notes(self, value: object) -> None:
        self._set_property(notes=None if value is None else str(value))

    @property
    def archived(self) -> bool:
        """Whether the run is archived: queries leave it out by default."""
        return bool(self._state().properties.get("archived", False))

    @archived.setter
    def archived(self, value: object) -> None:
        self._set_property(archived=bool(value))

    @property
    def tags(self) -> list[str]:
        """The names of the tags, in the order they were added."""
        return list(self._state().tags)

    def add_tag(self, value: object) -> None:
        """
        Add a tag. A tag that the run has is left, with a warning.

        Args:
            value: the tag; what is no str becomes one.

        Raises:
            UsageError: *value* is None or empty.
        """
        tag = check_tag(value)
        if tag in self._state().tags:
            log.warning("Tag %r is on this run already.", tag)
            return
        self._change_tags([tag], [])

    def remove_tag(self, tag_id: str | None = None, *, tag_name: str | None = None) -> bool:
        """
        Remove a tag; give whether the run had it.

        Args:
            tag_id: the tag's name or its id.
            tag_name: the same, as Aim 3.29 calls it.
        """
        tag = tag_id if tag_name is None else tag_name
        for name in self._state().tags:
            if tag in (name, id_of_tag(name)):
                self._change_tags([], [name])
                return True
        log.warning("There is no tag %r on this run.", tag)
        return False

    @property
    def creation_time(self) -> float:
        """When the run was made, in Unix seconds."""
        return self._state().created_at_s

    @property
    def created_at(self) -> datetime:
        """When the run was made, in UTC, without a zone."""
        return naive_utc(self._state().created_at_s)

    @property
    def end_time(self) -> float | None:
        """When the run ended, in Unix seconds; None: it has not."""
        return self._state().status()[1]

    @property
    def finalized_at(self) -> datetime | None:
        """When the run ended, in UTC, without a zone; None: it has not."""
        end_s = self.end_time
        return None if end_s is None else naive_utc(end_s)

    @property
    def duration(self) -> float:
        """The seconds from its making to its end, or to now."""
        state = self._state()
        end_s = state.status()[1]
        return max(0.0, (time.time() if end_s is None else end_s) - state.created_at_s)

    @property
    def active(self) -> bool:
        """Whether some process still records into the run."""
        return self.status == RUNNING

    @property
    def status(self) -> str:
        """`running`, `finished`, `failed` (an exception ended it) or `lost` (its process is gone without an end)."""
        return self._state().status()[0]

    @property
    def error(self) -> str | None:
        """The class of the exception that ended a failed run."""
        return self._state().error()

    @property
    def props(self) -> RunProps:
        """All properties at once, as they are now."""
        state = self._state()
        end_s = state.status()[1]
        return RunProps(
            hash=state.run_hash,
            name=state.name,
            description=state.properties.get("description"),
            experiment=state.experiment,
            tags=list(state.tags),
            archived=bool(state.properties.get("archived", False)),
            creation_time=state.created_at_s,
            created_at=naive_utc(state.created_at_s),
            updated_at=naive_utc(max(state.latest_at_s, state.created_at_s)),
            end_time=end_s,
            finalized_at=None if end_s is None else naive_utc(end_s),
            notes=_notes(state.properties.get("notes")),
        )


def _notes(written: Any) -> list[Any]:
    # the pages write one text, Aim 3's callers a list of dicts
    return [{"content": written}] if isinstance(written, str) else list(written or ())
