"""
Operators: Python's, with results that are bounded before they are made.
"""

from __future__ import annotations

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.query.limits import TooMuch
from aim.query.operators import BINARY, COMPARE, MISSING, UNARY, format_value, rough_size, subscript

PYTHON = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
}
small = st.one_of(
    st.integers(-20, 20),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.text("ab%d", max_size=4),
    st.lists(st.integers(0, 3), max_size=3),
)


def outcome(operate: Any, *operands: Any) -> object:
    """Return the result of an operation, or the type of the error that it raises."""
    try:
        return operate(*operands)
    except (TypeError, ValueError, ArithmeticError) as error:
        return type(error)


@given(st.sampled_from(sorted(PYTHON)), small, small)
def test_random_operands_get_the_result_of_python(word: str, left: Any, right: Any) -> None:
    """
    On operands that are not large, an operator returns and raises what Python's does.
    """
    assert outcome(PYTHON[word], left, right) == outcome(BINARY[word], left, right)


@pytest.mark.parametrize(
    ("word", "left", "right"),
    [
        ("*", "a", 10**9),
        ("*", 10**9, "a"),
        ("*", [1], 10**9),
        ("*", b"a", 10**9),
        ("*", (1,) * 400, 400),
        ("*", 2**4000, 2**4000),
        ("*", [[0] * 1000], 200),
        ("+", "a" * 60_000, "a" * 60_000),
        ("+", [0] * 60_000, [0] * 60_000),
        ("**", 9, 10**9),
        ("**", 9, 9**9),
        ("**", -3, 10**7),
        ("<<", 1, 10**9),
        ("|", set(range(6000)), set(range(6000, 12_000))),
        ("|", dict.fromkeys(range(6000), 0), dict.fromkeys(range(6000, 12000), 0)),
        ("^", set(range(6000)), set(range(6000, 12_000))),
        ("%", "%999999999d", 1),
        ("%", "%.999999999f", 1.0),
        ("%", "%*d", (10**9, 1)),
        ("%", "%.*f", (10**9, 1.0)),
        ("%", "%(a)999999999s", {"a": 1}),
        ("%", "%(a(b))999999999s", {"a(b)": 1}),
        ("%", "%(a)s %(b(c))99999999d", {"a": 1, "b(c)": 1}),
        ("%", "%s" * 1000, tuple(["a" * 1000] * 1000)),
        ("%", b"%99999d", 1),
        ("%", "%(a)s" * 5000, {"a": "x" * 1000}),
        ("%", "%r" * 20, ("\U00018cd6" * 1000,) * 20),
        ("%", "%s" * 200, ([b"\x00" * 200],) * 200),
        ("%", "%s" * 100, ({"key" * 100: "value" * 100},) * 100),
        ("%", "%d" * 200, (2**4000,) * 200),
        ("*", 2**2048, 2**2048),
        ("**", 2, 4097),
        ("<<", 1, 4096),
        ("%", "%" + "9" * 5000 + "d", 1),
    ],
)
def test_what_would_be_too_large_is_refused_before_it_is_made(word: str, left: Any, right: Any) -> None:
    """
    A large result is refused by its operands, so it costs no memory and no time.
    """
    with pytest.raises(TooMuch):
        BINARY[word](left, right)


@pytest.mark.parametrize(
    ("word", "left", "right", "expected"),
    [
        ("**", 1, 10**30, 1),
        ("**", 0, 10**30, 0),
        ("**", -1, 10**30, 1),
        ("**", 2, 4000, 2**4000),
        ("**", 2, -1, 0.5),
        ("<<", 0, 10**30, 0),
        ("*", "a", -5, ""),
        ("*", 2**2000, 2**2000, 2**4000),
        ("*", 2**2047, 2**2048, 2**4095),
        ("**", 2, 4095, 2**4095),
        ("**", -2, 4095, -(2**4095)),
        ("<<", 1, 4095, 2**4095),
        ("<<", 5, 0, 5),
        ("%", "from 99999 to %s", "x", "from 99999 to x"),
        ("%", "%s", "a" * 40_000, "a" * 40_000),
        ("|", {1}, {2}, {1, 2}),
        ("^", {1, 2}, {2, 3}, {1, 3}),
        ("|", {"a": 1}, {"a": 2}, {"a": 2}),
        ("^", 6, 3, 5),
        ("%", "%(a)s", {"a": 1}, "1"),
        ("%", "100%% of %s", "x", "100% of x"),
        ("%", "%-5d|", 3, "3    |"),
    ],
)
def test_what_only_looks_large_is_made(word: str, left: Any, right: Any, expected: object) -> None:
    """
    A bound limits the result, not the operands.
    """
    assert expected == BINARY[word](left, right)


