"""
A writer's journal read page by page as it fills: what is full is kept, and read no more.

    refresh   segments from the first page that was not full   ->  records, in the order of recording
    of        the records of one sequence; the second one that is asked for has all put in order

Any thread may ask: two that refreshed at once would each move on, and what lies between would never be read.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from aim.core import forks
from aim.storage.disk import layout, unreadable
from aim.storage.forms import journal, records
from aim.storage.forms.records import IntArray, Records


class FollowedJournal:
    """
    The segments of one writer in *folder*.

    Attributes:
        generation: grows when records were added.
        is_complete: its writer has ended, and all of it was read.
        has_gap: a segment could not be read; `refresh` begins anew.
    """

    def __init__(self, folder: Path, writer: str) -> None:
        self.folder = folder
        self.writer = writer
        self.generation = 0
        self.is_complete = False
        self.has_gap = False
        self._full: list[Records] = []  # of pages that will not change
        self._next = (0, 1)  # segment, page to read from
        self._records = np.empty(0, records.RECORD_DTYPE)
        self._order: IntArray | None = None
        self._ordered_numbers = self._records["sequence"]
        self._asked: set[int] = set()
        self._lock = threading.Lock()

    def refresh(self, *, is_still: bool = False) -> None:
        """
        Read what is new; *is_still*: nobody stores anything any more.

        Raises:
            FileNotFoundError: the journal was sealed meanwhile.
        """
        with forks.whole(), self._lock:
            self._refresh(is_still)

    def _refresh(self, is_still: bool) -> None:
        open_part: list[Records] = []
        had_gap, self.has_gap = self.has_gap, False
        if had_gap:
            self._full, self._next = [], (0, 1)
        number, page = self._next
        while True:
            path = layout.segment_file(self.folder, self.writer, number)
            try:
                slots = self._read(path, page, is_still)
            except FileNotFoundError:
                if layout.sealed_file(self.folder, self.writer).exists():
                    raise  # sealed while the segments were read: any of them may be gone
                later = [n for n in records.segment_numbers(self.folder, self.writer) if n >= number]
                if later:  # created this moment; or one in between is missing: damage, and the rest still counts
                    number, page = later[0], page if later[0] == number else 1
                    continue
                break
            except OSError as error:
                unreadable.note(path, error)
                self.has_gap = True
                later = [n for n in records.segment_numbers(self.folder, self.writer) if n > number]
                if not later:
                    break
                number, page = later[0], 1
                continue
            number, page = self._take(slots, number, page, open_part, is_still)
        parts = [*self._full, *open_part]
        if had_gap or sum(map(len, parts)) != len(self._records) or self.generation == 0:
            self._records = np.concatenate(parts) if parts else self._records[:0]
            self._order = None
            self._asked.clear()
            self.generation += 1
        self._full = [self._records[: sum(map(len, self._full))]] if self._full else []

    def _read(self, path: Path, page: int, is_still: bool) -> Records:
        content = (records.read_still if is_still else records.read_agreed)(path, page * journal.PAGE_BYTES)
        count = len(content) // journal.RECORD_BYTES
        return np.frombuffer(content, records.RECORD_DTYPE, count)

    def _take(
        self, slots: Records, number: int, page: int, open_part: list[Records], is_still: bool
    ) -> tuple[int, int]:
        filled = slots["sequence"] != 0
        holes = np.flatnonzero(~filled)
        full_pages = (int(holes[0]) if len(holes) else len(slots)) // journal.PAGE_RECORDS
        split = full_pages * journal.PAGE_RECORDS
        keep = filled & (slots["sequence"] != journal.VOID)
        if not open_part:
            self._full.append(slots[:split][keep[:split]])
            if split == len(slots) and (split or is_still):  # a file without slots was created this moment
                self._next = (number + 1, 1)
            else:
                self._next = (number, page + full_pages)
                open_part.append(slots[split:][keep[split:]])
        else:
            open_part.append(slots[keep])
        return number + 1, 1

    def all(self) -> Records:
        """Return all records, in the order of recording."""
        return self._records

    def of(self, number: int) -> Records:
        """Return the records of one sequence number, in the order of recording."""
        with forks.whole(), self._lock:
            return self._of(number)

    def _of(self, number: int) -> Records:
        if self._order is None and (not self._asked or self._asked == {number}):
            self._asked.add(number)
            rows: Records = self._records[self._records["sequence"] == number]
            return rows
        if self._order is None:
            self._order = np.argsort(self._records["sequence"], kind="stable").astype(np.int64)
            self._ordered_numbers = self._records["sequence"][self._order]
        start, stop = np.searchsorted(self._ordered_numbers, np.array((number, number + 1), np.uint32))
        return self._records[self._order[start:stop]]
