"""
What the columns do not have, read from the points of a run when a query asks for it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aim.core.summaries import BY_NAME
from aim.storage.reading.reader import RunReader
from aim.storage.sealing.point_summary import summarize

OpenReader = Callable[[str], RunReader]
"""Opens the reader of a run, given by its hash."""


class PointLookups:
    """Reads the points of sequences, each given by name and text of the context."""

    def __init__(self, open_reader: OpenReader) -> None:
        self._open_reader = open_reader

    def points(self, run_hash: str, key: tuple[str, str], name: str) -> list[float | int | None]:
        """Return the values, steps, epochs or timestamps of a sequence, by step; [] when there is no such sequence."""
        points = self._open_reader(run_hash).points(key)
        if points is None:
            return []
        if name == "epochs":
            return [None if epoch != epoch else epoch for epoch in points.epochs.tolist()]
        array = {"values": points.values, "steps": points.steps, "timestamps": points.times_s}[name]
        numbers: list[float | int | None] = array.tolist()
        return numbers

    def summary_value(self, run_hash: str, key: tuple[str, str], name: str) -> float:
        """Return a summary value of a sequence that its summary does not have; 0 when the sequence is gone."""
        try:
            reader = self._open_reader(run_hash)
            points = reader.points(key)
            if points is None or not len(points):
                return 0
            if name == "record_max_length":
                return max(len(reader.record(points, index)["items"]) for index in range(len(points)))
            value: float = getattr(summarize(points.steps, points.values.astype(np.float64)), BY_NAME[name].field)
            return value
        except (FileNotFoundError, LookupError):
            return 0
