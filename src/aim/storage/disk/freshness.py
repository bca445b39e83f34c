"""
Which runs have to be read again, found out as cheaply as possible. Specified in docs/formats/catalogue.md.

    always          runs that are open (but see arriving_runs.py), and those whose folder changed a moment ago
    runs/           when its time has changed: list it for new runs and for those that are gone
    changes/        when its time has changed: find the stamps that changed, then the folders of their few runs
    all folders     for some milliseconds, once in 1 to 2 s: finds what `cp` or `rsync` changed without a stamp

The time of a folder proves nothing while it is *young*: another change in the same tick of the file system's clock
would leave the time as it is. So a folder with a young time is looked at again the next time.

Rule 1: a time is taken before the content that it stands for is read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aim.storage.disk import changes, layout

SECOND_NS = 1_000_000_000
YOUNG_NS = 50_000_000  # kernels stamp files with a clock that ticks every 1 to 10 ms
YOUNG_COARSE_NS = 2_100_000_000  # FAT keeps two seconds, some network mounts one
SWEEP_INTERVAL_S = 1.0
SWEEP_BUDGET_S = 0.02
SWEEP_SHARE_MAX = 0.01  # of the time: the most that a reader takes which looks all day long
SWEEP_LOOKS = 64  # folders between two looks at the clock

MIX = (1_000_003, 8_191, 31)  # odd numbers that keep the three parts of a stamp apart
STAMP_MASK = (1 << 63) - 1


@dataclass(frozen=True)
class FolderTime:
    """When a folder was last changed: one number that differs when the folder does, and whether it is young."""

    stamp: int
    is_young: bool


NEVER = FolderTime(-1, False)


def folder_time(path: str | Path) -> FolderTime:
    """Return the time of a folder, or of a stamp's file. Raises FileNotFoundError."""
    return time_of(os.stat(path))


def time_of(stat: os.stat_result) -> FolderTime:
    """Return the time of a folder, or of a stamp's file, from its `stat`, which was taken this moment."""
    changed_ns = stat.st_mtime_ns
    window_ns = YOUNG_NS if changed_ns % SECOND_NS else YOUNG_COARSE_NS
    return FolderTime(_stamp(stat), time.time_ns() - changed_ns < window_ns)


def _stamp(stat: os.stat_result) -> int:
    return (stat.st_mtime_ns * MIX[0] + stat.st_ctime_ns * MIX[1] + stat.st_ino * MIX[2]) & STAMP_MASK


@dataclass
class ChangedRuns:
    """
    Which runs have changed.

    Attributes:
        to_read: hashes of runs that are new, or may have changed.
        gone: hashes of runs that do not exist any more.
    """

    to_read: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)


