"""
The catalogue of a project in a cluster: the same table in memory as over a folder, kept up to date from `heads`.

    heads  ->  which runs have changed    one statement a refresh
    facts  ->  runs that have ended       read at the start: what an earlier reading has kept of them
    lines, points  ->  the other runs     folded and summed up by the code that reads folders

A run is read again when its *mark* has changed: it grows with every line, slot and edit. A run whose writers may still
record is also looked at again for its state, which depends on the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from aim.core.errors import RunNotFound
from aim.storage.catalogue import catalogue_row
from aim.storage.catalogue.catalogue_row import CatalogueRow
from aim.storage.catalogue.catalogue_update import CatalogueChanges
from aim.storage.catalogue.point_lookups import OpenReader
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.summaries import summary_of_whole
from aim.storage.catalogue.table_filler import TableFiller
from aim.storage.cluster.cluster_facts import keep_facts, read_facts
from aim.storage.cluster.cluster_heads import LATE_US, Head, heads_since
from aim.storage.cluster.cluster_project import ClusterProject

Progress = Callable[[int, int], None]

FOLLOWED_S = 1.0  # open runs are looked at again so often


class ClusterCatalogue:
    """The catalogue of *project*; a `RunCatalogue`."""

    def __init__(self, project: ClusterProject, open_reader: OpenReader) -> None:
        self._project = project
        self._open_reader = open_reader
        self._clear()

    def _clear(self) -> None:
        self._filler = TableFiller(RunTable(self._open_reader))
        self._read_marks: dict[str, int] = {}  # by run: its mark when it was read
        self._queue: dict[str, Head] = {}
        self._open: dict[str, float] = {}  # by run: when it was looked at last
        self._retraction_counts: dict[str, int] = {}
        self._seen_us = 0

    @property
    def table(self) -> RunTable:
        """The columns."""
        return self._filler.table

    @property
    def version(self) -> int:
        """Grows with every change that a refresh finds."""
        return self.table.version

    @property
    def unread_count(self) -> int:
        """How many runs are still to be read."""
        return len(self._queue)

    def refresh(
        self, *, full: bool = False, progress: Progress | None = None, within_s: float | None = None
    ) -> CatalogueChanges:
        """
        Bring the table up to date, and return which runs changed; see `storage.catalogue.catalogue.Catalogue`.

        Raises:
            ClusterUnavailable: the table stays as it was.

        Cost: two statements when nothing changed; for each changed run one for its lines, and one for each of its
        sequences.
        """
        changes = CatalogueChanges()
        is_first = not self._seen_us
        heads = heads_since(self._project, 0 if full else self._seen_us - LATE_US)
        deleted = self._project.marks.deleted()
        self._filler.begin_change()
        if is_first:
            for row, mark in read_facts(self._project, heads, self.table.kinds):
                if row.run_hash not in deleted:
                    self._put(row, mark, changes)
        self._queue.update(
            (run_hash, head)
            for run_hash, head in sorted(heads.items(), key=lambda item: item[1].seen_us)
            if run_hash not in deleted and self._read_marks.get(run_hash) != head.mark
        )
        for run_hash in [run_hash for run_hash in self._read_marks if run_hash in deleted]:
            self._forget(run_hash, changes)
        self._seen_us = max([self._seen_us, *(head.seen_us for head in heads.values())])
        self._read_open(changes)
        self._read_queue(changes, progress, within_s)
        changes.unread_count = len(self._queue)
        return changes

    def rebuild(self) -> None:
        """Throw the table away; the next refresh reads all runs."""
        version = self.table.version
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
        moment_s = time.monotonic()
        for run_hash, looked_s in list(self._open.items()):
            if run_hash not in self._queue and moment_s - looked_s >= FOLLOWED_S:
                self._read(run_hash, self._read_marks.get(run_hash, 0), changes)

    def _read_queue(self, changes: CatalogueChanges, progress: Progress | None, within_s: float | None) -> None:
        until_s = None if within_s is None else time.monotonic() + within_s
        read_count = 0
        while self._queue:
            run_hash = next(reversed(self._queue))
            self._read(run_hash, self._queue[run_hash].mark, changes)
            del self._queue[run_hash]  # only now: what could not be read is read by the next refresh
            read_count += 1
            if progress is not None:
                progress(read_count, read_count + len(self._queue))
            if until_s is not None and time.monotonic() >= until_s:
                break

    def _read(self, run_hash: str, mark: int, changes: CatalogueChanges) -> None:
        try:
            row = self._row(run_hash)
        except RunNotFound:
            self._forget(run_hash, changes)
            return
        self._put(row, mark, changes)
        if not row.is_open:
            keep_facts(self._project, row, mark, self.table.kinds)

    def _row(self, run_hash: str) -> CatalogueRow:
        reader = self._open_reader(run_hash)
        state = reader.state()
        now_s = time.time()
        sequences, contexts = catalogue_row.rows_of_sequences(
            reader.sequences().values(),
            lambda sequence, kind: summary_of_whole(reader.points_of(sequence, state), kind, state.retraction_count),
            self.table.kinds,
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

    def _put(self, row: CatalogueRow, mark: int, changes: CatalogueChanges) -> None:
        if self._filler.put(row, follow=row.is_open) and row.run_hash not in changes.changed:
            changes.changed.append(row.run_hash)
        if row.retraction_count != self._retraction_counts.get(row.run_hash, 0):
            self._retraction_counts[row.run_hash] = row.retraction_count
            changes.retracted.append(row.run_hash)
        self._read_marks[row.run_hash] = mark
        if row.is_open:
            self._open[row.run_hash] = time.monotonic()
        else:
            self._open.pop(row.run_hash, None)

    def _forget(self, run_hash: str, changes: CatalogueChanges) -> None:
        if self._read_marks.pop(run_hash, None) is not None:
            changes.removed.append(run_hash)
        self._filler.remove(run_hash)
        self._open.pop(run_hash, None)
        self._queue.pop(run_hash, None)
        self._retraction_counts.pop(run_hash, None)
