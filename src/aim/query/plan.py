"""
The parts of a query, in an order that leaves few rows for the expensive parts.

    query   := clause and clause and ...
    clause  := test                        what it needs decides on which rows it is evaluated, and when
    test    := And | Or | Not | If | Leaf

A leaf is a part with no `and`, `or`, `not` or `if` on top. Only its truth matters there, so the truth of a test follows
from the truths of its leaves, and each leaf is evaluated in the cheapest way that it allows.

    needs             evaluated on                                       order
    nothing           once                                               0
    run               runs: once for each distinct value                 1, or 2 if it reads several fields or params
    pair              distinct (name, context)                           1
    summary           remaining sequences, by numpy                      3
    run and pair ...  remaining sequences                                4
    value             remaining sequences, one by one                    5

`:=` connects clauses, so a query with `:=` is a single clause with a single leaf.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from aim.core.value_objects import ValueObject
from aim.query import tree
from aim.query.evaluate import Evaluator, inputs
from aim.query.functions import FUNCTIONS, Clock

if TYPE_CHECKING:
    from aim.query.vector import Formula

NEEDS = ("run", "pair", "summary", "value")
Needs = frozenset[str]


@dataclass(frozen=True, eq=False)
class Leaf:
    """A part that is evaluated as a whole. Leaves are compared by identity."""

    node: tree.Node
    evaluator: Evaluator
    needs: Needs
    is_volatile: bool

    @cached_property
    def formula(self) -> Formula | None:
        """How numpy evaluates it; None: it can't."""
        from aim.query.vector import formula

        return None if self.is_volatile else formula(self.node)

    @property
    def sources(self) -> tuple[tree.Source, ...]:
        """The inputs that it reads."""
        return self.evaluator.sources


class And(ValueObject):
    """`and`"""

    items: tuple[Test, ...]


class Or(ValueObject):
    """`or`"""

    items: tuple[Test, ...]


class Not(ValueObject):
    """`not`"""

    item: Test


class If(ValueObject):
    """`then if test else otherwise`"""

    test: Test
    then: Test
    otherwise: Test


Test = And | Or | Not | If | Leaf


class Clause(ValueObject):
    """
    One part of the query that has to hold.

    Attributes:
        start, end: its span in the text; empty for the default that leaves archived runs out.
    """

    start: int
    end: int
    test: Test
    needs: Needs = frozenset()

    @property
    def needs_text(self) -> str:
        """What it needs, as text: `run`, `run and pair`, `nothing` ..."""
        return " and ".join(need for need in NEEDS if need in self.needs) or "nothing"

    @property
    def cost(self) -> tuple[int, int]:
        """The key by which clauses are sorted before they are evaluated."""
        rank = 4
        if "value" in self.needs:
            rank = 5
        elif not self.needs:
            rank = 0
        elif self.needs in ({"run"}, {"pair"}):
            rank = 1 if all(len(leaf.sources) < 2 and not leaf.is_volatile for leaf in leaves(self.test)) else 2
        elif self.needs == {"summary"}:
            rank = 3
        heavy = any(
            isinstance(source, tree.RunParam) and not source.path
            for leaf in leaves(self.test)
            for source in leaf.sources
        )
        return rank, int(heavy)


def plan(node: tree.Node | None, text: str, clock: Clock) -> tuple[Clause, ...]:
    """Return the clauses of a query in the order of its text; none for an empty query."""
    return tuple(
        Clause(part.start, part.end, test := _test(part, text, clock), _needs(test))
        for part in ([] if node is None else _conjuncts(node))
    )


def leaves(test: Test) -> Iterator[Leaf]:
    """Return the leaves of a test."""
    if isinstance(test, Leaf):
        yield test
        return
    if isinstance(test, Not):
        parts: tuple[Test, ...] = (test.item,)
    elif isinstance(test, If):
        parts = (test.test, test.then, test.otherwise)
    else:
        parts = test.items
    for part in parts:
        yield from leaves(part)


def need(source: tree.Source) -> str:
    """Return what has to be read for an input."""
    if isinstance(source, (tree.RunField, tree.RunParam, tree.RunMetric, tree.RunSearch)):
        return "run"
    if isinstance(source, tree.PairField):
        return "pair"
    return "summary" if isinstance(source, tree.SummaryValue) else "value"


def _conjuncts(node: tree.Node) -> Iterator[tree.Node]:
    if isinstance(node, tree.Logic) and node.operator == "and" and not _assigns(node):
        for item in node.items:
            yield from _conjuncts(item)
    else:
        yield node


def _assigns(node: tree.Node) -> bool:
    return any(isinstance(part, tree.Assign) for part in tree.walk(node))


def _test(node: tree.Node, text: str, clock: Clock) -> Test:
    if _assigns(node):
        return _leaf(node, text, clock)
    if isinstance(node, tree.Logic):
        items = tuple(_test(item, text, clock) for item in node.items)
        return And(items) if node.operator == "and" else Or(items)
    if isinstance(node, tree.Unary) and node.operator == "not":
        return Not(_test(node.operand, text, clock))
    if isinstance(node, tree.Choice):
        return If(*(_test(part, text, clock) for part in (node.test, node.then, node.otherwise)))
    return _leaf(node, text, clock)


def _leaf(node: tree.Node, text: str, clock: Clock) -> Leaf:
    needs = frozenset(need(source) for source in inputs(node))
    is_volatile = any(
        isinstance(part, (tree.Invoke, tree.Builtin)) and FUNCTIONS[part.name].volatile for part in tree.walk(node)
    )
    return Leaf(node, Evaluator(node, text, clock), needs, is_volatile)


def _needs(test: Test) -> Needs:
    return frozenset(word for leaf in leaves(test) for word in leaf.needs)
