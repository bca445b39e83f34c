"""
Arrays that grow at their end, and whose earlier parts never change.

    GrowingArray.extend    amortized O(new): a room that is full is replaced by one half as large again
    GrowingArray.view      the elements so far, without a copy; a view that was taken stays as it was
    GrowingPoints          the columns of one sequence of a journal, each a `GrowingArray`

The end of a live journal is read again at each look, and may then have other records in between. What was returned
stays as it was: when records are not the beginning of the new ones, their sequence continues in new arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from aim.storage.forms import records
from aim.storage.forms.records import RECORD_DTYPE, Records

CAPACITY_MIN = 256


class GrowingArray:
    """
    An array of *dtype* that grows.

    >>> numbers = GrowingArray(np.int64)
    >>> numbers.extend(np.array([1, 2]))
    >>> before = numbers.view()
    >>> numbers.extend(np.array([3]))
    >>> before.tolist(), numbers.view().tolist()
    ([1, 2], [1, 2, 3])
    """

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._room = np.empty(CAPACITY_MIN, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def extend(self, added: npt.NDArray[Any]) -> None:
        """Add elements at the end. Cost: O(added), amortized."""
        count = self._count + len(added)
        if count > len(self._room):
            room = np.empty(count + count // 2, self._room.dtype)  # memory that is not used yet is not taken
            room[: self._count] = self._room[: self._count]
            self._room = room
        self._room[self._count : count] = added
        self._count = count

    def view(self) -> npt.NDArray[Any]:
        """Return the elements so far; not for writing."""
        view = self._room[: self._count]
        view.flags.writeable = False
        return view


def is_growing(array: npt.NDArray[Any]) -> bool:
    """Return whether an array is the view of a `GrowingArray`: all views of one room begin with the same elements."""
    base = array.base
    return (
        not array.flags.writeable
        and isinstance(base, np.ndarray)
        and base.flags.owndata
        and base.ctypes.data == array.ctypes.data
    )


class GrowingPoints:
    """
    The records of one sequence of a journal, in the order of recording, as columns.

    Attributes:
        is_increasing: whether each step is larger than the one before it.
        settled_count: how many records are of full pages; those behind them may be read again.
    """

    def __init__(self) -> None:
        self.is_increasing = True
        self.settled_count = 0
        self._columns = {name: GrowingArray(RECORD_DTYPE[name]) for name in ("step", "value", "time", "epoch")}
        self._integers: GrowingArray | None = None
        self._open = np.empty(0, RECORD_DTYPE)

    def __len__(self) -> int:
        return len(self._columns["step"])

    def continued(self, full: Records, behind: Records) -> GrowingPoints:
        """
        Return these points with those that were read now: this object, or another one where records came in between.

        Args:
            full: records of pages that have become full.
            behind: all records of the pages behind them.
        """
        end = records.joined((full, behind)) if len(full) else behind
        if len(self._open) and self._open.tobytes() != end[: len(self._open)].tobytes():
            fresh = GrowingPoints()
            fresh._append(self.rows(self.settled_count))
            fresh.settled_count = self.settled_count
            return fresh.continued(full, behind)
        self._append(end[len(self._open) :])
        self.settled_count += len(full)
        self._open = behind
        return self

    def _append(self, added: Records) -> None:
        if not len(added):
            return
        steps = added["step"]
        if self.is_increasing:
            before = self._columns["step"].view()[-1:]
            joined = np.concatenate((before, steps))
            self.is_increasing = bool((joined[1:] > joined[:-1]).all())
        for name, column in self._columns.items():
            column.extend(added[name])

    def rows(self, count: int | None = None) -> Records:
        """Return a copy of the first *count* records, or of all; their sequence number is 0."""
        count = len(self) if count is None else count
        rows = np.zeros(count, RECORD_DTYPE)
        for name, column in self._columns.items():
            rows[name] = column.view()[:count]
        return rows

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return a column as it is now: `step`, `value`, `time` or `epoch`. Nothing is copied."""
        return self._columns[name].view()

    def integers(self) -> npt.NDArray[np.int64]:
        """Return the values as integers. Cost: of those that are new since the last call."""
        if self._integers is None:
            self._integers = GrowingArray(np.int64)
        with np.errstate(invalid="ignore"):
            self._integers.extend(self.column("value")[len(self._integers) :].astype(np.int64))
        return self._integers.view()


def split_by_sequence(recorded: Records) -> dict[int, Records]:
    """
    Return records by the number of their sequence, each in the order of recording.

    Cost: nothing is copied when all are of one sequence; else one sort by the number.
    """
    numbers = recorded["sequence"]
    if not len(numbers):
        return {}
    if (numbers == numbers[0]).all():
        return {int(numbers[0]): recorded}
    keys = numbers.astype(np.uint16) if int(numbers.max()) < 1 << 16 else numbers  # 16 bits are sorted by radix
    order = np.argsort(keys, kind="stable")
    ordered = recorded.view(np.dtype((np.void, RECORD_DTYPE.itemsize)))[order].view(RECORD_DTYPE)
    starts = np.flatnonzero(np.append(True, ordered["sequence"][1:] != ordered["sequence"][:-1]))
    parts = np.split(ordered, starts[1:])
    return {int(part["sequence"][0]): part for part in parts}


def times_us(times_s: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return recorded times in microseconds, as `records.time_us` has them."""
    rows = np.zeros(len(times_s), RECORD_DTYPE)
    rows["time"] = times_s
    return records.time_us(rows)