class Freshness:
    """
    Finds the runs of the repository in *repository* that have to be read again.

    Args:
        stamps: the stamp of each run that was read; the caller keeps it up to date.
    """

    def __init__(self, repository: Path, stamps: Mapping[str, int]) -> None:
        self._runs = repository / "runs"
        self._changes = repository / changes.FOLDER_NAME
        prefix = f"{self._changes}{os.sep}"
        self._stamp_paths = [prefix + changes.stamp_name(number) for number in range(changes.SLOT_COUNT)]
        self._stamps = stamps
        self._runs_time = NEVER
        self._changes_time = NEVER
        self._slot_times = [NEVER] * changes.SLOT_COUNT
        self._by_slot: dict[int, set[str]] | None = None
        self._sweep: list[str] = []
        self._sweep_due_s = time.monotonic() + SWEEP_INTERVAL_S

    def added(self, run_hash: str) -> None:
        """Note that a run was read."""
        if self._by_slot is not None:
            self._by_slot[changes.slot(run_hash)].add(run_hash)

    def removed(self, run_hash: str) -> None:
        """Note that a run is gone."""
        if self._by_slot is not None:
            self._by_slot[changes.slot(run_hash)].discard(run_hash)

    def changed_runs(self, open_runs: Collection[str], *, full: bool = False) -> ChangedRuns:
        """
        Return the runs that have changed since the last call.

        Args:
            open_runs: runs to read again in any case.
            full: look at all folders now.

        Cost: 3 us when nothing changed; 0.5 us a run to list them; 2.5 us a run to look at all.
        """
        changed = ChangedRuns(set(open_runs))
        # the stamps first: what changes while the folders are looked at is found the next time
        self._look_at_changes(changed, quiet=full)
        if full:
            self._look_at_all(changed)
        else:
            self._look_at_names(changed)
            self._look_at_some(changed)
        changed.to_read -= changed.gone
        return changed

    def _look_at_names(self, changed: ChangedRuns) -> None:
        try:
            now = folder_time(self._runs)
        except FileNotFoundError:
            now = NEVER
        if now == self._runs_time and not now.is_young:
            return
        self._runs_time = now
        names = {entry.name for entry in self._entries()}
        changed.to_read |= names - self._stamps.keys()
        changed.gone |= self._stamps.keys() - names

    def _entries(self) -> Iterable[os.DirEntry[str]]:
        try:
            with os.scandir(self._runs) as entries:
                return [entry for entry in entries if layout.RUN_HASH.fullmatch(entry.name) and entry.is_dir()]
        except FileNotFoundError:
            return []

    def _look_at_changes(self, changed: ChangedRuns, *, quiet: bool) -> None:
        try:
            now = folder_time(self._changes)
        except FileNotFoundError:
            return
        if now == self._changes_time and not now.is_young:
            return
        self._changes_time = now
        for number, before in enumerate(self._slot_times):
            try:
                after = folder_time(self._stamp_paths[number])
            except FileNotFoundError:
                continue
            self._slot_times[number] = after
            if not quiet and (after != before or after.is_young):
                self._ask(self._of_slot(number), changed)

    def _of_slot(self, number: int) -> list[str]:
        if self._by_slot is None:
            self._by_slot = {slot: set() for slot in range(changes.SLOT_COUNT)}
            for run_hash in self._stamps:
                self._by_slot[changes.slot(run_hash)].add(run_hash)
        return list(self._by_slot[number])

    def _look_at_all(self, changed: ChangedRuns) -> None:
        self._runs_time = folder_time(self._runs) if self._runs.is_dir() else NEVER
        listed_hashes = set()
        stamps = self._stamps
        for entry in self._entries():
            name = entry.name
            listed_hashes.add(name)
            try:
                stamp = _stamp(entry.stat())
            except FileNotFoundError:
                changed.gone.add(name)
                continue
            if stamps.get(name) != stamp:
                changed.to_read.add(name)
        changed.gone |= stamps.keys() - listed_hashes
        changed.to_read -= changed.gone
        self._sweep_due_s = time.monotonic() + SWEEP_INTERVAL_S

    def _look_at_some(self, changed: ChangedRuns) -> None:
        start_s = time.monotonic()
        if start_s < self._sweep_due_s:
            return
        if not self._sweep:
            self._sweep = list(self._stamps)
        while self._sweep:
            part, self._sweep = self._sweep[-SWEEP_LOOKS:], self._sweep[:-SWEEP_LOOKS]
            self._ask(part, changed)
            if time.monotonic() - start_s > SWEEP_BUDGET_S:
                break
        now_s = time.monotonic()
        self._sweep_due_s = now_s + max(SWEEP_INTERVAL_S, min(SWEEP_BUDGET_S, now_s - start_s) / SWEEP_SHARE_MAX)

    def _ask(self, run_hashes: Iterable[str], changed: ChangedRuns) -> None:
        prefix = f"{self._runs}{os.sep}"
        for run_hash in run_hashes:
            if run_hash not in self._stamps:
                continue
            try:
                if _stamp(os.stat(prefix + run_hash)) != self._stamps[run_hash]:
                    changed.to_read.add(run_hash)
            except FileNotFoundError:
                changed.gone.add(run_hash)
