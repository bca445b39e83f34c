"""
Which params a metric depends on, of runs that were tried.

Each param by itself: the runs are grouped by its values, numbers by fifths of their ranks. The importance is the share
of the metric's spread that the groups explain, of ranks, so that one diverged run does not decide it. It is adjusted
for the number of groups (omega squared), so that chance alone gives 0 on average:

    eta2        = spread between the groups / spread of all
    importance  = max(0, 1 - (1 - eta2) * (n - 1) / (n - groups))

It does not see that two params matter only together, and a param that was chosen along with another gets its share too:
a search that moves all params at once, such as Optuna's, says more than one that follows a path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.engine.anomalies import should_fall
from aim.engine.door import Questions
from aim.engine.headline import param_names
from aim.engine.metric_choice import both, choose_metric

BINS = 5
RUNS_MIN = 4
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ParamImportance:
    """
    How much a metric depends on one param.

    Attributes:
        name: the path of the param with dots.
        importance: 0 to 1.
        correlation: of the ranks of the param and of the metric, -1 to 1; None: the param is no number.
        run_count: how many runs have the param and the metric.
    """

    name: str
    importance: float
    correlation: float | None
    run_count: int


def param_importance(
    questions: Questions, metric: str, query: str = "", *, params: Sequence[str] | None = None
) -> list[ParamImportance]:
    """
    Return the params that differ between the runs that match, the most important first.

    Args:
        metric: as `metric_choice` reads it; the best value that each run reached counts.
        params: only these; None: all.

    Raises:
        UsageError: there is no such metric or param.
        InvalidQuery: the query can't be understood.
    """
    choice = choose_metric(questions, metric, query)
    names = param_names(questions) if params is None else list(params)
    column = f"{choice.label}.{'min' if should_fall(choice.name) else 'max'}"
    rows = questions.table([column, *names], both(query, f"metric.name == {choice.name!r}")).rows
    rows = [row for row in rows if row[column] is not None and np.isfinite(row[column])]
    results = [_importance(name, rows, column) for name in names]
    chosen = [result for result in results if result is not None]
    return sorted(chosen, key=lambda result: (-result.importance, result.name))


def _importance(name: str, rows: Sequence[dict[str, Any]], column: str) -> ParamImportance | None:
    having = [row for row in rows if row[name] is not None]
    values = [row[name] for row in having]
    groups, numbers = _groups(values)
    group_count = len(np.unique(groups))
    if len(having) < RUNS_MIN or group_count < 2:
        return None
    y = ranks(np.array([row[column] for row in having], np.float64))
    total = float(((y - y.mean()) ** 2).sum())
    if total == 0:
        return ParamImportance(name, 0.0, None if numbers is None else 0.0, len(having))
    within = sum(float(((y[groups == group] - y[groups == group].mean()) ** 2).sum()) for group in np.unique(groups))
    share = 1 - (within / total) * (len(y) - 1) / max(1, len(y) - group_count)
    if group_count == len(y):  # each run has a value of its own: nothing can be said
        share = 0.0
    correlation = None if numbers is None else float(np.corrcoef(ranks(numbers), y)[0, 1])
    return ParamImportance(name, float(min(1.0, max(0.0, share))), correlation, len(having))


def _groups(values: Sequence[Any]) -> tuple[IntArray, FloatArray | None]:
    """Return the group of each value, and the values as numbers if all are."""
    texts = sorted({repr(value) for value in values})
    codes = np.array([texts.index(repr(value)) for value in values], np.int64)
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return codes, None
    numbers = np.array(values, np.float64)
    if len(texts) <= BINS:
        return codes, numbers
    order = ranks(numbers)
    return np.minimum((order / len(numbers) * BINS).astype(np.int64), BINS - 1), numbers


def ranks(values: FloatArray) -> FloatArray:
    """
    Return the ranks of values, from 0; equal values have the mean of theirs.

    >>> ranks(np.array([5.0, 1.0, 5.0])).tolist()
    [1.5, 0.0, 1.5]
    """
    _, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray(((ends - counts + ends - 1) / 2)[numbers.ravel()], np.float64)
