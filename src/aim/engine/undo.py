"""
Changes that can be taken back: edits of properties and tags, deleted points, and deleted runs.

What an edit changed is remembered as it was before, for the last hundred; undoing writes it back as one more edit. Of
deleted points the entries are remembered, and shown again by an edit that names them. A deleted run waits in the trash
for a minute.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aim.core.errors import NotFound, RunExists, RunNotFound, UsageError
from aim.core.recent import Recent
from aim.engine import rewinding, trash
from aim.engine.repository import Repository
from aim.storage.forms import edits
from aim.storage.forms.state import RunState, SequenceKey
from aim.storage.reading.folder_source import open_run

KEPT_MAX = 100
TRASH_KEPT_S = 60.0
PROPERTIES: dict[str, Callable[[RunState], Any]] = {
    "name": lambda state: state.name,
    "description": lambda state: state.properties.get("description"),
    "notes": lambda state: state.properties.get("notes"),
    "experiment": lambda state: state.experiment,
    "archived": lambda state: bool(state.properties.get("archived", False)),
}
"""What can be changed, and how it stood before."""


class TooLate(NotFound):
    """A change can't be taken back any more."""


@dataclass
class _Done:
    before: dict[str, dict[str, Any]] = field(default_factory=dict)
    points: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    waiting: list[Path] = field(default_factory=list)
    at_s: float = 0.0


class Changes:
    """The changes that this process made to a repository."""

    def __init__(self, repository: Repository, clock: Callable[[], float] = time.monotonic) -> None:
        self._repository = repository
        self._clock = clock
        self._done: Recent[str, _Done] = Recent(KEPT_MAX, on_drop=self._remove)
        self._numbers = itertools.count(1)

    def edit(
        self, run_hashes: Iterable[str], properties: Mapping[str, Any], add: Iterable[str], remove: Iterable[str]
    ) -> tuple[int, str]:
        """
        Change runs; give how many, and the name to undo it by.

        Raises:
            RunNotFound: one of them is not there; none was changed then.
        """
        hashes = list(dict.fromkeys(run_hashes))
        added, removed = list(add), list(remove)
        states = {run_hash: self._repository.state(run_hash) for run_hash in hashes}
        done = _Done(at_s=self._clock())
        for run_hash, state in states.items():
            before: dict[str, Any] = {"property": {name: PROPERTIES[name](state) for name in properties}}
            missing = [tag for tag in added if tag not in state.tags]
            there = [tag for tag in removed if tag in state.tags]
            before["tags"] = {"add": there, "remove": missing}
            done.before[run_hash] = before
            self._write(run_hash, properties, missing, there)
        return len(hashes), self._remember(done)

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
        Delete points of a run; give how many, and the name to undo it by.

        Args:
            sequences: of each the key, the steps, and None or which objects of the list at each step.

        Raises:
            RunNotFound: there is no such run.
            UsageError: see `rewinding.deletion_of`.
        """
        reader = open_run(self._repository.store.run_folder(run_hash), may_seal=False)
        entries: list[dict[str, Any]] = []
        count, recorded_at_s = 0, 0.0
        for key, steps, items in sequences:
            chosen = None if items is None else rewinding.check_steps(items)
            found = rewinding.deletion_of(reader, key, rewinding.check_steps(steps), chosen)
            entries += found.entries
            count += found.point_count
            recorded_at_s = max(recorded_at_s, found.recorded_at_s)
        done = _Done(at_s=self._clock())
        if entries:
            at_s = self._repository.edit(run_hash, {"delete": entries}, by=edits.BY_UI, after_s=recorded_at_s)
            done.points[run_hash] = [{**entry, "at": at_s} for entry in entries]
        return count, self._remember(done)

    def delete(self, run_hashes: Iterable[str]) -> tuple[int, str]:
        """
        Delete runs; give how many, and the name to undo it by, for a minute.

        Raises:
            RunNotFound: one of them is not there; none was deleted then.
        """
        hashes = list(dict.fromkeys(run_hashes))
        for run_hash in hashes:
            self._repository.store.run_folder(run_hash)
        done = _Done(at_s=self._clock())
        for run_hash in hashes:
            try:
                done.waiting.append(trash.put_away(self._repository, run_hash))
            except RunNotFound:  # somebody else was faster, which is what was wanted
                continue
        return len(done.waiting), self._remember(done)

    def _remember(self, done: _Done) -> str:
        name = f"u{next(self._numbers)}"
        self._done.put(name, None, done)
        return name

    def undo(self, name: str) -> int:
        """
        Take a change back; give how many runs are as they were.

        Raises:
            TooLate: it is not remembered, or its runs were removed for good.
            RunExists: of a deleted run, a new one of its name was made; it stays in the trash, the others are back.
        """
        done = self._done.pop(name)
        if done is None:
            raise TooLate("This change can't be taken back any more.")
        count = 0
        refused = _Done(at_s=done.at_s)
        for waiting in done.waiting:
            try:
                trash.bring_back(self._repository, waiting)
                count += 1
            except RunNotFound:
                continue
            except RunExists as error:
                refused.waiting.append(waiting)
                reason = error
        for run_hash, before in done.before.items():
            try:
                self._write(run_hash, before["property"], before["tags"]["add"], before["tags"]["remove"])
                count += 1
            except RunNotFound:
                continue
        for run_hash, entries in done.points.items():
            try:
                self._repository.edit(run_hash, {"undelete": entries}, by=edits.BY_UI)
                count += 1
            except RunNotFound:
                continue
        if refused.waiting:
            self._done.put(name, None, refused)
            raise reason
        if not count:
            raise TooLate("The runs of this change are gone.")
        return count

    def empty_trash(self, *, now: bool = False) -> None:
        """Remove for good what was deleted more than a minute ago, or with *now* all that was deleted."""
        limit_s = self._clock() - (0.0 if now else TRASH_KEPT_S)
        for name, done in self._done.items():
            is_due = bool(done.waiting) and (now or done.at_s <= limit_s)
            if is_due and self._done.pop(name) is not None:  # else it is being undone at this moment
                self._remove(done)

    def _remove(self, done: _Done) -> None:
        for waiting in done.waiting:
            trash.remove(self._repository, waiting)


def check_properties(properties: Mapping[str, Any]) -> None:
    """
    Refuse what is no property, or has a value that it can't have.

    Raises:
        UsageError: says which.

    >>> check_properties({"archived": True, "notes": None})
    """
    for name, value in properties.items():
        if name not in PROPERTIES:
            raise UsageError(f"A run has no {name!r} that can be changed; there are: {', '.join(PROPERTIES)}, tags.")
        expected = bool if name == "archived" else str
        if not (isinstance(value, expected) or (value is None and name != "archived")):
            raise UsageError(f"`{name}` must be {'true or false' if expected is bool else 'a text or null'}.")
