"""
Params: what `run[key] = value` stores, and how it comes back.
"""

from __future__ import annotations

import argparse
import collections
import math
import types
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim import Image, Repo, Run
from aim.core import params
from aim.core.errors import UnstorableParam, UsageError

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
)
KEYS = st.text(max_size=5) | st.integers(-5, 5) | st.sampled_from(["$float", "$dict", "$bytes", "$object", "a.b"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


@given(VALUES)
def test_any_tree_of_params_comes_back_equal(value: Any) -> None:
    """
    What is encoded is decoded to an equal value of the same types.
    """
    back = params.decode(params.encode(value))

    assert value == back
    assert repr(_sorted(value)) == repr(_sorted(back))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return params.ordered({key: _sorted(item) for key, item in value.items()})
    return [_sorted(item) for item in value] if isinstance(value, list) else value


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ((1, 2), [1, 2]),
        (Point(1, 2), [1, 2]),
        (collections.OrderedDict(b=1, a=2), {"a": 2, "b": 1}),
        (collections.defaultdict(int, a=1), {"a": 1}),
        (np.float32(0.5), 0.5),
        (np.float64(0.1), 0.1),
        (np.int64(3), 3),
        (np.bool_(True), True),
        ({True: "a"}, {1: "a"}),
        ({1: "int", "1": "str"}, {"1": "str", 1: "int"}),
        ({}, {}),
        ([], []),
    ],
)
def test_values_of_other_types_become_plain(run: Run, stored: object, read: object) -> None:
    """
    Tuples become lists, mappings dicts, numpy scalars Python's numbers.
    """
    run["p"] = stored

    assert (read, type(read)) == (run["p"], type(run["p"]))


def test_keys_come_back_in_byte_order(run: Run) -> None:
    """
    Keys are ordered: strings by their bytes, then ints, the negative ones last.
    """
    run["p"] = {-1: 0, 2: 0, "b": 0, "é": 0, "B": 0, 1: 0}

    assert ["B", "b", "é", 1, 2, -1] == list(run["p"])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (object(), "<object object>"),
        (1j, "1j"),
        (np.zeros(3), [0.0, 0.0, 0.0]),
        (np.zeros((40, 40)), "ndarray of shape (40, 40)"),
    ],
)
def test_what_can_t_be_stored_is_an_error_with_its_path(run: Run, value: object, text: object) -> None:
    """
    A value without a stored form is a TypeError that names the path; with `strict=False` its text is stored.
    """
    with pytest.raises(TypeError, match=r"hparams\.head\[1\]\.scale"):
        run["hparams"] = {"head": [0, {"scale": value}]}
    assert run.get("hparams") is None

    run.set("hparams", {"x": value}, strict=False)
    assert text == run["hparams", "x"]


@pytest.mark.parametrize("key", [1.5, None, (1,), b"a"])
def test_a_key_that_is_neither_text_nor_int_is_a_value_error(run: Run, key: Any) -> None:
    """
    Keys of dicts are strings or ints.
    """
    with pytest.raises(ValueError, match="key"):
        run["p"] = {key: 1}


def test_an_int_beyond_64_bits_keeps_its_digits(run: Run, repo: Repo) -> None:
    """
    It comes back as it was, is compared by queries, and an int that is too long is an error that stores nothing.
    """
    run["p"] = {"a": 1, "big": 10**30}

    assert 10**30 == run["p", "big"]
    assert [run.hash] == [match.run.hash for match in repo.query_runs(f"run.p.big > {10**29}").iter_runs()]
    with pytest.raises(OverflowError, match="bits"):
        run["q"] = {"a": 1, "big": 10**5000}
    assert "q" not in run


def test_configs_are_stored_as_they_are_written(run: Run) -> None:
    """
    A dataclass with a path, an enum or a set in it needs no `asdict`.
    """
    run["config"] = {"out": Path("runs/1"), "layers": {3, 1}, "from": datetime(2026, 1, 1)}

    assert {"from": "2026-01-01T00:00:00", "layers": [1, 3], "out": "runs/1"} == run["config"]


