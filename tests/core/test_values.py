"""
What is one number, in Python and in other libraries, and what is none.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.core import values
from aim.core.errors import UntrackableValue
from aim.core.values import Stored


class ArrayImpl:
    """A lookalike of an array of jax."""

    def __init__(self, value: object, shape: tuple[int, ...] = ()) -> None:
        self.value = value
        self.shape = shape

    def item(self) -> object:
        """Return the only element, or raise as jax does."""
        if self.shape not in ((), (1,)):
            raise TypeError("Only scalar arrays can be converted to Python scalars")
        return self.value


class HalfFloat:
    """A scalar that has only `__float__`, such as bfloat16 of other libraries."""

    def __float__(self) -> float:
        return 0.5


class ResourceVariable:
    """A lookalike of a variable of TensorFlow, without `item()`."""

    def numpy(self) -> Any:
        """Return its value as numpy's."""
        return np.array([[3]])


class Index:
    """An integer of an unknown library."""

    def __index__(self) -> int:
        return 9


class Broken:
    """A lookalike that raises on every access."""

    __module__ = "numpy.somewhere"

    @property
    def item(self) -> object:
        """Fail."""
        raise RuntimeError("deleted")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3), (True, 1), (0.5, 0.5), (np.float32(0.1), float(np.float32(0.1))), (np.int16(-3), -3), (np.bool_(False),
        0), (np.array([[2.5]]), 2.5), (ArrayImpl(4), 4), (ArrayImpl(HalfFloat()), 0.5), (ArrayImpl(True, (1,)), 1),
        (ResourceVariable(), 3), (np.uint64(2**63 - 1), 2**63 - 1), (np.longdouble("0.5"), 0.5), (-0.0, -0.0),
    ],
)  # fmt: skip
def test_a_number_of_any_library_becomes_pythons(value: object, expected: float) -> None:
    """
    One number of any library is an int or a float of Python, exactly those types.
    """
    assert expected == values.number(value)
    assert type(expected) is type(values.number(value))
    assert values.is_number(value)


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_64_bit_integer_is_kept(value: int) -> None:
    """
    Any int of 64 bits comes back as it is, from Python and from numpy.
    """
    assert value == values.number(value) == values.number(np.int64(value)) == values.step_number(np.int64(value))


@pytest.mark.parametrize(
    "value",
    [None, "1", b"1", 1j, np.complex128(1), Decimal(1), [1], (1,), {1}, {}, object(), int, np.str_("1"),
     np.bytes_(b"1"), np.array([1, 2]),
     np.array([]), np.array("1"), np.array([None]), ArrayImpl(1, (2,)), ArrayImpl("x"), HalfFloat(),
     np.datetime64(5, "ns"), np.timedelta64(5, "ns"), np.array(5, "datetime64[ns]"), np.void(b"1")],
)  # fmt: skip
def test_what_is_no_number_is_none(value: object) -> None:
    """
    Texts, collections, complex numbers, moments and arrays of several elements are not numbers.
    """
    with pytest.raises(UntrackableValue):
        values.number(value)
    assert not values.is_number(value)


def test_asking_whether_something_is_a_number_never_raises() -> None:
    """
    An object that raises on every access is not a number.
    """
    assert not values.is_number(Broken())


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**100, 10**5000, np.uint64(2**63)], ids=type)
def test_an_integer_outside_64_bits_overflows(value: object) -> None:
    """
    What 64 bits can't hold is an OverflowError that says what to do.
    """
    with pytest.raises(OverflowError, match=r"Track float\(value\)"):
        values.number(value)
    with pytest.raises(OverflowError, match="64 bits"):
        values.step_number(value)


@pytest.mark.parametrize(
    ("step", "expected"),
    [(7, 7), (True, 1), (4096.0, 4096), (-2.0, -2), (np.int8(3), 3), (np.float32(2), 2), (np.array([4]), 4),
     (ArrayImpl(5), 5), (ArrayImpl(5.0), 5), (1e18, 10**18), (np.bool_(True), 1), (Index(), 9)],
)  # fmt: skip
def test_a_step_is_any_whole_number(step: object, expected: int) -> None:
    """
    Steps come from any library, as ints or as whole floats.
    """
    assert expected == values.step_number(step)
    assert int is type(values.step_number(step))


@pytest.mark.parametrize("step", [1.9, -0.25, np.float32(2.5), np.array([4.5]), ArrayImpl(5.5)])
def test_a_fraction_of_a_step_is_refused_with_what_to_do(step: object) -> None:
    """
    A step that is not whole would fall on another one, so it is refused, and the message names two ways.
    """
    with pytest.raises(UntrackableValue, match=r"whole number. For a fraction use epoch=.* as the x axis"):
        values.step_number(step)


@pytest.mark.parametrize("step", [None, "7", math.nan, math.inf, -math.inf, [7], object(), int, np.array([1, 2]), 1j])
def test_what_is_no_step_says_so(step: object) -> None:
    """
    Any other value is refused, and the message shows it.
    """
    with pytest.raises(UntrackableValue):
        values.step_number(step)


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [(3, 3.0), (0.1, 0.1), (True, 1.0), (np.float32(0.5), 0.5), (ArrayImpl(2), 2.0), (math.inf, math.inf),
     (1e300, 1e300)],
)  # fmt: skip
def test_an_epoch_is_any_number(epoch: object, expected: float) -> None:
    """
    Epochs come from any library, as floats.
    """
    assert expected == values.epoch_number(epoch)
    assert float is type(values.epoch_number(epoch))


def test_no_epoch_is_nan() -> None:
    """
    None and NaN both say that there is no epoch.
    """
    assert math.isnan(values.epoch_number(None))
    assert math.isnan(values.epoch_number(math.nan))


@pytest.mark.parametrize("epoch", ["1", [1], object(), 1j, np.array([1, 2])])
def test_what_is_no_epoch_says_so(epoch: object) -> None:
    """
    Any other value is refused.
    """
    with pytest.raises(UntrackableValue):
        values.epoch_number(epoch)


def test_a_message_shows_a_long_value_short() -> None:
    """
    A long value is cut in a message.
    """
    with pytest.raises(UntrackableValue) as caught:
        values.number("x" * 10_000)

    assert len(str(caught.value)) < 300


def test_whatever_gives_its_stored_form_is_an_object() -> None:
    """
    An object is recognised by its method `stored`, not by its class.
    """

    class Picture:
        def stored(self) -> Stored:
            return Stored("test.picture")

    assert isinstance(Picture(), values.Storable)
    assert not isinstance(0.5, values.Storable)
    assert ("test.picture", {}, None, "bin") == tuple(vars(Picture().stored()).values())
