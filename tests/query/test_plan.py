"""
The plan of a query: its clauses, what they need, and their order.
"""

from __future__ import annotations

import pytest

from aim.query import plan, tree
from aim.query.check import check
from aim.query.functions import Clock
from aim.query.plan import Clause, Leaf, leaves
from aim.query.syntax import parse

CLOCK = Clock(0.0)


def clauses(text: str) -> tuple[Clause, ...]:
    """The clauses of a query about metrics."""
    parsed = parse(text)
    return plan.plan(None if parsed is None else check(parsed, text, "metric", CLOCK), text, CLOCK)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("run.a", [("run.a", "run")]),
        ("run.a and metric.name == 'x'", [("run.a", "run"), ("metric.name == 'x'", "pair")]),
        ("(run.a and run.b) and run.c", [("run.a", "run"), ("run.b", "run"), ("run.c", "run")]),
        ("run.a or metric.last", [("run.a or metric.last", "run and summary")]),
        ("not (run.a and run.b)", [("not (run.a and run.b)", "run")]),
        ("metric.context.s == run.a", [("metric.context.s == run.a", "run and pair")]),
        (
            "any(v > metric.last for v in metric.values)",
            [("any(v > metric.last for v in metric.values)", "summary and value")],
        ),
        ("run.metrics['a'].last > 1", [("run.metrics['a'].last > 1", "run")]),
        ("metric.run.a and 1 < 2", [("metric.run.a", "run"), ("1 < 2", "nothing")]),
        ("(x := run.a) and x > metric.last", [("(x := run.a) and x > metric.last", "run and summary")]),
    ],
)
def test_a_query_is_the_clauses_beside_it(text: str, expected: list[tuple[str, str]]) -> None:
    """
    Each clause has the text and the needs beside it.
    """
    assert expected == [(text[clause.start : clause.end], clause.needs_text) for clause in clauses(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run.a > 1 and (run.b or not run.c)", ["run.a > 1", "run.b", "run.c"]),
        ("run.a if run.b else run.c and run.d", ["run.b", "run.a", "run.c", "run.d"]),
        ("len(run.a or run.b) > 1", ["len(run.a or run.b) > 1"]),
        ("(x := run.a) or x", ["(x := run.a) or x"]),
    ],
)
def test_leaves_are_what_has_no_logic_on_top(text: str, expected: list[str]) -> None:
    """
    `and`, `or`, `not` and `if` are parted into leaves, but not within other operations.
    """
    found = [leaf for clause in clauses(text) for leaf in leaves(clause.test)]

    assert expected == [text[leaf.node.start : leaf.node.end] for leaf in found]


def test_clauses_are_asked_from_cheap_to_dear() -> None:
    """
    The order is: fields and names, several fields, all params, summaries, mixed, points.
    """
    text = (
        "metric.values[0] > 1 and metric.last > run.a and metric.last > 1 and run.a > run.b "
        "and run[run.a] and metric.name == 'x' and run.a and 1 < 2"
    )
    asked = sorted(clauses(text), key=lambda clause: clause.cost)

    assert [
        "1 < 2",
        "metric.name == 'x'",
        "run.a",
        "run.a > run.b",
        "run[run.a]",
        "metric.last > 1",
        "metric.last > run.a",
        "metric.values[0] > 1",
    ] == [text[clause.start : clause.end] for clause in asked]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run[run.a] and run.a > run.b", ["run.a > run.b", "run[run.a]"]),
        ("run.a > run.b and run.a > random.random() and run.a", ["run.a", "run.a > run.b", "run.a > random.random()"]),
        ("metric.last > 1 and metric.name == run.a", ["metric.last > 1", "metric.name == run.a"]),
        ("len(metric.values) > 1 and metric.last > run.a", ["metric.last > run.a", "len(metric.values) > 1"]),
    ],
)
def test_of_two_clauses_the_cheaper_one_is_asked_first(text: str, expected: list[str]) -> None:
    """
    Clauses change places where the second one is cheaper, and keep their order where both cost the same.
    """
    asked = sorted(clauses(text), key=lambda clause: clause.cost)

    assert expected == [text[clause.start : clause.end] for clause in asked]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("metric.last > 1", True), ("metric.last + 1 > run.a", True), ("run.a > 1", True), ("run.a in [1]", False)],
)
def test_numbers_that_are_compared_are_a_formula(text: str, expected: bool) -> None:
    """
    Such a leaf can be evaluated by numpy, others can not.
    """
    (clause,) = clauses(text)
    (leaf,) = leaves(clause.test)

    assert expected is (leaf.formula is not None)


def test_chance_is_never_a_formula() -> None:
    """
    A leaf with `random` is volatile, so it is evaluated row by row.
    """
    (clause,) = clauses("run.a > random.random()")
    (leaf,) = leaves(clause.test)

    assert leaf.is_volatile
    assert leaf.formula is None


def test_a_leaf_knows_its_inputs_once_each() -> None:
    """
    An input that occurs twice is read once.
    """
    (clause,) = clauses("run.a + run.a > run.b")
    assert isinstance(clause.test, Leaf)

    assert (tree.RunParam(("a",)), tree.RunParam(("b",))) == clause.test.sources


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (tree.RunField("name"), "run"),
        (tree.RunParam(("a",)), "run"),
        (tree.RunMetric("loss", "{}", "last"), "run"),
        (tree.PairField("name"), "pair"),
        (tree.SummaryValue("last"), "summary"),
        (tree.PointList("values"), "value"),
    ],
)
def test_each_source_has_its_need(source: tree.Source, expected: str) -> None:
    """
    Each kind of input has its need.
    """
    assert expected == plan.need(source)
