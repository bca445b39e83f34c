"""
Params: what may be stored, how it is written as JSON, and where in the tree it goes.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import enum
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import omegaconf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.core import params
from aim.core.errors import UnstorableParam
from aim.core.values import INT_MAX, INT_MIN, Stored

INTS = st.integers(INT_MIN, INT_MAX)
KEYS = st.text(max_size=4) | INTS | st.sampled_from(["$float", "$dict", "$bytes", "$object", "$", ""])
LEAVES = st.none() | st.booleans() | INTS | st.floats(allow_nan=False) | st.text(max_size=6) | st.binary(max_size=6)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4))
PATHS = st.lists(st.sampled_from(["a", "b", 0, 1]), min_size=0, max_size=4).map(tuple)


class Picture:
    """An object with a stored form."""

    def stored(self) -> Stored:
        """Return it."""
        return Stored("test.picture", {"width": 2}, b"\x00\x01", "raw")


class Color(str, enum.Enum):
    """A string with a name."""

    RED = "red"


class Size(enum.IntEnum):
    """An int with a name."""

    BIG = 3


@dataclass
class Config:
    """A dataclass."""

    lr: float = 0.1


Pair = collections.namedtuple("Pair", "x y")


def through_json(value: object) -> Any:
    """Return *value* as it is read back from an event line."""
    return params.decode(json.loads(json.dumps(params.encode(value), allow_nan=False)))


def keys_of(tree: Any) -> list[Any]:
    """Return the keys of every dict in *tree*, in order."""
    if isinstance(tree, dict):
        return [list(tree), *(keys_of(value) for value in tree.values())]
    return [keys_of(item) for item in tree] if isinstance(tree, list) else []


@given(TREES)
def test_what_may_be_stored_comes_back(tree: Any) -> None:
    """
    Any tree of plain values comes back equal, with the same types, through JSON that knows no NaN.
    """
    found = through_json(tree)

    assert tree == found
    assert repr(params.encode(tree)) == repr(params.encode(found)) or keys_of(tree) != keys_of(found)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True), (1, 1), (1.0, 1.0), (-0.0, -0.0), (math.inf, math.inf), (-math.inf, -math.inf), (5e-324, 5e-324),
        (INT_MAX, INT_MAX), (INT_MIN, INT_MIN), (None, None), ("", ""), (b"", b""), (bytearray(b"x"), b"x"),
        ("\0\ud800", "\0\ud800"),
        ((1, (2,)), [1, [2]]), (Pair(1, 2), [1, 2]), ([], []), ({}, {}), (collections.OrderedDict(b=1), {"b": 1}),
        (collections.defaultdict(list, a=[1]), {"a": [1]}), ({True: "x"}, {1: "x"}),
        ({1: "x", "1": "y"}, {"1": "y", 1: "x"}),
        (np.float64(0.5), 0.5), (np.float32(0.1), float(np.float32(0.1))), (np.int64(3), 3), (np.bool_(True), True),
        (np.str_("x"), "x"), (np.bytes_(b"x"), b"x"), (np.array(3), 3), (np.float32("nan"), None),
        (Color.RED, "red"), (Size.BIG, 3), ({Color.RED: Color.RED}, {"red": "red"}),
        ({"$float": "nan"}, {"$float": "nan"}), ({"$dict": [1]}, {"$dict": [1]}), ({"$new": 1}, {"$new": 1}),
        ({"$bytes": "!", "b": 1}, {"$bytes": "!", "b": 1}),
    ],
)  # fmt: skip
def test_each_kind_of_value_comes_back_as_it_should(value: object, expected: object) -> None:
    """
    Tuples become lists, numpy's scalars become Python's, and every other value keeps its type.
    """
    found = through_json(value)

    if expected is None and value is not None:
        assert math.isnan(found)
    else:
        assert expected == found
        assert type(expected) is type(found)
        assert repr(expected) == repr(found)  # which tells -0.0 from 0.0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "run: expected a number, string, list or dict, got object. Store str\\(value\\), or use run.set"),
        (1j, "got complex"),
        (np.zeros((3, 4)), r"got ndarray of shape \(3, 4\). Store value.tolist\(\)"),
        ({"a": [1, {"b": object()}]}, r"run.a\[1\].b: expected"),
        ({1.5: 1}, "run has the key 1.5, a float; keys have to be strings or ints"),
        ({"a": {(1, 2): 1}}, r"run.a has the key \(1, 2\)"),
        ({None: 1}, "run has the key None"),
        ({b"a": 1}, "run has the key b'a'"),
    ],
)
def test_what_may_not_be_stored_says_where_and_what_to_do(value: object, message: str) -> None:
    """
    The message has the path of the bad value; callers of Aim 3 catch TypeError or ValueError.
    """
    for kind in (UnstorableParam, TypeError, ValueError):
        with pytest.raises(kind, match=message):
            params.encode(value, "run")


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**30, np.uint64(2**63), 2**4095])
def test_an_integer_of_more_than_64_bits_keeps_its_digits(value: int) -> None:
    """
    Such as `int(1e30)`, the limit of a tokenizer without one.
    """
    assert int(value) == through_json(value)


@pytest.mark.parametrize("value", [{"a": 10**5000}, {2**63: 1}, {10**5000: 1}], ids=["value", "key", "long key"])
def test_an_integer_that_is_too_long_overflows(value: object) -> None:
    """
    Keys are of 64 bits, values of 4,096.
    """
    with pytest.raises(OverflowError, match="bits"):
        params.encode(value)


class Lazy(Mapping[str, int]):
    """A dict of somebody else."""

    def __getitem__(self, key: str) -> int:
        return 1

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return iter("a")


CONFIGS = [
    ({1, 2}, [1, 2]),
    (datetime.datetime(2026, 1, 1), "2026-01-01T00:00:00"),
    (Path("x"), "x"),
    (argparse.Namespace(a=Path("x")), {"a": "x"}),
    (make_dataclass("Settings", ["lr"])(Config()), {"lr": {"lr": 0.1}}),
    (Config, f"{__name__}.Config"),
    (np.datetime64(5, "ns"), "1970-01-01T00:00:00.000000005"),
    (Lazy(), {"a": 1}),
]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("value", "expected"), CONFIGS, ids=lambda value: type(value).__name__)
def test_configs_are_stored_as_what_they_mean(value: object, expected: object, strict: bool) -> None:
    """
    Strict or not, at any depth.
    """
    assert {"a": [expected]} == params.decode(params.encode({"a": [value]}, strict=strict))


def test_a_config_of_omegaconf_is_resolved_as_far_as_it_can_be() -> None:
    """
    A missing value is None, and an interpolation that leads nowhere stays the text that was written.
    """
    config = omegaconf.OmegaConf.create(
        {"lr": 0.1, "twice": "${lr}", "gone": "${nowhere}", "path": "???", "layers": [1, "${lr}", {"a": "${nowhere}"}]}
    )

    assert {
        "lr": 0.1,
        "twice": 0.1,
        "gone": "${nowhere}",
        "path": None,
        "layers": [1, 0.1, {"a": "${nowhere}"}],
    } == params.decode(params.encode(config))


CYCLE: dict[str, Any] = {"lr": 0.1}
CYCLE["self"] = [CYCLE]
DEEP: list[Any] = []
for _ in range(5_000):
    DEEP = [DEEP]
ODD = [
    ({"a": object()}, {"a": "<object object>"}),
    ({1.5: 1, (1, 2): 2, None: 3}, {"1.5": 1, "(1, 2)": 2, "None": 3}),
    ({2**63: 1}, {str(2**63): 1}),
    (10**5000, "an integer of 16,610 bits"),
    (np.zeros((2, 2)), [[0.0, 0.0], [0.0, 0.0]]),
    (np.zeros((512, 512)), "ndarray of shape (512, 512)"),
    (1j, "1j"),
    (CYCLE, {"lr": 0.1, "self": ["<dict that holds itself, or is nested more than 100 deep>"]}),
]


@pytest.mark.parametrize(("value", "expected"), ODD, ids=lambda value: type(value).__name__)
def test_what_is_not_strict_never_raises(value: object, expected: object) -> None:
    """
    Without strictness, what has no stored form is kept as text, and what holds itself is cut.
    """
    assert expected == params.decode(params.encode(value, strict=False))


@pytest.mark.parametrize("value", [CYCLE, DEEP], ids=["cycle", "depth"])
def test_what_holds_itself_is_refused(value: object) -> None:
    """
    Strictly, with the place at which it does; without strictness any depth can be stored.
    """
    with pytest.raises(UnstorableParam, match="nested more than 100 deep, or holds itself"):
        params.encode(value)
    assert params.encode(value, strict=False)


def test_an_object_is_stored_with_its_bytes_and_restored_lazily() -> None:
    """
    An object becomes its record with its bytes; `restore` gets its kind, fields and a loader.
    """
    form = json.loads(json.dumps(params.encode({"images": [Picture()]})))
    seen: list[tuple[str, dict[str, Any], bytes]] = []

    def restore(kind: str, fields: Any, load: Any) -> str:
        seen.append((kind, dict(fields), load()))
        return "restored"

    assert {"images": ["restored"]} == params.decode(form, restore)
    assert [("test.picture", {"width": 2, "size": 2, "extension": "raw"}, b"\0\1")] == seen
    assert "test.picture" == params.decode(form)["images"][0]["kind"]


def test_keys_come_back_in_one_order() -> None:
    """
    Strings by their UTF-8 bytes, then ints from 0 on, then the negatives, whatever the order of setting.
    """
    tree = {"b": 1, "B": 1, "é": 1, "": 1, "\U0001f600": 1, "\uffff": 1, 10: 1, 9: 1, -1: 1, -10: 1, 0: 1, "1": 1}
    expected = ["", "1", "B", "b", "é", "\uffff", "\U0001f600", 0, 9, 10, -10, -1]

    assert expected == list(through_json(tree))
    assert ["a", "b", "c"] == list(params.ordered({"c": 1, "a": 1, "b": 1}))


@pytest.mark.parametrize(
    ("key", "path"),
    [(..., ()), ("lr", ("lr",)), (3, (3,)), (True, (1,)), (("a", "b", 3), ("a", "b", 3)), ((), ()), ("a.b", ("a.b",)),
     ("", ("",)), (Color.RED, ("red",)), (Size.BIG, (3,))],
)  # fmt: skip
def test_a_key_is_a_path(key: object, path: tuple[object, ...]) -> None:
    """
    `run[key]` takes one key, several, or all; dots are no paths.
    """
    assert path == params.as_path(key)
    assert [type(part) for part in path] == [type(part) for part in params.as_path(key)]


@pytest.mark.parametrize("key", [1.5, None, b"a", ("a", 1.5), ["a"]])
def test_what_is_no_key_says_so(key: object) -> None:
    """
    Other keys are refused with the key in the message.
    """
    with pytest.raises(UnstorableParam, match="has the key"):
        params.as_path(key)


@pytest.mark.parametrize(
    ("tree", "path", "value", "expected"),
    [
        ({}, ("a",), 1, {"a": 1}),
        ({"a": 1}, (), 5, 5),
        (5, ("a",), 1, {"a": 1}),
        ({"a": {"b": 1, "c": 2}}, ("a",), {"d": 1}, {"a": {"d": 1}}),
        ({"a": {"b": 1}}, ("a", "c"), 2, {"a": {"b": 1, "c": 2}}),
        ({"a": 1}, ("a", "b"), 2, {"a": {"b": 2}}),
        ({"l": [1, 2, 3]}, ("l", 5), "Y", {"l": [1, 2, 3, None, None, "Y"]}),
        ({"l": [1]}, ("l", 0, "x"), 2, {"l": [{"x": 2}]}),
        ({"l": [1]}, ("l", "x"), 2, {"l": {"x": 2}}),
        ({"l": [1]}, ("l", -1), 2, {"l": {-1: 2}}),
        ({}, ("a", 0), 1, {"a": {0: 1}}),
        (None, ("a", "b", "c"), 1, {"a": {"b": {"c": 1}}}),
    ],
)
def test_a_value_is_put_at_its_path(tree: Any, path: Any, value: object, expected: object) -> None:
    """
    A value replaces any other at its path; dicts are made on the way; lists are padded.
    """
    assert expected == params.set_at(tree, path, value)


def test_one_wrong_index_does_not_fill_the_memory() -> None:
    """
    Lists are padded up to a bound, since every reader of the run would have to hold the list.
    """
    with pytest.raises(UnstorableParam, match="Item 1,000,000 of a list of 1"):
        params.set_at({"l": [1]}, ("l", 1_000_000), 2)


@pytest.mark.parametrize(
    ("tree", "path", "expected"),
    [
        ({"a": {"b": 1, "c": 2}}, ("a", "b"), {"a": {"c": 2}}),
        ({"a": 1}, (), {}),
        ({"a": 1}, ("b",), {"a": 1}),
        ({"a": 1}, ("a", "b"), {"a": 1}),
        ({"l": [1, 2]}, ("l", 0), {"l": [2]}),
        ({"l": [1, 2]}, ("l", 7), {"l": [1, 2]}),
        (5, ("a",), 5),
    ],
)
def test_what_is_at_a_path_is_taken_away(tree: Any, path: Any, expected: object) -> None:
    """
    Removing a value that does not exist is not an error.
    """
    assert expected == params.delete_at(tree, path)


@given(tree=TREES, path=PATHS, value=LEAVES)
def test_what_was_put_somewhere_is_found_there(tree: Any, path: Any, value: object) -> None:
    """
    After `set_at`, `get_at` returns the value; after `delete_at` there is none.
    """
    changed = params.set_at(through_json(tree), path, value)
    assert value == params.get_at(changed, path)
    changed = params.delete_at(changed, path)
    if path and not isinstance(params.get_at(changed, path[:-1]), list):
        with pytest.raises(KeyError):
            params.get_at(changed, path)


@pytest.mark.parametrize("path", [("b",), ("a", "x"), ("text", 0), ("l", 3), ("l", "x"), ("a", "b", "c"), ("n", 0)])
def test_what_is_not_there_is_a_key_error(path: Any) -> None:
    """
    The message is that of Aim 3; texts and numbers have no items.
    """
    with pytest.raises(KeyError, match="is present"):
        params.get_at({"a": {"b": 1}, "text": "abc", "l": [1], "n": None}, path)


def test_a_tree_is_flattened_into_leaves_with_paths() -> None:
    """
    Lists, empty dicts and dicts below the depth are leaves; int keys are shown in brackets.
    """
    tree = params.ordered({"a": {"b": {"c": 1}, 3: 2}, "e": {}, "l": [{"x": 1}], 7: "z"})

    expected = {"a.b.c": 1, "a.[3]": 2, "e": {}, "l": [{"x": 1}], "[7]": "z"}
    assert expected == {params.dotted(path): leaf for path, leaf in params.flatten(tree)}
    assert {"a.b": {"c": 1}, "a.[3]": 2, "e": {}, "l": [{"x": 1}], "[7]": "z"} == {
        params.dotted(path): leaf for path, leaf in params.flatten(tree, 2)
    }
    assert ["a", "e", "l", "[7]"] == [params.dotted(path) for path, _ in params.flatten(tree, 1)]


def test_a_cell_of_a_table_is_json() -> None:
    """
    An object that JSON can't represent is shown as its text.
    """
    assert '{"a": [1, "b\'x\'"]}' == params.json_text({"a": [1, b"x"]})


@pytest.mark.parametrize(
    "form",
    [{"$float": "x"}, {"$float": [1]}, {"$bytes": "a"}, {"$bytes": 5}, {"$dict": 5}, {"$dict": [[1]]}, {"$object": {}},
     {"$object": {"kind": "x", "items": []}}, {"$dict": [[[1], 2]]}, {"$object": 5}],
)  # fmt: skip
def test_a_form_that_was_never_written_is_an_error_that_readers_catch(form: Any) -> None:
    """
    Damaged forms raise the errors that the fold of a run counts as damage, and no others.
    """
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError, IndexError)):
        params.decode(form)
