"""
Queries about runs asked row by row, without numpy: the same rows as over columns.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, reject, settings

from aim.core.errors import InvalidQuery
from aim.query import tree
from aim.query.columns import RunColumns
from aim.query.query import Query, compile_query
from aim.query.rows import matching_rows
from tests.query.expressions import RUN_NAMES, queries, runs
from tests.query.memory_table import MemoryTable, PlainRun

NOW_S = 1.7e9
RUNS = [PlainRun({"lr": number / 10, "opt": "adam" if number % 2 else "sgd"}) for number in range(12)]


def rows_of(query: Query, table: MemoryTable) -> list[int] | None:
    """Ask a query row by row; the inputs are those that columns have."""
    columns = RunColumns(table, query.clock)
    return matching_rows(query, table.run_count, lambda source: columns.column(source).objects())


@settings(suppress_health_check=list(HealthCheck))
@given(queries(RUN_NAMES), runs())
def test_random_queries_leave_the_same_rows(text: str, made: list[PlainRun]) -> None:
    """
    Rows that are asked one by one match exactly when they match over columns, if the query can be asked so.
    """
    table = MemoryTable(made)
    try:
        query = compile_query(text, "run", now=NOW_S)
        expected = query.select_runs(table).tolist()
    except InvalidQuery:
        reject()
    rows = rows_of(query, table)

    assert rows is None or expected == rows


@pytest.mark.parametrize(
    "text",
    [
        "",
        "run.lr > 0.5 and run.opt == 'adam'",
        "run.lr < 0.2 or run.lr > 1.0 or run.opt == 'none'",
        "not (run.opt == 'sgd' or run.lr < 0.3)",
        "run.lr > 0.5 if run.opt == 'adam' else run.lr < 0.5",
        "run.archived or run.lr == 0.1",
    ],
)
def test_each_kind_of_test_leaves_the_same_rows(text: str) -> None:
    """
    `and`, `or`, `not` and `if` leave the rows that they leave over columns.
    """
    table = MemoryTable(RUNS)
    query = compile_query(text, "run")

    assert query.select_runs(table).tolist() == rows_of(query, table)


def test_an_input_that_is_unknown_here_is_asked_elsewhere() -> None:
    """
    Where an input can't be given, there is no answer.
    """

    def inputs(source: tree.Source) -> list[Any] | None:
        return [False] * len(RUNS) if source == tree.RunField("archived") else None

    assert matching_rows(compile_query("run.lr > 0.5", "run"), len(RUNS), inputs) is None


def test_a_leaf_that_is_never_the_same_is_asked_elsewhere() -> None:
    """
    `random` has no answer here.
    """
    query = compile_query("random.random() < 2 and run.lr > 0.5", "run")

    assert rows_of(query, MemoryTable(RUNS)) is None
