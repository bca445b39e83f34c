"""
The rows of tables, filtered, searched, sorted and joined.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from aim.engine.table_rows import JoinedRows, LoggedTable, RowClause, RowOrder, RowsQuestion, shortened

COLUMNS = [{"name": "id", "type": "int"}, {"name": "text", "type": "text"}, {"name": "score", "type": "float"}]
TEXT = {"kind": "aim.text", "fields": {"text": "A wise OWL"}, "file": None}
PICTURE = {"kind": "aim.image", "fields": {"caption": "an owl"}, "file": "cells/2-1.png"}
FIRST = LoggedTable(COLUMNS, [[3, "b", 0.5], [1, TEXT, "NaN"], [2, PICTURE, None], [4, "a bear", -1.5]])
SECOND = LoggedTable(COLUMNS, [[1.0, "owl", 2.0], [9, "new", 1.0], [1, "twice", 3.0]])
HUGE = 10**400


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        (RowClause(0, "==", 1), [1]),
        (RowClause(0, "==", 1.0), [1]),
        (RowClause(0, "==", "1"), []),
        (RowClause(0, "!=", 1), [0, 2, 3]),
        (RowClause(0, ">=", 3), [0, 3]),
        (RowClause(0, "<=", 2), [1, 2]),
        (RowClause(2, "<=", 0.5), [0, 3]),
        (RowClause(0, "<=", HUGE), [0, 1, 2, 3]),
        (RowClause(1, "contains", "OWL"), [1, 2]),
        (RowClause(1, ">=", "b"), [0]),
        (RowClause(2, "==", None), [2]),
    ],
)
def test_a_clause_leaves_the_rows_that_match(clause: RowClause, expected: list[int]) -> None:
    """
    Numbers are compared with numbers and texts with texts, without regard to case; what is missing or NaN is neither.
    """
    assert expected == JoinedRows([FIRST]).matching(RowsQuestion([clause]))


def test_a_search_takes_rows_that_have_all_words_in_any_column() -> None:
    """
    The text of an object is searched too, and its caption.
    """
    joined = JoinedRows([FIRST])
    assert [1, 2] == joined.matching(RowsQuestion(text="Owl"))
    assert [1] == joined.matching(RowsQuestion(text="wise owl"))
    assert [] == joined.matching(RowsQuestion(text="wise bear"))
    assert [0, 1, 2, 3] == joined.matching(RowsQuestion(text=" "))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (RowOrder(0), [1, 2, 0, 3]),
        (RowOrder(0, is_descending=True), [3, 0, 2, 1]),
        (RowOrder(2), [3, 0, 1, 2]),
        (RowOrder(2, is_descending=True), [0, 3, 1, 2]),
        (RowOrder(1), [3, 1, 2, 0]),
    ],
)
def test_rows_are_sorted_and_what_is_missing_comes_last(order: RowOrder, expected: list[int]) -> None:
    """
    Numbers by value, then texts; NaN and missing values are last in both directions.
    """
    assert expected == JoinedRows([FIRST]).matching(RowsQuestion(order=order))


def test_infinities_and_long_integers_have_their_place() -> None:
    """
    The texts of infinities, as tables store them, are numbers; an integer of 400 digits is one too.
    """
    values: list[Any] = ["Infinity", 1, HUGE, "-Infinity", math.nan, 0.5]
    table = LoggedTable([{"name": "x", "type": "float"}], [[value] for value in values])
    assert [3, 5, 1, 2, 0, 4] == JoinedRows([table]).matching(RowsQuestion(order=RowOrder(0)))


def test_texts_are_sorted_by_the_numbers_in_them() -> None:
    """
    Without regard to case, as people number files.
    """
    table = LoggedTable([{"name": "x", "type": "text"}], [[value] for value in ("a10", "A2", "b", None, "2 a")])
    assert [4, 1, 0, 2, 3] == JoinedRows([table]).matching(RowsQuestion(order=RowOrder(0)))


def test_tables_are_joined_by_a_column() -> None:
    """
    Equal keys make one row, in the order in which they come; where a table has no such row its cells are missing, and
    of equal keys of one table the first counts.
    """
    joined = JoinedRows([FIRST, SECOND], "id")
    assert [0, 0, 0, 1, 1, 1] == [column["table"] for column in joined.columns]
    assert 5 == len(joined)
    assert [1, TEXT, "NaN", 1.0, "owl", 2.0] == joined.row(1)
    assert [None, None, None, 9, "new", 1.0] == joined.row(4)
    assert [4, 1] == joined.matching(RowsQuestion([RowClause(5, "<=", 2.0)], order=RowOrder(5)))


def test_tables_are_joined_by_the_numbers_of_rows() -> None:
    """
    Without a key the first rows are beside each other; a table without the column has no rows in a join by it.
    """
    assert [3, "b", 0.5, 1.0, "owl", 2.0] == JoinedRows([FIRST, SECOND]).row(0)
    assert [4, "a bear", -1.5, None, None, None] == JoinedRows([FIRST, SECOND]).row(3)
    other = LoggedTable([{"name": "x", "type": "int"}], [[1]])
    assert [3, "b", 0.5, None] == JoinedRows([FIRST, other], "id").row(0)
    assert [1, "owl"] == JoinedRows([LoggedTable(COLUMNS, [[1, "owl"]])]).row(0)[:2]


def test_long_texts_are_cut() -> None:
    """
    Only texts are, in cells and in objects; which they were is told.
    """
    assert ([12345, "abc", None], [1]) == shortened([12345, "abcdef", None], 3)
    row, cut = shortened([TEXT, PICTURE], 3)
    assert [0] == cut
    assert {"text": "A w"} == row[0]["fields"]
    assert PICTURE is row[1]
    assert ([TEXT], []) == shortened([TEXT], None)
