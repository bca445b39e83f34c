"""
Several curves as one.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from aim.engine.aggregate import Member, aggregate

ONE: Member = (np.array([0, 1, 2]), np.array([1.0, 2.0, 3.0]))
TWO: Member = (np.array([0, 2, 4]), np.array([3.0, 7.0, math.nan]))


@pytest.mark.parametrize(
    ("value", "expected"), [("mean", [2, 2, 5]), ("median", [2, 2, 5]), ("min", [1, 2, 3]), ("max", [3, 2, 7])]
)
def test_each_member_counts_where_it_has_a_point(value: str, expected: list[float]) -> None:
    """
    The line's x are those of all members; where only NaN is, there is no point.
    """
    result = aggregate([ONE, TWO], 100, None, value, "none")

    assert ([0, 1, 2], expected, None) == (result.x.tolist(), result.y.tolist(), result.low)


@pytest.mark.parametrize(
    ("band", "low", "high"),
    [
        ("minmax", 1.0, 3.0),
        ("std", 2 - math.sqrt(2), 2 + math.sqrt(2)),
        ("stderr", 1.0, 3.0),
        ("ci95", 2 - 1.96, 2 + 1.96),
        ("iqr", 1.5, 2.5),
    ],
)
def test_a_band_is_what_its_name_says(band: str, low: float, high: float) -> None:
    """
    The band of the values 1 and 3: of a sample of two.
    """
    result = aggregate([ONE, TWO], 100, (0, 0), "mean", band)
    assert result.low is not None
    assert result.high is not None

    assert pytest.approx([low, high]) == [result.low[0], result.high[0]]


def test_the_band_of_one_member_is_its_line() -> None:
    """
    Where one member has a point the band has no width.
    """
    result = aggregate([ONE], 100, None, "mean", "std")
    assert result.low is not None

    assert result.y.tolist() == result.low.tolist()


def test_many_points_are_put_into_parts_of_the_window() -> None:
    """
    With more x than two a bucket, each member counts with its mean in each part, which stands at its middle.
    """
    x = np.arange(1000)
    members: list[Member] = [(x, np.zeros(1000)), (x + 0.5, np.full(1000, 4.0))]
    result = aggregate(members, 10, (0, 1000), "mean", "minmax")
    assert result.low is not None
    assert result.high is not None

    assert [50.0 + 100 * part for part in range(10)] == result.x.tolist()
    assert ({2.0}, {0.0}, {4.0}) == (set(result.y), set(result.low), set(result.high))


def test_nothing_finite_is_an_empty_line() -> None:
    """
    A group without one finite value has no points.
    """
    for band in ("std", "iqr", "minmax", "none"):
        assert [] == aggregate([(np.arange(3), np.full(3, np.nan))], 5, None, "median", band).y.tolist()
