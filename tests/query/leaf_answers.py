"""
A condition on the leaves of a run, evaluated in plain Python: what the SQL of `aim.query.sql` has to answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from aim.core import contexts
from aim.core.query_leaves import QueryLeaf, leaves_of, values_of
from aim.query.sql import AllOf, AnyOf, Condition, LeafTest
from aim.query.table import FIELDS
from tests.query.memory_table import PlainRun
from tests.query.memory_table import leaves_of as params_of


def run_leaves(run: PlainRun) -> list[QueryLeaf]:
    """
    Return the leaves of a run of the tests.
    """
    sequences = []
    for series in run.series:
        values = {name: series.summary(name) for name in values_of(series.kind)}
        sequences.append((series.kind, series.name, contexts.text(series.context), values))
    fields = {name: run.fact(name) for name in FIELDS}
    return list(leaves_of(fields, dict(params_of(run.params)), sequences))  # type: ignore[arg-type]


def holds(condition: Condition, leaves: Sequence[QueryLeaf]) -> bool:
    """
    Return whether a condition holds for a run with these leaves.
    """
    if isinstance(condition, AllOf):
        return all(holds(item, leaves) for item in condition.items)
    if isinstance(condition, AnyOf):
        return any(holds(item, leaves) for item in condition.items)
    return any(_passes(condition, leaf) for leaf in leaves)


def _passes(test: LeafTest, leaf: QueryLeaf) -> bool:
    is_there = leaf.path.startswith(test.path) if test.is_prefix else leaf.path == test.path
    if not is_there or leaf.kind not in test.kinds:
        return False
    if leaf.kind == "long":
        return True
    return _within(test, leaf) and leaf.text.startswith(test.begin)


def _within(test: LeafTest, leaf: QueryLeaf) -> bool:
    for bound, is_low in ((test.low, True), (test.high, False)):
        if bound is None:
            continue
        value = leaf.text if isinstance(bound, bytes) else leaf.number
        if not (value >= bound if is_low else value <= bound):  # type: ignore[operator]
            return False
    return True
