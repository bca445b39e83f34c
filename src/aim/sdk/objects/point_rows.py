"""
Rows of points as other programs write them: x, y, z, and then nothing, the number of a class, or red, green and blue.

Classes become colours. The hue of a class is its bits in reverse behind the point (the sequence of van der Corput,
1935): 1/2, 1/4, 3/4, 1/8 ... So the first n classes are at least 1/(2 n) of the circle apart.
"""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING, Any

from aim.core.errors import UntrackableValue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLASS_BITS = 16
SATURATION, LIGHT = 0.65, 0.95


def points_and_colors(rows: Any) -> tuple[NDArray[np.float64], NDArray[np.uint8] | None]:
    """
    Return the points of shape (n, 3), and their colours of shape (n, 3), or None, as `Object3D` takes them.

    Args:
        rows: numbers of shape (n, 3), (n, 4) with a class each, or (n, 6) with a colour each, from 0 to 255.

    Raises:
        UntrackableValue: the rows have another length, or different ones, or are no numbers.

    >>> points, colors = points_and_colors([[0, 0, 0, 1], [1, 0, 0, 2], [2, 0, 0, 1]])
    >>> points.shape, (colors[0] == colors[2]).all(), (colors[0] == colors[1]).all()
    ((3, 3), np.True_, np.False_)
    """
    import numpy as np

    try:
        array = np.asarray(rows, np.float64)
    except (ValueError, TypeError) as error:
        raise UntrackableValue(f"these points are no array of numbers: {error}") from None
    if array.ndim != 2 or array.shape[1] not in (3, 4, 6):
        raise UntrackableValue(f"points have the shape (n, 3), (n, 4) or (n, 6), and this is {array.shape}")
    points, rest = array[:, :3], array[:, 3:]
    if rest.shape[1] == 1:
        return points, _class_colors(rest[:, 0])
    return points, np.clip(np.rint(rest), 0, 255).astype(np.uint8) if rest.shape[1] else None


def _class_colors(classes: NDArray[np.float64]) -> NDArray[np.uint8]:
    import numpy as np

    whole = np.nan_to_num(classes).astype(np.int64) % (1 << CLASS_BITS)
    numbers, places = np.unique(whole, return_inverse=True)
    hues = [int(f"{number:0{CLASS_BITS}b}"[::-1], 2) / (1 << CLASS_BITS) for number in numbers.tolist()]
    colors = [colorsys.hsv_to_rgb(hue, SATURATION, LIGHT) for hue in hues]
    levels: NDArray[np.uint8] = np.rint(np.array(colors) * 255).astype(np.uint8).reshape(-1, 3)[places.reshape(-1)]
    return levels
