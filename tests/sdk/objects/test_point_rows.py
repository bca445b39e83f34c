"""
Rows of points of other programs become points and colours.
"""

from __future__ import annotations

import numpy as np
import pytest

from aim.core.errors import UntrackableValue
from aim.sdk.objects.point_rows import points_and_colors


def test_the_first_fourteen_classes_have_colours_apart() -> None:
    """
    Each class has its own colour, which another order of the rows does not change.
    """
    rows = np.column_stack([np.zeros((14, 3)), np.arange(1, 15)])
    _, colors = points_and_colors(rows)
    _, reversed_colors = points_and_colors(rows[::-1])

    assert colors is not None
    assert reversed_colors is not None
    assert 14 == len({tuple(color) for color in colors.tolist()})
    assert colors.tolist() == reversed_colors[::-1].tolist()


def test_colours_are_bytes() -> None:
    """
    Colours beyond 0 to 255 are cut, and fractions rounded.
    """
    _, colors = points_and_colors([[0, 0, 0, -5, 127.6, 300]])

    assert colors is not None
    assert [[0, 128, 255]] == colors.tolist()


@pytest.mark.parametrize("rows", [[[0, 0]], [[0, 0, 0, 0, 0]], [[0, 0, 0], [0, 0]], [["a", "b", "c"]], 5])
def test_other_rows_are_refused(rows: object) -> None:
    """
    Rows of two or five numbers, of different lengths, or of texts are an error that says so.
    """
    with pytest.raises(UntrackableValue, match="points"):
        points_and_colors(rows)
