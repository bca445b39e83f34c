"""
Two groups of runs, compared: the numbers are those of scipy, and what weakens them is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from aim.core.errors import UsageError
from aim.engine.group_comparison import GroupComparison, compare_groups
from tests.engine.runs import RecordedRun, RecordedRuns

A, B = "run.optimizer == 'adam'", "run.optimizer == 'sgd'"
Setting = tuple[Mapping[str, Any], float]


def _compared(folder: Path, runs: Iterable[Setting], metric: str = "score", **options: Any) -> GroupComparison:
    recorded = RecordedRuns(folder, [RecordedRun(params, {metric: [value - 1, value]}) for params, value in runs])
    return compare_groups(recorded.repository.questions(), metric, A, B, **options)


def _runs(values: Mapping[str, Sequence[float]], **params: Any) -> list[Setting]:
    return [({"optimizer": name, **params}, value) for name, numbers in values.items() for value in numbers]


@pytest.mark.parametrize("seed", range(3))
def test_groups_without_seeds_are_compared_as_welch_did(tmp_path: Path, seed: int) -> None:
    """
    Difference, interval, degrees of freedom and p are those of scipy, for groups of other sizes and spreads.
    """
    random = np.random.default_rng(seed)
    a, b = random.normal(0, 1, 5 + seed).tolist(), random.normal(1, 3, 9).tolist()
    comparison = _compared(tmp_path, _runs({"adam": a, "sgd": b}), confidence=0.9)
    expected = stats.ttest_ind(b, a, equal_var=False)
    interval = expected.confidence_interval(0.9)

    assert (comparison.low, comparison.high, comparison.t, comparison.degrees, comparison.p) == pytest.approx(
        (interval.low, interval.high, expected.statistic, expected.df, expected.pvalue), rel=1e-9
    )
    assert comparison.difference == pytest.approx(np.mean(b) - np.mean(a))
    assert ("welch", (), ("optimizer",)) == (comparison.method, comparison.warnings, comparison.separated_by)


@pytest.mark.parametrize("count", [3, 8])
def test_runs_are_paired_where_each_seed_has_one_in_each_group(tmp_path: Path, count: int) -> None:
    """
    The numbers are those of scipy's test of pairs, in whatever order the runs were made.
    """
    random = np.random.default_rng(count)
    a = random.normal(0, 5, count)
    b = a + random.normal(1, 0.5, count)
    order = random.permutation(count).tolist()
    runs: list[Setting] = [({"optimizer": "adam", "seed": seed}, float(a[seed])) for seed in range(count)]
    runs += [({"optimizer": "sgd", "seed": seed}, float(b[seed])) for seed in order]
    comparison = _compared(tmp_path, runs)
    expected = stats.ttest_rel(b, a)
    interval = expected.confidence_interval(0.95)

    assert (comparison.low, comparison.high, comparison.t, comparison.degrees, comparison.p) == pytest.approx(
        (interval.low, interval.high, expected.statistic, expected.df, expected.pvalue), rel=1e-9
    )
    assert ("paired", (), count) == (comparison.method, comparison.warnings, comparison.a.seed_count)
    assert f"{count} pairs of runs, paired by seed" in comparison.explanation


def test_seeds_that_do_not_pair_up_leave_the_runs_unpaired(tmp_path: Path) -> None:
    """
    No run is dropped for the sake of pairs, and it is said that there are none.
    """
    runs: list[Setting] = [({"optimizer": "adam", "seed": seed}, seed / 10) for seed in (1, 2, 3)]
    runs += [({"optimizer": "sgd", "seed": seed}, seed / 9) for seed in (1, 2, 4)]
    comparison = _compared(tmp_path, runs)

    assert ("welch", 3, 3) == (comparison.method, comparison.a.count, comparison.b.count)
    assert "The seeds of the groups do not pair up" in comparison.explanation


def test_fewer_than_three_seeds_are_warned_of(tmp_path: Path) -> None:
    """
    Six runs of two seeds are two seeds; the other param in which they differ is named too.
    """
    runs = [
        ({"optimizer": name, "seed": seed, "lr": lr}, seed + lr + len(name))
        for name in ("adam", "sgd")
        for seed in (1, 2)
        for lr in (0.1, 0.2, 0.3)
    ]
    comparison = _compared(tmp_path, runs)

    assert ("lr",) == comparison.also_varying
    assert comparison.warnings == (
        "The groups have 2 and 2 seeds: fewer than 3 say next to nothing of the spread between seeds.",
        "Within a group runs differ in lr, so the spread is not of the seeds alone.",
    )


def test_one_run_has_a_difference_and_no_interval(tmp_path: Path) -> None:
    """
    The interval is missing, and why is said; the text has the difference first.
    """
    comparison = _compared(tmp_path, _runs({"adam": [1.0], "sgd": [2.0, 4.0]}))

    assert (2.0, None, None, None) == (comparison.difference, comparison.low, comparison.high, comparison.p)
    assert "There is no interval: a group has one run only." in comparison.warnings
    assert str(comparison).startswith("score (max): b - a = 2, no interval\nWelch's t for 1 and 2 independent runs")


def test_equal_values_have_no_interval(tmp_path: Path) -> None:
    """
    Runs that do not differ within their groups say nothing of chance.
    """
    comparison = _compared(tmp_path, _runs({"adam": [1.0] * 3, "sgd": [2.0] * 3}))

    assert comparison.low is None
    assert "There is no interval: the values do not differ within the groups or pairs." in comparison.warnings


def test_the_best_value_of_a_loss_is_its_lowest(tmp_path: Path) -> None:
    """
    Another value can be asked for by its name.
    """
    runs = _runs({"adam": [1.0, 2.0, 3.0], "sgd": [2.0, 3.0, 5.0]})
    best = _compared(tmp_path / "best", runs, "loss")
    last = _compared(tmp_path / "last", runs, "loss", value="last")

    assert [("min", 0.0), ("last", 1.0)] == [(each.value, min(each.a.values)) for each in (best, last)]


def test_runs_without_a_finite_value_are_counted(tmp_path: Path) -> None:
    """
    A NaN at the end is no last value.
    """
    comparison = _compared(
        tmp_path, _runs({"adam": [1.0, 2.0, 3.0, float("nan")], "sgd": [2.0, 3.0, 4.0]}), value="last"
    )

    assert (3, 3) == (comparison.a.count, comparison.b.count)
    assert "1 runs have no finite value and are left out." in comparison.warnings


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    """
    A run in both groups, an empty group, an unknown value, a confidence of 1: each error says what to do.
    """
    recorded = RecordedRuns(
        tmp_path, [RecordedRun(params, {"score": [value]}) for params, value in _runs({"adam": [1.0], "sgd": [2.0]})]
    )
    questions, hashes = recorded.repository.questions(), recorded.hashes

    with pytest.raises(UsageError, match="1 runs are in both groups, such as"):
        compare_groups(questions, "score", hashes, hashes[:1])
    with pytest.raises(UsageError, match="No run of group b has a finite value of score"):
        compare_groups(questions, "score", hashes[:1], "run.optimizer == 'lion'")
    with pytest.raises(UsageError, match="There is no value 'middle' of a metric"):
        compare_groups(questions, "score", A, B, value="middle")
    with pytest.raises(UsageError, match="confidence has to be above 0 and below 1"):
        compare_groups(questions, "score", A, B, confidence=1.0)
