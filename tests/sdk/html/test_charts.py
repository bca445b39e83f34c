"""
Curves as still pictures: as high and as low as the whole, with gaps where nothing can be drawn.
"""

from __future__ import annotations

import math
import re

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis.extra import numpy as np_st

from aim.sdk.html import charts

wild = np_st.arrays(np.float64, st.integers(0, 300), elements=st.floats(width=64))


def drawn_points(shown: str) -> list[tuple[float, float]]:
    """Return the points of all lines and dots."""
    found = [
        (float(x), float(y))
        for path in re.findall(r'<path d="(M[^"]*,[^"HVv]*)"', shown)
        for x, y in re.findall(r"([^ M]+),([^ M]+)", path)
    ]
    return found + [(float(x), float(y)) for x, y in re.findall(r'<circle cx="([^"]+)" cy="([^"]+)"', shown)]


@given(wild)
def test_every_curve_can_be_drawn_inside_its_picture(y: npt.NDArray[np.float64]) -> None:
    """
    Whatever doubles a curve has, the picture holds finite places within its bounds, or nothing at all.
    """
    x = np.arange(len(y), dtype=np.float64)
    for shown, width, height in (
        (charts.curves([("loss", x, y)]), charts.WIDTH_PX, charts.HEIGHT_PX),
        (charts.sparkline(y), charts.SPARK_WIDTH_PX, charts.SPARK_HEIGHT_PX),
    ):
        assert "nan" not in shown
        assert bool(np.isfinite(y).any()) == bool(shown)
        assert all(-1 <= at_x <= width + 1 and -1 <= at_y <= height + 1 for at_x, at_y in drawn_points(shown))


def test_a_spike_among_many_points_is_drawn() -> None:
    """
    The one high point of 100,000 is the top of the picture.
    """
    y = np.zeros(100_000)
    y[54_321] = 1.0
    highest = min(at_y for _, at_y in drawn_points(charts.curves([("", np.arange(1e5), y)])))
    above = charts.TOP_PX + 0.04 / 1.08 * (charts.HEIGHT_PX - charts.TOP_PX - charts.BOTTOM_PX)

    assert highest == pytest.approx(above, abs=0.1)


def test_a_gap_ends_a_line_and_a_lonely_value_is_a_dot() -> None:
    """
    Two lines and a dot are drawn of a curve with gaps.
    """
    nan = math.nan
    shown = charts.sparkline(np.array([1.0, 2.0, nan, 3.0, math.inf, 2.0, 1.0]))

    assert (2, 1) == (shown.count("M"), shown.count("<circle"))


def test_a_constant_curve_lies_in_the_middle() -> None:
    """
    A range of no width is widened.
    """
    places = {at_y for _, at_y in drawn_points(charts.sparkline(np.full(5, 7.0)))}

    assert {charts.SPARK_HEIGHT_PX / 2} == places


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_ticks_are_few_and_inside(first: float, second: float) -> None:
    """
    One to seven ticks, in order, none outside of the range.
    """
    low, high = min(first, second), max(first, second)
    found = charts.ticks(low, high)
    slack = (high - low) * 1e-6 + abs(low) * 1e-12 + abs(high) * 1e-12

    assert 1 <= len(found) <= 7
    assert sorted(found) == found
    assert all(low - slack <= tick <= high + slack for tick in found)


def test_several_curves_have_a_legend() -> None:
    """
    With more than one curve each is named, escaped.
    """
    x = np.arange(3.0)
    shown = charts.curves([("<a>", x, x), ("b", x, x * 2)])

    assert 2 == shown.count("■")
    assert "&lt;a&gt;" in shown
    assert "<a>" not in shown
