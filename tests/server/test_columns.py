"""
Cells of runs as columns of an answer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aim.engine.listing import RUN_FIELDS, ParamField, PropertyField
from aim.query.columns import CodedColumn, RawColumn
from aim.server.columns import RUN_COLUMNS, plain, wire_column, wire_columns

NAN, INFINITE = float("nan"), float("inf")
LR = ParamField(("lr",))


@pytest.mark.parametrize(
    ("raw", "present", "expected"),
    [
        ([0.5, 2.0], None, [0.5, 2.0]),
        ([0.5, 2.0], [True, True], [0.5, 2.0]),
        ([0.5, 2.0], [True, False], [0.5, None]),
        ([NAN, INFINITE, -INFINITE], None, ["NaN", "Infinity", "-Infinity"]),
        ([NAN, 1.0], [False, True], [None, 1.0]),
        ([], None, []),
    ],
)
def test_numbers_are_a_column_of_numbers(raw: list[float], present: list[bool] | None, expected: list[Any]) -> None:
    """
    What is missing is null, and what JSON can't say is a text.
    """
    column = RawColumn(np.array(raw, np.float64), None if present is None else np.array(present), None)

    assert {"type": "number", "values": expected} == wire_column(LR, column)


@pytest.mark.parametrize(
    ("values", "codes", "expected"),
    [
        (["a", "b"], [0, 1, 0, -1], {"type": "string", "values": ["a", "b"], "codes": [0, 1, 0, -1]}),
        (["x", "a", "b"], [2, 1], {"type": "string", "values": ["a", "b"], "codes": [1, 0]}),
        (["a", None], [0, 1], {"type": "string", "values": ["a"], "codes": [0, -1]}),
        ([True, False], [0, 1, -1], {"type": "bool", "values": [True, False, None]}),
        ([1, 0.5, NAN], [0, 1, 2], {"type": "number", "values": [1, 0.5, "NaN"]}),
        ([["a"], []], [1, 0], {"type": "list", "values": [[], ["a"]]}),
        ([1, "a", NAN], [0, 1, 2], {"type": "json", "values": [1, "a", {"$float": "nan"}]}),
        ([{"a": 1}], [0, -1], {"type": "json", "values": [{"a": 1}, None]}),
        ([np.float64(0.5)], [0], {"type": "number", "values": [0.5]}),
        (["unused"], [-1, -1], {"type": "json", "values": [None, None]}),
    ],
)
def test_other_values_are_a_column_of_their_type(values: list[Any], codes: list[int], expected: dict[str, Any]) -> None:
    """
    Texts are sent once each, with a code for each run; only the values that these runs have count for the type.
    """
    assert expected == wire_column(LR, CodedColumn(np.array(codes), values, None))


@pytest.mark.parametrize(
    ("field", "expected"), [(PropertyField("name"), "string"), (PropertyField("tags"), "json"), (LR, "json")]
)
def test_a_column_without_values_has_the_type_of_its_field(field: PropertyField | ParamField, expected: str) -> None:
    """
    A property that is a text stays one.
    """
    assert expected == wire_column(field, CodedColumn(np.array([-1]), [], None))["type"]


def test_each_property_has_a_column_that_people_can_choose() -> None:
    """
    The list of columns is that of the fields, with a label each.
    """
    assert set(RUN_FIELDS) == set(RUN_COLUMNS) == {column["key"] for column in wire_columns()}
    assert len(RUN_FIELDS) == len({column["label"] for column in wire_columns()})


@pytest.mark.parametrize(
    ("value", "expected"), [(np.int64(3), int), (np.float32(0.5), float), ("a", str), (None, type(None))]
)
def test_numbers_of_numpy_become_pythons_own(value: Any, expected: type) -> None:
    """
    Anything else stays as it is.
    """
    assert expected is type(plain(value))
