"""
The records of one writer, kept in memory while its journal fills.

    refresh       reads what is new with a `JournalCursor`
    of_sequence   the points of one sequence; what is new is split by sequence, and appended to what was split before
                  when somebody asks for the sequence: most readers ask for one or two of many

So a look at a live run costs what was recorded since the last one. Any number of threads may use it.
"""

from __future__ import annotations

import threading
from pathlib import Path

from aim.core import forks
from aim.storage.forms import records
from aim.storage.forms.records import Records
from aim.storage.reading.growing import GrowingPoints, split_by_sequence
from aim.storage.reading.journal_cursor import NO_RECORDS, JournalCursor


class FollowedJournal:
    """
    The segments of one writer in *folder*.

    Attributes:
        generation: grows when records were added.
        is_complete: the writer has ended, and all of its journal was read.
        split_count: how many records were split by sequence so far, those that were read again counted again.
    """

    def __init__(self, folder: Path, writer: str) -> None:
        self.folder = folder
        self.writer = writer
        self.generation = 0
        self.is_complete = False
        self.split_count = 0
        self._cursor = JournalCursor(folder, writer)
        self._unsplit: list[Records] = []  # of pages that are full
        self._behind = NO_RECORDS
        self._full_count = 0
        self._split_generation = 0
        self._points: dict[int, GrowingPoints] = {}
        self._open_numbers: set[int] = set()  # of sequences that have records in pages that are not full
        self._added: dict[int, _AddedRecords] = {}  # by sequence; what `_points` do not have yet
        self._lock = threading.Lock()

    @property
    def has_gap(self) -> bool:
        """Whether a segment could not be read; the next `refresh` reads the whole journal again."""
        return self._cursor.has_gap

    def __len__(self) -> int:
        return self._full_count + len(self._behind)

    def refresh(self, *, is_still: bool = False) -> None:
        """
        Read what is new.

        Args:
            is_still: the writer stores nothing any more.

        Raises:
            FileNotFoundError: the journal was sealed meanwhile.
        """
        with forks.whole(), self._lock:
            self._refresh(is_still)

    def _refresh(self, is_still: bool) -> None:
        had_gap = self.has_gap
        if had_gap:
            self._cursor = JournalCursor(self.folder, self.writer)
            self._full_count = 0
            self._unsplit, self._points, self._open_numbers, self._added = [], {}, set(), {}
        full, behind = self._cursor.advance(is_still=is_still)
        if had_gap or len(full) or len(behind) != len(self._behind) or self.generation == 0:
            self.generation += 1
        if len(full):
            self._unsplit.append(full)
        self._full_count += len(full)
        self._behind = behind

    def of_sequence(self, number: int) -> GrowingPoints:
        """Return the points of one sequence number, in the order of recording; none has a length of 0."""
        with forks.whole(), self._lock:
            self._split()
            points = self._points.get(number) or GrowingPoints()
            added = self._added.pop(number, None)
            if added is not None:
                points = self._points[number] = points.continued(_joined(added.full), added.behind)
            return points

    def numbers(self) -> list[int]:
        """Return the numbers of the sequences that have records, ascending."""
        with forks.whole(), self._lock:
            self._split()
            return sorted(self._points.keys() | self._added.keys())

    def _split(self) -> None:
        if self._split_generation == self.generation:
            return
        unsplit, self._unsplit = self._unsplit, []
        full = _joined(unsplit)
        full_parts, open_parts = split_by_sequence(full), split_by_sequence(self._behind)
        self.split_count += len(full) + len(self._behind)
        for number in full_parts.keys() | open_parts.keys() | self._open_numbers:
            added = self._added.setdefault(number, _AddedRecords())
            if number in full_parts:
                added.full.append(full_parts[number])
            added.behind = open_parts.get(number, NO_RECORDS)
        self._open_numbers = set(open_parts)
        self._split_generation = self.generation


class _AddedRecords:
    """Records of one sequence that were read since its points were asked for; see `GrowingPoints.continued`."""

    __slots__ = ("behind", "full")

    def __init__(self) -> None:
        self.full: list[Records] = []
        self.behind: Records = NO_RECORDS


def _joined(parts: list[Records]) -> Records:
    return NO_RECORDS if not parts else parts[0] if len(parts) == 1 else records.joined(parts)
