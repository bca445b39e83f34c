"""
The times of runs as a column of a query: read on the clock of a time zone.

A comparison needs only what the clocks show, as microseconds since 1970 on the clock. Nearly every day has one offset
from UTC, so the zone is asked twice for each distinct day; the few days whose offset changes are looked up run by run.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core.zones import DAY_US, EPOCH, FIRST_US, LAST_US, MICROSECOND, local_time_of_us
from aim.query.arrays import BoolArray, FloatArray, IntArray
from aim.query.vector import Numbers

Micros = npt.NDArray[np.int64]


class TimeColumn:
    """
    A time for each row.

    Args:
        seconds: Unix seconds.
        present: which rows have a time; the others have None.
        zone: on whose clocks the times are.
    """

    def __init__(self, seconds: FloatArray, present: BoolArray, zone: tzinfo) -> None:
        micros = np.clip(np.rint(np.where(present, seconds, 0.0) * 1e6), FIRST_US, LAST_US)
        self._micros: Micros = micros.astype(np.int64)
        self._present = present
        self._zone = zone

    def at(self, index: IntArray) -> TimeColumn:
        """Return the times in the rows of *index*."""
        column = TimeColumn.__new__(TimeColumn)
        column._micros, column._present, column._zone = self._micros[index], self._present[index], self._zone
        return column

    def objects(self) -> list[Any]:
        """Return the datetime in each row, or None."""
        return [
            local_time_of_us(micros, self._zone) if present else None
            for micros, present in zip(self._micros.tolist(), self._present.tolist())
        ]

    def numbers(self) -> Numbers:
        """Return the microseconds since 1970 on the clock, as a comparison with a datetime needs them."""
        return Numbers(clock_micros(self._micros, self._zone).astype(np.float64), self._present, ~self._present)


def clock_micros(micros: Micros, zone: tzinfo) -> Micros:
    """
    Return what the clocks of *zone* show so many microseconds after 1970, UTC, as microseconds since their 1970.

    Cost: a few microseconds for each distinct day.

    >>> from aim.core.zones import read_zone
    >>> clock_micros(np.array([0, 5_000_000]), read_zone("+00:01")).tolist()
    [60000000, 65000000]
    """
    days, day_indices = np.unique(micros // DAY_US, return_inverse=True)
    begins = _offsets(days * DAY_US, zone)
    offsets = begins[day_indices.ravel()]
    is_mixed = (begins != _offsets(days * DAY_US + DAY_US - 1, zone))[day_indices.ravel()]
    offsets[is_mixed] = _offsets(micros[is_mixed], zone)
    return micros + offsets


def _offsets(micros: Micros, zone: tzinfo) -> Micros:
    return np.array([_shown_us(moment, zone) - moment for moment in micros.tolist()], np.int64)


def _shown_us(micros: int, zone: tzinfo) -> int:
    return (local_time_of_us(micros, zone) - EPOCH) // MICROSECOND
