"""
The parts of a query: what is below what, and how a tree is shown.
"""

from __future__ import annotations

from aim.query import tree
from aim.query.syntax import parse


def test_children_come_in_the_order_of_the_text() -> None:
    """
    The nodes right below one, not those further down.
    """
    node = parse("f(a, b + c, key=d)")
    assert node is not None

    assert ["Name(f)", "Name(a)", "Binary(+, Name(b), Name(c))", "Keyword(key, Name(d))"] == [
        tree.show(part) for part in tree.children(node)
    ]


def test_a_walk_meets_every_node_once() -> None:
    """
    A node, and all below it.
    """
    node = parse("{x: [y for z in w if v] for u in t}[a:b] if c else f'{d:{e}}'")
    assert node is not None
    met = [part.name for part in tree.walk(node) if isinstance(part, tree.Name)]

    assert sorted("xywvtabcde") == sorted(met)


def test_what_a_lambda_assigns_is_its_own() -> None:
    """
    `:=` within a lambda gives no name to what is around it.
    """
    node = parse("(a := 1) and [b := x for x in y] and (lambda: (c := 2))")
    assert node is not None

    assert {"a", "b"} == set(tree.assigned(node))


def test_equal_texts_have_equal_trees_but_for_places() -> None:
    """
    Nodes are values, and their places are part of them.
    """
    assert parse("run.a") == parse("run.a")
    assert parse("run.a") != parse(" run.a")
