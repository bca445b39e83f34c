"""
What changed in the folders of the runs, brought into the table.

    RunFolders.look()   ->   runs that are gone         removed
                             followed runs              read at each refresh
                             other runs                 queued; the newest are read first, as many as time allows

The table is whole at any time: it has the runs that were read.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aim.storage.catalogue.catalogue_file import CatalogueFile
from aim.storage.catalogue.run_folders import ReadRun, RunFolders
from aim.storage.catalogue.table_filler import TableFiller

BATCH_RUNS = 128  # read at once: their points are summed up by one call of numpy
PACK_RUNS = 4096  # runs put between two packings while a catalogue is made from nothing

Progress = Callable[[int, int], None]
"""Called with how many runs were read, and how many have to be."""


@dataclass
class CatalogueChanges:
    """
    What a refresh found.

    Attributes:
        changed: hashes of runs that are new or differ.
        removed: hashes of runs that are gone.
        retracted: hashes of runs of which points were hidden, or shown again.
        unread_count: how many runs are still to be read, when the refresh had to end before; 0: the table is complete.
    """

    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    retracted: list[str] = field(default_factory=list)
    unread_count: int = 0
    _noted: set[str] = field(default_factory=set, repr=False, compare=False)

    def note(self, run_hash: str) -> None:
        """Add a run to those that changed, once."""
        if run_hash not in self._noted:
            self._noted.add(run_hash)
            self.changed.append(run_hash)


class CatalogueUpdate:
    """
    Reads what changed into the table of *filler*.

    Attributes:
        read_count: how many queued runs were read since the queue was last empty.
    """

    def __init__(self, filler: TableFiller, folders: RunFolders, file: CatalogueFile) -> None:
        self.filler = filler
        self.read_count = 0
        self._folders = folders
        self._file = file
        self._queue: list[str] = []  # runs to read, the next one last
        self._retraction_counts: dict[str, int] = {}
        self._is_packing = False  # all runs come from their folders: none from a file

    @property
    def unread_count(self) -> int:
        """How many runs are still to be read."""
        return len(self._queue)

    def go_on_with(self, filler: TableFiller) -> None:
        """Fill another table from now on, which comes from a file."""
        self.filler = filler
        self._is_packing = False

    def run(
        self, *, full: bool, progress: Progress | None, within_s: float | None, arrivals: bool = True
    ) -> tuple[CatalogueChanges, int]:
        """
        Bring the table up to date. Return the changes, and how many runs were read.

        Args:
            full, arrivals: see `RunFolders.look`.
            within_s: after so many seconds, read no more of the queue.
        """
        changes = CatalogueChanges()
        due, gone = self._folders.look(full=full, arrivals=arrivals)
        if due or gone or self._queue:
            self.filler.begin_change()
        for run_hash in gone:
            self._forget(run_hash, changes)
        followed = self._queue_unfollowed(due, gone)
        read_count = self._read(followed, changes, progress, within_s) if self._queue or followed else 0
        changes.unread_count = len(self._queue)
        return changes, read_count

    def read_arrivals(self, run_hashes: list[str]) -> CatalogueChanges:
        """Read what has arrived of some runs."""
        changes = CatalogueChanges()
        self.filler.begin_change()
        self.read_batch(run_hashes, changes)
        return changes

    def _queue_unfollowed(self, due: set[str], gone: set[str]) -> list[str]:
        """Queue the runs that are due and not followed, and return those that are followed."""
        if gone:
            self._queue = [run_hash for run_hash in self._queue if run_hash not in gone]
        followed = sorted(run_hash for run_hash in due if self._folders.is_followed(run_hash))
        if len(due) > len(followed):
            added = due.difference(followed, self._queue)
            self._queue += self._folders.oldest_first(added) if len(added) > BATCH_RUNS else sorted(added)
        return followed

    def _read(
        self, followed: list[str], changes: CatalogueChanges, progress: Progress | None, within_s: float | None
    ) -> int:
        if not self._file.is_open and not self.filler.table.run_count:
            self._is_packing = True
        # nothing read here is garbage: looking for it among all the new objects takes a sixth of the time
        is_collecting = len(self._queue) > BATCH_RUNS and gc.isenabled()
        if is_collecting:
            gc.disable()
        try:
            for start in range(0, len(followed), BATCH_RUNS):
                self.read_batch(followed[start : start + BATCH_RUNS], changes)
            self._read_queue(changes, progress, within_s)
        finally:
            if is_collecting:
                gc.enable()
        if self._queue:
            return 0
        self._is_packing = False
        read_count, self.read_count = self.read_count + len(followed), 0
        return read_count

    def _read_queue(self, changes: CatalogueChanges, progress: Progress | None, within_s: float | None) -> None:
        until_s = None if within_s is None else time.monotonic() + within_s
        while self._queue:
            batch = self._queue[: -BATCH_RUNS - 1 : -1]
            self.read_batch(batch, changes)
            del self._queue[-len(batch) :]  # only now: an interrupted reading begins again with this batch
            before = self.read_count // PACK_RUNS
            self.read_count += len(batch)
            if progress is not None:
                progress(self.read_count, self.read_count + len(self._queue))
            if self._is_packing and self.read_count // PACK_RUNS > before:
                self.filler.pack()
            if until_s is not None and time.monotonic() >= until_s:
                break

    def read_batch(self, run_hashes: list[str], changes: CatalogueChanges) -> None:
        """Read runs at once, and put them into the table."""
        for run_hash, run in self._folders.read(run_hashes).items():
            if run is None:
                self._forget(run_hash, changes)
            else:
                self._put(run, changes)

    def _put(self, run: ReadRun, changes: CatalogueChanges) -> None:
        row = run.row
        if self.filler.put(row, follow=run.is_followed):
            changes.note(row.run_hash)
        if row.retraction_count != self._retraction_counts.get(row.run_hash, 0):
            self._retraction_counts[row.run_hash] = row.retraction_count
            changes.retracted.append(row.run_hash)
        self._folders.set_stamp(row.run_hash, run.stamp)
        if not run.is_followed:
            self._file.note(row, run.stamp)

    def _forget(self, run_hash: str, changes: CatalogueChanges) -> None:
        if self.filler.table.runs.slot_of(run_hash) is not None:
            changes.removed.append(run_hash)
        self.filler.remove(run_hash)
        self._folders.forget(run_hash)
        self._file.forget(run_hash)
        self._retraction_counts.pop(run_hash, None)
