"""
The records of one writer, kept in memory while its journal fills.

    refresh       reads what is new with a `JournalCursor`
    all           all records, in the order of recording
    of_sequence   the records of one sequence; the second sequence that is asked for has all records sorted by sequence

Any number of threads may use it.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from aim.core import forks
from aim.storage.forms.records import IntArray, Records
from aim.storage.reading.journal_cursor import NO_RECORDS, JournalCursor


class FollowedJournal:
    """
    The segments of one writer in *folder*.

    Attributes:
        generation: grows when records were added.
        is_complete: the writer has ended, and all of its journal was read.
    """

    def __init__(self, folder: Path, writer: str) -> None:
        self.folder = folder
        self.writer = writer
        self.generation = 0
        self.is_complete = False
        self._cursor = JournalCursor(folder, writer)
        self._records = NO_RECORDS
        self._full_count = 0  # records of pages that are full, at the beginning of `_records`
        self._order: IntArray | None = None
        self._ordered_numbers = self._records["sequence"]
        self._asked_numbers: set[int] = set()
        self._lock = threading.Lock()

    @property
    def has_gap(self) -> bool:
        """Whether a segment could not be read; the next `refresh` reads the whole journal again."""
        return self._cursor.has_gap

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
        full, behind = self._cursor.advance(is_still=is_still)
        count = self._full_count + len(full) + len(behind)
        if had_gap or count != len(self._records) or self.generation == 0:
            self._records = np.concatenate((self._records[: self._full_count], full, behind))
            self._order = None
            self._asked_numbers.clear()
            self.generation += 1
        self._full_count += len(full)

    def all(self) -> Records:
        """Return all records, in the order of recording."""
        return self._records

    def of_sequence(self, number: int) -> Records:
        """Return the records of one sequence number, in the order of recording."""
        with forks.whole(), self._lock:
            return self._of_sequence(number)

    def _of_sequence(self, number: int) -> Records:
        if self._order is None and (not self._asked_numbers or self._asked_numbers == {number}):
            self._asked_numbers.add(number)
            rows: Records = self._records[self._records["sequence"] == number]
            return rows
        if self._order is None:
            self._order = np.argsort(self._records["sequence"], kind="stable").astype(np.int64)
            self._ordered_numbers = self._records["sequence"][self._order]
        start, stop = np.searchsorted(self._ordered_numbers, np.array((number, number + 1), np.uint32))
        return self._records[self._order[start:stop]]