@pytest.mark.parametrize(
    ("item", "expected"), [(5, True), (5.0, True), (5.5, False), ("a", False), (None, False), (1j, False), (True, True)]
)
def test_a_long_range_is_not_searched(item: object, expected: bool) -> None:
    """
    A value that is not an integer is not compared with a trillion numbers.
    """
    assert expected is COMPARE["in"](item, range(10**12))
    assert expected is not COMPARE["not in"](item, range(10**12))


@pytest.mark.parametrize(
    ("value", "key", "expected"),
    [
        ({"a": {"b": 1}}, ("a", "b"), 1),
        ({1: 2}, 1, 2),
        ([1, 2], -1, 2),
        ("adam", slice(0, 2), "ad"),
        (range(10**12), 7, 7),
        (5, 0, MISSING),
        (len, "__name__", MISSING),
        (None, 0, MISSING),
    ],
)
def test_brackets_reach_into_plain_values_only(value: object, key: object, expected: object) -> None:
    """
    Only texts, lists, dicts and ranges have items.
    """
    assert expected == subscript(value, key)


@pytest.mark.parametrize(
    ("value", "conversion", "spec", "expected"),
    [
        (0.5, "", ".2f", "0.50"),
        ("a", "r", "", "'a'"),
        ("é", "a", "", "'\\xe9'"),
        (7, "", ">5", "    7"),
        (None, "", "", "None"),
    ],
)
def test_a_field_of_an_f_string_is_formatted_as_by_python(
    value: object, conversion: str, spec: str, expected: str
) -> None:
    """
    Conversions and formats are Python's.
    """
    assert expected == format_value(value, conversion, spec)


@pytest.mark.parametrize("spec", [">1001", ".999999999f", "0" * 40 + "9" * 40, "<10000000000"])
def test_a_field_of_an_f_string_is_not_padded_without_end(spec: str) -> None:
    """
    Widths and precisions have a bound.
    """
    with pytest.raises(TooMuch):
        format_value(1.0, "", spec)


@given(
    st.recursive(
        small, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    )
)
def test_random_values_are_not_longer_than_their_rough_size(value: Any) -> None:
    """
    The estimated length of a text is never too low.
    """
    assert len(str(value)) <= rough_size(value) + 4


@pytest.mark.parametrize(
    "value",
    [
        b"\x00" * 50, "'\"" * 50, "\x00" * 50, "\U00018cd6" * 50, "\u2028", 10**300, -(10**300), 0, 1e308, -1e-308,
        ["\x00"] * 30, {"\x00": [b"\x00"]}, {1: {2: {3: "'"}}}, ({"\n"},), frozenset({"\n"}), [], {}, set(), None, True,
    ],
)  # fmt: skip
def test_the_worst_texts_are_not_longer_than_their_rough_size(value: Any) -> None:
    """
    Each character counts as long as its escape, at every depth.
    """
    assert len(repr(value)) <= rough_size(value) or len(repr(value)) <= 4


@pytest.mark.parametrize(
    "value", ["adam" * 20, b"adam" * 20, 10**90, ["adam"] * 20, {str(key): key for key in range(20)}, (1,) * 30]
)
def test_a_rough_size_is_not_far_above(value: Any) -> None:
    """
    What is usual is not refused because its estimate is many times too high.
    """
    assert rough_size(value) <= 5 * len(str(value)) + 12


def test_signs_are_those_of_python() -> None:
    """
    `-`, `+` and `~` of numbers.
    """
    assert [-3, 3, -4] == [UNARY[word](3) for word in "-+~"]
    assert [-2, -1] == [UNARY["~"](flag) for flag in (True, False)]


def test_missing_is_false_and_shows_as_such() -> None:
    """
    `MISSING` is falsy, and its `repr()` is its name.
    """
    assert not MISSING
    assert "MISSING" == repr(MISSING)
