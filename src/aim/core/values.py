"""
What a tracked value is: a number, or an object that knows its stored form.

Numbers of other libraries are recognised by what they can do (`item()`, `__index__`, `__float__`)
and by the name of their type, so that nothing is imported to ask:

    int, bool, numpy ints, one-element int arrays and tensors     -> int
    float, numpy floats, one-element float arrays and tensors     -> float
    arrays and tensors with more elements, str, None, complex ... -> UntrackableValue
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from aim.core import words
from aim.core.errors import UntrackableValue

INT_MAX = 2**63 - 1
MOMENTS = frozenset("mM")  # numpy's codes for dates and durations: item() would make plain ints of some of them
INT_MIN = -(2**63)
EXACT_INT_MAX = 2**53  # doubles hold every integer up to here
ARRAY_TYPES = frozenset(
    {"ndarray", "Tensor", "Parameter", "EagerTensor", "ResourceVariable", "Variable", "ArrayImpl", "DeviceArray"}
    | {"Array", "array"}
)


@dataclass(frozen=True)
class Stored:
    """
    One object as it is stored.

    Attributes:
        kind: the name of its type, such as `aim.image`.
        fields: what describes it: JSON values only.
        data: its bytes, such as a PNG file; None when *fields* says all.
        extension: the file extension of *data*, such as `png`.
    """

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    data: bytes | None = None
    extension: str = "bin"


@dataclass(frozen=True)
class Deferred:
    """
    An object whose stored form takes time to make, as it was when this was taken.

    Attributes:
        kind: as in `Stored`.
        held_bytes: about how much memory is held until it is made.
        make: gives the stored form; any thread may call it, once.
    """

    kind: str
    held_bytes: int
    make: Callable[[], Stored]


@runtime_checkable
class Storable(Protocol):
    """An object that can be tracked or set as a param: an image, a text ..."""

    def stored(self) -> Stored:
        """Return the object's stored form; it does not change when the object does."""


def stored_or_deferred(value: Storable, *, sync: bool) -> Stored | Deferred:
    """
    Return the stored form of *value*, or, unless *sync*, what makes it later, if *value* offers that by a method
    `deferred`.
    """
    offer: Callable[[], Deferred | None] | None = None if sync else getattr(value, "deferred", None)
    deferred = None if offer is None else offer()
    return value.stored() if deferred is None else deferred


Loader = Callable[[], bytes]
"""Gives the bytes of a stored object when they are asked for."""


def number(value: object) -> int | float:
    """
    Return *value* as a Python int or float.

    Raises:
        UntrackableValue: it is not one number.
        OverflowError: an int outside 64 bits.

    >>> number(True), number(0.5)
    (1, 0.5)
    >>> number("0.5")
    Traceback (most recent call last):
    aim.core.errors.UntrackableValue: Input type str is neither a number nor an Aim object: '0.5'. Track ...
    """
    plain = _plain_number(value)
    if plain is None:
        advice = (
            "Leave it out, or track float('nan')."
            if value is None
            else "Track float(value) or wrap it, as in Text(value)."
        )
        raise UntrackableValue(
            f"Input type {type(value).__name__} is neither a number nor an Aim object: {_short(value)}. {advice}"
        )
    if isinstance(plain, int) and not INT_MIN <= plain <= INT_MAX:
        raise OverflowError(f"{words.integer(plain)} does not fit 64 bits. Track float(value).")
    return plain


def is_number(value: object) -> bool:
    """Return whether *value* is one number, of any library. Never raises."""
    try:
        return _plain_number(value) is not None
    except (TypeError, ValueError, RuntimeError):
        return False


def _plain_number(value: object) -> int | float | None:
    if isinstance(value, (bool, int)):
        return int(value)
    if isinstance(value, float):
        return float(value)
    kind = type(value)
    if kind.__module__.partition(".")[0] == "numpy" or kind.__name__ in ARRAY_TYPES:
        if getattr(getattr(value, "dtype", None), "kind", "") in MOMENTS:
            return None
        try:
            plain = _only_item(value)
        except (TypeError, ValueError, RuntimeError):
            shape = tuple(getattr(value, "shape", ()))
            raise UntrackableValue(
                f"Can't track a {kind.__name__} of shape {shape}: it is not one number. Track its mean(), or its "
                "elements."
            ) from None
        if isinstance(plain, (bool, int)):
            return int(plain)
        if isinstance(plain, float):
            return float(plain)
        if hasattr(plain, "__float__") and not isinstance(plain, (str, bytes, complex)) and plain is not value:
            return float(plain)
        if kind.__name__ == "longdouble":
            return float(value)  # type: ignore[arg-type]
    return None


def _only_item(value: Any) -> object:
    item = getattr(value, "item", None)
    if item is None:  # TensorFlow's tensors and variables only have numpy()
        to_numpy = getattr(value, "numpy", None)
        return None if to_numpy is None else to_numpy().item()
    return item()


def step_number(step: object) -> int:
    """
    Return *step* as an int: any integer of any library, or a float, which is cut to its integer part.

    >>> step_number(7.0), step_number(1.5)
    (7, 1)
    """
    plain = _plain_number(step)
    if plain is None:
        try:
            plain = operator.index(step)  # type: ignore[arg-type]
        except TypeError:
            pass
    if isinstance(plain, float):
        if not math.isfinite(plain):
            raise UntrackableValue(f"step is {plain}; it has to be an integer.")
        plain = int(plain)
    if plain is None:
        raise UntrackableValue(f"step is {_short(step)}, a {type(step).__name__}; it has to be an integer.")
    if not INT_MIN <= plain <= INT_MAX:
        raise OverflowError(f"step {words.integer(plain)} does not fit 64 bits.")
    return int(plain)


def epoch_number(epoch: object) -> float:
    """
    Return *epoch* as a float, NaN for None.

    Raises:
        UntrackableValue: it is no number.
        OverflowError: an int beyond all doubles.

    >>> epoch_number(None), epoch_number(3)
    (nan, 3.0)
    """
    if epoch is None:
        return math.nan
    plain = _plain_number(epoch)
    if plain is None:
        raise UntrackableValue(f"epoch is {_short(epoch)}, a {type(epoch).__name__}; it has to be a number.")
    return float(plain)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
