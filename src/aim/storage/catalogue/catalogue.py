"""
The catalogue: all runs of a repository as columns, kept up to date, with a cache on the reader's machine.

    CatalogueFile (a file of the user's cache)  ->  TableFiller, RunTable (memory)  <-  RunFolders (which have changed)

It is only a cache: when its file is deleted, damaged, old or missing, it is made again from the runs. A process that
records never uses it. Specified in docs/formats/catalogue.md; why, in docs/decisions/catalogue.md.

Rule 1: `refresh` before a query; then the query sees what any process recorded or changed before it.
Rule 2: one thread at a time refreshes; callers that share the catalogue (`engine.scan`) hold a lock for that. A table
that is read (`RunTable.reading`) is not changed: `table` is a copy from then on.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from aim.storage.catalogue import snapshot
from aim.storage.catalogue.catalogue_file import NOT_A_SNAPSHOT, CatalogueFile, LoadedTable
from aim.storage.catalogue.point_lookups import OpenReader
from aim.storage.catalogue.run_folders import OPEN_STAMP, ReadRun, RunFolders
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.table_filler import TableFiller

BATCH_RUNS = 128  # read at once: their points are reduced by one call of numpy
PACK_RUNS = 4096  # runs put between two packings while a catalogue is made from nothing
CHANGES_MAX = 256  # changed runs that are added to the file one by one, and 1 % of all runs; more: a new file

Progress = Callable[[int, int], None]
"""Called with how many runs were read, and how many have to be."""


@dataclass
class CatalogueChanges:
    """
    What a refresh found: hashes of runs that are new or differ, and of those that are gone.

    Attributes:
        taken_back: hashes of runs of which points were hidden, or shown again.
        unread_count: how many runs are still to be read, when the refresh had to end before; 0: the table is complete.
    """

    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    unread_count: int = 0


class Catalogue:
    """
    The catalogue of the repository in *repository* (the `.aim`).

    Args:
        open_reader: opens the reader of a run, for points.
        cache: the folder of its file; None: the usual one.
        progress: called while many runs are read.

    Cost of opening: with a file 5 us a run, without one 0.4 ms a run, at the first `refresh`.
    """

    def __init__(
        self, repository: Path, open_reader: OpenReader, *, cache: Path | None = None, progress: Progress | None = None
    ) -> None:
        self._repository = repository
        self._open_reader = open_reader
        self._progress = progress
        cache = snapshot.folder_of(repository) if cache is None else cache
        self._file = CatalogueFile(repository, cache, open_reader)
        self._clear()

    def _clear(self) -> None:
        self.filler = TableFiller(RunTable(self._open_reader))
        self._folders = RunFolders(self._repository, {}, self.table.kinds)
        self._retractions: dict[str, int] = {}  # by run: how often points were hidden or shown again
        self._is_loaded = False
        self._unread: list[str] = []  # still to be read, the next one last
        self._read_count = 0  # since `_unread` was last empty
        self._is_packing = False  # all runs come from their folders: none from a file

    @property
    def table(self) -> RunTable:
        """What queries ask; another object after a refresh that found something while it was read."""
        return self.filler.table

    @property
    def unread_count(self) -> int:
        """How many runs are still to be read: the table lacks them."""
        return len(self._unread)

    @property
    def version(self) -> int:
        """Grows with every change that a refresh finds."""
        return self.table.version

    # keeping up to date

    def refresh(
        self, *, full: bool = False, progress: Progress | None = None, within_s: float | None = None
    ) -> CatalogueChanges:
        """
        Bring the table up to date.

        Args:
            full: ask all folders now, not only those that are likely to have changed.
            progress: called while many runs are read.
            within_s: after so many seconds, read no more runs but those that are open. The next refresh goes on with
                the others, which `unread_count` counts. The table is whole at any time; the newest runs come first.

        Cost: 10 us when nothing changed and no run is open; 0.1 ms for each open run; about 1 ms for a changed one.
        """
        if not self._is_loaded:
            self._load()
            full = True
        due, gone = self._folders.look(full=full)
        changes = CatalogueChanges()
        if due or gone or self._unread:
            self.filler.begin_change()
        for run_hash in gone:
            self._forget(run_hash, changes)
        if gone:
            self._unread = [run_hash for run_hash in self._unread if run_hash not in gone]
        followed = sorted(run_hash for run_hash in due if self._folders.is_followed(run_hash))
        if len(due) > len(followed):
            added = due.difference(followed, self._unread)
            self._unread += self._folders.oldest_first(added) if len(added) > BATCH_RUNS else sorted(added)
        if self._unread or followed:
            self._read(followed, changes, progress or self._progress, within_s)
        changes.unread_count = len(self._unread)
        return changes

    def sole_writer(self, run_hash: str) -> tuple[str, int] | None:
        """Return the writer that has sealed all points of a run, and the time of the folder then; None: unknown."""
        # the time first: a refresh in another thread sets it last, and what is older than its time is asked again
        stamp = self._folders.stamp(run_hash)
        slot = self.table.runs.slot_of(run_hash)
        if stamp == OPEN_STAMP or slot is None:
            return None
        writer = self.table.fields["sole_writer"].value(slot)
        return (writer, stamp) if isinstance(writer, str) else None

    def rebuild(self) -> None:
        """Discard the file and all that is known, and begin anew at the next `refresh`."""
        version = self.table.version
        self._file.discard()
        self._clear()
        self.table.version = version + 1

    def _forget(self, run_hash: str, changes: CatalogueChanges) -> None:
        if self.table.runs.slot_of(run_hash) is not None:
            changes.removed.append(run_hash)
        self.filler.remove(run_hash)
        self._folders.forget(run_hash)
        self._file.forget(run_hash)
        self._retractions.pop(run_hash, None)

    def _read(
        self, followed: list[str], changes: CatalogueChanges, progress: Progress | None, within_s: float | None
    ) -> None:
        if not self._file.is_open and not self.table.run_count:
            self._is_packing = True
        # nothing read here is garbage: looking for it among millions of new objects takes a sixth of the time
        is_collecting = len(self._unread) > PACK_RUNS // 4 and gc.isenabled()
        if is_collecting:
            gc.disable()
        try:
            for start in range(0, len(followed), BATCH_RUNS):
                self._read_batch(followed[start : start + BATCH_RUNS], changes)
            self._read_unread(changes, progress, None if within_s is None else time.monotonic() + within_s)
        finally:
            if is_collecting:
                gc.enable()
        if not self._unread:
            self._is_packing = False
            read_count, self._read_count = self._read_count, 0
            self._store(read_count + len(followed), changes)

    def _read_unread(self, changes: CatalogueChanges, progress: Progress | None, until_s: float | None) -> None:
        while self._unread:
            batch = self._unread[: -BATCH_RUNS - 1 : -1]
            self._read_batch(batch, changes)
            del self._unread[-len(batch) :]  # only now: an interrupted reading begins again with this batch
            before = self._read_count // PACK_RUNS
            self._read_count += len(batch)
            if progress is not None:
                progress(self._read_count, self._read_count + len(self._unread))
            if self._is_packing and self._read_count // PACK_RUNS > before:
                self.filler.pack()
            if until_s is not None and time.monotonic() >= until_s:
                break

    def _read_batch(self, run_hashes: list[str], changes: CatalogueChanges) -> None:
        for run_hash, run in self._folders.read(run_hashes).items():
            if run is None:
                self._forget(run_hash, changes)
            else:
                self._put(run, changes)

    def _put(self, run: ReadRun, changes: CatalogueChanges) -> None:
        row = run.row
        if self.filler.put(row, follow=run.is_followed) and row.run_hash not in changes.changed:
            changes.changed.append(row.run_hash)
        if row.taken_back != self._retractions.get(row.run_hash, 0):
            self._retractions[row.run_hash] = row.taken_back
            changes.taken_back.append(row.run_hash)
        self._folders.set_stamp(row.run_hash, run.stamp)
        if not run.is_followed:
            self._file.note(row, run.stamp)

    # the file

    def _load(self) -> None:
        self._is_loaded = True
        loaded = self._file.load(self.table.kinds)
        if loaded is not None:
            self._go_on_with(loaded, self.table.version + 1)

    def _go_on_with(self, loaded: LoadedTable, version: int) -> None:
        self.filler = loaded.filler
        self.table.version = version
        self._folders.restart(loaded.stamps, self.table.kinds)
        self._is_packing = False

    def _store(self, read_count: int, changes: CatalogueChanges) -> None:
        """Add few changes to the file; write a new file for many, or when there is none."""
        changes_max = CHANGES_MAX + self.table.run_count // 100
        if not self._file.is_open:
            is_due = read_count > len(self._folders.followed())
        else:
            is_due = read_count > changes_max or self._file.unsaved_count > changes_max
            is_due = is_due or self._file.add_changes(self.table.kinds) > changes_max
        if is_due:
            self.save(changes)

    def adopt(self, run_hash: str, stamp: int) -> None:
        """Note that what was put into the table is what the run's folder of that time holds."""
        self._folders.set_stamp(run_hash, stamp)
        self._is_loaded = True

    def save(self, changes: CatalogueChanges | None = None) -> bool:
        """
        Write all that is known to a new file, and go on with that. Return whether the disk took it.

        Args:
            changes: of the refresh so far; open runs are read once more here, and may have changed again.

        Cost: 1 us a run and 0.1 us a sequence.
        """
        version = self.table.version
        try:
            loaded = self._file.save(self.table, self._folders.stamp)
        except NOT_A_SNAPSHOT:
            self.rebuild()
            return False
        if loaded is None:
            return False
        self._go_on_with(loaded, version)
        # the file does not have the runs that are read at every refresh as they are now
        followed = self._folders.followed()
        if followed:
            self._read_batch(followed, changes or CatalogueChanges())
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._clear()
