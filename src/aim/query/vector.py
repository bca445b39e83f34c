"""
Arithmetic and comparisons of numbers for all rows at once, with numpy.

    formula := term (< | <= | > | >= | == | !=) term ...         numbers, or times on both sides
    term    := an input | a number | -term | +term | term (+ | - | * | / | // | %) term | abs(term)

numpy's float64 and Python's numbers agree as long as every integer is exact, that is below 2**53. Rows with a larger
integer, a value that is not a number, or a zero as divisor are returned as *unsure*, and `select` evaluates them one by
one. So the answer is always Python's, and numpy is used only where the two are equal.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from aim.core.value_objects import ValueObject
from aim.core.zones import EPOCH, MICROSECOND
from aim.query import tree
from aim.query.arrays import BoolArray, FloatArray
from aim.query.names import DTYPE

EXACT_MAX = 2.0**53
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
ORDERINGS = frozenset({"<", "<=", ">", ">="})  # False with None on either side, and then so is the whole chain
EXACT_WHILE_SMALL: dict[str, Callable[[Any, Any], Any]] = {"+": np.add, "-": np.subtract, "*": np.multiply}
DIVIDE: dict[str, Callable[[Any, Any], Any]] = {"/": np.divide, "//": np.floor_divide, "%": np.remainder}
TIMES = frozenset({"created_at", "updated_at", "finalized_at"})

Term = FloatArray | float


class Numbers(ValueObject):
    """
    An input as numbers, one for each row; times are in microseconds.

    Attributes:
        is_number: which rows have a number; None: all of them.
        is_absent: which rows have no value at all: it is missing, or None; never true together with *is_number*.
            None: no row.
    """

    values: FloatArray
    is_number: BoolArray | None
    is_absent: BoolArray | None


class Formula(ValueObject):
    """A comparison that numpy can evaluate; `formula` makes them."""

    node: tree.Compare

    def ask(self, columns: Mapping[tree.Source, Numbers], size: int) -> tuple[BoolArray, BoolArray]:
        """
        Return for each row whether the comparison holds, and which rows are unsure.

        Cost: O(rows) for each operator.
        """
        unsure = np.zeros(size, dtype=bool)
        for column in columns.values():
            if column.is_number is not None:
                unsure |= ~column.is_number if column.is_absent is None else ~(column.is_number | column.is_absent)
        absent = [_absent(item, columns, size) for item in self.node.items]
        with np.errstate(all="ignore"):
            terms = []
            for item, is_absent in zip(self.node.items, absent):
                inexact = np.zeros(size, dtype=bool)
                terms.append(_term(item, columns, inexact))
                unsure |= inexact & ~is_absent
            holds = np.ones(size, dtype=bool)
            for number, word in enumerate(self.node.operators):
                holds &= _link(word, terms[number : number + 2], absent[number : number + 2])
        if ORDERINGS.issuperset(self.node.operators):
            unsure &= ~np.logical_or.reduce(absent)
        return holds, unsure


def _absent(term: tree.Node, columns: Mapping[tree.Source, Numbers], size: int) -> BoolArray:
    """Return the rows in which a term is missing, or None, since one of its inputs is."""
    absent = np.zeros(size, dtype=bool)
    for part in tree.walk(term):
        if isinstance(part, tree.Input):
            of_input = columns[part.source].is_absent
            if of_input is not None:
                absent |= of_input
    return absent


def _link(word: str, terms: Sequence[Term], absent: Sequence[BoolArray]) -> BoolArray:
    """Return where a comparison of two terms holds: what is absent equals what is absent, and nothing else."""
    either, both = absent[0] | absent[1], absent[0] & absent[1]
    holds: BoolArray = COMPARE[word](*terms) & ~either
    if word == "==":
        return holds | both
    return holds | (either & ~both) if word == "!=" else holds


def formula(node: tree.Node) -> Formula | None:
    """Return *node* as a formula; None if numpy can't evaluate it."""
    if not isinstance(node, tree.Compare) or not all(word in COMPARE for word in node.operators):
        return None
    if not any(isinstance(part, tree.Input) for part in tree.walk(node)):
        return None
    if all(_is_number_term(item) for item in node.items) or all(_is_time(item) for item in node.items):
        return Formula(node)
    return None


def is_exact(value: object) -> bool:
    """
    Return whether *value* is a number that float64 holds exactly.

    >>> is_exact(True), is_exact(2**53 + 1), is_exact("1")
    (True, False, False)
    """
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= EXACT_MAX)


def _is_number_term(node: tree.Node) -> bool:
    if isinstance(node, tree.Constant):
        return is_exact(node.value)
    if isinstance(node, tree.Input):
        return _is_number_source(node.source) and not _is_time(node)
    operators = {tree.Unary: {"-", "+"}, tree.Binary: {*EXACT_WHILE_SMALL, *DIVIDE}}
    if isinstance(node, (tree.Unary, tree.Binary)):
        return node.operator in operators[type(node)] and all(map(_is_number_term, tree.children(node)))
    return isinstance(node, tree.Invoke) and node.name == "abs" and _is_number_term(node.arguments[0])


def _is_number_source(source: tree.Source) -> bool:
    if isinstance(source, tree.RunParam):
        return bool(source.path)
    if isinstance(source, tree.SummaryValue) and source.name == DTYPE:
        return False
    return not isinstance(source, (tree.PointList, tree.PairField))


def _is_time(node: tree.Node) -> bool:
    if isinstance(node, tree.Constant):
        return type(node.value) is datetime and node.value.tzinfo is None
    return isinstance(node, tree.Input) and isinstance(node.source, tree.RunField) and node.source.name in TIMES


def _term(node: tree.Node, columns: Mapping[tree.Source, Numbers], unsure: BoolArray) -> Term:
    """Return the values of a term; add to *unsure* the rows where Python's may differ."""
    if isinstance(node, tree.Input):
        return columns[node.source].values
    if isinstance(node, tree.Constant):
        if isinstance(node.value, datetime):
            return float((node.value - EPOCH) // MICROSECOND)
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
