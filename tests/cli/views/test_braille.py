"""
Curves of braille: what is drawn where.
"""

from __future__ import annotations

import numpy as np

from aim.cli.views.braille import Axis, PlotCurve, plot


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right() -> None:
    """
    The first cell of the last row and the last cell of the first row have dots, and the ticks are the ends.
    """
    steps = np.arange(101.0)

    lines = plot([PlotCurve(steps, steps)], 36, 5)

    assert ("       100 ┤", "         0 ┤⣠") == (lines[0][:12], lines[4][:13])
    assert lines[0].endswith("⠋ a")
    assert ["step", "0", "50", "100"] == lines[5].split()


def test_a_logarithmic_axis_leaves_out_what_is_not_above_zero() -> None:
    """
    Powers of ten are a straight line, and zeros and negative values are drawn nowhere.
    """
    axis = Axis.of([np.array([0.0, -1.0, 1.0, 10.0, 100.0])], is_log=True)

    assert [0.0, 0.5, 1.0] == axis.share(np.array([1.0, 10.0, 100.0])).tolist()
    assert np.isnan(axis.share(np.array([0.0, -1.0]))).all()


def test_a_spike_between_many_points_is_seen() -> None:
    """
    One point of a million that is high reaches the first row.
    """
    values = np.zeros(1_000_000)
    values[123_456] = 1.0

    lines = plot([PlotCurve(np.arange(1e6), values)], 60, 4)

    assert lines[0].removeprefix("         1 ┤").strip()


def test_nan_is_a_gap_and_a_curve_of_nan_is_drawn_nowhere() -> None:
    """
    No line crosses a NaN, and without any number there are axes alone.
    """
    steps = np.arange(3.0)

    gap = plot([PlotCurve(steps, np.array([1.0, np.nan, 1.0]))], 36, 4)
    empty = plot([PlotCurve(steps, np.full(3, np.nan)), PlotCurve(np.empty(0), np.empty(0))], 36, 4)

    assert 2 == sum(0x2800 < ord(sign) < 0x2900 for line in gap for sign in line)
    assert 0 == sum(0x2800 < ord(sign) < 0x2900 for line in empty for sign in line)


def test_no_line_is_wider_than_asked() -> None:
    """
    All lines fit the width, also when many curves end in one row.
    """
    curves = [PlotCurve(np.arange(5.0), np.ones(5), number) for number in range(9)]

    assert all(len(line) <= 80 for line in plot(curves, 80, 6))
