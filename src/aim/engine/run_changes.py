"""
Changes of several runs: each is made step by step, says how far it has got, and can be taken back.

    PropertiesChange   properties and tags; taken back by one more edit, of what was there before
    PointsDeletion     points of one run; taken back by an edit that shows them again
    RunsDeletion       whole runs; they wait in the trash

A change has a name before it has changed anything, and is made in steps of `RUNS_PER_STEP` runs. So whoever asked for
it can follow it, and can take it back at any time: it then ends with the step that is under way, and only what was
changed is taken back. Runs whose edit is the same get it as one write (engine/shared_edits.py), so that hundreds of
runs cost hardly more than one.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from aim.core import clock
from aim.core.errors import AimError, NotFound, RunExists, RunNotFound
from aim.engine.shared_edits import RunEdit, write_edits
from aim.storage.backend import Backend
from aim.storage.forms import edits
from aim.storage.forms.state import RunState

RUNS_PER_STEP = 100
RUNNING, DONE, FAILED = "running", "done", "failed"
STOPPED, UNDOING, UNDONE = "stopped", "undoing", "undone"
"""
The states of a change:

    RUNNING -> DONE or FAILED -> UNDOING -> UNDONE
    RUNNING -> STOPPED, when it is taken back before its end -> UNDOING -> UNDONE
