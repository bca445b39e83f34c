"""
The catalogue of a project in a cluster: the same table in memory as over a folder, kept up to date from `heads`.

    heads     ->  which runs have changed    one statement a refresh
    snapshot  ->  most runs that have ended  read at the start, from the object store: see cluster_snapshots.py
    facts     ->  the others that have ended read at the start: what an earlier reading has kept of them
    lines, points  ->  the other runs        folded and summed up by the code that reads folders

Of a project with more runs than fit into memory the table has only some: see partial_runs.py.

A run is read again when its *mark* has changed: it grows with every line, slot and edit. A run whose writers may still
record is also looked at again for its state, which depends on the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import NamedTuple

from aim.core.errors import RunNotFound
from aim.storage.catalogue import catalogue_row
from aim.storage.catalogue.catalogue_row import CatalogueRow, KindNumbers
from aim.storage.catalogue.catalogue_update import CatalogueChanges
from aim.storage.catalogue.point_lookups import OpenReader
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.summaries import summary_of_whole
from aim.storage.cluster.cluster_facts import FactsMark, facts_of, keep_many
from aim.storage.cluster.cluster_heads import (
    Head,
    HeadWatch,
    current_facts,
    heads_since,
    heads_without_facts,
    run_count,
)
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_snapshots import ClusterSnapshots
from aim.storage.cluster.database import at_once
from aim.storage.cluster.partial_runs import PartialRuns
from aim.storage.cluster.reading_queue import ReadingQueue
from aim.storage.cluster.runs_in_table import RunsInTable
from aim.storage.cluster.settings import RUNS_IN_MEMORY_MAX
from aim.storage.reading.reader import RunReader

Progress = Callable[[int, int], None]

READ_AT_ONCE = 100  # runs; of these at once little memory is taken
LOOKED_AT_ONCE = 20  # runs, while somebody waits for the first rows
FOLLOWED_S = 1.0  # open runs are looked at again so often


class CatalogueReading(NamedTuple):
    """
    How a catalogue reads runs.

    Attributes:
        open_reader: returns the reader of one.
        together: says which runs are read one after the other in a `with` block.
        ask_marks: is told what returns the mark at which a run was read whose writers had all ended, None of others.
    """

    open_reader: OpenReader
    together: Callable[[Sequence[str]], AbstractContextManager[None]]
    ask_marks: Callable[[Callable[[str], int | None]], object]


class ClusterCatalogue:
    """
    The catalogue of *project*; a `RunCatalogue`.

    Attributes:
        partial: see `RunCatalogue`.

    Args:
        reading: of runs.
        runs_max: how many runs may be in memory.
        snapshots: of the project.
    """

    def __init__(
        self,
        project: ClusterProject,
        reading: CatalogueReading,
        *,
        runs_max: int = RUNS_IN_MEMORY_MAX,
        snapshots: ClusterSnapshots | None = None,
    ) -> None:
        self._project = project
        self._reading = reading
        self._runs_max = runs_max
        self._snapshots = snapshots or ClusterSnapshots(project)
        self._clear()

    def _clear(self) -> None:
        self._runs = RunsInTable(self._reading.open_reader)
        self._reading.ask_marks(self._runs.ended_mark)
        self._queue = ReadingQueue(self._project)
        self._watch = HeadWatch(self._project)
        self.partial: PartialRuns | None = None

    @property
    def table(self) -> RunTable:
        """The columns."""
        return self._runs.filler.table

    @property
    def version(self) -> int:
        """Grows with every change that a refresh finds."""
        return self.table.version

    @property
    def unread_count(self) -> int:
        """How many runs are still to be read."""
        return len(self._queue)

    @property
    def arriving(self) -> None:
        """None: a refresh asks for all that has arrived at once."""
        return None

    def refresh(
        self,
        *,
        full: bool = False,
        progress: Progress | None = None,
        within_s: float | None = None,
        arrivals: bool = True,
    ) -> CatalogueChanges:
        """
        Bring the table up to date, and return which runs changed; see `storage.catalogue.catalogue.Catalogue`.

        Raises:
            ClusterUnavailable: the table stays as it was.

        Cost: one statement when nothing changed, and once a second one for deletions; else a few for each hundred runs
        that changed.
        """
        changes = CatalogueChanges()
        deleted = _deleted_runs(self._project, self._watch)
        self._runs.filler.begin_change()
        if self._watch.seen_us:
            narrow = None if self.partial is None else partial(self.partial.without_current, in_table=self._runs)
            heads = self._watch.changed(deleted, full=full, narrow=narrow)
        else:
            heads = self._begin(deleted)
        self._queue.add(
            {
                run_hash: head
                for run_hash, head in heads.items()
                if run_hash not in deleted and self._runs.mark(run_hash) != head.mark
            }
        )
        for run_hash in deleted:
            if run_hash in self._runs:
                self._forget(run_hash, changes)
        self._watch.take(heads, deleted)
        self._read_open(changes)
        self._read_queue(changes, progress, within_s)
        changes.unread_count = len(self._queue)
        if self.partial is None:
            self._snapshots.note(self._runs.ended_count(changes.changed) + len(changes.removed))
            self._snapshots.keep(self.table, self._runs.stamps, unread_count=changes.unread_count)
        return changes

    def _begin(self, deleted: set[str]) -> dict[str, Head]:
        """Fill the table from a snapshot; return the heads of the runs that may have to be read."""
        total = run_count(self._project)
        if total <= self._runs_max:
            heads = heads_since(self._project, 0)
            current = {name: at for name, at in current_facts(self._project, heads).items() if name not in deleted}
            loaded = self._snapshots.load(self.table.kinds, self._reading.open_reader, len(current))
            if loaded is not None:
                self._runs.go_on_with(loaded, current)
            self._queue.with_facts = {name: mark for name, mark in current.items() if name not in self._runs}
            return heads
        self.partial = PartialRuns(self._project, self, total, self._runs_max)
        self._watch.begin()
        heads = {name: head for name, head in heads_without_facts(self._project).items() if name not in deleted}
        self._queue.add(heads)  # so that `include` leaves them out
        self.include(self.partial.newest())
        return heads

    def include(self, run_hashes: Iterable[str]) -> None:
        """Put runs into the table from their facts, unless it has them or they will be read."""
        deleted = self._project.marks.deleted()
        missing = [
            run_hash
            for run_hash in run_hashes
            if run_hash not in self._runs and run_hash not in self._queue and run_hash not in deleted
        ]
        if missing:
            self._runs.filler.begin_change()
        for row, at in facts_of(self._project, missing, self.table.kinds):
            self._runs.put(row, at, CatalogueChanges())

    def rebuild(self) -> None:
        """Throw the table away; the next refresh reads all runs."""
        version = self.table.version
        self._snapshots.refuse()
        self._clear()
        self.table.version = version + 1

    def sole_writer(self, run_hash: str) -> tuple[str, int] | None:
        """Return None: the points of a run are found by their keys in any case."""
        return None

    def close(self) -> None:
        """Throw the table away."""
        self._clear()

    # reading

    def _read_open(self, changes: CatalogueChanges) -> None:
        due = [run_hash for run_hash in self._runs.due(FOLLOWED_S) if run_hash not in self._queue]
        for start in range(0, len(due), READ_AT_ONCE):
            chosen = due[start : start + READ_AT_ONCE]
            for _ in self._read({run_hash: self._runs.mark(run_hash) or 0 for run_hash in chosen}, changes):
                pass

    def _read_queue(self, changes: CatalogueChanges, progress: Progress | None, within_s: float | None) -> None:
        until_s = None if within_s is None else time.monotonic() + within_s
        at_once = READ_AT_ONCE if within_s is None else LOOKED_AT_ONCE
        read_count = 0
        while self._queue:
            upcoming = self._queue.upcoming(at_once)
            read = self._read_facts(upcoming, changes) if self._queue.holding(upcoming) else None
            # else all of them: they were read together
            for run_hash in self._read(upcoming, changes) if read is None else read:
                self._queue.remove(run_hash)  # only now: what could not be read is read by the next refresh
                read_count += 1
                if progress is not None:
                    progress(read_count, read_count + len(self._queue))
            self._queue.forget_facts(upcoming)  # of what is still queued they do not hold
            if until_s is not None and time.monotonic() >= until_s:
                break

    def _read(self, marks: Mapping[str, int], changes: CatalogueChanges) -> Iterator[str]:
        """Read runs, and go through those that were read; keep what was read of those that have ended."""
        unkept: list[tuple[CatalogueRow, int]] = []
        with self._reading.together(list(marks)):
            try:
                for run_hash, mark in marks.items():
                    try:
                        row = _read_row(self._reading.open_reader(run_hash), run_hash, self.table.kinds)
                    except RunNotFound:
                        self._forget(run_hash, changes)
                    else:
                        self._runs.put(row, FactsMark(mark, 0), changes)
                        if not row.is_open:
                            unkept.append((row, mark))
                    yield run_hash
            finally:
                kept_us = keep_many(self._project, unkept, self.table.kinds)
                for row, _ in unkept:
                    self._runs.keep(row.run_hash, kept_us)

    def _read_facts(self, marks: Mapping[str, int], changes: CatalogueChanges) -> list[str]:
        """Put those of the runs of which facts hold, and return them."""
        read: list[str] = []
        for row, at in facts_of(self._project, self._queue.holding(marks), self.table.kinds):
            if at.mark == marks[row.run_hash]:
                self._runs.put(row, at, changes)
                read.append(row.run_hash)
        self._runs.pack(is_last=len(read) == len(self._queue))
        return read

    def _forget(self, run_hash: str, changes: CatalogueChanges) -> None:
        self._runs.remove(run_hash, changes)
        self._queue.remove(run_hash)


def _deleted_runs(project: ClusterProject, watch: HeadWatch) -> set[str]:
    """Return the runs that are hidden now; where this is a question to the database, *watch* looks at heads then."""
    if watch.seen_us and project.marks.is_old():
        return at_once(project.marks.deleted, watch.look)[0]
    return project.marks.deleted()


def _read_row(reader: RunReader, run_hash: str, kind_numbers: KindNumbers) -> CatalogueRow:
    state = reader.state()
    now_s = time.time()
    points = reader.points_of_many()
    sequences, contexts = catalogue_row.rows_of_sequences(
        reader.sequences().values(),
        lambda sequence, kind: summary_of_whole(points[sequence.key], kind, state.retraction_count),
        kind_numbers,
    )
    return CatalogueRow(
        run_hash,
        catalogue_row.fields_of(state),
        catalogue_row.leaves_of(state.tree),
        sequences,
        contexts,
        any(not writer.has_ended(now_s) for writer in state.writers.values()),
        state.retraction_count,
    )
