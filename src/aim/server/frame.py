"""
Frames: curves as typed arrays that a browser reads without copying. Specified in docs/formats/wire.md, section 5.

    "AXF1" | header_bytes u32 | header: JSON | x block | y block         little-endian; blocks begin at multiples of 8

The header says where each part of each series lies in the blocks. Equal x are stored once. x is i4 when all x are
integers that fit, else f8; y is f4 unless f4 would lose a difference that can be seen, or digits of an integer. The
header has the integers that f8 does not hold either.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.engine.curves import Piece
from aim.server.answers import json_bytes, wire_number

MAGIC = b"AXF1"
ALIGNMENT = 8
INT32_MAX = 2**31 - 1
FLOAT32_MAX = float(np.finfo(np.float32).max)
FLOAT32_WHOLE_MAX = 2**24  # f4 holds every integer up to it
STAIRS = 20_000  # f4 has 24 bits: values that span 1 / 20,000 of their size still have 800 levels


def frame(header: Mapping[str, object], pieces: Sequence[Piece], labels: Mapping[str, Sequence[int | None]]) -> bytes:
    """
    Return the frame of *pieces*.

    Args:
        header: what stands before `x`: cursor, total, runs, metrics; and groups.
        labels: for each piece the index of its `run`, of its `metric`, of its `group`, and of the rewind (`branch`)
            before which the curve stood so.

    Cost: one copy of the values.
    """
    x_starts, x_block = _shared([piece.x for piece in pieces])
    x_type = "<i4" if _fits_int32(x_block) else "<f8"
    point_counts = np.array([len(piece.y) for piece in pieces], np.int64)
    y_starts = np.cumsum(point_counts) - point_counts
    y_block = np.concatenate([piece.y for piece in pieces]) if pieces else np.empty(0)
    y_type = "<f8" if _needs_double(y_block, y_starts) else "<f4"
    series: dict[str, list[Any]] = {
        **{name: list(indices) for name, indices in labels.items()},
        "part": [piece.part for piece in pieces],
        "x": x_starts,
        "y": y_starts.tolist(),
        "n": point_counts.tolist(),
        **_counts(pieces),
    }
    series |= _exact(pieces)
    text = json_bytes({**header, "x": x_type[1:], "y": y_type[1:], "series": series})
    text += b" " * (-len(text) % ALIGNMENT)
    with np.errstate(over="ignore"):
        blocks = [_padded(x_block.astype(x_type).tobytes()), _padded(y_block.astype(y_type).tobytes())]
    return b"".join([MAGIC, struct.pack("<I", len(text)), text, *blocks])


def _counts(pieces: Sequence[Piece]) -> dict[str, list[Any]]:
    return {
        "points": [piece.point_count for piece in pieces],
        "nan": [piece.nan_count for piece in pieces],
        "inf": [piece.inf_count for piece in pieces],
        "from": [wire_number(piece.begins_at) for piece in pieces],
    }


def _exact(pieces: Sequence[Piece]) -> dict[str, list[Any]]:
    is_needed = any(piece.exact for piece in pieces)
    return {"exact": [sorted(piece.exact.items()) or None for piece in pieces]} if is_needed else {}


def _padded(block: bytes) -> bytes:
    return block + bytes(-len(block) % ALIGNMENT)


def _shared(arrays: Sequence[npt.NDArray[Any]]) -> tuple[list[int], npt.NDArray[Any]]:
    """Return the index at which each array begins in one block that holds equal arrays once, and that block."""
    starts: list[int] = []
    distinct: list[npt.NDArray[Any]] = []
    start_of_id: dict[int, int] = {}
    start_of_content: dict[tuple[str, bytes], int] = {}
    value_count = 0
    for array in arrays:
        start = start_of_id.get(id(array))
        if start is None:
            content = (array.dtype.str, array.tobytes())
            start = start_of_content.get(content)
            if start is None:
                start = start_of_content[content] = value_count
                distinct.append(array)
                value_count += len(array)
            start_of_id[id(array)] = start
        starts.append(start)
    return starts, np.concatenate(distinct) if distinct else np.empty(0, np.int64)


def _fits_int32(x: npt.NDArray[Any]) -> bool:
    if x.dtype.kind != "i":
        return False
    return not len(x) or (int(x.min()) >= -INT32_MAX and int(x.max()) <= INT32_MAX)


def _needs_double(y: npt.NDArray[np.float64], starts: npt.NDArray[np.int64]) -> bool:
    """Return whether f4 would lose a value, or show stairs where the values of a part are close to each other."""
    starts = starts[np.diff(np.append(starts, len(y))) > 0]
    if not len(starts):
        return False
    finite = np.isfinite(y)
    low = np.minimum.reduceat(np.where(finite, y, np.inf), starts)
    high = np.maximum.reduceat(np.where(finite, y, -np.inf), starts)
    has_finite = low <= high
    low, high = low[has_finite], high[has_finite]
    largest = np.maximum(np.abs(low), np.abs(high))
    with np.errstate(over="ignore"):
        spread = high - low
    if bool(((largest > FLOAT32_MAX) | ((spread > 0) & (spread < largest / STAIRS))).any()):
        return True
    return bool((largest > FLOAT32_WHOLE_MAX).any()) and _has_long_integer(y[finite])


def _has_long_integer(y: npt.NDArray[np.float64]) -> bool:
    long = y[np.abs(y) > FLOAT32_WHOLE_MAX]
    return bool(((long == np.rint(long)) & (long != long.astype(np.float32))).any())