"""
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


class RunsChange:
    """
    One change of several runs.

    Attributes:
        name: what it is undone by.
        summary: the names of what it changes, such as `archived` and `tags`.
        count: of how many runs it is; of points, how many they are.
        done_count: how many of them are changed; while it is taken back, how many are still changed.
        at_s: when it was begun, in Unix seconds.
        state: `RUNNING`, `DONE` or another.
        error: why it failed; None when it did not.
        by: who makes it or takes it back, as its edits say.
    """

    what: ClassVar[str] = "runs"

    def __init__(self, name: str, backend: Backend, summary: Sequence[str], hashes: Sequence[str]) -> None:
        self.name = name
        self.summary = tuple(summary)
        self.count = len(hashes)
        self.done_count = 0
        self.at_s = clock.now()
        self.state = RUNNING
        self.error: AimError | OSError | None = None
        self.by = edits.BY_UI
        self._backend = backend
        self._hashes = list(hashes)
        self._lock = threading.Lock()  # held for one step

    def make(self) -> None:
        """
        Change the runs, and return when all are changed, or the change is taken back. Those deleted meanwhile are left
        out.

        An error of the disk ends it: it is then `FAILED`, has its `error`, and what was changed can be taken back.
        """
        for start in range(0, len(self._hashes), RUNS_PER_STEP):
            with self._lock:
                if self.state != RUNNING:
                    return
                try:
                    self._change(self._hashes[start : start + RUNS_PER_STEP])
                except (AimError, OSError) as error:
                    self.state, self.error = FAILED, error
        with self._lock:
            if self.state == RUNNING:
                self.state = DONE

    def take_back(self) -> int:
        """
        Take back what was changed, and return how many runs are as they were.

        Raises:
            TooLate: the runs are gone.
            RunExists: see `RunsDeletion`.
            OSError: the disk refuses; the rest can be taken back later.
        """
        if self.state == RUNNING:
            self.state = STOPPED
        with self._lock:
            self.state = UNDOING
            was_begun = self.done_count > 0
            count = self._take_back()
            self.state = UNDONE
        if was_begun and not count:
            raise TooLate("The runs of this change are gone.")
        return count

    def forget(self) -> None:
        """Give up what only taking back needs, when it is too late for that."""

    def _change(self, hashes: Sequence[str]) -> None:
        """Change these runs, and count them in `done_count`."""
        raise NotImplementedError

    def _take_back(self) -> int:
        raise NotImplementedError


class PropertiesChange(RunsChange):
    """New properties for runs, and tags that are added and removed."""

    def __init__(
        self,
        name: str,
        backend: Backend,
        hashes: Sequence[str],
        properties: Mapping[str, Any],
        add: Sequence[str],
        remove: Sequence[str],
    ) -> None:
        super().__init__(name, backend, [*properties, *(["tags"] if add or remove else [])], hashes)
        self._properties = dict(properties)
        self._add, self._remove = list(add), list(remove)
        self._before: dict[str, dict[str, Any]] = {}

    def _change(self, hashes: Sequence[str]) -> None:
        run_edits: list[RunEdit] = []
        for run_hash in hashes:
            try:
                state = self._backend.log(run_hash).refresh()
            except (RunNotFound, FileNotFoundError):
                self.done_count += 1
                continue
            missing_tags = [tag for tag in self._add if tag not in state.tags]
            present_tags = [tag for tag in self._remove if tag in state.tags]
            before = {name: PROPERTIES[name](state) for name in self._properties}
            self._before[run_hash] = _edit_of(before, present_tags, missing_tags)
            run_edits.append((run_hash, _edit_of(self._properties, missing_tags, present_tags), state.latest_at_s))
        write_edits(self._backend, run_edits, by=self.by)
        self.done_count += len(run_edits)

    def _take_back(self) -> int:
        count = 0
        hashes = list(self._before)
        for start in range(0, len(hashes), RUNS_PER_STEP):
            step_hashes = hashes[start : start + RUNS_PER_STEP]
            run_edits: list[RunEdit] = []
            for run_hash in step_hashes:
                with contextlib.suppress(RunNotFound, FileNotFoundError):
                    seen_at_s = self._backend.log(run_hash).refresh().latest_at_s
                    run_edits.append((run_hash, self._before[run_hash], seen_at_s))
            write_edits(self._backend, run_edits, by=self.by)
            count += len(run_edits)
            self.done_count -= len(step_hashes)
        return count


def _edit_of(properties: Mapping[str, Any], add: Sequence[str], remove: Sequence[str]) -> dict[str, Any]:
    edit: dict[str, Any] = {}
    if properties:
        edit["property"] = dict(properties)
    if add or remove:
        edit["tags"] = {"add": list(add), "remove": list(remove)}
    return edit


class PointsDeletion(RunsChange):
    """
    Deleted points of one run.

    Args:
        entries: the deletions of edits.md.
        recorded_at_s: the newest time of the points; the edit is later, however wrong the clocks are.
    """

    what = "points"

    def __init__(
        self,
        name: str,
        backend: Backend,
        run_hash: str,
        entries: Sequence[Mapping[str, Any]],
        count: int,
        recorded_at_s: float,
    ) -> None:
        super().__init__(name, backend, ["points"], [run_hash] if entries else [])
        self.count = count
        self._entries = [dict(entry) for entry in entries]
        self._recorded_at_s = recorded_at_s

    def _change(self, hashes: Sequence[str]) -> None:
        (run_hash,) = hashes
        seen_at_s = max(self._recorded_at_s, self._backend.log(run_hash).refresh().latest_at_s)
        at_s = self._backend.edit(run_hash, {"delete": self._entries}, by=self.by, seen_at_s=seen_at_s)
        self._entries = [{**entry, "at": at_s} for entry in self._entries]
        self.done_count = self.count

    def _take_back(self) -> int:
        if not self.done_count:
            return 0
        (run_hash,) = self._hashes
        try:
            seen_at_s = self._backend.log(run_hash).refresh().latest_at_s
            self._backend.edit(run_hash, {"undelete": self._entries}, by=self.by, seen_at_s=seen_at_s)
        except (RunNotFound, FileNotFoundError):
            return 0
        self.done_count = 0
        return 1


class RunsDeletion(RunsChange):
    """
    Deleted runs, which wait in the trash.

    Args:
        monotonic: the clock by which they wait.

    Attributes:
        waits_since_s: when the last of them was deleted, by that clock; None while they are being deleted.
    """

    def __init__(
        self, name: str, backend: Backend, hashes: Sequence[str], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(name, backend, ["deleted"], hashes)
        self._monotonic = monotonic
        self._trash_names: list[str] = []
        self.waits_since_s: float | None = None

    def make(self) -> None:
        """Delete the runs; see `RunsChange`."""
        try:
            super().make()
        finally:
            self.waits_since_s = self._monotonic()

    def _change(self, hashes: Sequence[str]) -> None:
        for run_hash in hashes:
            with contextlib.suppress(RunNotFound):  # another process deleted it first
                self._trash_names.append(self._backend.trash.put_away(run_hash))
            self.done_count += 1

    def _take_back(self) -> int:
        """
        Bring the runs back, and return how many they are.

        Raises:
            RunExists: there is a new run of a deleted one's name; that one stays in the trash, the others are back.
        """
        count, refused = 0, {}
        for trash_name in self._trash_names:
            try:
                self._backend.trash.bring_back(trash_name)
                count += 1
            except RunNotFound:
                pass
            except RunExists as error:
                refused[trash_name] = error
                continue
            self.done_count -= 1
        self._trash_names = list(refused)
        if refused:
            raise list(refused.values())[-1]
        return count

    def forget(self) -> None:
        """Remove the runs for good."""
        for trash_name in self._trash_names:
            self._backend.trash.remove(trash_name)
