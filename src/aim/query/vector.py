"""
Plain arithmetic and comparisons of numbers, for all rows at once.

    formula := term (< | <= | > | >= | == | !=) term ...         numbers, or times on both sides
    term    := an input | a number | -term | +term | term (+ | - | * | / | // | %) term | abs(term)

numpy's float64 and Python's numbers agree as long as every integer is exact, that is below 2**53. A row where that is
not sure, where a value is no number or a divisor is zero, is given back as *unsure*, to be asked by itself. So the
answer is Python's, always, and numpy only makes it fast where the two are the same.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from aim.query import tree
from aim.query.functions import EPOCH
from aim.query.table import BoolArray, FloatArray

EXACT_MAX = 2.0**53
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
ORDERINGS = frozenset(
    {"<", "<=", ">", ">="}
)  # of None all of these are False; None equals None, and differs from numbers
EXACT_WHILE_SMALL: dict[str, Callable[[Any, Any], Any]] = {"+": np.add, "-": np.subtract, "*": np.multiply}
DIVIDE: dict[str, Callable[[Any, Any], Any]] = {"/": np.divide, "//": np.floor_divide, "%": np.remainder}
TIMES = frozenset({"created_at", "updated_at", "finalized_at"})

Term = FloatArray | float


@dataclass(frozen=True)
class Numbers:
    """
    An input as numbers, one for each row; times count microseconds.

    is_number: which rows have one. is_absent: which rows have nothing at all; it is never true beside *is_number*.
    absent_is_none: what has nothing there is None, which unlike the missing equals itself and differs from numbers.
    """

    values: FloatArray
    is_number: BoolArray | None
    is_absent: BoolArray | None
    absent_is_none: bool


@dataclass(frozen=True)
class Formula:
    """A comparison that numpy may answer; see `formula`."""

    node: tree.Compare

    def ask(self, columns: Mapping[tree.Source, Numbers], size: int) -> tuple[BoolArray, BoolArray]:
        """
        Return for each row whether the comparison holds, and which rows are unsure.

        Cost: O(rows) for each operator.
        """
        unsure = np.zeros(size, dtype=bool)
        absent = np.zeros(size, dtype=bool)
        has_none = np.zeros(size, dtype=bool)  # which even the missing equals
        for column in columns.values():
            if column.is_absent is not None:
                if column.absent_is_none and not ORDERINGS.issuperset(self.node.operators):
                    has_none |= column.is_absent
                else:
                    absent |= column.is_absent
        for column in columns.values():
            if column.is_number is not None:
                unsure |= ~column.is_number & ~absent
        with np.errstate(all="ignore"):
            terms = [_term(item, columns, unsure) for item in self.node.items]
            holds = np.ones(size, dtype=bool)
            for word, left, right in zip(self.node.operators, terms, terms[1:]):
                holds &= COMPARE[word](left, right)
        holds &= ~absent
        return holds, (unsure & ~absent) | has_none


def formula(node: tree.Node) -> Formula | None:
    """Return *node* as a formula, if it is one."""
    if not isinstance(node, tree.Compare) or not all(word in COMPARE for word in node.operators):
        return None
    if not any(isinstance(part, tree.Input) for part in tree.walk(node)):
        return None
    if all(_is_number_term(item) for item in node.items) or all(_is_time(item) for item in node.items):
        return Formula(node)
    return None


def _is_number_term(node: tree.Node) -> bool:
    if isinstance(node, tree.Constant):
        value = node.value
        return isinstance(value, float) or (isinstance(value, int) and abs(value) <= EXACT_MAX)
    if isinstance(node, tree.Input):
        source = node.source
        if isinstance(source, (tree.PointList, tree.PairField)) or (
            isinstance(source, tree.RunParam) and not source.path
        ):
            return False
        return not _is_time(node)
    if isinstance(node, tree.Unary):
        return node.operator in ("-", "+") and _is_number_term(node.operand)
    if isinstance(node, tree.Binary):
        known = node.operator in EXACT_WHILE_SMALL or node.operator in DIVIDE
        return known and _is_number_term(node.left) and _is_number_term(node.right)
    return isinstance(node, tree.Invoke) and node.name == "abs" and _is_number_term(node.arguments[0])


def _is_time(node: tree.Node) -> bool:
    if isinstance(node, tree.Constant):
        return type(node.value) is datetime and node.value.tzinfo is None
    return isinstance(node, tree.Input) and isinstance(node.source, tree.RunField) and node.source.name in TIMES


def _term(node: tree.Node, columns: Mapping[tree.Source, Numbers], unsure: BoolArray) -> Term:
    """The values of a term; rows where they may not be Python's are added to *unsure*."""
    if isinstance(node, tree.Input):
        return columns[node.source].values
    if isinstance(node, tree.Constant):
        if isinstance(node.value, datetime):
            return float((node.value - EPOCH) // timedelta(microseconds=1))
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, tree.Unary):
        value = _term(node.operand, columns, unsure)
        return -value if node.operator == "-" else value
    if isinstance(node, tree.Invoke):
        return np.abs(_term(node.arguments[0], columns, unsure))
    assert isinstance(node, tree.Binary)
    left, right = _term(node.left, columns, unsure), _term(node.right, columns, unsure)
    if node.operator in DIVIDE:
        unsure |= np.equal(right, 0)
        if node.operator != "/":
            unsure |= ~(np.isfinite(left) & np.isfinite(right))
        result = DIVIDE[node.operator](left, right)
    else:
        result = EXACT_WHILE_SMALL[node.operator](left, right)
    unsure |= ~(np.abs(result) < EXACT_MAX)
    return result  # type: ignore[no-any-return]
