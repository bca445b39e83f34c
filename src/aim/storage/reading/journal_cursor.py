"""
One writer's journal read from where the last reading stopped.

    advance() -> (full, open)      full: records of pages that have become full; they are never returned again
                                   open: records of the pages behind them, which may get more; returned each time

    segment   0 ............... 1 ................ 2 .......
    page      1 2 3 ... n       1 2 3 ... n        1 2 3          a page is full when all its slots are filled
                                        ^ position: the first page that was not full

A segment is made with room for up to 65,536 records, so most of the last one is empty while its writer records. Records
are stored in order, but for those of threads that are a few slots apart; so a look reads to the first empty page. What
lies behind an empty page (a disk that refused one page and took the next, requests to a server that overtook each
other, a host that lost its power) is found by each `WHOLE_LOOKS`th look, which reads everything; while there is such a
hole, all looks do.

A segment that is missing although later ones are there is damage, which `check` names; the later ones are read all
the same. A segment that cannot be read sets `has_gap`: then begin again with a new cursor.

Rule: the position moves only when the records are returned, so an error loses nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from aim.storage.disk import unreadable
from aim.storage.forms import journal, records
from aim.storage.forms.records import Records

NO_RECORDS = np.empty(0, records.RECORD_DTYPE)
WHOLE_LOOKS = 16
PINNED_MAX = 4  # how many times as large as the records the bytes may be that they keep in memory


class JournalCursor:
    """
    Reads the segments of one writer of the run in *folder*. One thread at a time.

    Attributes:
        has_gap: a segment could not be read in the last `advance`.
    """

    def __init__(self, folder: Path | str, writer: str) -> None:
        self.writer = writer
        self.has_gap = False
        self._folder = folder
        self._prefix = f"{folder}{os.sep}{writer}.points-"
        self._sealed_path = f"{folder}{os.sep}{writer}.points.parquet"
        self._position = (0, 1)  # segment, page
        self._look_count = 0
        self._has_hole = False  # there were records behind an empty page

    def advance(self, *, is_still: bool = False, segment_count: int | None = None) -> tuple[Records, Records]:
        """
        Return the records of pages that have become full, and those of the pages behind them, in order of recording.

        Args:
            is_still: the writer stores nothing any more, so all its pages count as full.
            segment_count: how many segments there are, when the writer has said so; None: all that are found.

        Raises:
            FileNotFoundError: the journal was sealed meanwhile, or the run was deleted.

        Cost: reads what is behind the position, see above; without *segment_count* also one listing of the folder.
        """
        is_whole = self._has_hole or self._look_count % WHOLE_LOOKS == 0
        self._look_count += 1
        self._has_hole = False
        full: list[Records] = []
        behind: list[Records] = []
        self.has_gap = False
        position = number, page = self._position
        while segment_count is None or number < segment_count:
            slots = self._read(number, page, is_still, is_whole)
            if slots is None:
                following = self._segment_after(number)
                if following is None:
                    break
                number, page = following, page if following == number else 1
                continue
            if behind:
                behind.append(slots)
            else:
                split, is_full = _split(slots, is_still)
                full.append(slots[:split])
                position = (number + 1, 1) if is_full else (number, page + split // journal.PAGE_RECORDS)
                behind += [] if is_full else [slots[split:]]
            number, page = number + 1, 1
        records_full, records_open = _filled(full), _filled(behind)
        self._position = position
        return records_full, records_open

    def _read(self, number: int, page: int, is_still: bool, is_whole: bool) -> Records | None:
        path = f"{self._prefix}{number:04d}"
        read = records.read_ended_segment if is_still else records.read_live_segment
        try:
            if is_still or is_whole:
                content = read(path, page * journal.PAGE_BYTES)
                self._has_hole = self._has_hole or (not is_still and records.has_hole(content))
            else:
                content = records.read_live_tail(path, page * journal.PAGE_BYTES)
        except FileNotFoundError:
            if os.path.exists(self._sealed_path):
                raise  # sealed while the segments were read: any of them may be gone
            return None
        except OSError as error:
            unreadable.note(path, error)
            self.has_gap = True
            return None
        return np.frombuffer(content, records.RECORD_DTYPE, len(content) // journal.RECORD_BYTES)

    def _segment_after(self, number: int) -> int | None:
        # the segment itself when it was created this moment; one that cannot be read is passed over
        first = number + 1 if self.has_gap else number
        return next((n for n in records.segment_numbers(self._folder, self.writer) if n >= first), None)


def _split(slots: Records, is_still: bool) -> tuple[int, bool]:
    """Return how many slots lie in full pages, and whether that is the whole segment."""
    if is_still:
        return len(slots), True
    is_filled = slots["sequence"] != 0
    if is_filled.all():
        # a live writer's file without slots was created this moment, and will be as long as the others
        return len(slots), len(slots) > 0
    return int(np.argmin(is_filled)) // journal.PAGE_RECORDS * journal.PAGE_RECORDS, False


def _filled(parts: Sequence[Records]) -> Records:
    """Return the records of parts that lie one after the other, without empty slots and void ones."""
    if not parts:
        return NO_RECORDS
    slots = parts[0] if len(parts) == 1 else records.joined(parts)
    sequence = np.ascontiguousarray(slots["sequence"])
    is_filled = sequence - np.uint32(1) < np.uint32(journal.VOID - 1)  # neither 0, which wraps around, nor VOID
    count = int(np.count_nonzero(is_filled))
    if is_filled[:count].all():  # nearly always
        return slots[:count] if count * PINNED_MAX >= len(slots) else slots[:count].copy()
    filled: Records = slots[is_filled]
    return filled
