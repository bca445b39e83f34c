"""
The shapes of leaf that people write most, as one loop over plain values.

    x == c    x != c    c in x    x in [c, ...]    x.startswith(c)    x.endswith(c)       x an input, c a constant

A closure costs some 0.2 us a value; these cost 0.03 to 0.08 us, which decides over facts that differ in every run, such
as names and hashes. Each gives exactly what `evaluate` gives; a test asks both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from aim.query import tree
from aim.query.evaluate import compare
from aim.query.operators import MISSING

Quick = Callable[[Sequence[Any]], list[bool]]


def quick(node: tree.Node) -> Quick | None:
    """Give the loop for a leaf with one input, or None if it has another shape."""
    if isinstance(node, tree.Compare) and len(node.operators) == 1:
        (operator,), (left, right) = node.operators, node.items
        if isinstance(left, tree.Input) and isinstance(right, tree.Constant):
            return _with_constant(operator, right.value)
        if isinstance(left, tree.Constant) and isinstance(right, tree.Input) and operator in ("in", "not in"):
            return _has(left.value, operator == "in")
    if isinstance(node, tree.Method) and node.name in ("startswith", "endswith") and isinstance(node.value, tree.Input):
        if len(node.arguments) == 1 and not node.keywords:
            (argument,) = node.arguments
            if isinstance(argument, tree.Constant) and isinstance(argument.value, str):
                return _begins(argument.value, node.name)
    return None


def _with_constant(operator: str, constant: Any) -> Quick | None:
    if constant is MISSING:
        return None
    if operator == "==":
        if constant is None:
            return lambda values: [value is None or value is MISSING for value in values]
        return lambda values: [value == constant for value in values]
    if operator == "!=":
        return lambda values: [value != constant and value is not MISSING for value in values]
    if operator == "in" and isinstance(constant, (list, tuple, set, frozenset)):
        if all(type(item) is str for item in constant):
            members = frozenset(constant)
            return lambda values: [type(value) is str and value in members for value in values]
    return None


def _has(constant: Any, wanted: bool) -> Quick | None:
    if not isinstance(constant, str):
        return None
    operator = "in" if wanted else "not in"

    def has(values: Sequence[Any]) -> list[bool]:
        return [
            (constant in value) is wanted if type(value) in (str, list, tuple, dict) else compare(operator, constant, value)
            for value in values
        ]

    return has


def _begins(constant: str, name: str) -> Quick:
    if name == "startswith":
        return lambda values: [type(value) is str and value.startswith(constant) for value in values]
    return lambda values: [type(value) is str and value.endswith(constant) for value in values]
