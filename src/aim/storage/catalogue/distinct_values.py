"""
The distinct values of a column, each with its number, the *code*.

Values are distinct if they differ in value or in type, at any depth: 1, 1.0 and True are three. They are kept as a
list, or, while all are floats or all are ints, as an array: one change then makes no dict of 100,000 values.
"""

from __future__ import annotations

import copy
import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core.values import INT_MAX, INT_MIN
from aim.storage.catalogue.slots import BoolArray

FloatArray = npt.NDArray[np.float64]
ValueArray = npt.NDArray[Any]

EXACT_INT_MAX = 2**53
NUMBERS_DISTINCT_MIN = 32  # from here on numbers are also handed out as an array
MISSING = object()


def identity(value: object) -> object:
    """
    Return what two values share exactly when they are equal and of one type at every depth.

    >>> identity(1) == identity(1.0), identity([1, {"a": True}]) == identity([1, {"a": True}])
    (False, True)
    """
    kind = type(value)
    if kind is str:
        return value
    if kind is float:
        return struct.pack("<d", value)
    if kind is list:
        return (list, *map(identity, value))  # type: ignore[call-overload]
    if kind is dict:
        return (dict, *((key, type(key), identity(item)) for key, item in value.items()))  # type: ignore[attr-defined]
    return (kind, value)


def fits_64_bits(value: object) -> bool:
    """
    Return whether an array of 64-bit numbers can hold *value*: params may be longer ints.

    >>> fits_64_bits(2**63 - 1), fits_64_bits(2**63), fits_64_bits(0.5)
    (True, False, True)
    """
    return not isinstance(value, int) or INT_MIN <= value <= INT_MAX


def _identities(values: list[object]) -> Iterable[object]:
    """Return `identity` of each, in a third of the time where all are of one type."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return values
    if kinds == {float}:
        packed = struct.pack(f"<{len(values)}d", *values)
        return (packed[start : start + 8] for start in range(0, len(packed), 8))
    if kinds <= {int, bool, type(None)}:
        return zip(map(type, values), values, strict=True)
    return map(identity, values)


class DistinctValues:
    """
    Distinct values by code.

    Args:
        values: an array when they are all floats or all ints.
    """

    def __init__(self, values: list[object] | ValueArray) -> None:
        self._list: list[object] | None = values if isinstance(values, list) else None
        self._array: ValueArray | None = None if isinstance(values, list) else values
        self._array_count = len(values)
        self._codes: dict[object, int] | None = None  # by identity

    def copied(self) -> DistinctValues:
        """Return a copy that changes by itself."""
        other = copy.copy(self)
        other._list = None if self._list is None else list(self._list)
        other._array = None if self._array is None else self._array.copy()
        other._codes = None if self._codes is None else dict(self._codes)
        return other

    def __len__(self) -> int:
        return self._array_count if self._array is not None else len(self.as_list())

    def as_list(self) -> list[object]:
        """Return the values by code; the list itself, not to be changed."""
        if self._list is None:
            assert self._array is not None
            self._list = self._array[: self._array_count].tolist()
        return self._list

    def index(self) -> dict[object, int]:
        """Return the codes by `identity`, which makes looking for many values worth its price."""
        if self._codes is None:
            self._codes = {identity(value): code for code, value in enumerate(self.as_list())}
        return self._codes

    def code(self, value: object) -> int:
        """Return the code of a value, a new one when there is none."""
        if self._array is not None:
            code = self._code_in_array(value)
            if code is not None:
                return code
            self.as_list()
            self._array = None
        return self._codes_in_list([value])[0]

    def codes(self, values: Iterable[object], *, is_many: bool) -> list[int]:
        """Return the codes of values, -1 for MISSING. *is_many*: so many that looking for each one takes too long."""
        if is_many:
            self.index()
            if self._array is None:
                return self._codes_in_list(list(values))
        return [-1 if value is MISSING else self.code(value) for value in values]

    def _codes_in_list(self, values: list[object]) -> list[int]:
        by_identity, distinct = self.index(), self.as_list()
        codes: list[int] = []
        for key, value in zip(_identities(values), values, strict=True):
            code = -1 if value is MISSING else by_identity.get(key)
            if code is None:
                code = by_identity[key] = len(distinct)
                distinct.append(value)
            codes.append(code)
        return codes

    def _code_in_array(self, value: object) -> int | None:
        """Return the code of a value that is of the array's type; None for another."""
        array = self._array
        assert array is not None
        if type(value) is not (float if array.dtype.kind == "f" else int) or not fits_64_bits(value):
            return None
        code: int | None
        if self._codes is not None:
            code = self._codes.get(identity(value))
        else:
            bits = np.array([value], array.dtype).view(np.int64)[0]
            equal = np.flatnonzero(array[: self._array_count].view(np.int64) == bits)
            code = int(equal[0]) if len(equal) else None
        if code is not None:
            return code
        if self._array_count == len(array):
            self._array = array = np.append(array, np.zeros(max(64, len(array) // 4), array.dtype))
        code = self._array_count
        array[code] = value
        self._array_count += 1
        if self._codes is not None:
            self._codes[identity(value)] = code
        if self._list is not None:
            self._list.append(value)
        return code

    def numbers(self) -> tuple[FloatArray, BoolArray] | None:
        """Return the values as doubles, and which are numbers; None for few values, or where one fits no double."""
        if len(self) < NUMBERS_DISTINCT_MIN:
            return None
        if self._array is None:
            return as_numbers(self.as_list())
        distinct = self._array[: self._array_count]
        is_int = distinct.dtype.kind != "f"
        if is_int and not bool(((distinct <= EXACT_INT_MAX) & (distinct >= -EXACT_INT_MAX)).all()):
            return None
        return distinct.astype(np.float64), np.ones(len(distinct), bool)


def as_numbers(values: Sequence[object]) -> tuple[FloatArray, BoolArray] | None:
    """Return *values* as doubles, NaN for others, and which are numbers; None if one fits no double or none is one."""
    numbers: list[float] = []
    is_number: list[bool] = []
    for value in values:
        if isinstance(value, (int, float)):
            if type(value) is int and not -EXACT_INT_MAX <= value <= EXACT_INT_MAX:
                return None
            numbers.append(float(value))
            is_number.append(True)
        else:
            numbers.append(float("nan"))
            is_number.append(False)
    return (np.array(numbers), np.array(is_number)) if any(is_number) else None
