"""
Formulas: numpy answers as Python does, or says that it is not sure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aim.core.errors import InvalidQuery
from aim.query import tree
from aim.query.check import check
from aim.query.columns import CodedColumn
from aim.query.evaluate import Evaluator
from aim.query.functions import Clock
from aim.query.operators import MISSING
from aim.query.query import compile_query
from aim.query.syntax import parse
from aim.query.vector import Formula, Numbers, formula
from tests.query.memory_table import MemoryTable, PlainRun, typed

CLOCK = Clock(0.0)


def checked(text: str) -> tree.Node:
    """The checked tree of a query about metrics."""
    node = parse(text)
    assert node is not None
    return check(node, text, "metric", CLOCK)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run.a > 1", True),
        ("1 < run.a <= run.b", True),
        ("run.a * run.b - 2 // run.c > -1", True),
        ("abs(run.a) == 1", True),
        ("metric.last < run.a", True),
        ("run.metrics['loss'].last > 1", True),
        ("run.duration > 3600", True),
        ("run.created_at > datetime(2024, 1, 1)", True),
        ("run.created_at < run.finalized_at", True),
        ("run.created_at == run.a", False),
        ("run.a ** 2 > 1", False),
        ("run.a > 'x'", False),
        ("run.a in [1]", False),
        ("run.a == None", False),
        ("run.a > 9007199254740993", False),
        ("run.a > 1e300", True),
        ("run.a == True", True),
        ("metric.name == 1", False),
        ("metric.values == 1", False),
        ("run.a", False),
        ("len(run.a) > 1", False),
        ("not run.a > 1", False),
    ],
)
def test_comparisons_of_arithmetic_are_formulas(text: str, expected: bool) -> None:
    """
    A comparison is a formula or not, as the row says.
    """
    assert expected is (formula(checked(text)) is not None)


values: st.SearchStrategy[Any] = st.sampled_from(
    [0, 1, -1, 2, 3, 7, -7, 0.5, -0.5, 2.0, 1e-3, 1e16, 1e300, -1e300, -0.0, float("inf"), -float("inf"), float("nan")]
    + [2**53, 2**53 - 1, 2**53 + 1, -(2**60), True, False, "3", None, MISSING, [1]]
)
terms = st.recursive(
    st.sampled_from(["run.a", "run.b", "run.c", "1", "2", "0.5", "0", "3", "-1"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        inner.map(lambda text: f"(-{text})"),
        inner.map(lambda text: f"abs({text})"),
    ),
    max_leaves=5,
)
comparisons = st.tuples(terms, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), terms).map(
    lambda t: f"{t[0]} {t[1]} {t[2]}"
)


def coded(given_values: list[Any]) -> CodedColumn:
    """A column of these values."""
    known: dict[object, int] = {}
    distinct: list[Any] = []
    codes = []
    for value in given_values:
        if value is MISSING:
            codes.append(-1)
            continue
        key = typed(value)
        if key not in known:
            known[key] = len(distinct)
            distinct.append(value)
        codes.append(known[key])
    return CodedColumn(np.array(codes, dtype=np.int32), distinct)


@settings(max_examples=max(400, settings().max_examples))
@given(comparisons, st.lists(st.tuples(values, values, values), min_size=1, max_size=8))
@example("run.a < (run.a * run.c)", [(2.0**53, None, "3")])
@example("run.a < (run.a * run.c)", [(2**53, None, "3"), (2, None, 3)])
def test_random_formulas_answer_as_closures_or_are_unsure(text: str, rows: list[tuple[Any, Any, Any]]) -> None:
    """
    In every row numpy returns what the closures of `evaluate` return, or the row is unsure.
    """
    parsed = parse(text)
    assert parsed is not None
    try:
        node = check(parsed, text, "run", CLOCK)
    except SyntaxError:
        return
    made = formula(node)
    if made is None:
        return
    evaluator = Evaluator(node, text, CLOCK)
    given_of = {tree.RunParam((name,)): [row[place] for row in rows] for place, name in enumerate("abc")}
    lists = [given_of[source] for source in evaluator.sources if isinstance(source, tree.RunParam)]
    numbers = {source: coded(column).numbers() for source, column in zip(evaluator.sources, lists)}
    holds, unsure = made.ask({source: column for source, column in numbers.items() if column is not None}, len(rows))
    expected = [answer_of(evaluator, row) for row in zip(*lists)]

    assert [] == [row for row in range(len(rows)) if not unsure[row] and holds[row] != expected[row]]


def answer_of(evaluator: Evaluator, row: tuple[Any, ...]) -> bool | None:
    """Return the answer of the closures for one row; None if they refuse it, such as a text repeated 2**53 times."""
    try:
        return bool(evaluator.ask(row))
    except InvalidQuery:
        return None


A = [7, -7, 0.5, float("inf"), 0, 9, 2**53, True]
B = [2, 2, 2, 2, 3, 3, 2, 3]


@pytest.mark.parametrize(
    ("text", "compute", "unsure"),
    [
        ("run.a + run.b", lambda a, b: a + b, [3, 6]),
        ("run.a - run.b", lambda a, b: a - b, [3]),
        ("run.a * run.b", lambda a, b: a * b, [3, 6]),
        ("run.a / run.b", lambda a, b: a / b, [3]),
        ("run.a // run.b", lambda a, b: a // b, [3]),
        ("run.a % run.b", lambda a, b: a % b, [3]),
        ("-run.a + 0 * run.b", lambda a, b: -a, [3, 6]),
        ("+run.a + 0 * run.b", lambda a, b: a, [3, 6]),
        ("abs(run.a) + 0 * run.b", lambda a, b: abs(a), [3, 6]),
    ],
)
def test_arithmetic_is_that_of_python(text: str, compute: Callable[[Any, Any], float], unsure: list[int]) -> None:
    """
    Each operator has Python's result; rows with infinite values, or whose result no double holds, are unsure.
    """
    columns: dict[tree.Source, Numbers | None] = {
        tree.RunParam(("a",)): coded(A).numbers(),
        tree.RunParam(("b",)): coded(B).numbers(),
    }
    numbers = {source: column for source, column in columns.items() if column is not None}
    for limit in (-4, -1, 0, 0.5, 1, 3, 5):
        made = formula(checked(f"{text} > {limit}"))
        assert made is not None
        holds, is_unsure = made.ask(numbers, len(A))
        sure = [row for row in range(len(A)) if row not in unsure]

        assert unsure == np.flatnonzero(is_unsure).tolist()
        assert [compute(A[row], B[row]) > limit for row in sure] == holds[sure].tolist()


def test_plain_numbers_are_sure() -> None:
    """
    Usual rows are answered by numpy and are not unsure.
    """
    node = checked("run.a * run.b > 1")
    made = formula(node)
    assert isinstance(made, Formula)
    rows = np.arange(1000)
    numbers = coded([float(row) for row in rows]).numbers()
    assert numbers is not None
    holds, unsure = made.ask({tree.RunParam(("a",)): numbers, tree.RunParam(("b",)): numbers}, 1000)

    assert 0 == unsure.sum()
    assert 998 == holds.sum()


@pytest.mark.parametrize("text", ["run.a / run.b > 1", "run.a // run.b == 1", "run.a % run.b == 0"])
def test_a_division_by_zero_is_unsure(text: str) -> None:
    """
    Python raises where numpy gives infinity.
    """
    made = formula(checked(text))
    assert made is not None
    one, zero = coded([1, 1]).numbers(), coded([0, 1]).numbers()
    assert one is not None
    assert zero is not None
    _, unsure = made.ask({tree.RunParam(("a",)): one, tree.RunParam(("b",)): zero}, 2)

    assert [True, False] == unsure.tolist()


def test_what_is_missing_equals_a_fact_that_is_none() -> None:
    """
    For a run without the param and without the field the two are equal, as missing equals None.
    """
    runs = [PlainRun(fields={"name": None}), PlainRun({"a": 1}, fields={"name": None}), PlainRun(fields={"name": "x"})]

    assert [0] == compile_query("run.a == run.name", "run").select_runs(MemoryTable(runs)).tolist()


@pytest.mark.parametrize("text", ["run.created_at == run.finalized_at", "run.end_time == run.duration"])
def test_none_of_two_facts_is_equal(text: str) -> None:
    """
    Two fields that a run does not have are both None, and so equal; numpy leaves that to Python.
    """
    table = MemoryTable([PlainRun(fields={"creation_time": None})])

    assert [0] == compile_query(text).select_runs(table).tolist()
    assert [] == compile_query(text.replace("==", "<=")).select_runs(table).tolist()
    assert [] == compile_query(text.replace("==", "!=")).select_runs(table).tolist()


def test_what_is_absent_is_unequal_to_numbers_whether_it_is_a_field_or_a_param() -> None:
    """
    `run.end_time != 5` is true while the run runs, and `run.a != 5` where there is no `a`; numpy is sure of both.
    """
    codes = np.array([-1], dtype=np.int32)
    missing = formula(checked("run.a != 5"))
    fact = formula(checked("run.end_time != 5"))
    assert missing is not None
    assert fact is not None
    of_param, of_fact = CodedColumn(codes, []).numbers(), CodedColumn(codes, [], None).numbers()
    assert of_param is not None
    assert of_fact is not None

    assert ([True], [False]) == tuple(part.tolist() for part in missing.ask({tree.RunParam(("a",)): of_param}, 1))
    assert ([True], [False]) == tuple(part.tolist() for part in fact.ask({tree.RunField("end_time"): of_fact}, 1))
