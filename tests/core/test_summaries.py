"""
The one table of summary values, and `Summary`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import aim
from aim.core import summaries
from aim.core.summaries import (
    BY_NAME,
    PAGE_SUMMARIES,
    SUMMARY_VALUES,
    UNKNOWN_LENGTH,
    Summary,
    summary_of_objects,
)


def test_the_table_has_each_field_once() -> None:
    """
    Each field of a summary is a row of the table, of the type that the class says.
    """
    fields = {value.field: value.value_type.__name__ for value in SUMMARY_VALUES}

    assert {name: hint.__forward_arg__ for name, hint in Summary.__annotations__.items()} == fields


def test_names_on_pages_are_unique() -> None:
    """
    No two values go by one name on pages.
    """
    shown = [value.page_name for value in SUMMARY_VALUES if value.page_name]

    assert len(shown) == len(set(shown)) == len(summaries.PAGE_SUMMARIES)


def test_a_summary_is_made_by_names_only() -> None:
    """
    No call of `Summary` in the package gives a value by its position.
    """
    root = Path(aim.__file__).parent
    calls = [
        f"{path.name}:{node.lineno}"
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Summary" and node.args
    ]

    assert [] == calls


@pytest.mark.parametrize(
    ("name", "field", "page_name", "of", "is_looked_up"),
    [
        ("first", "first", "first", "metrics", False),
        ("last", "last", "last", "metrics", False),
        ("min", "min", "min", "metrics", False),
        ("max", "max", "max", "metrics", False),
        ("mean", "mean", "mean", "metrics", False),
        ("std", "std", "std", "metrics", True),
        ("median", "median", "median", "metrics", True),
        ("count", "point_count", "count", "both", False),
        ("first_step", "first_step", "first_step", "both", False),
        ("last_step", "last_step", "last_step", "both", False),
        ("argmin", "argmin", "min_step", "metrics", False),
        ("argmax", "argmax", "max_step", "metrics", False),
        ("has_nan", "has_nan", "", "metrics", False),
        ("record_max_length", "record_max_length", "", "objects", True),
    ],
)
def test_a_value_has_its_names_and_its_sequences(
    name: str, field: str, page_name: str, of: str, is_looked_up: bool
) -> None:
    """
    Queries, pages and `Summary` call a value as docs say; objects have steps and counts, and only lists a length.
    """
    value = BY_NAME[name]

    assert (field, page_name, is_looked_up) == (value.field, value.page_name, value.is_looked_up)
    assert (of in ("metrics", "both"), of in ("objects", "both")) == (value.of_metrics, value.of_objects)
    assert (name == PAGE_SUMMARIES.get(page_name)) == bool(page_name)


@pytest.mark.parametrize(("is_list", "length"), [(True, UNKNOWN_LENGTH), (False, 1)])
def test_objects_have_steps_and_no_numbers(is_list: bool, length: int) -> None:
    """
    The values of a sequence of objects are NaN; the longest list is unknown until somebody reads the records.
    """
    summary = summary_of_objects(3, 5, 9, is_list=is_list)

    assert (3, 5, 9, 5, 5, False, length) == (
        summary.point_count, summary.first_step, summary.last_step, summary.argmin, summary.argmax, summary.has_nan,
        summary.record_max_length,
    )  # fmt: skip
    assert {"nan"} == {
        repr(getattr(summary, name)) for name in ("first", "last", "min", "max", "mean", "std", "median")
    }
