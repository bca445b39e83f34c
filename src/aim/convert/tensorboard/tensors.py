"""
Tensors as event files hold them: numbers of any type, from the packed field or from bytes, and strings.

    number   1 f32   2 f64   3 i32   4 u8   5 i16   6 i8   7 strings   9 i64   10 bool   14 bf16   17 u16   19 f16
             22 u32   23 u64
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

STRINGS, BFLOAT16, HALF = 7, 14, 19
ELEMENTS_MAX = 1 << 26  # of one tensor: a shape may say anything
_TYPES = {
    1: "<f4",
    2: "<f8",
    3: "<i4",
    4: "u1",
    5: "<i2",
    6: "i1",
    9: "<i8",
    10: "?",
    14: "<u2",
    17: "<u2",
    19: "<f2",
    22: "<u4",
    23: "<u8",
}
_FIELDS = {
    1: "floats",
    2: "doubles",
    9: "int64s",
    10: "bools",
    14: "halves",
    19: "halves",
    22: "uint32s",
    23: "uint64s",
}


class BadTensor(ValueError):
    """A tensor whose parts do not fit together, or of a type that holds no numbers."""


def shape_of(tensor: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the shape that a tensor says it has. Raises BadTensor."""
    dimensions = tuple(int(each.get("size", 0)) for each in tensor.get("shape", {}).get("dimensions", ()))
    if any(size < 0 for size in dimensions) or math.prod(dimensions) > ELEMENTS_MAX:
        raise BadTensor(f"has the shape {dimensions}")
    return dimensions


def numbers(tensor: Mapping[str, Any]) -> npt.NDArray[Any]:
    """
    Return the numbers of a tensor, in its shape: float64 for floats of all sizes, int64 (or object for u64) for ints.

    Raises:
        BadTensor: it has strings, or too few or too many numbers.

    >>> numbers({"dtype": 14, "halves": [0x3E80]}).tolist()
    0.25
    """
    dtype = int(tensor.get("dtype", 0))
    shape = shape_of(tensor)
    if dtype not in _TYPES:
        raise BadTensor(f"has the type {dtype}, which holds no numbers")
    count = math.prod(shape)
    raw = _raw(tensor, dtype)
    if len(raw) == 1 and count != 1:  # equal numbers are given once
        raw = np.repeat(raw, count)
    if len(raw) != count:
        raise BadTensor(f"has {len(raw)} numbers for the shape {shape}")
    if dtype == BFLOAT16:
        raw = (raw.astype(np.uint32) << np.uint32(16)).view(np.float32)
    if raw.dtype.kind == "f":
        return raw.astype(np.float64).reshape(shape)
    if raw.dtype == np.uint64:
        return np.array([int(value) for value in raw.tolist()], object).reshape(shape)
    return raw.astype(np.int64).reshape(shape)


def _raw(tensor: Mapping[str, Any], dtype: int) -> npt.NDArray[Any]:
    kind = np.dtype(_TYPES[dtype])
    content = tensor.get("content")
    if content:
        if len(content) % kind.itemsize:
            raise BadTensor(f"has {len(content)} bytes, which are no {kind.name}")
        return np.frombuffer(content, kind)
    values = tensor.get(_FIELDS.get(dtype, "ints"), [])
    if dtype in (BFLOAT16, HALF):
        return np.array([value & 0xFFFF for value in values], np.uint16).view("<u2" if dtype == BFLOAT16 else "<f2")
    if kind.kind in "iub":
        mask = (1 << 8 * kind.itemsize) - 1
        return np.array([value & mask for value in values], f"u{kind.itemsize}").view(kind)
    return np.array(values, kind)


def strings(tensor: Mapping[str, Any]) -> tuple[list[bytes], tuple[int, ...]]:
    """Return the strings of a tensor and its shape. Raises BadTensor."""
    texts = list(tensor.get("strings", ()))
    shape = shape_of(tensor)
    if int(tensor.get("dtype", STRINGS)) != STRINGS or math.prod(shape) != len(texts):
        raise BadTensor(f"has {len(texts)} strings for the shape {shape}")
    return texts, shape
