"""
The one table of summary values, and `Summary`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import aim
from aim.core import summaries
from aim.core.summaries import SUMMARY_VALUES, Summary


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
