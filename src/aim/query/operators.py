"""
Python's operators on plain values, each with a bound on its result.

    plain value := None | bool | int | float | complex | str | bytes | list | tuple | dict | set | frozenset | range
                 | datetime | date | time | timedelta | Match | Function

`MISSING` is the value of what a run does not have, and of an operation that failed. Operators here never get it, since
`evaluate` handles it first.

An operation may raise one of `ERRORS`, which makes its value missing, or `TooMuch`, which ends the query.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from aim.query.limits import FORMAT_WIDTH_MAX, TooMuch, bounded, check_bits, check_hashed, check_size, check_width

ERRORS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""The errors of Python's operations on plain values. Any other is a bug of Aim and is not caught."""


class Missing:
    """The type of `MISSING`, which is falsy."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()
"""The value of what a run does not have; `evaluate.compare` says how it compares."""

# A conversion of `%`: flags, width, precision. `(key)` and lengths are allowed, `*` takes a width from the values.
CONVERSION = re.compile(r"%(?:\([^()]*\))?[#0\- +]*(\*|\d*)(?:\.(\*|\d*))?")
NUMBER = re.compile(r"\d+")
CONVERSIONS: dict[str, Callable[[object], str]] = {"s": str, "r": repr, "a": ascii}

Operator = Callable[[Any, Any], object]


def add(left: Any, right: Any) -> object:
    """`left + right`"""
    return bounded(left + right)


def multiply(left: Any, right: Any) -> object:
    """`left * right`; a repeated text or list is measured before it is made."""
    for items, times in ((left, right), (right, left)):
        if isinstance(items, (str, bytes, list, tuple)) and isinstance(times, int):
            check_size(len(items) * max(0, times))
    if isinstance(left, int) and isinstance(right, int):
        check_bits(left.bit_length() + right.bit_length() - 1)
    return bounded(left * right)


def power(left: Any, right: Any) -> object:
    """`left ** right`"""
    if isinstance(left, int) and isinstance(right, int) and right > 0 and left not in (-1, 0, 1):
        check_bits(left.bit_length() * right - right)
    return bounded(left**right)


def shift_left(left: Any, right: Any) -> object:
    """`left << right`"""
    if isinstance(left, int) and isinstance(right, int) and left:
        check_bits(left.bit_length() + max(0, right))
    return left << right


def modulo(left: Any, right: Any) -> object:
    """`left % right`: a remainder, or a text with its conversions filled in."""
    if isinstance(left, (str, bytes)):
        text = left if isinstance(left, str) else left.decode("latin-1")
        for width, precision in CONVERSION.findall(text):
            for digits in (width, precision):
                if digits == "*":
                    raise TooMuch("`*` in a format takes its width from the values; write the width")
                if digits:
                    check_width(_few_digits(digits))
        if "%(" in text:  # keys may contain brackets, so every number in the text counts as a width
            for digits in NUMBER.findall(text):
                check_width(_few_digits(digits))
        bounded(right)
        fields = right if isinstance(right, tuple) else (right,)
        if text.count("%") * max((rough_size(field) for field in fields), default=0) > 10 * FORMAT_WIDTH_MAX:
            check_size(sum(map(rough_size, fields)) * text.count("%") + len(text))
    return bounded(left % right)


def _few_digits(digits: str) -> int:
    return int(digits[:9]) if len(digits) < 10 else 10**9


def rough_size(value: object) -> int:
    """Return about an upper bound of the length of `str(value)`. Cost: O(size of *value*)."""
    if isinstance(value, bytes):
        return 4 * len(value) + 3  # \x00
    if isinstance(value, str):
        return (2 if value.isascii() and value.isprintable() else 10) * len(value) + 2  # \' or \U00018cd6
    if isinstance(value, int):
        return value.bit_length() // 3 + 2
    if isinstance(value, dict):
        return 4 + sum(rough_size(key) + rough_size(item) + 4 for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return 12 + sum(rough_size(item) + 2 for item in value)
    return 350  # a float in full: `'%f' % 1e308` is 316


def union(left: Any, right: Any) -> object:
    """`left | right`, for bits, sets and dicts."""
    if isinstance(left, (set, frozenset, dict)) and isinstance(right, (set, frozenset, dict)):
        check_hashed(len(left) + len(right))
    return bounded(left | right)


def difference(left: Any, right: Any) -> object:
    """`left ^ right`: the bits or members that only one of them has."""
    if isinstance(left, (set, frozenset)) and isinstance(right, (set, frozenset)):
        check_hashed(len(left) + len(right))
    return bounded(left ^ right)


def contains(item: Any, items: Any) -> bool:
    """`item in items`; a range is not searched item by item."""
    if isinstance(items, range) and not isinstance(item, int):
        return isinstance(item, float) and item.is_integer() and int(item) in items
    return item in items


BINARY: dict[str, Operator] = {
    "+": add,
    "-": lambda left, right: bounded(left - right),
    "*": multiply,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": modulo,
    "**": power,
    "<<": shift_left,
    ">>": operator.rshift,
    "&": lambda left, right: bounded(left & right),
    "|": union,
    "^": difference,
}
UNARY: dict[str, Callable[[Any], object]] = {
    "-": operator.neg,
    "+": operator.pos,
    # ~ of a bool is that of its int; Python warns of it since 3.12
    "~": lambda value: ~int(value) if isinstance(value, bool) else ~value,
}
COMPARE: dict[str, Operator] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": contains,
    "not in": lambda item, items: not contains(item, items),
    "is": operator.is_,
    "is not": operator.is_not,
}
NEGATIONS = frozenset({"!=", "not in", "is not"})
"""Comparisons that hold exactly where their opposite does not: also where Python refuses both, as in `5 not in 3`."""


def subscript(value: Any, key: Any) -> object:
    """
    `value[key]`; several keys of a dict, `value['a', 'b']`, are those of nested dicts.

    >>> subscript({"a": {"b": 1}}, ("a", "b")), subscript("adam", slice(0, 2))
    (1, 'ad')
    """
    if isinstance(value, dict) and isinstance(key, tuple):
        for step in key:
            value = value[step]
        return value
    if isinstance(value, (str, bytes, list, tuple, dict, range)):
        return value[key]
    return MISSING


def format_value(value: Any, conversion: str, spec: str) -> str:
    """
    Return the text of `{value!conversion:spec}` in an f-string.

    >>> format_value(0.5, "", ".2f")
    '0.50'
    """
    for digits in NUMBER.findall(spec):
        check_width(_few_digits(digits))
    if conversion or not isinstance(value, str):
        check_size(rough_size(value))
    if conversion:
        value = CONVERSIONS[conversion](value)
    text = format(value, spec)
    check_size(len(text))
    return text
