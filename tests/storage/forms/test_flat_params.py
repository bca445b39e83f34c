"""
Leaves of params straight from their lines: the same as decoding and flattening, which is the oracle.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.core import params
from aim.storage.forms.flat_params import FlatParams

KEYS = st.sampled_from(["a", "b", "$c", ""]) | st.integers(0, 2)
LEAF = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, "x", b"\0", math.inf])
TREES = st.recursive(
    LEAF, lambda below: st.lists(below, max_size=2) | st.dictionaries(KEYS, below, max_size=3), max_leaves=8
)
SETTINGS = st.lists(st.tuples(st.lists(KEYS, max_size=3).map(tuple), TREES), max_size=4)


def by_the_oracle(settings: list[tuple[tuple[Any, ...], Any]]) -> dict[tuple[Any, ...], Any]:
    """Return the leaves of the tree that the settings make one after another."""
    tree: Any = {}
    for path, value in settings:
        tree = params.set_at(tree, path, value)
    return dict(_leaves(tree)) if isinstance(tree, dict) else {}


def _leaves(tree: dict[Any, Any], path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    leaves = []
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            leaves += _leaves(value, (*path, key))
        else:
            leaves.append(((*path, key), value))
    return leaves


def as_texts(leaves: dict[tuple[Any, ...], Any]) -> dict[tuple[Any, ...], str]:
    """Return leaves as texts, in which 1, 1.0 and True differ."""
    return {path: repr(params.decode(params.encode(value, "params", strict=True))) for path, value in leaves.items()}


def lines(settings: list[tuple[tuple[Any, ...], Any]]) -> list[dict[str, Any]]:
    """Return the event lines of settings."""
    return [{"set": list(path), "value": params.encode(value, "params", strict=True)} for path, value in settings]


@given(st.lists(SETTINGS, min_size=1, max_size=3))
def test_the_leaves_are_those_of_the_decoded_tree(runs: list[list[tuple[tuple[Any, ...], Any]]]) -> None:
    """
    For each run of many, whatever it has set and in whichever order, the leaves are those of the oracle.
    """
    flat = FlatParams()
    for settings in runs:
        assert as_texts(by_the_oracle(settings)) == as_texts(flat.leaves(lines(settings)))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], {}),
        ([(("a",), 1)], {("a",): 1}),
        ([(("a",), {})], {("a",): {}}),
        ([(("a",), [1, {"b": b"\0"}])], {("a",): [1, {"b": b"\0"}]}),
        ([(("a", "b"), {"c": {"d": 1}, "e": 2})], {("a", "b", "c", "d"): 1, ("a", "b", "e"): 2}),
        ([(("a",), {"b": 1}), (("c",), 2)], {("a", "b"): 1, ("c",): 2}),
        ([(("a", "b"), 1), (("a",), 2)], {("a",): 2}),
        ([(("a",), 2), (("a", "b"), 1)], {("a", "b"): 1}),
        ([((), {"a": 1}), (("a",), 2)], {("a",): 2}),
        ([((), 5)], {}),
        ([(("a",), {1: "x", "1": "y"})], {("a", 1): "x", ("a", "1"): "y"}),
        ([(("a",), {"$bytes": "x"})], {("a", "$bytes"): "x"}),
        ([(("a",), math.inf)], {("a",): math.inf}),
    ],
)
def test_leaves_of_some_settings(settings: list[tuple[tuple[Any, ...], Any]], expected: dict[Any, Any]) -> None:
    """
    A later setting replaces what is below its path; empty dicts are leaves; keys keep their type.
    """
    assert expected == FlatParams().leaves(lines(settings))


@pytest.mark.parametrize("path", [[None], ["a", 1.5], [["a"], "b"], [True]])
def test_a_path_that_is_damaged_is_refused(path: list[Any]) -> None:
    """
    A key that is neither a text nor an integer can't be one of ours.
    """
    with pytest.raises((ValueError, TypeError)):
        FlatParams().leaves([{"set": path, "value": 1}])
