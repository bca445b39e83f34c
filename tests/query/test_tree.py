"""
The nodes of a query: their children, and how a tree is shown.
"""

from __future__ import annotations

import pytest

from aim.query import tree
from aim.query.syntax import parse


def test_children_come_in_the_order_of_the_text() -> None:
    """
    `children` returns the nodes directly below a node, and none further down.
    """
    node = parse("f(a, b + c, key=d)")
    assert node is not None

    assert ["Name(f)", "Name(a)", "Binary(+, Name(b), Name(c))", "Keyword(key, Name(d))"] == [
        tree.show(part) for part in tree.children(node)
    ]


def test_a_walk_meets_every_node_once() -> None:
    """
    `walk` returns a node and all nodes below it.
    """
    node = parse("{x: [y for z in w if v] for u in t}[a:b] if c else f'{d:{e}}'")
    assert node is not None
    met = [part.name for part in tree.walk(node) if isinstance(part, tree.Name)]

    assert sorted("xywvtabcde") == sorted(met)


def test_what_a_lambda_assigns_is_its_own() -> None:
    """
    `:=` within a lambda assigns no name outside of it.
    """
    node = parse("(a := 1) and [b := x for x in y] and (lambda: (c := 2))")
    assert node is not None

    assert {"a", "b"} == set(tree.assigned(node))


def test_equal_texts_have_equal_trees_but_for_places() -> None:
    """
    Nodes are values, and their spans are part of them.
    """
    assert parse("run.a") == parse("run.a")
    assert parse("run.a") != parse(" run.a")


def test_a_mapped_node_keeps_all_but_its_children() -> None:
    """
    Each child is changed once, also those in tuples; the span and other fields stay.
    """
    node = parse("{a: b for c in d}[1:] if e else f(g, key=h)")
    assert node is not None
    seen: list[tree.Node] = []

    def record(child: tree.Node) -> tree.Node:
        seen.append(child)
        return child

    assert node == tree.map_children(node, record)
    assert list(tree.children(node)) == seen


def test_a_node_without_children_is_its_own_map() -> None:
    """
    A constant that is a tuple of plain values has no children.
    """
    constant = tree.Constant(0, 6, (1, "a"))

    assert constant is tree.map_children(constant, lambda child: pytest.fail("there is no child"))
