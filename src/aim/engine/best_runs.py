"""
Which runs are best by a metric: by the best value that each reached, its largest or its smallest.

A loss or an error is best when it is small, any other metric when it is large (`anomalies.should_fall`); the caller may
say otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from aim.engine.anomalies import should_fall
from aim.engine.door import Questions
from aim.engine.metric_choice import MetricChoice, both, choose_metric


@dataclass(frozen=True)
class BestRun:
    """
    A run and its best value of a metric.

    Attributes:
        value: the best value that the run reached, at *step*.
        last: the value at the end.
        cells: of the other columns that were asked for.
    """

    run_hash: str
    name: str
    status: str | None
    value: float
    step: int
    last: float
    cells: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BestRuns:
    """
    Runs by a metric, the best first.

    Attributes:
        metric: the metric as columns name it, `acc[subset=val]`.
        is_largest: whether a larger value is better.
    """

    metric: str
    is_largest: bool
    runs: list[BestRun]


def best_runs(
    questions: Questions,
    metric: str | MetricChoice,
    query: str = "",
    *,
    is_largest: bool | None = None,
    limit: int = 10,
    columns: tuple[str, ...] = (),
) -> BestRuns:
    """
    Return the runs that match, the best first; runs without a value of the metric are left out.

    Args:
        metric: as `metric_choice` reads it, such as `val/acc`.
        is_largest: whether a larger value is better; None: what the name says.
        limit: at most so many runs.
        columns: further columns, such as `hparams.lr`.

    Raises:
        UsageError: there is no such metric or column, or the metric has several contexts.
        InvalidQuery: the query can't be understood.
    """
    choice = metric if isinstance(metric, MetricChoice) else choose_metric(questions, metric, query)
    larger = not should_fall(choice.name) if is_largest is None else is_largest
    summary = "max" if larger else "min"
    names = [f"{choice.label}.{each}" for each in (summary, f"{summary}_step", "last")]
    having = both(query, f"metric.name == {choice.name!r}")
    page = questions.table(
        ["hash", "name", "status", *names, *columns], having, sort=f"{'-' if larger else ''}{names[0]}", limit=limit
    )
    runs = [
        BestRun(
            row["hash"],
            str(row["name"] or ""),
            row["status"],
            float(row[names[0]]),
            int(row[names[1]]),
            float(row[names[2]]),
            {column: row[column] for column in columns},
        )
        for row in page.rows
        if row[names[0]] is not None and not math.isnan(row[names[0]])
    ]
    return BestRuns(choice.label, larger, runs)
