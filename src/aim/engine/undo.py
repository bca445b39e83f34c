"""
Changes that can be taken back: the last hundred that this process made to a repository.

Each has its name before it changes anything (engine/run_changes.py), so it can be followed while it is made, and taken
back at any moment. A deleted run waits in the trash for a minute.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aim.core.errors import RunExists, UsageError
from aim.core.recent import Recent
from aim.engine import rewinding
from aim.engine.backend_repository import BackendRepository
from aim.engine.run_changes import (
    PROPERTIES,
    PointsDeletion,
    PropertiesChange,
    RunsChange,
    RunsDeletion,
    TooLate,
)
from aim.storage.forms import edits
from aim.storage.forms.state import SequenceKey

CHANGES_MAX = 100
TRASH_KEPT_S = 60.0
GONE = "This change can't be taken back any more."

PointChoice = tuple[SequenceKey, list[int], "list[int] | None"]
"""The key of a sequence, steps, and which objects of the list at each step; None: the whole points."""


class Changes:
    """
    The changes that this process made to a repository. Any thread may use them.

    `begin_edit` and the like check and name a change, and change nothing yet; whoever called them then calls `make` of
    what they return, in a thread if it is to be followed.
    """

    def __init__(self, repository: BackendRepository, clock: Callable[[], float] = time.monotonic) -> None:
        self._repository = repository
        self._backend = repository.backend
        self._clock = clock
        self._changes: Recent[str, RunsChange] = Recent(CHANGES_MAX, on_drop=lambda change: change.forget())
        self._undoing: dict[str, RunsChange] = {}
        self._numbers = itertools.count(1)

    def begin_edit(
        self, run_hashes: Iterable[str], properties: Mapping[str, Any], add: Iterable[str], remove: Iterable[str]
    ) -> RunsChange:
        """
        Name a change of properties and tags. `make` writes it.

        Raises:
            RunNotFound: there is no such run.
        """
        hashes = self._existing(run_hashes)
        return self._remember(
            PropertiesChange(self._name(), self._backend, hashes, properties, list(add), list(remove))
        )

    def begin_deletion(self, run_hashes: Iterable[str]) -> RunsChange:
        """Name a deletion of runs. `make` deletes them. Raises RunNotFound: there is no such run."""
        return self._remember(RunsDeletion(self._name(), self._backend, self._existing(run_hashes), self._clock))

    def begin_points_deletion(self, run_hash: str, sequences: Iterable[PointChoice]) -> RunsChange:
        """
        Name a deletion of points of a run. `make` deletes them.

        Raises:
            RunNotFound: there is no such run.
            UsageError: see `rewinding.deletion_of`.
        """
        reader = self._backend.reader(run_hash, may_seal=False)
        entries: list[dict[str, Any]] = []
        count, recorded_at_s = 0, 0.0
        for key, steps, items in sequences:
            item_indices = None if items is None else rewinding.check_steps(items)
            deletion = rewinding.deletion_of(reader, key, rewinding.check_steps(steps), item_indices)
            entries += deletion.entries
            count += deletion.point_count
            recorded_at_s = max(recorded_at_s, deletion.recorded_at_s)
        return self._remember(
            PointsDeletion(self._name(), self._backend, run_hash, entries, count, recorded_at_s),
        )

    def edit(
        self, run_hashes: Iterable[str], properties: Mapping[str, Any], add: Iterable[str], remove: Iterable[str]
    ) -> tuple[int, str]:
        """Change runs; return how many, and the name to undo it by. Raises RunNotFound; none was changed then."""
        return _made(self.begin_edit(run_hashes, properties, add, remove))

    def delete(self, run_hashes: Iterable[str]) -> tuple[int, str]:
        """Delete runs; return how many, and the name to undo it by, for a minute. Raises RunNotFound."""
        return _made(self.begin_deletion(run_hashes))

    def delete_points(self, run_hash: str, sequences: Iterable[PointChoice]) -> tuple[int, str]:
        """Delete points of a run; return how many, and the name to undo it by. Raises as `begin_points_deletion`."""
        return _made(self.begin_points_deletion(run_hash, sequences))

    def _existing(self, run_hashes: Iterable[str]) -> list[str]:
        hashes = list(dict.fromkeys(run_hashes))
        for run_hash in hashes:
            self._backend.check_exists(run_hash)
        return hashes

    def _name(self) -> str:
        return f"u{next(self._numbers)}"

    def _remember(self, change: RunsChange) -> RunsChange:
        return self._changes.put(change.name, None, change)

    def recent(self) -> list[RunsChange]:
        """Return the changes that can be taken back, or are being made or taken back; the newest first."""
        changes = dict(self._changes.items()) | self._undoing
        return sorted(changes.values(), key=lambda change: -int(change.name[1:]))

    def change(self, name: str) -> RunsChange:
        """Return the change of that name. Raises TooLate: it is not remembered, or was taken back."""
        change = self._changes.lookup(name) or self._undoing.get(name)
        if change is None:
            raise TooLate(GONE)
        return change

    def undo(self, name: str, by: str = edits.BY_UI) -> int:
        """
        Take a change back; return how many runs are as they were. One that is being made ends with the step that is
        under way.

        Args:
            by: who takes it back, as its edits say.

        Raises:
            TooLate: it is not remembered, or its runs were removed for good.
            RunExists: there is a new run of a deleted one's name; that one stays in the trash, the others are back.
        """
        change = self._changes.pop(name)
        if change is None:
            raise TooLate(GONE)
        self._undoing[name] = change
        change.by = by
        try:
            return change.take_back()
        except (RunExists, OSError):
            self._remember(change)  # the rest can be taken back later
            raise
        finally:
            del self._undoing[name]

    def empty_trash(self, *, now: bool = False) -> None:
        """Remove for good the runs that were deleted more than a minute ago, or with *now* all deleted runs."""
        limit_s = self._clock() - (0.0 if now else TRASH_KEPT_S)
        for name, change in self._changes.items():
            if not isinstance(change, RunsDeletion) or change.waits_since_s is None:
                continue
            # else it is being undone at this moment
            if (now or change.waits_since_s <= limit_s) and self._changes.pop(name) is not None:
                change.forget()


def _made(change: RunsChange) -> tuple[int, str]:
    """Make a change; return of how many runs or points it is, and its name. Raises what ended it."""
    change.make()
    if change.error is not None:
        raise change.error
    return change.count, change.name


def check_properties(properties: Mapping[str, Any]) -> None:
    """
    Refuse properties that can't be changed, and values of a wrong type.

    Raises:
        UsageError: names the property.

    >>> check_properties({"archived": True, "notes": None})
    """
    for name, value in properties.items():
        if name not in PROPERTIES:
            raise UsageError(f"A run has no {name!r} that can be changed; there are: {', '.join(PROPERTIES)}, tags.")
        expected = bool if name == "archived" else str
        if not (isinstance(value, expected) or (value is None and name != "archived")):
            raise UsageError(f"`{name}` must be {'true or false' if expected is bool else 'a text or null'}.")
