"""
The columns of a table: what type each has, and the form of its cells in JSON.

    type of column    cells, each of which may also be None       in JSON
    bool int float    booleans and numbers of any library         as they are; NaN and infinities as text
    text              str; dates, times, UUIDs and paths as text   as it is
    aim.image ...     objects of that one kind                     {"kind", "fields", "file"}
    empty             None only                                    null

A column has one type. Numbers widen (bool, int, float). A NaN in a column of other values becomes None, because data
frames hold NaN where a value is missing. Anything else is refused with its row and column.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Sequence
from typing import Any

from aim.core.errors import UntrackableValue
from aim.core.values import is_number, number
from aim.sdk.objects.custom import CustomObject, sound_text
from aim.sdk.objects.text import Text

NUMERIC = ("bool", "int", "float")  # from narrow to wide
NUMERIC_TYPES = frozenset(NUMERIC)
NOTHING_TYPES = frozenset({"NAType", "NaTType"})
TEXT_TYPES = frozenset({"UUID", "Decimal", "datetime64", "timedelta64", "timedelta", "Timedelta"})
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def plain_cell(value: object, row: int, column: str) -> tuple[str, Any]:
    """
    Return the type of a cell, and its value as a table keeps it.

    Raises:
        UntrackableValue: no column holds such values.

    >>> plain_cell(7, 0, "label"), plain_cell(None, 0, "label")
    (('int', 7), ('empty', None))
    """
    if value is None or type(value).__name__ in NOTHING_TYPES:
        return "empty", None
    if isinstance(value, Text):
        return "text", value.data
    if isinstance(value, CustomObject):
        return value.AIM_NAME, copy.copy(value)
    if isinstance(value, str):
        return "text", sound_text(value)
    if isinstance(value, os.PathLike):
        return "text", sound_text(os.fsdecode(value))
    if hasattr(value, "isoformat"):
        return "text", str(value.isoformat())
    if type(value).__name__ in TEXT_TYPES:
        return "text", str(value)
    if type(value).__name__ in ("bool", "bool_"):
        return "bool", bool(value)
    if is_number(value):
        return _plain_number(value, row, column)
    raise UntrackableValue(
        f"row {row} of column {column!r} is a {type(value).__module__}.{type(value).__qualname__}; a table holds "
        "numbers, texts, None and objects. Pass str(value), or wrap it, as in Image(value)."
    )


def _plain_number(value: object, row: int, column: str) -> tuple[str, int | float]:
    try:
        plain = number(value)
    except OverflowError:
        raise OverflowError(
            f"row {row} of column {column!r} does not fit 64 bits. Pass float(value) or str(value)."
        ) from None
    return ("int" if isinstance(plain, int) else "float"), plain


def typed_column(values: Sequence[object], name: str) -> tuple[str, list[Any]]:
    """
    Return the one type of a column and its cells.

    Raises:
        UntrackableValue: the cells are of types that don't go together; the message names the first that differs.

    >>> typed_column([1, None, 0.5], "lr")
    ('float', [1.0, None, 0.5])
    """
    cells = [plain_cell(value, row, name) for row, value in enumerate(values)]
    types = _types(cells)
    if types & NUMERIC_TYPES and types - NUMERIC_TYPES:
        cells = [("empty", None) if _is_nan(cell) else (kind, cell) for kind, cell in cells]
        types = _types(cells)
    if not types:
        return "empty", [None] * len(cells)
    if types <= NUMERIC_TYPES:
        widest = max(types, key=NUMERIC.index)
        widen = {"bool": bool, "int": int, "float": float}[widest]
        return widest, [None if cell is None else widen(cell) for _, cell in cells]
    if len(types) > 1:
        raise UntrackableValue(_mixed_types(cells, name))
    return types.pop(), [cell for _, cell in cells]


def _types(cells: Sequence[tuple[str, Any]]) -> set[str]:
    return {kind for kind, _ in cells} - {"empty"}


def _is_nan(cell: object) -> bool:
    return isinstance(cell, float) and math.isnan(cell)


def _mixed_types(cells: Sequence[tuple[str, Any]], name: str) -> str:
    typed = [(row, kind, cell) for row, (kind, cell) in enumerate(cells) if kind != "empty"]
    first_row, first, _ = typed[0]
    row, other, cell = next((row, kind, cell) for row, kind, cell in typed if kind != first)
    return (
        f"row {row} of column {name!r} is of type {other} ({str(cell)[:40]!r}), and row {first_row} of type "
        f"{first}; a column has one type. Pass str(value) for both, or use two columns."
    )


def json_number(value: float | int | bool | None) -> float | int | bool | str | None:
    """
    Return a number in the form it has in JSON, which has no NaN and no infinities.

    >>> json_number(0.5), json_number(float("-inf"))
    (0.5, '-Infinity')
    """
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def number_of_json(value: Any) -> Any:
    """Return the number that `json_number` wrote; any other value as it is."""
    return NOT_FINITE.get(value, value) if isinstance(value, str) else value
