"""
The points of one followed run, summed up by writer: sealed files, and journals as far as they were read.

    look_at(writer)    opens the sealed file, or reads the journal pages that were added     -> NewRecords
    NewRecords.add     takes in what these were summed up to (reduction.py)
    parts(sequence)    the parts of a sequence, one for each of its writers
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from aim.storage.catalogue.summaries import PartialSummary, merged, partial_of_sealed
from aim.storage.disk import layout, unreadable
from aim.storage.forms import visible
from aim.storage.forms.history import Rewind
from aim.storage.forms.records import Records
from aim.storage.forms.state import RunState, SequenceState, WriterInfo
from aim.storage.reading.journal_cursor import NO_RECORDS, JournalCursor
from aim.storage.sealing.footer import SealedSequence
from aim.storage.sealing.retrying import retrying
from aim.storage.sealing.sealed import Sealed


class _Journal:
    """
    One writer's journal, summed up as far as it was read.

    Attributes:
        is_complete: whether nothing will be added to what was read.
        full_parts: by sequence number, of the pages that are full.
        open_parts: of the pages behind them, as they were read the last time.
    """

    def __init__(self, folder: Path, writer: str) -> None:
        self.cursor = JournalCursor(folder, writer)
        self.is_complete = False
        self.full_parts: dict[int, PartialSummary] = {}
        self.open_parts: dict[int, PartialSummary] = {}
        self._open_count = 0

    def read(self, writer: WriterInfo) -> tuple[Records, Records, bool]:
        """Return the records of the pages that have become full, of those behind them, and whether any is new."""
        count = writer.end.get("segments") if writer.end else None
        segment_count = count if isinstance(count, int) else None
        full, behind = self.cursor.advance(is_still=segment_count is not None, segment_count=segment_count)
        self.is_complete = writer.end is not None and not self.cursor.has_gap
        is_new = bool(len(full)) or len(behind) != self._open_count
        self._open_count = len(behind)
        return full, behind, is_new

    def add(self, full_parts: dict[int, PartialSummary], open_parts: dict[int, PartialSummary]) -> None:
        """Add the parts of pages that have become full, and replace those of the open pages."""
        self.open_parts = open_parts
        for number, part in full_parts.items():
            earlier = self.full_parts.get(number)
            self.full_parts[number] = part if earlier is None else merged(earlier, part)

    def part(self, number: int) -> PartialSummary | None:
        """Return the part of a sequence."""
        full, behind = self.full_parts.get(number), self.open_parts.get(number)
        if full is None or behind is None:
            return full or behind
        return merged(full, behind)


class NewRecords:
    """
    Records of one writer that were read and are to be summed up.

    Attributes:
        full: of the pages that have become full.
        behind: of the open pages.
    """

    def __init__(self, journal: _Journal, full: Records, behind: Records) -> None:
        self._journal = journal
        self.full = full
        self.behind = behind

    @property
    def writer(self) -> str:
        """The id of the writer."""
        return self._journal.cursor.writer

    def add(self, full_parts: dict[int, PartialSummary], open_parts: dict[int, PartialSummary]) -> None:
        """Add what *full* and *behind* were summed up to."""
        self._journal.add(full_parts, open_parts)


class RecordedPoints:
    """The points of the run in *folder*, by writer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journals: dict[str, _Journal] = {}
        self._sealed: dict[str, dict[int, SealedSequence]] = {}
        self._new_records: list[NewRecords] = []
        self._refuses_sealed = False  # a sealed file could not be read
        self._has_changed = True

    @property
    def lacks_files(self) -> bool:
        """Whether a file could not be read the last time."""
        return self._refuses_sealed or any(journal.cursor.has_gap for journal in self._journals.values())

    def pop_has_changed(self) -> bool:
        """Return whether there are other points than at the last call."""
        has_changed, self._has_changed = self._has_changed, False
        return has_changed

    # reading

    def read_anew(self) -> None:
        """Forget the journals: what was read of them may be hidden now."""
        self._journals.clear()
        self._new_records = []
        self._has_changed = True

    def begin_look(self) -> None:
        """Begin a second look before the first was summed up: it reads the open pages again."""
        self._refuses_sealed = False
        for records in self._new_records:
            records.behind = NO_RECORDS

    def look_at(self, writer: WriterInfo, state: RunState) -> None:
        """
        Read what *writer* has added.

        Raises:
            FileNotFoundError: the run was deleted.
        """
        retrying(lambda: self._look_at(writer, state))

    def _look_at(self, writer: WriterInfo, state: RunState) -> None:
        journal = self._journals.get(writer.id)
        if writer.id in self._sealed or (journal is not None and journal.is_complete):
            return
        if journal is not None and journal.cursor.has_gap:
            self._drop(writer.id)
            self._has_changed, journal = True, None
        if journal is None:
            if self._open_sealed(writer):
                return
            journal = self._journals[writer.id] = _Journal(self._folder, writer.id)
        try:
            full, behind, is_new = journal.read(writer)
        except FileNotFoundError:
            self._drop(writer.id)
            raise
        self._has_changed = self._has_changed or is_new
        full, behind = (_visible(records, writer.id, state) for records in (full, behind))
        self._new_records.append(NewRecords(journal, full, behind))

    def _open_sealed(self, writer: WriterInfo) -> bool:
        """Open the sealed file; return False when there is none. A journal beside it has the same points."""
        path = layout.sealed_file(self._folder, writer.id)
        if writer.end is not None and writer.end.get("segments") and not os.path.exists(path):
            return False
        try:
            file = Sealed.open(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            unreadable.note(path, error)
            self._refuses_sealed = True
            return True
        self._has_changed = True
        self._sealed[writer.id] = {sequence.number: sequence for sequence in file.sequences}
        return True

    def _drop(self, writer: str) -> None:
        self._journals.pop(writer, None)
        self._new_records = [records for records in self._new_records if records.writer != writer]

    def pop_new_records(self) -> list[NewRecords]:
        """Return what was read since the last call."""
        records, self._new_records = self._new_records, []
        return records

    # what there is

    def is_sealed(self, writer: str) -> bool:
        """Return whether the points of a writer are in a sealed file."""
        return writer in self._sealed

    def numbers(self) -> Iterator[tuple[str, int]]:
        """Go through the sequences that have points: by writer, and its number of the sequence."""
        for writer, journal in self._journals.items():
            for parts in (journal.full_parts, journal.open_parts):
                for number in parts:
                    yield writer, number
        for writer, sequences in self._sealed.items():
            for number in sequences:
                yield writer, number

    def parts(
        self, sequence: SequenceState, rewinds: Sequence[Rewind], *, is_numeric: bool
    ) -> list[PartialSummary] | None:
        """Return the parts of a sequence that have points; None when the points have to be read for one of them."""
        parts: list[PartialSummary] = []
        for declared in sequence.parts:
            part: PartialSummary | None = None
            if declared.writer in self._sealed:
                sealed_sequence = self._sealed[declared.writer].get(declared.number)
                if sealed_sequence is None:
                    continue
                part = partial_of_sealed(sealed_sequence, is_numeric=is_numeric, is_sole=len(sequence.parts) == 1)
                if part is None or any(part.summary.last_step > rewind.step for rewind in rewinds):
                    return None
            elif declared.writer in self._journals:
                part = self._journals[declared.writer].part(declared.number)
            if part is not None:
                parts.append(part)
        return parts


def _visible(records: Records, writer: str, state: RunState) -> Records:
    """Return the records that no rewind hides."""
    if not state.rewinds or not len(records):
        return records
    numbers = state.sequences_by_number.items()
    spared = [number for (owner, number), sequence in numbers if owner == writer and not sequence.is_rewound]
    visible_records: Records = records[visible.visible_records(records, spared, state.rewinds)]
    return visible_records
