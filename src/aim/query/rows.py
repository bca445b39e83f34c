"""
A query about runs asked row by row, without numpy: for a process that asks once, where loading numpy takes longer.

The truth of a test follows from its leaves as in `select`, and each leaf is evaluated by the same closures, so the
answer is the same. A leaf that depends on more than the values of its inputs, such as `random`, is left to `select`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from aim.query import tree
from aim.query.evaluate import FIRST_INPUT
from aim.query.limits import Budget
from aim.query.plan import And, If, Leaf, Not, Or, Test, leaves

if TYPE_CHECKING:
    from aim.query.query import Query

Inputs = Callable[[tree.Source], "Sequence[Any] | None"]
"""Returns the value of an input in each row; None: it has to be asked elsewhere."""

LOOK_ROWS = 256  # rows between two looks at the clock


def matching_rows(query: Query, row_count: int, inputs: Inputs) -> list[int] | None:
    """
    Return the rows of the runs that match, increasing; None when *inputs* or the way of asking do not suffice.

    Raises:
        InvalidQuery: an operation passes a bound of `limits`, or the time is spent.

    Cost: 1 us a row and leaf.
    """
    clauses = sorted(query.all_clauses(), key=lambda clause: clause.cost)
    lists: dict[tree.Source, Sequence[Any]] = {}
    for clause in clauses:
        for leaf in leaves(clause.test):
            for source in leaf.sources:
                values = inputs(source) if clause.needs <= {"run"} and not leaf.is_volatile else None
                if values is None:
                    return None
                lists[source] = values
            if leaf.is_volatile:
                return None

    def ask(budget: Budget) -> list[int]:
        rows = list(range(row_count))
        for clause in clauses:
            rows = _holding(clause.test, rows, lists, budget)
        return rows

    return query.guarded(ask)


def _holding(test: Test, rows: list[int], lists: dict[tree.Source, Sequence[Any]], budget: Budget) -> list[int]:
    """Return those of *rows*, increasing, for which a test holds."""
    if isinstance(test, Leaf):
        return _leaf_holding(test, rows, lists, budget)
    if isinstance(test, And):
        for item in test.items:
            rows = _holding(item, rows, lists, budget)
        return rows
    if isinstance(test, Not):
        return _without(rows, _holding(test.item, rows, lists, budget))
    if isinstance(test, If):
        chosen = _holding(test.test, rows, lists, budget)
        others = _without(rows, chosen)
        return sorted(_holding(test.then, chosen, lists, budget) + _holding(test.otherwise, others, lists, budget))
    assert isinstance(test, Or), test
    holding: list[int] = []
    for item in test.items:
        matching = _holding(item, rows, lists, budget)
        holding += matching
        rows = _without(rows, matching)
    return sorted(holding)


def _without(rows: list[int], others: Iterable[int]) -> list[int]:
    left_out = set(others)
    return [row for row in rows if row not in left_out]


def _leaf_holding(leaf: Leaf, rows: list[int], lists: dict[tree.Source, Sequence[Any]], budget: Budget) -> list[int]:
    frame, ask = leaf.evaluator.frame(budget), leaf.evaluator.closure()
    columns = [lists[source] for source in leaf.sources]
    last = FIRST_INPUT + len(columns)
    holding = []
    for number, row in enumerate(rows):
        frame[FIRST_INPUT:last] = [column[row] for column in columns]
        if ask(frame):
            holding.append(row)
        if number % LOOK_ROWS == 0:
            budget.look()
    return holding
