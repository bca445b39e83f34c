"""
Which runs have to be read again, asked as cheaply as the answer allows. Specified in docs/formats/catalogue.md.

    always          runs that are open, and those whose folder changed a moment ago
    runs/           its time is another one   -> list it: runs that are new, and those that are gone
    changes/        its time is another one   -> the stamps that changed -> the folders of their few runs
    all folders     some milliseconds' worth, once in 1 to 2 s: what was changed without a stamp, by `cp` or `rsync`

The time of a folder is good for nothing while it is *young*: one more change may come in the same tick of the file
system's clock and leave the time as it is. So what is young is asked again the next time.

Rule 1: a time is taken before what it stands for is read.
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
SWEEP_SHARE_MAX = 0.01  # of the time: a reader that looks all day long takes no more of the machine
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
    """Return the time of a folder, or of a stamp's file, from its `stat`, taken this moment."""
    changed_ns = stat.st_mtime_ns
    window_ns = YOUNG_NS if changed_ns % SECOND_NS else YOUNG_COARSE_NS
    return FolderTime(_stamp(stat), time.time_ns() - changed_ns < window_ns)


def _stamp(stat: os.stat_result) -> int:
    return (stat.st_mtime_ns * MIX[0] + stat.st_ctime_ns * MIX[1] + stat.st_ino * MIX[2]) & STAMP_MASK


@dataclass
class Due:
    """What has changed: runs to read, and runs that are gone."""

    read: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)


class Freshness:
    """
    Says which runs of the repository in *repository* have to be read again.

    Args:
        known: the stamp of each run that was read; the caller keeps it up to date.
    """

    def __init__(self, repository: Path, known: Mapping[str, int]) -> None:
        self._runs = repository / "runs"
        self._changes = repository / changes.FOLDER_NAME
        self._stamp_paths = [str(self._changes / changes.stamp_name(number)) for number in range(changes.SLOT_COUNT)]
        self._known = known
        self._runs_time = NEVER
        self._changes_time = NEVER
        self._slot_times = [NEVER] * changes.SLOT_COUNT
        self._by_slot: dict[int, set[str]] | None = None
        self._sweep: list[str] = []
        self._sweep_due_s = time.monotonic() + SWEEP_INTERVAL_S

    def added(self, run_hash: str) -> None:
        """Say that a run is known now."""
        if self._by_slot is not None:
            self._by_slot[changes.slot(run_hash)].add(run_hash)

    def removed(self, run_hash: str) -> None:
        """Say that a run is known no more."""
        if self._by_slot is not None:
            self._by_slot[changes.slot(run_hash)].discard(run_hash)

    def look(self, always: Collection[str], *, full: bool = False) -> Due:
        """
        Return what has to be read.

        Args:
            always: runs to read whatever their folder says.
            full: ask all folders now.

        Cost: 3 us when nothing changed; 0.5 us a run to list; 2.5 us a run to ask all.
        """
        due = Due(set(always))
        # the stamps first: what changes while the folders are asked is seen the next time
        self._look_at_changes(due, quiet=full)
        if full:
            self._look_at_all(due)
        else:
            self._look_at_names(due)
            self._look_at_some(due)
        due.read -= due.gone
        return due

    def _look_at_names(self, due: Due) -> None:
        try:
            now = folder_time(self._runs)
        except FileNotFoundError:
            now = NEVER
        if now == self._runs_time and not now.is_young:
            return
        self._runs_time = now
        names = {entry.name for entry in self._entries()}
        due.read |= names - self._known.keys()
        due.gone |= self._known.keys() - names

    def _entries(self) -> Iterable[os.DirEntry[str]]:
        try:
            with os.scandir(self._runs) as entries:
                return [entry for entry in entries if layout.RUN_HASH.fullmatch(entry.name) and entry.is_dir()]
        except FileNotFoundError:
            return []

    def _look_at_changes(self, due: Due, *, quiet: bool) -> None:
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
                self._ask(self._of_slot(number), due)

    def _of_slot(self, number: int) -> list[str]:
        if self._by_slot is None:
            self._by_slot = {slot: set() for slot in range(changes.SLOT_COUNT)}
            for run_hash in self._known:
                self._by_slot[changes.slot(run_hash)].add(run_hash)
        return list(self._by_slot[number])

    def _look_at_all(self, due: Due) -> None:
        self._runs_time = folder_time(self._runs) if self._runs.is_dir() else NEVER
        there = set()
        known = self._known
        for entry in self._entries():
            name = entry.name
            there.add(name)
            try:
                stamp = _stamp(entry.stat())
            except FileNotFoundError:
                due.gone.add(name)
                continue
            if known.get(name) != stamp:
                due.read.add(name)
        due.gone |= known.keys() - there
        due.read -= due.gone
        self._sweep_due_s = time.monotonic() + SWEEP_INTERVAL_S

    def _look_at_some(self, due: Due) -> None:
        start_s = time.monotonic()
        if start_s < self._sweep_due_s:
            return
        if not self._sweep:
            self._sweep = list(self._known)
        while self._sweep:
            part, self._sweep = self._sweep[-SWEEP_LOOKS:], self._sweep[:-SWEEP_LOOKS]
            self._ask(part, due)
            if time.monotonic() - start_s > SWEEP_BUDGET_S:
                break
        now_s = time.monotonic()
        self._sweep_due_s = now_s + max(SWEEP_INTERVAL_S, min(SWEEP_BUDGET_S, now_s - start_s) / SWEEP_SHARE_MAX)

    def _ask(self, run_hashes: Iterable[str], due: Due) -> None:
        prefix = f"{self._runs}{os.sep}"
        for run_hash in run_hashes:
            if run_hash not in self._known:
                continue
            try:
                if _stamp(os.stat(prefix + run_hash)) != self._known[run_hash]:
                    due.read.add(run_hash)
            except FileNotFoundError:
                due.gone.add(run_hash)
