"""
Methods and attributes: those in the tables, and no others of a Python object.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from aim.core.zones import read_zone
from aim.query import regex
from aim.query.functions import FUNCTIONS, Clock
from aim.query.limits import TooMuch
from aim.query.methods import ATTRIBUTES, BY_TYPE, METHODS, attribute, call_method
from aim.query.operators import MISSING

CLOCK = Clock(0.0, zone=read_zone(-60))
MOMENT = datetime(2024, 5, 1, 13, 30)
MUTATING = {
    *("append", "extend", "insert", "pop", "popitem", "remove", "clear", "sort", "reverse", "update", "setdefault"),
    *("add", "discard", "intersection_update", "format", "format_map", "translate", "maketrans", "mro", "fromkeys"),
}


def called(value: Any, name: str, *arguments: Any, **keywords: Any) -> object:
    """Call a method of the query."""
    return call_method(CLOCK, value, name, arguments, keywords)


@pytest.mark.parametrize(
    ("value", "name", "arguments", "expected"),
    [
        ("adam", "startswith", ("ad",), True),
        ("adam", "startswith", (("x", "ad"),), True),
        ("adam", "endswith", ("m",), True),
        ("Adam", "lower", (), "adam"),
        ("adam", "title", (), "Adam"),
        (" a ", "strip", (), "a"),
        ("a,b", "split", (",",), ["a", "b"]),
        ("a b c", "rsplit", (None, 1), ["a b", "c"]),
        ("a\nb", "splitlines", (), ["a", "b"]),
        ("a-b", "partition", ("-",), ("a", "-", "b")),
        ("adamw", "removesuffix", ("w",), "adam"),
        ("adam", "find", ("m",), 3),
        ("adam", "count", ("a",), 2),
        ("adam", "replace", ("a", "o"), "odom"),
        ("adam", "replace", ("a", "o", 1), "odam"),
        ("-", "join", (["a", "b"],), "a-b"),
        ("a", "center", (3, "."), ".a."),
        ("7", "zfill", (3,), "007"),
        ("a\tb", "expandtabs", (2,), "a b"),
        ("é", "encode", (), b"\xc3\xa9"),
        ("12", "isdigit", (), True),
        (b"\xc3\xa9", "decode", (), "é"),
        (b"a", "hex", (), "61"),
        ({"a": 1}, "keys", (), ["a"]),
        ({"a": 1}, "values", (), [1]),
        ({"a": 1}, "items", (), [("a", 1)]),
        ({"a": 1}, "get", ("a",), 1),
        ({"a": 1}, "get", ("b", 2), 2),
        ({"a": {"b": 3}}, "get", (("a", "b"),), 3),
        ("adam", "get", ("b", 2), 2),
        (MISSING, "get", ("b",), None),
        ([1, 2, 1], "count", (1,), 2),
        ((1, 2), "index", (2,), 1),
        ({1, 2}, "issubset", ([1, 2, 3],), True),
        ({1}, "union", ([2], (3,)), {1, 2, 3}),
        (frozenset({1, 2}), "intersection", ([2],), frozenset({2})),
        (5, "bit_length", (), 3),
        (True, "bit_count", (), 1),
        (2.0, "is_integer", (), True),
        (1 + 2j, "conjugate", (), 1 - 2j),
        (MOMENT, "date", (), date(2024, 5, 1)),
        (MOMENT, "weekday", (), 2),
        (MOMENT, "isoformat", (), "2024-05-01T13:30:00"),
        (MOMENT, "isocalendar", (), (2024, 18, 3)),
        (MOMENT, "strftime", ("%d.%m. 100%%",), "01.05. 100%"),
        (datetime(1970, 1, 1, 1), "timestamp", (), 0.0),
        (MOMENT.date(), "isoweekday", (), 3),
        (MOMENT.time(), "isoformat", (), "13:30:00"),
        (timedelta(hours=1), "total_seconds", (), 3600.0),
    ],
)
def test_a_method_gives_what_is_beside_it(value: Any, name: str, arguments: tuple[Any, ...], expected: object) -> None:
    """
    A method returns the value beside it.
    """
    result = called(value, name, *arguments)

    assert expected == result
    assert type(expected) is type(result)


def test_methods_take_the_keywords_of_python() -> None:
    """
    `split`, `splitlines` and `replace` of a time have keywords.
    """
    assert ["a", "b-c"] == called("a-b-c", "split", sep="-", maxsplit=1)
    assert ["a\n"] == called("a\n", "splitlines", keepends=True)
    assert datetime(2023, 5, 1, 0, 30) == called(MOMENT, "replace", year=2023, hour=0)


def test_a_match_gives_its_groups() -> None:
    """
    The groups of a match are read by methods.
    """
    found = regex.search("(?P<name>a)(b)?", "xa")
    assert found is not None

    assert "a" == called(found, "group")
    assert "a" == called(found, "group", "name")
    assert ("a", None) == called(found, "groups")
    assert {"name": "a"} == called(found, "groupdict")
    assert (1, 2) == called(found, "span")
    assert [1, -1] == [called(found, "start", group) for group in (1, 2)]


@pytest.mark.parametrize(
    ("value", "name", "arguments"),
    [
        ("ab" * 1000, "replace", ("a", "b" * 1000)),
        ("ab" * 1000, "replace", ("", "b" * 1000)),
        ("a" * 1000, "join", (["b"] * 1000,)),
        ("a", "center", (10**9,)),
        ("a", "ljust", (10**9,)),
        ("a", "rjust", (10**9,)),
        ("a", "zfill", (10**9,)),
        ("\t", "expandtabs", (10**9,)),
        ("\t" * 1000, "expandtabs", (900,)),
        ({1}, "union", (range(10**12),)),
    ],
)
def test_a_method_refuses_what_would_be_too_much(value: Any, name: str, arguments: tuple[Any, ...]) -> None:
    """
    A value that would be too large is refused before it is made.
    """
    with pytest.raises(TooMuch):
        called(value, name, *arguments)


@pytest.mark.parametrize("form", ["%999d", "%-d", "%", "a%", "%" * 500, "%\0"])
def test_a_format_of_time_has_plain_directives_only(form: str) -> None:
    """
    Widths and flags, which depend on the C library, are refused.
    """
    with pytest.raises(ValueError, match="letters after its `%`"):
        called(MOMENT, "strftime", form)


@pytest.mark.parametrize(
    "value", ["a", 1, 1.5, None, True, [1], (1,), {"a": 1}, {1}, b"a", MOMENT, MISSING, FUNCTIONS["len"]]
)
@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_of_another_type_is_missing(value: Any, name: str) -> None:
    """
    A method that the type does not have, or with too few or too many arguments, returns missing.
    """
    if name == "get":
        return
    if name in BY_TYPE.get(type(value), {}):
        most = BY_TYPE[type(value)][name].most
        assert MISSING is called(value, name, *["a"] * (most + 1))
    else:
        assert MISSING is called(value, name)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_of_missing_or_with_missing_is_missing(name: str) -> None:
    """
    A method of a missing value, or with a missing argument, returns missing.
    """
    if name != "get":
        assert MISSING is called(MISSING, name)
        assert MISSING is called("a", name, MISSING)


def test_no_method_changes_a_value() -> None:
    """
    No method that changes its value or reaches into objects is in the table.
    """
    assert set() == MUTATING & set(METHODS)


def test_no_method_or_attribute_begins_with_an_underscore() -> None:
    """
    The tables contain none of Python's own names.
    """
    known = {*METHODS, *(name for of_type in ATTRIBUTES.values() for name in of_type)}

    assert [] == [name for name in known if name.startswith("_")]


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ({"lr": 0.1}, "lr", 0.1),
        ({"lr": 0.1}, "no", MISSING),
        ({"keys": 1}, "keys", 1),
        ({}, "keys", MISSING),
        (MOMENT, "year", 2024),
        (MOMENT.date(), "hour", MISSING),
        (MOMENT.time(), "hour", 13),
        (timedelta(days=2), "days", 2),
        (1 + 2j, "imag", 2.0),
        ("a", "upper", MISSING),
        ("a", "__class__", MISSING),
        ([], "__len__", MISSING),
        (1, "real", MISSING),
        (MISSING, "x", MISSING),
        (FUNCTIONS["len"], "call", MISSING),
        (FUNCTIONS["len"], "name", MISSING),
        (MOMENT, "min", MISSING),
    ],
)
def test_an_attribute_is_a_key_or_stands_in_the_table(value: Any, name: str, expected: object) -> None:
    """
    The attributes of a dict are its keys, those of other types are in the table, and there are no others.
    """
    assert expected == attribute(value, name)
