"""
A column has one type, and every cell comes back.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import pathlib
import uuid
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from aim.core.errors import UntrackableValue
from aim.sdk.objects.cells import json_number, number_of_json, typed_column
from aim.sdk.objects.image import Image
from aim.sdk.objects.text import Text
from tests.sdk.objects import foreign


@pytest.mark.parametrize(
    ("values", "kind", "cells"),
    [
        ([], "empty", []),
        ([None, None], "empty", [None, None]),
        ([True, None], "bool", [True, None]),
        ([True, 2], "int", [1, 2]),
        ([1, 0.5, None, True], "float", [1.0, 0.5, None, 1.0]),
        ([np.float32(0.5), np.int64(2)], "float", [0.5, 2.0]),
        ([np.bool_(True), np.False_], "bool", [True, False]),
        ([foreign.Tensor(np.array(1.5))], "float", [1.5]),
        (["a", None, np.str_("b")], "text", ["a", None, "b"]),
        (["a", math.nan, pd.NA, pd.NaT], "text", ["a", None, None, None]),
        ([Text("a"), "b"], "text", ["a", "b"]),
        ([datetime.date(2026, 1, 2)], "text", ["2026-01-02"]),
        ([pd.Timestamp("2026-01-02T03:04:05")], "text", ["2026-01-02T03:04:05"]),
        ([np.datetime64("2026-01-02")], "text", ["2026-01-02"]),
        ([datetime.timedelta(seconds=5)], "text", ["0:00:05"]),
        ([pathlib.PurePosixPath("a/b")], "text", ["a/b"]),
        ([uuid.UUID(int=5)], "text", ["00000000-0000-0000-0000-000000000005"]),
        ([decimal.Decimal("0.10")], "text", ["0.10"]),
    ],
)
def test_a_column_has_the_type_that_holds_its_cells(values: list[Any], kind: str, cells: list[Any]) -> None:
    """
    Numbers widen, nothing is None, and what JSON has no form for is text.
    """
    found_kind, found = typed_column(values, "column")

    assert (kind, cells) == (found_kind, found)
    assert [type(cell) for cell in cells] == [type(cell) for cell in found]


def test_objects_are_columns_of_their_kind() -> None:
    """
    Images make a column of images; the caption of a cell is that of the moment.
    """
    image = Image(np.zeros((2, 2)), caption="before")
    kind, cells = typed_column([image, None, math.nan], "picture")
    image.caption = "after"

    assert ("aim.image", ["before", None, None]) == (kind, [cell and cell.caption for cell in cells])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, "a"], r"row 1 of column 'c' is of type text \('a'\), and row 0 of type int"),
        ([None, "a", 2.5], r"row 2 of column 'c' is of type float \('2.5'\), and row 1 of type text"),
        ([Image(np.zeros((2, 2))), "a"], r"row 1 of column 'c' is of type text .* row 0 of type aim.image"),
        ([1, {"a": 1}], r"row 1 of column 'c' is a builtins.dict; a table holds"),
        ([np.zeros((2, 2, 3))], r"row 0 of column 'c' is a numpy.ndarray; a table holds"),
        ([object()], r"row 0 of column 'c' is a builtins.object.*wrap it, as in Image"),
    ],
)
def test_cells_that_do_not_go_together_are_named(values: list[Any], message: str) -> None:
    """
    The message has row, column and both types.
    """
    with pytest.raises(UntrackableValue, match=message):
        typed_column(values, "c")


def test_an_integer_beyond_64_bits_is_an_overflow() -> None:
    """
    As everywhere in a run.
    """
    with pytest.raises(OverflowError, match="does not fit 64 bits"):
        typed_column([2**64], "c")


@given(st.floats() | st.integers() | st.booleans() | st.none())
def test_every_number_has_a_form_in_json(value: float | None) -> None:
    """
    NaN and infinities too come back from strict JSON.
    """
    back = number_of_json(json.loads(json.dumps(json_number(value), allow_nan=False)))

    assert back == value or (back != back and value != value)
    assert type(back) is type(value)
