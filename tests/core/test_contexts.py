"""
When two contexts are one.
"""

from __future__ import annotations

import enum
import json
import math
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.core import contexts
from aim.core.errors import UntrackableValue

ROOT = Path(__file__).resolve().parents[2]
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=5)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
CONTEXTS = st.dictionaries(st.text(max_size=3), TREES, max_size=4)


class Subset(str, enum.Enum):
    """A name that is a string, of the kind that trainers use."""

    TRAIN = "train"


class Given:
    """What has `to_dict()`, as the reference's `Context`."""

    def to_dict(self) -> dict[str, object]:
        """Return the context as a dict."""
        return {"subset": "val"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, None),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": -0.0}),
        ({"a": 2**53}, {"a": 2.0**53}),
        ({"a": (1, (2,))}, {"a": [1, [2]]}),
        ({"a": np.int64(1)}, {"a": 1}),
        ({"a": np.float32(0.5)}, {"a": 0.5}),
        ({"a": np.bool_(True)}, {"a": True}),
        ({"a": np.str_("x")}, {"a": "x"}),
        ({"a": np.array(3)}, {"a": 3}),
        ({"a": math.nan}, {"a": float("nan")}),
        ({"a": math.inf}, {"a": np.float32("inf")}),
        ({True: "y"}, {"1": "y"}),
        ({"subset": Subset.TRAIN}, {"subset": "train"}),
        ({Subset.TRAIN: 1}, {"train": 1}),
        (Given(), {"subset": "val"}),
        (OrderedDict(b=1, a=2), {"a": 2, "b": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        ({"a": {}}, {"a": MappingProxyType({})}),
    ],
)
def test_equal_contexts_have_equal_texts_and_identities(one: object, other: object) -> None:
    """
    All that are equal as dicts of plain values are one context.
    """
    assert contexts.text(one) == contexts.text(other)
    assert contexts.identity(one) == contexts.identity(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": 2}),
        ({"a": None}, {}),
        ({"a": None}, {"a": "None"}),
        ({"a": False}, {"a": None}),
        ({"a": []}, {"a": {}}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": 2**53}, {"a": 2**53 + 1}),
        ({"a": 0.1}, {"a": 0.1 + 2**-56}),
        ({"a": math.inf}, {"a": -math.inf}),
        ({"a": math.nan}, {"a": "nan"}),
        ({"a": math.nan}, {"a": None}),
        ({"a": "x"}, {"b": "x"}),
        ({"é": 1}, {"e\u0301": 1}),
    ],
)
def test_different_contexts_have_different_texts(one: object, other: object) -> None:
    """
    Dicts that differ are different contexts, even if texts or numbers look alike.
    """
    assert contexts.text(one) != contexts.text(other)
    assert contexts.identity(one) != contexts.identity(other)


@given(CONTEXTS, CONTEXTS)
def test_texts_are_equal_as_the_dicts_are(one: dict[str, Any], other: dict[str, Any]) -> None:
    """
    For any two contexts, equal texts mean equal dicts, and the other way round.
    """
    assert (one == other) == (contexts.text(one) == contexts.text(other))


@given(CONTEXTS)
def test_a_text_is_json_of_an_equal_context(context: dict[str, Any]) -> None:
    """
    The text is JSON, and the context that it describes has the same text.
    """
    assert contexts.text(context) == contexts.text(contexts.plain(context))
    assert isinstance(json.loads(contexts.text(context)), dict)


def test_a_plain_context_keeps_its_order_and_types() -> None:
    """
    A plain context has the user's order and types.
    """
    given_context = {"b": (1.0, True), "a": np.int64(3), 7: {Subset.TRAIN: Subset.TRAIN}}
    found = contexts.plain(given_context)

    assert {"b": [1.0, True], "a": 3, "7": {"train": "train"}} == found
    assert ["b", "a", "7"] == list(found)
    assert [float, bool] == [type(item) for item in found["b"]]
    assert [str, str] == [type(item) for pair in found["7"].items() for item in pair]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ("train", "context is a str; it has to be a dict"),
        ([("a", 1)], "context is a list"),
        (5, "context is a int"),
        ({1.5: 1}, "context has the key 1.5, a float"),
        ({None: 1}, "keys have to be strings"),
        ({b"a": 1}, "a bytes"),
        ({"a": {(1, 2): 3}}, r"context.a has the key \(1, 2\), a tuple"),
        ({"a": [1, {"b": object()}]}, r"context.a\[1\].b is a object"),
        ({"a": b"x"}, "context.a is a bytes"),
        ({"a": {1, 2}}, "context.a is a set"),
        ({"a": np.array([1, 2])}, "context.a is a ndarray"),
        ({"a": 1j}, "context.a is a complex"),
        ({1: "x", "1": "y"}, "context has a key twice"),
        ({"a": {1: "x", "1": "y"}}, "context.a has a key twice"),
    ],
)
def test_what_is_no_context_says_where(context: object, message: str) -> None:
    """
    The message names the path of a value that a context can't have.
    """
    with pytest.raises(UntrackableValue, match=message):
        contexts.text(context)


def test_an_integer_outside_64_bits_overflows() -> None:
    """
    As params and values, contexts hold integers of 64 bits.
    """
    with pytest.raises(OverflowError, match="64 bits"):
        contexts.text({"a": 2**63})


def test_an_identity_is_the_same_in_every_process() -> None:
    """
    Identities do not depend on the seed of Python's hashes, so they may be stored.
    """
    context = {"subset": "train", "fold": [1, 2.5, None]}
    code = f"from aim.core import contexts; print(contexts.identity({context!r}))"
    found = {
        int(subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "src"), "PYTHONHASHSEED": seed},
                           capture_output=True, check=True).stdout)
        for seed in ("1", "2")
    }  # fmt: skip

    assert {contexts.identity(context)} == found
    assert -(2**63) <= contexts.identity(context) < 2**63


def test_half_a_surrogate_is_text_like_any_other() -> None:
    """
    Names from broken encodings have texts and identities too.
    """
    assert contexts.identity({"a": "\ud800"}) != contexts.identity({"a": "\ud801"})
