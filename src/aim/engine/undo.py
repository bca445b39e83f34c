"""
Changes that can be taken back: edits of properties and tags, deleted points, and deleted runs.

The last hundred changes are remembered. Undoing an edit writes what was there before as one more edit; undoing a
deletion of points writes an edit that shows them again. A deleted run waits in the trash for a minute.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aim.core.errors import NotFound, RunExists, RunNotFound, UsageError
from aim.core.recent import Recent
from aim.engine import rewinding
from aim.engine.repository import Repository
from aim.storage.forms import edits
from aim.storage.forms.state import RunState, SequenceKey

CHANGES_MAX = 100
TRASH_KEPT_S = 60.0
PROPERTIES: dict[str, Callable[[RunState], Any]] = {
    "name": lambda state: state.name,
    "description": lambda state: state.properties.get("description"),
    "notes": lambda state: state.properties.get("notes"),
    "experiment": lambda state: state.experiment,
    "archived": lambda state: bool(state.properties.get("archived", False)),
}
"""The properties that can be changed, and how each is read."""


class TooLate(NotFound):
    """A change can't be taken back any more."""


@dataclass
class _Change:
    """
    One change, with what takes it back.

    Attributes:
        before: for each edited run its properties and tags before the edit.
        deleted_points: for each run the entries of the edit that shows its deleted points again.
        trash_names: under which deleted runs wait in the trash.
        at_s: when it was made, by the clock.
    """

    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted_points: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    trash_names: list[str] = field(default_factory=list)
    at_s: float = 0.0


class Changes:
    """The changes that this process made to a repository."""

    def __init__(self, repository: Repository, clock: Callable[[], float] = time.monotonic) -> None:
        self._repository = repository
        self._trash = repository.backend.trash
        self._clock = clock
        self._changes: Recent[str, _Change] = Recent(CHANGES_MAX, on_drop=self._remove)
        self._numbers = itertools.count(1)

    def edit(
        self, run_hashes: Iterable[str], properties: Mapping[str, Any], add: Iterable[str], remove: Iterable[str]
    ) -> tuple[int, str]:
        """
        Change runs; return how many, and the name to undo it by.

        Raises:
            RunNotFound: there is no such run; none was changed then.
        """
        hashes = list(dict.fromkeys(run_hashes))
        added, removed = list(add), list(remove)
        states = {run_hash: self._repository.readers.state(run_hash) for run_hash in hashes}
        change = _Change(at_s=self._clock())
        for run_hash, state in states.items():
            missing_tags = [tag for tag in added if tag not in state.tags]
            present_tags = [tag for tag in removed if tag in state.tags]
            change.before[run_hash] = {
                "property": {name: PROPERTIES[name](state) for name in properties},
                "tags": {"add": present_tags, "remove": missing_tags},
            }
            self._write(run_hash, properties, missing_tags, present_tags)
        return len(hashes), self._remember(change)

    def _write(self, run_hash: str, properties: Mapping[str, Any], add: list[str], remove: list[str]) -> None:
        change: dict[str, Any] = {}
        if properties:
            change["property"] = dict(properties)
        if add or remove:
            change["tags"] = {"add": add, "remove": remove}
        if change:
            self._repository.edit(run_hash, change, by=edits.BY_UI)

    def delete_points(
        self, run_hash: str, sequences: Iterable[tuple[SequenceKey, list[int], list[int] | None]]
    ) -> tuple[int, str]:
        """
        Delete points of a run; return how many, and the name to undo it by.

        Args:
            sequences: of each the key, the steps, and which objects of the list at each step; None: the whole points.

        Raises:
            RunNotFound: there is no such run.
            UsageError: see `rewinding.deletion_of`.
        """
        reader = self._repository.backend.reader(run_hash, may_seal=False)
        entries: list[dict[str, Any]] = []
        count, recorded_at_s = 0, 0.0
        for key, steps, items in sequences:
            item_indices = None if items is None else rewinding.check_steps(items)
            deletion = rewinding.deletion_of(reader, key, rewinding.check_steps(steps), item_indices)
            entries += deletion.entries
            count += deletion.point_count
            recorded_at_s = max(recorded_at_s, deletion.recorded_at_s)
        change = _Change(at_s=self._clock())
        if entries:
            at_s = self._repository.edit(run_hash, {"delete": entries}, by=edits.BY_UI, after_s=recorded_at_s)
            change.deleted_points[run_hash] = [{**entry, "at": at_s} for entry in entries]
        return count, self._remember(change)

    def delete(self, run_hashes: Iterable[str]) -> tuple[int, str]:
        """
        Delete runs; return how many, and the name to undo it by, for a minute.

        Raises:
            RunNotFound: there is no such run; none was deleted then.
        """
        hashes = list(dict.fromkeys(run_hashes))
        for run_hash in hashes:
            self._repository.backend.check_exists(run_hash)
        change = _Change(at_s=self._clock())
        for run_hash in hashes:
            with contextlib.suppress(RunNotFound):  # another process deleted it first
                change.trash_names.append(self._trash.put_away(run_hash))
        return len(change.trash_names), self._remember(change)

    def _remember(self, change: _Change) -> str:
        name = f"u{next(self._numbers)}"
        self._changes.put(name, None, change)
        return name

    def undo(self, name: str) -> int:
        """
        Take a change back; return how many runs are as they were.

        Raises:
            TooLate: it is not remembered, or its runs were removed for good.
            RunExists: there is a new run of a deleted one's name; that one stays in the trash, the others are back.
        """
        change = self._changes.pop(name)
        if change is None:
            raise TooLate("This change can't be taken back any more.")
        count, refused = self._bring_back(change)
        for run_hash, before in change.before.items():
            with contextlib.suppress(RunNotFound):
                self._write(run_hash, before["property"], before["tags"]["add"], before["tags"]["remove"])
                count += 1
        for run_hash, entries in change.deleted_points.items():
            with contextlib.suppress(RunNotFound):
                self._repository.edit(run_hash, {"undelete": entries}, by=edits.BY_UI)
                count += 1
        if refused:
            remaining = _Change(trash_names=list(refused), at_s=change.at_s)
            self._changes.put(name, None, remaining)
            raise list(refused.values())[-1]
        if not count:
            raise TooLate("The runs of this change are gone.")
        return count

    def _bring_back(self, change: _Change) -> tuple[int, dict[str, RunExists]]:
        """Bring deleted runs back; return how many, and the error of each that stays in the trash."""
        count = 0
        refused: dict[str, RunExists] = {}
        for trash_name in change.trash_names:
            try:
                self._trash.bring_back(trash_name)
                count += 1
            except RunNotFound:
                continue
            except RunExists as error:
                refused[trash_name] = error
        return count, refused

    def empty_trash(self, *, now: bool = False) -> None:
        """Remove for good the runs that were deleted more than a minute ago, or with *now* all deleted runs."""
        limit_s = self._clock() - (0.0 if now else TRASH_KEPT_S)
        for name, change in self._changes.items():
            is_due = bool(change.trash_names) and (now or change.at_s <= limit_s)
            if is_due and self._changes.pop(name) is not None:  # else it is being undone at this moment
                self._remove(change)

    def _remove(self, change: _Change) -> None:
        for trash_name in change.trash_names:
            self._trash.remove(trash_name)


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
