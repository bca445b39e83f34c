"""
The table of a catalogue of a cluster, and what is known of each run in it: at which mark it was read, and whether it
is open.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from aim.storage.catalogue.catalogue_file import LoadedTable
from aim.storage.catalogue.catalogue_row import CatalogueRow
from aim.storage.catalogue.catalogue_update import PACK_RUNS, CatalogueChanges
from aim.storage.catalogue.point_lookups import OpenReader
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.table_filler import TableFiller
from aim.storage.cluster.cluster_facts import FactsMark


class RunInTable(NamedTuple):
    """
    What is known of a run in the table.

    Attributes:
        mark: its mark when it was read.
        kept_us: the `seen` of the facts that say the same; 0: there are none.
        retraction_count: how often points were hidden or shown again.
        looked_s: when it was looked at last, while a writer may still record; else None.
    """

    mark: int
    kept_us: int
    retraction_count: int = 0
    looked_s: float | None = None


class RunsInTable:
    """
    The runs in a table, by their hashes.

    Attributes:
        filler: changes the table.
    """

    def __init__(self, open_reader: OpenReader) -> None:
        self.filler = TableFiller(RunTable(open_reader))
        self._runs: dict[str, RunInTable] = {}
        self._open: set[str] = set()
        self._packed_count: int | None = 0  # None: there is a snapshot below, so nothing is packed

    def __contains__(self, run_hash: object) -> bool:
        return run_hash in self._runs

    def mark(self, run_hash: str) -> int | None:
        """Return the mark that a run was read at; None: it is not in the table."""
        run = self._runs.get(run_hash)
        return None if run is None else run.mark

    def ended_mark(self, run_hash: str) -> int | None:
        """Return the mark that a run was read at which has ended; None: it is open, or not in the table."""
        return None if run_hash in self._open else self.mark(run_hash)

    # changes

    def go_on_with(self, loaded: LoadedTable, current: Mapping[str, FactsMark]) -> None:
        """Have the table of a snapshot from now on, with those of its runs that were made from facts in *current*."""
        for run_hash, seen_us in loaded.stamps.items():
            at = current.get(run_hash)
            if at is not None and at.seen_us == seen_us:
                self._runs[run_hash] = RunInTable(at.mark, at.seen_us)
            else:
                loaded.filler.remove(run_hash)
        loaded.filler.table.version = self.filler.table.version + 1
        self.filler, self._packed_count = loaded.filler, None

    def put(self, row: CatalogueRow, at: FactsMark, changes: CatalogueChanges) -> None:
        """Put a run as it is now. *at*: its mark, and the `seen` of the facts that say the same; 0: there are none."""
        if self.filler.put(row, follow=row.is_open):
            changes.note(row.run_hash)
        before = self._runs.get(row.run_hash)
        if row.retraction_count != (0 if before is None else before.retraction_count):
            changes.retracted.append(row.run_hash)
        looked_s = time.monotonic() if row.is_open else None
        self._runs[row.run_hash] = RunInTable(at.mark, at.seen_us, row.retraction_count, looked_s)
        (self._open.add if row.is_open else self._open.discard)(row.run_hash)

    def pack(self, *, is_last: bool) -> None:
        """Pack what was put, once in a while: while a table is made from nothing, and when that was the last run."""
        if self._packed_count is None:
            return
        count = self.filler.table.run_count
        if is_last or count - self._packed_count >= PACK_RUNS:
            self._packed_count = None if is_last else count
            self.filler.pack()

    def keep(self, run_hash: str, kept_us: int) -> None:
        """Note that facts of a run in the table were inserted."""
        self._runs[run_hash] = self._runs[run_hash]._replace(kept_us=kept_us)

    def remove(self, run_hash: str, changes: CatalogueChanges) -> None:
        """Remove a run, if it is there."""
        self._open.discard(run_hash)
        if self._runs.pop(run_hash, None) is not None:
            changes.removed.append(run_hash)
        self.filler.remove(run_hash)

    # what is known

    def ended_count(self, run_hashes: Iterable[str]) -> int:
        """Return how many of some runs have ended."""
        return sum(run_hash not in self._open for run_hash in run_hashes)

    def due(self, age_s: float) -> Iterator[str]:
        """Go through the open runs that were not looked at for so many seconds."""
        moment_s = time.monotonic()
        for run_hash in list(self._open):
            looked_s = self._runs[run_hash].looked_s
            if looked_s is not None and moment_s - looked_s >= age_s:
                yield run_hash

    def stamps(self) -> dict[str, int]:
        """Return the `kept_us` of each run."""
        return {run_hash: run.kept_us for run_hash, run in self._runs.items()}
