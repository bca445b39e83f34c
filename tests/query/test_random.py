"""
Random queries about random runs: columns agree with the oracle, and the oracle with Python where Python has a value.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from aim.core.errors import InvalidQuery
from aim.core.kinds import QUERY_SUBJECTS
from aim.core.zones import read_zone
from aim.query.query import Query, compile_query
from tests.query.expressions import OBJECT_NAMES, RUN_NAMES, SEQUENCE_NAMES, queries, runs, scalars
from tests.query.memory_table import MemoryTable, PlainRun
from tests.query.oracle import Oracle, RunView

NOW_S = 1.7e9 + 5 * 86400
OFFSET_MINUTES = -90
EXAMPLES = settings(suppress_health_check=list(HealthCheck))
# Queries are cheap to ask, so more of them than the profile says, but not in the long one.
EXAMPLES_MIN = max(400, EXAMPLES.max_examples)


def compiled(text: str, subject: str) -> Query:
    """Compile a query; skip the example if the query is refused."""
    try:
        return compile_query(text, subject, now=NOW_S, zone=read_zone(OFFSET_MINUTES))
    except InvalidQuery:
        reject()


def is_hidden(query: Query, run: PlainRun) -> bool:
    """Return whether the run is archived and the query does not read that."""
    return bool(run.fact("archived")) and query.hides_archived


@settings(EXAMPLES, max_examples=EXAMPLES_MIN)
@given(queries(RUN_NAMES), runs(), st.booleans())
def test_random_queries_about_runs_are_answered_as_by_the_oracle(text: str, made: list[PlainRun], fast: bool) -> None:
    """
    The selected runs are those for which the oracle returns True.
    """
    query = compiled(text, "run")
    try:
        found = query.select_runs(MemoryTable(made, with_numbers=fast)).tolist()
    except InvalidQuery:
        reject()
    views = [RunView(run, NOW_S, OFFSET_MINUTES) for run in made]
    expected = [
        row for row, view in enumerate(views) if not is_hidden(query, made[row]) and Oracle(view, "run").holds(text)
    ]

    assert expected == found


@settings(EXAMPLES, max_examples=EXAMPLES_MIN)
@given(queries(RUN_NAMES + SEQUENCE_NAMES + SEQUENCE_NAMES), runs(), st.booleans())
def test_random_queries_about_metrics_are_answered_as_by_the_oracle(
    text: str, made: list[PlainRun], fast: bool
) -> None:
    """
    The selected sequences are those for which the oracle returns True.
    """
    check_sequences(text, "metric", made, fast=fast)


@settings(EXAMPLES, max_examples=EXAMPLES_MIN // 2)
@given(
    queries(RUN_NAMES[:12] + OBJECT_NAMES + OBJECT_NAMES), runs(), st.sampled_from(QUERY_SUBJECTS[1:]), st.booleans()
)
def test_random_queries_about_objects_are_answered_as_by_the_oracle(
    text: str, made: list[PlainRun], kind: str, fast: bool
) -> None:
    """
    The selected objects of any kind are those for which the oracle returns True.
    """
    for series in (series for run in made for series in run.series):
        series.kind = kind if series.kind == "images" else series.kind

    check_sequences(text.replace("images.", f"{kind}."), kind, made, fast=fast)


def check_sequences(text: str, kind: str, made: list[PlainRun], *, fast: bool) -> None:
    """Compare the selected sequences of *kind* with those of the oracle."""
    query = compiled(text, kind)
    table = MemoryTable(made, with_numbers=fast)
    try:
        pairs, rows = query.select_sequences(table)
    except InvalidQuery:
        reject()
    found = {
        (row, table.pairs[pair].name, str(table.pairs[pair].context))
        for pair, row in zip(pairs.tolist(), rows.tolist())
    }
    expected = {
        (row, series.name, str(series.context))
        for row, run in enumerate(made)
        for series in run.series
        if series.kind == kind and not is_hidden(query, run)
        if Oracle(RunView(run, NOW_S, OFFSET_MINUTES), kind, series).holds(text)
    }

    assert expected == found


class _Namespace:
    """`run` for Python itself: params as attributes and items."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)

    def __getitem__(self, key: str) -> Any:
        return self.__dict__[key]


@settings(EXAMPLES, max_examples=EXAMPLES_MIN)
@given(queries(("run.a", "run.b", "run.c", "run['a']")), st.lists(scalars, min_size=3, max_size=3))
def test_random_queries_mean_what_python_means(text: str, values: list[Any]) -> None:
    """
    If Python itself returns a value, the query is true exactly when that value is.
    """
    given_params = dict(zip("abc", values))
    try:
        expected = bool(eval(text, {"run": _Namespace(given_params), "datetime": datetime}))
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, MemoryError, SyntaxError):
        reject()
    query = compiled(text, "run")
    try:
        rows = query.select_runs(MemoryTable([PlainRun(params=dict(given_params))]))
    except InvalidQuery:
        reject()  # clauses are evaluated by cost, so one may pass a bound that Python's `and` never reaches

    assert expected == (rows.tolist() == [0])


@settings(EXAMPLES, max_examples=EXAMPLES_MIN)
@given(queries(RUN_NAMES + SEQUENCE_NAMES), runs())
def test_random_queries_are_explained_as_they_are_answered(text: str, made: list[PlainRun]) -> None:
    """
    The rows after the last clause of an explanation are those that the query selects.
    """
    query = compiled(text, "metric")
    table = MemoryTable(made)
    try:
        explained = query.explain(table)
        _, rows = query.select_sequences(table)
    except InvalidQuery:
        reject()
    left = explained.clauses[-1].leaves if explained.clauses else explained.total

    assert len(rows) == left
