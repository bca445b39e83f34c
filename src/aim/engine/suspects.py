"""
Which runs may have a problem, by the columns of summaries alone; `alerts` reads the points of these only.

All runs of a metric are judged by one comparison of columns, so a survey of 10,000 runs takes milliseconds.

Rule: metrics of the machine (`__system__...`) are left out: they do not belong to the training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aim.core.kinds import METRIC
from aim.core.reserved import SYSTEM_PREFIX
from aim.core.statuses import RUNNING
from aim.engine.anomalies import BoolArray, may_have_diverged, should_fall
from aim.storage.catalogue.columns import Column
from aim.storage.catalogue.run_index import HashColumn
from aim.storage.catalogue.run_table import RunTable
from aim.storage.forms.records import FloatArray, IntArray

ENDED_WITHIN_S = 7 * 86_400.0
SUMMARIES = ("first", "last", "min", "count", "last_step")

MetricKey = tuple[str, str]
"""Name of a metric, and the text of its context."""


@dataclass
class Suspect:
    """
    A metric of a run whose points have to be read.

    Attributes:
        state: what its summary says: while that is the same, so is what its points say.
    """

    key: MetricKey
    context: Mapping[str, Any]
    last_step: int
    state: tuple[float | str, ...]


@dataclass
class _MetricColumns:
    """A metric in the relevant runs: their rows, increasing, and a summary for each."""

    key: MetricKey
    context: Mapping[str, Any]
    rows: IntArray
    count: IntArray
    last_step: IntArray
    last: FloatArray

    def suspect(self, index: int) -> Suspect:
        """Return the metric of the run at *index* of `rows`."""
        last, last_step = float(self.last[index]), int(self.last_step[index])
        state = (float(self.count[index]), float(last_step), last if math.isfinite(last) else repr(last))
        return Suspect(self.key, self.context, last_step, state)


class SuspectColumns:
    """Suspects of one kind. There may be many, so they are columns; few become a `Suspect`."""

    def __init__(self) -> None:
        self._metrics: list[_MetricColumns] = []
        self._indices: list[IntArray] = []  # of each metric: indices into its columns
        self._sorted: tuple[IntArray, IntArray, IntArray] | None = None  # rows, and of each its metric and index

    def add(self, metric: _MetricColumns, is_suspect: BoolArray) -> None:
        """Add a metric in the runs for which *is_suspect* is true."""
        if is_suspect.any():
            self._metrics.append(metric)
            self._indices.append(np.flatnonzero(is_suspect))

    def of_run(self, row: int) -> list[Suspect]:
        """Return the suspects of one run."""
        if not self._metrics:
            return []
        if self._sorted is None:
            pairs = zip(self._metrics, self._indices, strict=True)
            rows = np.concatenate([metric.rows[indices] for metric, indices in pairs])
            owners = np.repeat(np.arange(len(self._metrics)), [len(indices) for indices in self._indices])
            order = np.argsort(rows, kind="stable")
            self._sorted = rows[order], owners[order], np.concatenate(self._indices)[order]
        rows, owners, indices = self._sorted
        start, end = np.searchsorted(rows, [row, row + 1]).tolist()
        members = zip(owners[start:end].tolist(), indices[start:end].tolist(), strict=True)
        return [self._metrics[owner].suspect(index) for owner, index in members]


@dataclass
class Survey:
    """
    What the columns say of the relevant runs; rows are those of the table.

    Attributes:
        point_counts: for each row that records, the points of all its metrics.
        metrics: the metrics of runs that record.
    """

    point_counts: IntArray
    nan: SuspectColumns = field(default_factory=SuspectColumns)
    diverged: SuspectColumns = field(default_factory=SuspectColumns)
    metrics: list[_MetricColumns] = field(default_factory=list)

    def longest(self, row: int, count_max: int) -> list[Suspect]:
        """Return the metrics of a run that have the most points, the longest first."""
        members = []
        for metric in self.metrics:
            index = int(np.searchsorted(metric.rows, row))
            if index < len(metric.rows) and metric.rows[index] == row:
                members.append((-int(metric.count[index]), metric, index))
        members.sort(key=lambda member: (member[0], member[1].key))
        return [metric.suspect(index) for _, metric, index in members[:count_max]]


def relevant_rows(table: RunTable, now_s: float) -> IntArray:
    """Return the rows of the runs that record or ended lately and are not archived, newest first."""
    rows = np.asarray(table.newest_first(), np.int64)
    end_times = table.field("end_time")
    values_s = [value if isinstance(value, float) else 0.0 for value in [*end_times.values, None]]
    ended_at_s = np.array(values_s)[end_times.codes]
    is_relevant = _equals(table.field("status"), RUNNING) | (ended_at_s > now_s - ENDED_WITHIN_S)
    is_relevant &= ~_equals(table.field("archived"), True)
    return np.asarray(rows[is_relevant[rows]], np.int64)


def survey_of(table: RunTable, rows: IntArray) -> Survey:
    """Return what the columns say of the runs in *rows*."""
    is_relevant = np.zeros(table.run_count, np.bool_)
    is_relevant[rows] = True
    survey = Survey(np.zeros(table.run_count, np.int64))
    is_running = is_relevant & _equals(table.field("status"), RUNNING)
    for pair_index, pair in enumerate(table.pairs):
        if pair.kind != METRIC or pair.name.startswith(SYSTEM_PREFIX):
            continue
        pair_rows = table.rows(pair_index)
        indices = np.flatnonzero(is_relevant[pair_rows])
        columns = [table.summary(pair_index, name) for name in SUMMARIES] if len(indices) else []
        if not columns or any(column is None for column in columns):
            continue
        first, last, low, count, last_step = (np.asarray(column)[indices] for column in columns)
        key = (pair.name, pair.context_text)
        metric = _MetricColumns(key, pair.context, pair_rows[indices], count, last_step, last)
        is_bad = ~np.isfinite(last)
        survey.nan.add(metric, is_bad)
        if should_fall(pair.name):
            survey.diverged.add(metric, may_have_diverged(first, last, low) & ~is_bad)
        if is_running[metric.rows].any():
            survey.point_counts[metric.rows] += count
            survey.metrics.append(metric)
    return survey


def _equals(column: Column | HashColumn, value: object) -> BoolArray:
    """Return for each row of a column whether it has a value."""
    codes = [code for code, other in enumerate(column.values) if other == value]
    return np.asarray(np.isin(column.codes, codes))
