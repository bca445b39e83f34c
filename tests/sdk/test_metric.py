"""
Summary values of a metric: those of queries, by the same names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from aim import Metric, Repo, Run
from aim.core.summaries import SUMMARY_VALUES

NAMES = ("first", "last", "min", "max", "mean", "std", "median", "count", "argmin", "argmax")


def metric_of(run: Run, values: Sequence[float]) -> Metric:
    """Return a metric with these values at steps 0, 10, 20 ..."""
    for index, value in enumerate(values):
        run.track(value, name="loss", step=index * 10)
    return run.get_metric("loss")  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, 1, 2], (3, 2, 1, 3, 2, (2 / 3) ** 0.5, 2, 3, 10, 0)),
        ([0.5], (0.5, 0.5, 0.5, 0.5, 0.5, 0, 0.5, 1, 0, 0)),
        ([math.nan, 2.0, 1.0], (math.nan, 1, 1, 2, 1.5, 0.5, 1.5, 3, 20, 10)),
        ([math.nan], (math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, 1, 0, 0)),
        ([math.inf, 1.0], (math.inf, 1, 1, math.inf, math.inf, math.nan, math.inf, 2, 10, 0)),
    ],
)
def test_a_metric_has_its_summary_values(run: Run, values: Sequence[float], expected: tuple[float, ...]) -> None:
    """
    NaN is left out, steps are those of the first lowest and highest value.
    """
    metric = metric_of(run, values)

    assert pytest.approx(expected, nan_ok=True) == tuple(getattr(metric, name) for name in NAMES)


def test_integers_keep_all_their_digits(run: Run) -> None:
    """
    The first, last, lowest and highest of large integers are not rounded to doubles.
    """
    metric = metric_of(run, [2**60 + 1, 2**60 + 3])

    assert (2**60 + 1, 2**60 + 3) == (metric.first, metric.last) == (metric.min, metric.max)


def test_a_metric_whose_points_were_deleted_has_no_values(run: Run) -> None:
    """
    NaN, no step and no count: a metric that was looked up before its points were deleted is no error.
    """
    metric = metric_of(run, [1.0])
    run.delete_points("loss", steps=0)

    assert pytest.approx((*[math.nan] * 7, 0), nan_ok=True) == tuple(getattr(metric, name) for name in NAMES[:8])
    assert (None, None) == (metric.argmin, metric.argmax)


def test_queries_and_columns_say_the_same(repo: Repo, run: Run) -> None:
    """
    Each value has the same name and the same value in a query, in a column, and of a `Metric`.
    """
    metric = metric_of(run, [3.0, 1.0, 2.0, 2.0])
    run.flush()
    (row,) = repo.door.questions().table([f"loss.{name}" for name in NAMES]).rows

    assert {f"loss.{name}": getattr(metric, name) for name in NAMES} == row
    for name in NAMES:
        query = f"metric.{name} == {getattr(metric, name)!r}"
        assert ["loss"] == [match.name for match in repo.query_metrics(query)], query
    assert set(NAMES) <= {value.name for value in SUMMARY_VALUES}


def test_a_metric_as_it_was_before_a_rewind_has_the_values_of_then(run: Run) -> None:
    """
    `history` gives metrics whose summary values are those before each rewind.
    """
    metric = metric_of(run, [3.0, 1.0])
    run.rewind(0)
    run.track(2.0, name="loss", step=10)

    assert [1.0, 2.0] == [earlier.last for earlier in metric.history()]
