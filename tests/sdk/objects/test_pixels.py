"""
Arrays become pixels by the table in the header of `pixels`.
"""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as st_numpy
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from aim.core.errors import UntrackableValue
from aim.sdk.objects import once
from aim.sdk.objects.pixels import levels, mode_of, pixels_of
from tests.sdk.objects import foreign

KINDS = [bool, np.uint8, np.int8, np.uint16, np.int32, np.int64, np.float16, np.float32, np.float64]


def pixels(value: object) -> Any:
    """Return the pixels of *value* as nested lists."""
    return levels(pixels_of(value)).tolist()


def test_floats_between_0_and_1_are_scaled() -> None:
    """
    0 is black, 1 is white, the rest is rounded.
    """
    assert [[0, 1, 128, 255]] == pixels(np.array([[0.0, 0.004, 0.5, 1.0]]))


def test_floats_up_to_255_are_bytes_already() -> None:
    """
    Floats that reach beyond 2 and not beyond 255 are rounded only.
    """
    assert [[0, 3, 255]] == pixels(np.array([[0.0, 2.6, 255.0]]))


@pytest.mark.parametrize(
    ("floats", "bytes_"),
    [
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([0.0, 0.51, 1.02], [0, 128, 255]),
        ([0.0, 500.0, 1000.0], [0, 128, 255]),
        ([-1.7e308, 0.0, 1.7e308], [0, 128, 255]),
        ([-5.0, -5.0, -5.0], [0, 0, 0]),
        ([300.0, 300.0, 300.0], [255, 255, 255]),
    ],
)
def test_other_floats_are_stretched_with_one_warning(
    floats: list[float], bytes_: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """
    Floats in no usual range go from black to white, and that is said once.
    """
    once.forget()
    assert [bytes_] == pixels(np.array([floats]))
    assert [bytes_] == pixels(np.array([floats]))

    assert 1 == len(caplog.records)
    assert "neither in [0, 1] nor in [0, 255]" in caplog.text


@pytest.mark.parametrize(
    ("floats", "bytes_"),
    [
        ([np.nan, 0.0, 1.0, np.inf, -np.inf], [0, 0, 255, 255, 0]),
        ([np.nan, np.nan], [0, 0]),
        ([np.inf, -np.inf], [255, 0]),
    ],
)
def test_floats_that_are_no_numbers_are_the_ends_of_the_range(floats: list[float], bytes_: list[int]) -> None:
    """
    NaN and minus infinity are the lowest, infinity the highest.
    """
    assert [bytes_] == pixels(np.array([floats], np.float32))


def test_integers_within_a_byte_are_accepted_in_any_type() -> None:
    """
    An int64 array of bytes is a picture.
    """
    assert [[0, 7, 255]] == pixels(np.array([[0, 7, 255]], np.int64))


@pytest.mark.parametrize("array", [np.array([[-1, 5]]), np.array([[0, 256]], np.int32), np.array([[2**40, 0]])])
def test_integers_outside_a_byte_are_refused(array: NDArray[Any]) -> None:
    """
    The message says which values there are and what to do.
    """
    with pytest.raises(UntrackableValue, match=r"values from -?\d+ to \d+ .* have to be 0 to 255"):
        pixels_of(array)


def test_sixteen_bits_stay_in_gray_and_are_cut_in_colour() -> None:
    """
    uint16 gray keeps its bits; of uint16 colours the upper 8 bits are shown, in either order of bytes.
    """
    gray = np.array([[0, 300, 65535]], np.uint16)

    assert ("I;16", gray.tolist()) == (mode_of(pixels_of(gray)), pixels(gray))
    assert gray.tolist() == pixels(gray.astype(">u2"))
    assert [[[0, 1, 255]]] == pixels(gray[None])


def test_bits_are_black_and_white() -> None:
    """
    A bool array stays one of bits in gray, and becomes bytes in colour.
    """
    bits = np.array([[True, False, True]])

    assert ("1", bits.tolist()) == (mode_of(pixels_of(bits)), pixels(bits))
    assert [[[255, 0, 255]]] == pixels(bits[None])


@pytest.mark.parametrize(
    ("shape", "mode", "size"),
    [
        ((5, 6), "L", (5, 6)),
        ((5, 6, 1), "L", (5, 6)),
        ((5, 6, 2), "LA", (5, 6, 2)),
        ((5, 6, 3), "RGB", (5, 6, 3)),
        ((5, 6, 4), "RGBA", (5, 6, 4)),
        ((3, 5, 6), "RGB", (5, 6, 3)),
        ((3, 4, 4), "RGBA", (3, 4, 4)),
    ],
)
def test_shapes_of_arrays(shape: tuple[int, ...], mode: str, size: tuple[int, ...]) -> None:
    """
    The last axis of an array is the channels, unless only the first can be.
    """
    array = pixels_of(np.zeros(shape, np.uint8))

    assert (mode, size) == (mode_of(array), array.shape)


@pytest.mark.parametrize(
    ("shape", "size"), [((1, 5, 6), (5, 6)), ((3, 5, 6), (5, 6, 3)), ((3, 4, 4), (4, 4, 3)), ((5, 6, 3), (5, 6, 3))]
)
def test_shapes_of_torch_tensors(shape: tuple[int, ...], size: tuple[int, ...]) -> None:
    """
    The first axis of a torch tensor is the channels, unless only the last can be.
    """
    assert size == pixels_of(foreign.Tensor(np.zeros(shape, np.uint8))).shape


@pytest.mark.parametrize("shape", [(4,), (1, 4, 5, 3), (5, 5, 5), (), (0, 5), (5, 0, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """
    A row, a batch, five channels and nothing at all are no pictures.
    """
    with pytest.raises(UntrackableValue, match="an array of shape"):
        pixels_of(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("kind", [complex, object, "U3", "datetime64[s]"])
def test_other_types_are_refused(kind: Any) -> None:
    """
    Complex numbers, objects and texts are no pictures.
    """
    with pytest.raises(UntrackableValue, match="is no picture"):
        pixels_of(np.zeros((2, 2), kind))


@given(st.data())
def test_every_array_is_pixels_or_one_of_our_errors(data: st.DataObject) -> None:
    """
    Whatever the type, shape and values, an array gives pixels of its height and width, or an UntrackableValue.
    """
    kind = data.draw(st.sampled_from(KINDS))
    shape = data.draw(st_numpy.array_shapes(min_dims=1, max_dims=4, max_side=5))
    array = data.draw(st_numpy.arrays(kind, shape))
    try:
        copy = pixels_of(array)
    except UntrackableValue:
        return
    shown = levels(copy)

    assert {1: "1"}.get(shown.dtype.itemsize if shown.dtype == bool else 0, mode_of(copy)) == mode_of(copy)
    assert shown.shape == copy.shape
    assert shown.dtype in (np.uint8, np.uint16, bool)


@given(st_numpy.arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32)))
def test_scaled_floats_keep_their_order_and_value(array: NDArray[Any]) -> None:
    """
    A float in [0, 1] is at most half a level from its pixel.
    """
    shown: NDArray[Any] = levels(pixels_of(array))

    assert np.abs(shown - array * 255.0).max() <= 0.5 + 1e-4
