"""
The catalogue: all runs of a repository as columns, kept up to date, with a cache on the reader's machine.

    snapshot (a file of the user's cache)  ->  RunTable (memory)  <-  facts (run folders that freshness names)

It is a cache and nothing else: deleted, damaged, old or missing, it is made again from the runs. The one who records
never meets it. Specified in docs/formats/catalogue.md; why, in docs/decisions/catalogue.md.

Rule 1: `refresh` before a query; then the query sees what any process recorded or changed before it.
Rule 2: one thread at a time refreshes; whoever shares the catalogue (`engine.scan`) holds a lock for that. A table that
is read (`RunTable.reading`) is not changed: `table` is a copy from then on.
"""

from __future__ import annotations

import gc
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aim.core import params
from aim.storage.catalogue import pair_blocks, snapshot
from aim.storage.catalogue.catalogue_row import FIELD_NAMES, CatalogueRow, KindNumbers, from_json, to_json
from aim.storage.catalogue.columns import Base, Column
from aim.storage.catalogue.ended_runs import EndedRuns
from aim.storage.catalogue.run_table import OpenReader, RunTable
from aim.storage.catalogue.run_watch import RunWatch, read_runs
from aim.storage.catalogue.snapshot import DamagedSnapshot, Snapshot, SnapshotWriter
from aim.storage.disk.freshness import FolderTime, Freshness, time_of

BATCH_RUNS = 128  # read at once: their points are reduced by one call of numpy
PACK_RUNS = 4096  # runs put between two packings while a catalogue is made from nothing
CHANGES_MAX = 256  # changed runs that are added to the file one by one, and 1 % of all runs; more: a new file
OPEN_STAMP = -1  # of a run that is open or young: no folder has this time, so the next process reads it

Progress = Callable[[int, int], None]
"""Called with how many runs were read, and how many have to be."""

log = logging.getLogger("aim")


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


@dataclass
class _Watched:
    """A run that is read again at every refresh."""

    watch: RunWatch
    inode: int


