"""
Tracked values: numbers, and objects with a stored form.

Numbers of other libraries are recognised by their methods (`item()`, `__index__`, `__float__`) and by the name of their
type, so that no library is imported for it:

    int, bool, numpy ints, one-element int arrays and tensors     -> int
    float, numpy floats, one-element float arrays and tensors     -> float
    arrays and tensors with more elements, str, None, complex ... -> UntrackableValue
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from aim.core import words
from aim.core.errors import UntrackableValue
from aim.core.plain_objects import PlainObject
from aim.core.tuples import NamedTuple

INT_MAX = 2**63 - 1
MOMENTS = frozenset("mM")  # numpy's codes for dates and durations: item() would make plain ints of some of them
INT_MIN = -(2**63)
EXACT_INT_MAX = 2**53  # doubles hold every integer up to here
ARRAY_TYPES = frozenset(
    {"ndarray", "Tensor", "Parameter", "EagerTensor", "ResourceVariable", "Variable", "ArrayImpl", "DeviceArray"}
    | {"Array", "array"}
)


class Stored(PlainObject):
    """
    The stored form of one object; it does not change.

    Attributes:
        kind: the name of its type, such as `aim.image`.
        fields: its properties, JSON values only.
        data: its bytes, such as a PNG file; None for an object that has only *fields*.
        extension: the file extension of *data*, such as `png`.
    """

    def __init__(
        self, kind: str, fields: Mapping[str, Any] | None = None, data: bytes | None = None, extension: str = "bin"
    ) -> None:
        self.kind = kind
        self.fields: Mapping[str, Any] = {} if fields is None else fields
        self.data = data
        self.extension = extension


class Deferred(NamedTuple):
    """
    The state of an object at one moment, of which the stored form is made later because it takes time.

    Attributes:
        kind: as in `Stored`.
        held_bytes: about how much memory the state takes.
        make: makes the stored form; any thread may call it, once.
    """

    kind: str
    held_bytes: int
    make: Callable[[], Stored]


@runtime_checkable
class Storable(Protocol):
    """An object that can be tracked or set as a param, such as an image."""

    def stored(self) -> Stored:
        """Return the object's stored form; it does not change when the object does."""


class MadeObject:
    """
    A storable object whose stored form is at hand, as that of another program.

    >>> MadeObject(Stored("aim.text", {"text": "epoch 1"})).stored().kind
    'aim.text'
    """

    def __init__(self, form: Stored) -> None:
        self._form = form

    def stored(self) -> Stored:
        """Return the stored form."""
        return self._form


def stored_or_deferred(value: Storable, *, sync: bool) -> Stored | Deferred:
    """
    Return the stored form of *value*; unless *sync*, return a `Deferred` if *value* has a method `_deferred` that makes
    one.
    """
    offer: Callable[[], Deferred | None] | None = None if sync else getattr(value, "_deferred", None)
    deferred = None if offer is None else offer()
    return value.stored() if deferred is None else deferred


Loader = Callable[[], bytes]
"""A function that returns the bytes of a stored object."""


def number(value: object) -> int | float:
    """
    Return *value* as a Python int or float.

    Raises:
        UntrackableValue: *value* is not one number.
        OverflowError: *value* is an int outside 64 bits.

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
            f"Input type {type(value).__name__} is neither a number nor an Aim object: {short_text(value)}. {advice}"
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
        plain = _only_item(value)
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
    """Return the one item of an array or tensor. Raises UntrackableValue if there are several."""
    try:
        item = getattr(value, "item", None)
        if item is None:  # TensorFlow's tensors and variables only have numpy()
            to_numpy = getattr(value, "numpy", None)
            return None if to_numpy is None else to_numpy().item()
        return item()
    except (TypeError, ValueError, RuntimeError):
        kind, shape = type(value).__name__, tuple(getattr(value, "shape", ()))
        raise UntrackableValue(
            f"Can't track a {kind} of shape {shape}: it is not one number. Track its mean(), or its elements."
        ) from None


def step_number(step: object) -> int:
    """
    Return *step*, a whole number of any library, as an int.

    Raises:
        UntrackableValue: *step* is no whole number.
        OverflowError: it is outside 64 bits.

    >>> step_number(7.0)
    7
    >>> step_number(1.5)
    Traceback (most recent call last):
    aim.core.errors.UntrackableValue: step is 1.5; it has to be a whole number. For a fraction use epoch=1.5, or ...
    """
    plain = _plain_number(step)
    if plain is None:
        try:
            plain = operator.index(step)  # type: ignore[arg-type]
        except TypeError:
            pass
    if plain is None:
        raise UntrackableValue(f"step is {short_text(step)}, a {type(step).__name__}; it has to be a whole number.")
    if isinstance(plain, float):
        if not math.isfinite(plain):
            raise UntrackableValue(f"step is {plain}; it has to be a whole number.")
        if not plain.is_integer():
            raise UntrackableValue(
                f"step is {plain}; it has to be a whole number. For a fraction use epoch={plain}, or track it as a "
                "metric and choose that as the x axis."
            )
        plain = int(plain)
    if not INT_MIN <= plain <= INT_MAX:
        raise OverflowError(f"step {words.integer(plain)} does not fit 64 bits.")
    return int(plain)


def epoch_number(epoch: object) -> float:
    """
    Return *epoch* as a float, NaN for None.

    Raises:
        UntrackableValue: *epoch* is not a number.
        OverflowError: *epoch* is an int beyond all doubles.

    >>> epoch_number(None), epoch_number(3)
    (nan, 3.0)
    """
    if epoch is None:
        return math.nan
    plain = _plain_number(epoch)
    if plain is None:
        raise UntrackableValue(f"epoch is {short_text(epoch)}, a {type(epoch).__name__}; it has to be a number.")
    return float(plain)


def short_text(value: object, text_of: Callable[[object], str] = repr) -> str:
    """
    Return the `repr()` of a value, at most 60 characters of it.

    >>> short_text([1, 2]), len(short_text("a" * 1000))
    ('[1, 2]', 60)
    """
    text = text_of(value)
    return text if len(text) <= 60 else text[:57] + "..."
