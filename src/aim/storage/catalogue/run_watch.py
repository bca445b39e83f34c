"""
One run followed: read as a whole the first time, and then only what is new.

    RunWatch.look()      event lines and journal pages that were added           (reads files)
    summarize_chunks()   once for the new records of many runs                   (numpy)
    RunWatch.row()       `CatalogueRow`: fields, params, a summary of each sequence

A run is *open* while one of its writers may still record. When its last writer is found to be gone, the run is read
once more: this catches what the writer stored after the first read. After that the time of its folder tells whether
anything changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from aim.core import kinds
from aim.core.shield import shielded
from aim.core.summaries import Summary
from aim.storage.catalogue.catalogue_row import (
    CatalogueRow,
    CatalogueSequence,
    KindNumbers,
    PairKey,
    fields_of,
    leaves_of,
    rows_of_sequences,
)
from aim.storage.catalogue.recorded_points import RecordedPoints
from aim.storage.catalogue.reduction import summarize_chunks
from aim.storage.catalogue.summaries import summary_of_parts, summary_of_whole, with_unknown_length
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState, SequenceState, WriterInfo
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.reader import RunReader


class RunWatch:
    """
    Follows the run in *folder*; `read_runs` reads many at once.

    Attributes:
        points: what was read of the points.
    """

    def __init__(self, folder: Path, kind_numbers: KindNumbers) -> None:
        self.folder = folder
        self.points = RecordedPoints(folder)
        self._kind_numbers = kind_numbers
        self._log = RunLog(folder)
        self._state = RunState(folder.name)
        self._reader: RunReader | None = None
        self._row = CatalogueRow(folder.name)
        self._line_count = -1  # of which `_row` was made
        self._seemed_over = False
        self._is_open = True

    def look(self) -> None:
        """
        Read what was added.

        Raises:
            FileNotFoundError: the run was deleted.
        """
        self._look()
        if self._is_open and self._seemed_over:
            self._look()

    def _look(self) -> None:
        was_over = self._seemed_over
        rewinds = self._state.rewinds
        self._state = self._log.refresh()
        if self._state.rewinds != rewinds:
            self.points.read_anew()
        self.points.begin_look()
        for writer in self._state.writers.values():
            self.points.look_at(writer, self._state)
        unended = [writer for writer in self._state.writers.values() if writer.end is None]
        now_s = time.time()
        self._seemed_over = all(writer.has_ended(now_s) for writer in unended)
        # a file that can be read again does not change the time of its folder: so the run is read each time
        lacks_files = self._log.lacks_files or self.points.lacks_files
        self._is_open = (bool(unended) and not (was_over and self._seemed_over)) or lacks_files

    def arriving_writers(self) -> list[WriterInfo]:
        """Return the writers that may still record, if each ships from another host and all was read, else none."""
        writers = [writer for writer in self._state.writers.values() if writer.end is None]
        lacks_files = self._log.lacks_files or self.points.lacks_files
        return writers if self._is_open and not lacks_files and all(writer.arrives for writer in writers) else []

    def row(self) -> CatalogueRow:
        """Return what the run is now, after `look` and after its new records were summed up."""
        has_changed = self.points.pop_has_changed()
        if self._line_count != self._log.line_count:
            self._line_count = self._log.line_count
            self._row = CatalogueRow(self.folder.name, params=leaves_of(self._state.tree))
            has_changed = True
        row = self._row
        if has_changed:
            row.sequences, row.contexts = self._sequences()
        state = self._state
        fields = fields_of(state)
        sole_writer = self._sole_writer(state)
        if sole_writer is not None:
            fields["sole_writer"] = sole_writer
        return CatalogueRow(
            row.run_hash, fields, row.params, row.sequences, row.contexts, self._is_open, state.retraction_count
        )

    def _sole_writer(self, state: RunState) -> str | None:
        """Return the writer that has sealed all points of the run, each visible as recorded; None if there is none."""
        writers = list(state.writers)
        if len(writers) != 1 or not self.points.is_sealed(writers[0]) or state.retraction_count or state.damage:
            return None
        if state.forked_from is not None or any(sequence.exact_points for sequence in state.sequences.values()):
            return None
        return None if self._has_undeclared(state) else writers[0]

    def _sequences(self) -> tuple[dict[PairKey, CatalogueSequence], dict[str, Mapping[str, Any]]]:
        """Return the summaries of the sequences that have points, and their contexts."""
        if self._has_undeclared(self._state):
            # declared and tracked between reading the lines and reading the points; if not, the declaration was lost
            self._state = self._log.refresh()
        state = self._state
        declared = self._whole_reader().sequences() if self._has_undeclared(state) else state.sequences
        return rows_of_sequences(
            declared.values(), lambda sequence, kind: self._summary(sequence, kind, state), self._kind_numbers
        )

    def _has_undeclared(self, state: RunState) -> bool:
        return any(writer_number not in state.sequences_by_number for writer_number in self.points.numbers())

    def _summary(self, sequence: SequenceState, stored_kind: str, state: RunState) -> Summary | None:
        """Return the summary of the visible points, from the parts if they tell it, else from the points."""
        is_numeric, is_list = kinds.is_numeric_sequence(stored_kind), stored_kind.startswith("list")
        if not sequence.exact_points and not sequence.dropped_at_s and not sequence.deletions:
            rewinds = state.rewinds if sequence.is_rewound else ()
            parts = self.points.parts(sequence, rewinds, is_numeric=is_numeric)
            if parts is not None:
                if not parts:
                    return None
                summary = summary_of_parts(parts, is_numeric=is_numeric, is_list=is_list)
                if summary is not None:
                    return with_unknown_length(summary, state.retraction_count)
        return summary_of_whole(self._whole_reader().points_of(sequence, state), stored_kind, state.retraction_count)

    def _whole_reader(self) -> RunReader:
        if self._reader is None:
            self._reader = open_run(self.folder)
        return self._reader


def read_runs(watches: Iterable[RunWatch], refused: Callable[[str, Exception], None]) -> dict[str, CatalogueRow]:
    """
    Read what is new of many runs, and return what each is now; runs that were deleted meanwhile are left out.

    Args:
        refused: called for a run that can't be read, whatever the reason; it is left out.
    """
    rows: dict[str, CatalogueRow] = {}

    def leave_out(run_hash: str, error: Exception) -> None:
        if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            refused(run_hash, error)

    looked = [watch for watch in watches if shielded(watch.look, partial(leave_out, watch.folder.name))]
    _sum_up(looked)
    for watch in looked:
        name = watch.folder.name
        shielded(lambda: rows.update({name: watch.row()}), partial(leave_out, name))  # noqa: B023
    return rows


def _sum_up(watches: Iterable[RunWatch]) -> None:
    new_records = [records for watch in watches for records in watch.points.pop_new_records()]
    parts = summarize_chunks([chunk for records in new_records for chunk in (records.full, records.behind)])
    for records, full_parts, open_parts in zip(new_records, parts[::2], parts[1::2], strict=True):
        records.add(full_parts, open_parts)
