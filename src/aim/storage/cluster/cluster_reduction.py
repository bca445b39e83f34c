"""
One long sequence of one writer, reduced by ClickHouse: what a picture shows of it, and not all of its points.

    bounds     first and last step                          two steps of the key
    buckets    of each part of the steps what a picture keeps: first, lowest, highest and last point, first NaN and
               infinities, and how many there are           one row a part, whatever its points
    points     the points of a few steps as they are

Of several points of a step the one that was recorded last counts, and rows that were inserted twice are one: points are
grouped by step in the order of the key, so ClickHouse needs no memory for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.storage.cluster import rows
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_sealed import points_of_writer
from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.forms.state import SequencePart
from aim.storage.reading.points import typed
from aim.storage.reading.stored_sequence import STEP_BUCKET

STEP_AND_VALUE = np.dtype([("step", "<i8"), ("value", "<f8")])
BOUNDS = np.dtype([("first", "<i8"), ("last", "<i8"), ("count", "<u8")])
IN_ORDER = "SETTINGS optimize_aggregation_in_order = 1"
BY_STEP = "GROUP BY rid, writer, number, step"


class ClusterSequence:
    """What one writer recorded of a sequence of numbers that is all its points; a `StoredSequence`."""

    def __init__(self, project: ClusterProject, run_hash: str, part: SequencePart) -> None:
        self._database = project.database
        self._kind = part.kind
        self._from = f"FROM {project.table('points')} WHERE {points_of_writer(project)} AND number = {{number:UInt32}}"
        self._values = {
            "project": project.name,
            "rid": project.rid(run_hash),
            "writer": rows.writer_number(part.writer),
            "number": part.number,
        }

    def bounds(self) -> tuple[int, int] | None:
        """Return the first and the last step; None: there are no points. Raises ClusterUnavailable."""
        (bounds,) = self._ask(f"SELECT min(step), max(step), count() {self._from}", BOUNDS)
        return (int(bounds["first"]), int(bounds["last"])) if bounds["count"] else None

    def buckets(self, starts: IntArray, last: int) -> npt.NDArray[np.void]:
        """
        Return a row for each bucket that has a point, as `STEP_BUCKET`. Raises ClusterUnavailable.

        Args:
            starts: the least step of each bucket, shape (n,), increasing.
            last: the last step of all.

        Cost: about 0.5 us of ClickHouse's processors a point.
        """
        return self._ask(
            "SELECT min(step), argMin(v, step), max(step), argMax(v, step), argMinIf((step, v), (v, step), is_finite),"
            " argMinIf((step, v), (-v, step), is_finite), minIf(step, isNaN(v)), countIf(isNaN(v)),"
            " minIf(step, v = inf), countIf(v = inf), minIf(step, v = -inf), countIf(v = -inf), count() "
            f"FROM (SELECT step, argMax(value, slot) AS v, isFinite(v) AS is_finite {self._from} "
            f"AND step BETWEEN {{first:Int64}} AND {{last:Int64}} {BY_STEP}) "
            f"GROUP BY roundDown(step, {{starts:Array(Int64)}}) AS bucket ORDER BY bucket {IN_ORDER}",
            STEP_BUCKET,
            {"first": int(starts[0]), "last": last, "starts": starts.tolist()},
        )

    def points(self, first: int, last: int) -> tuple[IntArray, FloatArray]:
        """Return steps and values of the points from step *first* to *last*. Raises ClusterUnavailable."""
        return self._points(f"AND step BETWEEN {{first:Int64}} AND {{last:Int64}} {BY_STEP} ORDER BY step", first, last)

    def before(self, step: int) -> tuple[IntArray, FloatArray]:
        """Return the last point before a step, if there is one. Raises ClusterUnavailable."""
        return self._points(f"AND step < {{first:Int64}} {BY_STEP} ORDER BY step DESC LIMIT 1", step, step)

    def after(self, step: int) -> tuple[IntArray, FloatArray]:
        """Return the first point after a step, if there is one. Raises ClusterUnavailable."""
        return self._points(f"AND step > {{first:Int64}} {BY_STEP} ORDER BY step LIMIT 1", step, step)

    def _points(self, condition: str, first: int, last: int) -> tuple[IntArray, FloatArray]:
        recorded = self._ask(
            f"SELECT step, argMax(value, slot) {self._from} {condition} {IN_ORDER}",
            STEP_AND_VALUE,
            {"first": first, "last": last},
        )
        values = typed(recorded["value"], self._kind).astype(np.float64)
        return np.ascontiguousarray(recorded["step"]), values

    def _ask(
        self, statement: str, dtype: np.dtype[Any], values: Mapping[str, Any] | None = None
    ) -> npt.NDArray[np.void]:
        return self._database.array(statement, dtype, {**self._values, **(values or {})})
