"""
Pictures of deep pixels as a screen shows them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import pytest

from aim.engine.eight_bits import eight_bits

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("values", "preview"),
    [
        (np.array([[0, 256, 65535]], np.uint16), [0, 1, 255]),
        (np.array([[0, 200, 255]], np.int32), [0, 200, 255]),
        (np.array([[0, 256, 65535]], np.int32), [0, 1, 255]),
        (np.array([[-100, 0, 100]], np.int32), [0, 128, 255]),
        (np.array([[0, 70_000, 140_000]], np.int32), [0, 128, 255]),
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 20.0, 255.0]], np.float32), [0, 20, 255]),
        (np.array([[-1.0, 0.0, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[-3e38, 0.0, 3e38]], np.float32), [0, 128, 255]),
        (np.array([[NAN, -INF, INF]], np.float32), [0, 0, 255]),
        (np.array([[5.0, NAN, INF]], np.float32), [5, 5, 5]),
    ],
)
def test_deep_pixels_become_bytes_by_the_rules_of_arrays(values: Any, preview: list[int]) -> None:
    """
    The upper bits of 16, floats by their range, anything else stretched.
    """
    image = eight_bits(PIL.Image.fromarray(values))

    assert ("L", preview) == (image.mode, np.asarray(image)[0].tolist())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK"])
def test_other_pictures_stay_as_they_are(mode: str) -> None:
    """
    Nothing is done to pixels of 8 bits.
    """
    image = PIL.Image.new(mode, (2, 2))

    assert image is eight_bits(image)