class Catalogue:
    """
    The catalogue of the repository in *repository* (the `.aim`).

    Attributes:
        table: what queries ask; another object after a refresh that found something while it was read.

    Args:
        open_reader: opens the reader of a run, for points.
        cache: the folder of its file; None: the usual one.
        progress: told how far a long reading is.

    Cost of opening: with a file 5 us a run, without one 0.4 ms a run, at the first `refresh`.
    """

    def __init__(
        self, repository: Path, open_reader: OpenReader, *, cache: Path | None = None, progress: Progress | None = None
    ) -> None:
        self._repository = repository
        self._runs = f"{repository / 'runs'}{os.sep}"
        self._open_reader = open_reader
        self._cache = snapshot.folder_of(repository) if cache is None else cache
        self._progress = progress
        self._unreadable: set[str] = set()
        self._snapshot: Snapshot | None = None
        self._clear()

    def _clear(self) -> None:
        self.table = RunTable(self._open_reader)
        self._ended = EndedRuns(self.table.kinds)
        self._stamps: dict[str, int] = {}
        self._freshness = Freshness(self._repository, self._stamps)
        self._watched: dict[str, _Watched] = {}
        self._taken_back: dict[str, int] = {}
        self._unsaved: dict[str, tuple[int, Any]] = {}
        self._is_loaded = False
        self._unread: list[str] = []  # still to be read, the next one last
        self._read_count = 0  # since `_left` was last empty
        self._is_packing = False  # all runs come from their folders: none from a file

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
            progress: told how far a long reading is.
            within_s: after so many seconds, read no more runs but those that are open. The next refresh goes on with
                the others, which `unread_count` counts. The table is whole at any time; the newest runs come first.

        Cost: 10 us when nothing changed and no run is open; 0.1 ms for each open run; about 1 ms for a changed one.
        """
        if not self._is_loaded:
            self._load()
            full = True
        due = self._freshness.look(self._watched.keys(), full=full)
        found = CatalogueChanges()
        if self.table.is_read and (due.gone or due.read or self._unread):
            self.table = self.table.copied()
        for run_hash in due.gone:
            self._forget(run_hash, found)
        if due.gone:
            self._unread = [run_hash for run_hash in self._unread if run_hash not in due.gone]
        followed = due.read & self._watched.keys()
        if len(due.read) > len(followed):
            self._unread += self._in_order((due.read - followed).difference(self._unread))
        if self._unread or followed:
            self._read(sorted(followed), found, progress or self._progress, within_s)
        found.unread_count = len(self._unread)
        return found

    def sole_writer(self, run_hash: str) -> tuple[str, int] | None:
        """Return the writer that has sealed all points of a run, and the time of the folder then; None: who knows."""
        # the time first: a refresh in another thread sets it last, and what is older than its time is asked again
        stamp = self._stamps.get(run_hash, OPEN_STAMP)
        writer = None if stamp == OPEN_STAMP or run_hash in self._watched else self.table.sole_writer(run_hash)
        return None if writer is None else (writer, stamp)

    def rebuild(self) -> None:
        """Throw the file and all that is known away, and begin anew at the next `refresh`."""
        version = self.table.version
        if self._snapshot is not None:
            snapshot.discard(self._snapshot.path)
            self._snapshot.close()
            self._snapshot = None
        self._clear()
        self.table.version = version + 1

    def _forget(self, run_hash: str, found: CatalogueChanges) -> None:
        if run_hash in self.table:
            found.removed.append(run_hash)
        self.table.remove(run_hash)
        self._stamps.pop(run_hash, None)
        self._watched.pop(run_hash, None)
        self._taken_back.pop(run_hash, None)
        self._unsaved.pop(run_hash, None)
        self._freshness.removed(run_hash)

    def _read(
        self, followed: list[str], found: CatalogueChanges, progress: Progress | None, within_s: float | None
    ) -> None:
        if self._snapshot is None and not self.table.run_count:
            self._is_packing = True
        # nothing read here is garbage: looking for it among millions of new objects takes a sixth of the time
        collects = len(self._unread) > PACK_RUNS // 4 and gc.isenabled()
        if collects:
            gc.disable()
        try:
            for start in range(0, len(followed), BATCH_RUNS):
                self._read_batch(followed[start : start + BATCH_RUNS], found)
            self._read_left(found, progress, None if within_s is None else time.monotonic() + within_s)
        finally:
            if collects:
                gc.enable()
        if not self._unread:
            self._is_packing = False
            read_count, self._read_count = self._read_count, 0
            self._keep(read_count + len(followed), found)

    def _read_left(self, found: CatalogueChanges, progress: Progress | None, until_s: float | None) -> None:
        while self._unread:
            batch = self._unread[: -BATCH_RUNS - 1 : -1]
            self._read_batch(batch, found)
            del self._unread[-len(batch) :]  # only now: an interrupted reading begins again with this batch
            before = self._read_count // PACK_RUNS
            self._read_count += len(batch)
            if progress is not None:
                progress(self._read_count, self._read_count + len(self._unread))
            if self._is_packing and self._read_count // PACK_RUNS > before:
                self.table.pack()
            if until_s is not None and time.monotonic() >= until_s:
                break

    def _in_order(self, run_hashes: Iterable[str]) -> list[str]:
        """Return runs to read in the order of their age, the newest last, which is read first."""

        def changed_s(run_hash: str) -> float:
            try:
                return os.stat(self._runs + run_hash).st_mtime
            except OSError:
                return 0.0

        ordered = sorted(run_hashes)
        return ordered if len(ordered) <= BATCH_RUNS else sorted(ordered, key=changed_s)

    def _read_batch(self, run_hashes: Iterable[str], found: CatalogueChanges) -> None:
        times: dict[str, FolderTime] = {}
        inodes: dict[str, int] = {}
        watches: dict[str, RunWatch] = {}
        for run_hash in run_hashes:
            path = self._runs + run_hash
            try:
                stat = os.stat(path)
            except OSError:
                self._forget(run_hash, found)
                continue
            times[run_hash], inodes[run_hash] = time_of(stat), stat.st_ino
            known = self._watched.get(run_hash)
            if known is not None and known.inode == stat.st_ino:  # not a new run under an old name
                watches[run_hash] = known.watch
        # who is followed is read from where it was, and most of the others have ended
        read = self._ended.read(self._runs + run_hash for run_hash in times if run_hash not in watches)
        for run_hash in times:
            if run_hash not in watches and run_hash not in read:
                watches[run_hash] = RunWatch(Path(self._runs + run_hash), self.table.kinds)
        read |= read_runs(watches.values(), self._cannot_read)
        for run_hash, moment in times.items():
            now = read.get(run_hash)
            if now is None:
                self._forget(run_hash, found)
                continue
            self._put(now, moment, found)
            if now.is_open or moment.is_young:
                watch = watches.get(run_hash) or RunWatch(Path(self._runs + run_hash), self.table.kinds)
                self._watched[run_hash] = _Watched(watch, inodes[run_hash])
            else:
                self._watched.pop(run_hash, None)

    def _put(self, now: CatalogueRow, moment: FolderTime, found: CatalogueChanges) -> None:
        run_hash = now.run_hash
        follow = now.is_open or moment.is_young
        if self.table.put(now, follow=follow) and run_hash not in found.changed:
            found.changed.append(run_hash)
        if now.taken_back != self._taken_back.get(run_hash, 0):
            self._taken_back[run_hash] = now.taken_back
            found.taken_back.append(run_hash)
        if run_hash not in self._stamps:
            self._stamps[run_hash] = moment.stamp
            self._freshness.added(run_hash)
        self._stamps[run_hash] = moment.stamp
        if not follow and self._snapshot is not None:
            self._unsaved[run_hash] = (moment.stamp, now)

    def _cannot_read(self, run_hash: str, error: OSError) -> None:
        if run_hash not in self._unreadable:
            self._unreadable.add(run_hash)
            log.warning("Aim can't read run %s and leaves it out: %s.", run_hash, error.strerror or error)

    # the file

    def _load(self) -> None:
        self._is_loaded = True
        path = snapshot.newest(self._cache)
        while path is not None:
            file = None
            try:
                file = Snapshot(path)
                self._open(file)
                return
            except (DamagedSnapshot, ValueError, KeyError, TypeError, IndexError):
                if file is not None:
                    file.close()
                snapshot.discard(path)
                self._snapshot = None
                self._clear()
                self._is_loaded = True
                following = snapshot.newest(self._cache)
                path = None if following == path else following

    def _open(self, file: Snapshot) -> None:
        directory = file.directory
        hashes = file.blob(*directory["hashes"]).decode().split("\n") if directory["run_count"] else []
        stamps = file.array(directory["stamps"]).tolist()
        if not len(hashes) == len(stamps) == directory["run_count"]:
            raise DamagedSnapshot(f"{file.path}: {len(hashes)} runs")
        # after `save` the watches go on with the numbers that they have
        kinds = self.table.kinds if self.table.kinds.names == directory["kinds"] else KindNumbers(directory["kinds"])
        table = RunTable(self._open_reader, hashes, kinds)
        for name, entry in directory["fields"].items():
            table.fields[name] = _column(table, file, entry)
        for path, entry in directory["params"]:
            table.add_base_column(tuple(path), _column(table, file, entry))
        for key, context, load, count in pair_blocks.read(file):
            table.add_pair(key, context, load, count)
        table.version = self.table.version + 1
        self.table = table
        self._ended = EndedRuns(kinds)
        self._stamps.clear()
        self._stamps.update(zip(hashes, stamps, strict=True))
        self._freshness = Freshness(self._repository, self._stamps)
        for stamp, form in file.changes():
            changed = from_json(form, table.kinds)
            table.put(changed)
            self._stamps[changed.run_hash] = stamp
        self._snapshot = file
        self._is_packing = False

    def _keep(self, read_count: int, found: CatalogueChanges) -> None:
        # few changes are added to the file; many, or a catalogue that has no file yet, make a new one
        limit = CHANGES_MAX + self.table.run_count // 100
        if self._snapshot is None or read_count > limit or len(self._unsaved) > limit:
            if self._snapshot is not None or read_count > len(self._watched):
                self.save(found)
            return
        if self._unsaved:
            unsaved, self._unsaved = self._unsaved, {}
            count = self._snapshot.add_changes(
                (run_hash, stamp, to_json(now, self.table.kinds)) for run_hash, (stamp, now) in unsaved.items()
            )
            if count is not None and count > limit:
                self.save(found)

    def adopt(self, run_hash: str, stamp: int) -> None:
        """Say that what was put into the table is what the run's folder of that time holds."""
        self._stamps[run_hash] = stamp
        self._is_loaded = True

    def save(self, found: CatalogueChanges | None = None) -> bool:
        """
        Write all that is known to a new file, and go on with that. Say whether the disk took it.

        Args:
            found: what a refresh has found so far; open runs are read once more here, and may have changed again.

        Cost: 1 us a run and 0.1 us a sequence.
        """
        try:
            with SnapshotWriter(self._cache) as writer:
                path = writer.finish(self._directory(writer))
            file = Snapshot(path)
        except (OSError, sqlite3.Error, DamagedSnapshot):
            return False
        version, was_read = self.table.version, self.table.is_read
        before = self._snapshot
        self._unsaved.clear()
        try:
            self._open(file)
        except (DamagedSnapshot, ValueError, KeyError, TypeError, IndexError):
            self.rebuild()
            return False
        self.table.version = version
        if before is not None and not was_read:
            before.close()  # else columns may still be read from it; it is closed with the last of them
        # what is read again at every refresh is not in the file; it comes from the watches
        if self._watched:
            self._read_batch(list(self._watched), found or CatalogueChanges())
        return True

    def _directory(self, writer: SnapshotWriter) -> dict[str, Any]:
        table = self.table
        hashes = table.hashes()
        stamps = [OPEN_STAMP if run_hash in self._watched else self._stamps[run_hash] for run_hash in hashes]
        return {
            "repository": str(self._repository),
            "run_count": len(hashes),
            "hashes": writer.blob("\n".join(hashes).encode()),
            "stamps": writer.array(np.array(stamps, np.int64)),
            "kinds": table.kinds.names,
            "fields": {name: _written(writer, table.fields[name]) for name in FIELD_NAMES if name != "hash"},
            "params": [
                (list(path), _written(writer, column)) for path, column in table.params.items() if not column.is_empty()
            ],
            **pair_blocks.write(writer, table.pairs),
        }

    def close(self) -> None:
        """Close the file."""
        if self._snapshot is not None:
            self._snapshot.close()
            self._snapshot = None
        self._clear()


def _column(table: RunTable, file: Snapshot, entry: dict[str, Any]) -> Column:
    def load() -> Base:
        codes = file.array(entry["codes"]).astype(np.int32)
        if entry["kind"] != "json":
            return codes, file.array(entry["values"])
        values: list[object] = [params.decode(value) for value in file.json(entry["values"])]
        return codes, values

    return Column(table.slots, load, entry["filled"])


def _written(writer: SnapshotWriter, column: Column) -> dict[str, Any]:
    codes, values = column.compact()
    entry = {"codes": writer.array(codes), "filled": int((codes >= 0).sum())}
    if isinstance(values, list):
        return {**entry, "kind": "json", "values": writer.json([params.encode(value) for value in values])}
    # as they are: a small type would not show that all are ints of 64 bits
    return {**entry, "kind": values.dtype.kind, "values": writer.array(values, shrink=False)}