def test_setting_a_dict_replaces_and_a_path_adds(run: Run) -> None:
    """
    `run["h"] = {...}` replaces all below; `run["h", "b"] = v` adds inside.
    """
    run["h"] = {"a": 1, "z": 2}
    run["h"] = {"a": 3}
    run["h", "b"] = 4

    assert {"a": 3, "b": 4} == run["h"]
    assert 4 == run["h", "b"]
    assert {"h": {"a": 3, "b": 4}} == run[...]


def test_a_path_through_a_plain_value_makes_a_dict(run: Run) -> None:
    """
    Setting below a number replaces it by a dict; a list is padded with None.
    """
    run["a"] = 1
    run["a", "b"] = 2
    run["list"] = [1]
    run["list", 3] = "x"

    assert {"a": {"b": 2}, "list": [1, None, None, "x"]} == run[...]


def test_everything_is_replaced_by_ellipsis(run: Run) -> None:
    """
    `run[...] = params` sets all params; it takes a dict only.
    """
    run["old"] = 1
    run[...] = {"new": 2}

    assert {"new": 2} == run[...]
    with pytest.raises(UsageError, match="dict"):
        run[...] = 5


def test_deleting_and_missing_keys(run: Run) -> None:
    """
    A deleted param is gone; deleting what is not there is fine; reading it is a KeyError or the default.
    """
    run["a"] = {"b": 1, "c": 2}
    del run["a", "b"]
    del run["missing"]

    assert {"c": 2} == run["a"]
    with pytest.raises(KeyError, match="No key"):
        run["a", "b"]
    assert ("default", None) == (run.get(("a", "b"), "default"), run.get("x"))
    assert ("a" in run, "b" in run) == (True, False)


def test_what_is_read_is_a_copy(run: Run) -> None:
    """
    Changing what was read changes nothing.
    """
    run["a"] = {"b": [1]}
    run["a"]["b"].append(2)

    assert {"b": [1]} == run["a"]


def test_special_keys_are_plain_keys(run: Run) -> None:
    """
    Empty keys, dots, blanks and NUL are parts of a key like any other.
    """
    tree = {"": 1, "a.b": 2, "c d": 3, "n\0l": 4}
    run["p"] = tree

    assert tree == run["p"]


def test_not_finite_numbers_are_kept(run: Run) -> None:
    """
    NaN and the infinities are stored as floats.
    """
    run["p"] = [math.nan, math.inf, -math.inf]
    nan, *infinities = run["p"]

    assert math.isnan(nan)
    assert [math.inf, -math.inf] == infinities


def test_an_image_is_a_param_too(run: Run, repo: Repo) -> None:
    """
    An object, or a list of them, is stored as a param and read back as an object.
    """
    run["sample"] = [Image(np.full((2, 3), 200, np.uint8), caption="dot")]
    other = repo.get_run(run.hash)
    assert other is not None
    (image,) = other["sample"]

    assert ((3, 2), "dot", 200) == (image.size, image.caption, image.to_pil_image().getpixel((0, 0)))
    assert [{"caption": "dot", "format": "png", "height": 2, "width": 3}] == other.get("sample", resolve_objects=True)


def test_types_instead_of_values(run: Run) -> None:
    """
    `get(strict=False)` gives the tree of types.
    """
    run["a"] = {"b": 1}

    assert {"b": {"__example_type__": "<class 'int'>"}} == run.get("a", strict=False)


def test_the_error_says_what_to_do() -> None:
    """
    The message names type, shape, path and remedy.
    """
    with pytest.raises(UnstorableParam) as caught:
        params.encode({"w": np.zeros((3, 4))}, "hparams")

    assert (
        "hparams.w: expected a number, string, list or dict, got ndarray of shape (3, 4). Store value.tolist()."
        == str(caught.value)
    )


@pytest.mark.parametrize("config", [types.SimpleNamespace(lr=0.1), argparse.Namespace(lr=0.1)], ids=repr)
def test_all_params_may_be_a_config(run: Run, config: object) -> None:
    """
    `run[...] = args` sets what the config means as all params.
    """
    run["old"] = 1
    run[...] = config

    assert {"lr": 0.1} == run[...]
