"""
Functions: Python's where Python has them, bounded where Python has no bound.
"""

from __future__ import annotations

import math
import time
from datetime import date, datetime, timezone
from typing import Any

import pytest

from aim.core.zones import read_zone
from aim.query.functions import FUNCTIONS, MODULES, VALUES, Clock, invoke, is_function, members
from aim.query.limits import TooMuch
from aim.query.operators import MISSING

CLOCK = Clock(1_714_557_600.25, zone=read_zone(-120))  # 2024-05-01 10:00:00.25 UTC, in Berlin


def called(name: str, *arguments: Any, **keywords: Any) -> Any:
    """Call a function of the query."""
    return invoke(FUNCTIONS[name], CLOCK, arguments, keywords)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("len", (range(7),), 7),
        ("int", ("12",), 12),
        ("int", ("ff", 16), 255),
        ("int", (), 0),
        ("float", ("1.5",), 1.5),
        ("complex", (1, 2), 1 + 2j),
        ("bool", ([],), False),
        ("str", (1.5,), "1.5"),
        ("bytes", ("é",), b"\xc3\xa9"),
        ("bytes", ("é", "latin-1"), b"\xe9"),
        ("bytes", (3,), b"\0\0\0"),
        ("list", ("ab",), ["a", "b"]),
        ("tuple", ([1],), (1,)),
        ("set", ([1, 1],), {1}),
        ("frozenset", ((1,),), frozenset({1})),
        ("dict", ([("a", 1)],), {"a": 1}),
        ("range", (1, 3), range(1, 3)),
        ("slice", (1, 2), slice(1, 2)),
        ("abs", (-1,), 1),
        ("round", (2.5,), 2),
        ("round", (2.567, 1), 2.6),
        ("divmod", (7, 2), (3, 1)),
        ("pow", (2, 3), 8),
        ("pow", (2, 3, 5), 3),
        ("chr", (97,), "a"),
        ("ord", ("a",), 97),
        ("hex", (255,), "0xff"),
        ("oct", (8,), "0o10"),
        ("bin", (5,), "0b101"),
        ("repr", ("a",), "'a'"),
        ("sum", ([1, 2], 3), 6),
        ("min", (3, 1), 1),
        ("max", ([3, 1],), 3),
        ("any", ([0, 1],), True),
        ("all", ([0, 1],), False),
        ("sorted", ([2, 1],), [1, 2]),
        ("reversed", ([2, 1],), [1, 2]),
        ("zip", ([1, 2], "ab"), [(1, "a"), (2, "b")]),
        ("zip", (), []),
        ("enumerate", ("ab", 1), [(1, "a"), (2, "b")]),
        ("map", (FUNCTIONS["len"], ["a", "bc"]), [1, 2]),
        ("filter", (FUNCTIONS["len"], ["", "bc"]), ["bc"]),
        ("filter", (FUNCTIONS["callable"], [1, 2]), []),
        ("filter", (None, [0, 2]), [2]),
        ("isinstance", (1, FUNCTIONS["int"]), True),
        ("isinstance", (1, (FUNCTIONS["str"], (FUNCTIONS["int"],))), True),
        ("issubclass", (FUNCTIONS["bool"], FUNCTIONS["int"]), True),
        ("callable", (FUNCTIONS["int"],), True),
        ("callable", (3,), False),
        ("same_type", (1, 2, 3), True),
        ("same_type", (1, 2, "3"), False),
        ("test", (False, 1, True, 2), 2),
        ("test", (False, 1, 3), 3),
        ("test", (False, 1), None),
        ("reorder", (["a", "b", "c"], ["c"], ["b"]), ["c", "a"]),
        ("math.factorial", (5,), 120),
        ("math.comb", (5, 2), 10),
        ("math.perm", (5, 2), 20),
        ("math.prod", ([2, 3.0],), 6.0),
        ("math.lcm", (4, 6), 12),
        ("math.gcd", (4, 6), 2),
        ("math.fsum", ([0.1] * 10,), 1.0),
        ("math.log", (8, 2), 3.0),
        ("math.sqrt", (4,), 2.0),
        ("math.atan2", (0, 1), 0.0),
        ("re.escape", ("a.b",), "a\\.b"),
        ("datetime", (2024, 5, 1), datetime(2024, 5, 1)),
        ("date", (2024, 5, 1), date(2024, 5, 1)),
        ("datetime.fromisoformat", ("2024-05-01",), datetime(2024, 5, 1)),
        ("datetime.strptime", ("1.5.24", "%d.%m.%y"), datetime(2024, 5, 1)),
        ("datetime.strptime", ("x" * 94 + "20240501", "x" * 94 + "%Y%m%d"), datetime(2024, 5, 1)),
        ("datetime.now", (), datetime(2024, 5, 1, 12, 0, 0, 250_000)),
        ("datetime.today", (), datetime(2024, 5, 1, 12, 0, 0, 250_000)),
        ("datetime.utcnow", (), datetime(2024, 5, 1, 10, 0, 0, 250_000)),
        ("datetime.fromtimestamp", (0,), datetime(1970, 1, 1, 2)),
        ("datetime.utcfromtimestamp", (0,), datetime(1970, 1, 1)),
        ("date.today", (), date(2024, 5, 1)),
    ],
)
def test_a_function_gives_what_is_beside_it(name: str, arguments: tuple[Any, ...], expected: object) -> None:
    """
    A function returns the value beside its plain arguments.
    """
    result = called(name, *arguments)

    assert expected == result
    assert type(expected) is type(result)


def test_functions_take_keys_defaults_and_starts() -> None:
    """
    Functions have the keywords of Python's functions.
    """
    assert ["ccc", "bb", "a"] == called("sorted", ["a", "bb", "ccc"], key=FUNCTIONS["len"], reverse=True)
    assert "ccc" == called("max", ["a", "ccc", "bb"], key=FUNCTIONS["len"])
    assert 7 == called("min", [], default=7)
    assert 10 == called("int", "1010", base=2)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("list", (range(10**12),)),
        ("sum", (range(10**12),)),
        ("sorted", (range(10**12),)),
        ("any", (range(10**12),)),
        ("len", (range(10**30),)),
        ("set", (range(20_000),)),
        ("dict", ([(n, n) for n in range(20_000)],)),
        ("zip", (range(50_000), range(50_000), range(50_000))),
        ("bytes", (10**12,)),
        ("int", ("9" * 5000,)),
        ("int", ("f" * 5000, 16)),
        ("str", ([["a" * 1000] * 100] * 100,)),
        ("repr", ([["a" * 1000] * 100] * 100,)),
        ("pow", (9, 10**9)),
        ("round", (5, -(10**9))),
        ("math.factorial", (10**9,)),
        ("math.comb", (10**9, 5 * 10**8)),
        ("math.perm", (10**9, 10**8)),
        ("math.prod", ([2**1000] * 10,)),
        ("math.lcm", tuple(2**1000 + n for n in range(10))),
        ("sum", ([2**4095] * 10,)),
        ("datetime.strptime", ("1", "%d" * 100)),
        ("map", (FUNCTIONS["hex"], [2**4000] * 5000)),
    ],
)
def test_a_function_refuses_what_would_be_too_much(name: str, arguments: tuple[Any, ...]) -> None:
    """
    Too many items, too long a text or too large a number is refused, and at once.
    """
    begin = time.thread_time()

    with pytest.raises(TooMuch):
        called(name, *arguments)

    assert time.thread_time() - begin < 1.0


def test_keys_are_weighed_while_they_are_made() -> None:
    """
    A key that makes a long text of each item does not fill the memory.
    """
    long_text = FUNCTIONS["str"]
    with pytest.raises(TooMuch):
        called("sorted", [[0] * 900] * 900, key=long_text)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sum", (["a"], "")),
        ("sum", ([[1]], [])),
        ("sorted", (5,)),
        ("map", (5, [1])),
        ("map", (len, [1])),
        ("isinstance", (1, int)),
        ("isinstance", (1, 5)),
        ("math.prod", (["a"],)),
        ("datetime", (2024.5, 1, 1)),
        ("list", (len,)),
    ],
)
def test_a_function_refuses_what_python_would_or_what_is_not_plain(name: str, arguments: tuple[Any, ...]) -> None:
    """
    A function of Python that came from elsewhere is not a function of a query.
    """
    with pytest.raises(TypeError):
        called(name, *arguments)


def test_a_key_has_to_be_a_function_of_the_query() -> None:
    """
    A plain value or a function of Python is not called.
    """
    for key in (3, len, print):
        with pytest.raises(TypeError):
            called("sorted", [1], key=key)
        with pytest.raises(TypeError):
            called("max", [1], key=key)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_of_missing_is_missing(name: str) -> None:
    """
    Every function returns missing for a missing argument, except the three that test it.
    """
    expected = False if name in ("bool", "isinstance", "callable") else MISSING

    assert expected is called(name, MISSING)
    assert MISSING is FUNCTIONS[name](MISSING)


@pytest.mark.parametrize("name", ["random.random", "random.uniform", "random.randint", "random.gauss", "random.choice"])
def test_chance_is_volatile(name: str) -> None:
    """
    A function that differs from call to call is volatile, so that it is evaluated for each run.
    """
    assert FUNCTIONS[name].volatile


def test_numbers_of_chance_are_within_their_bounds() -> None:
    """
    The functions of `random` take their arguments as Python's do.
    """
    assert 0 <= called("random.random") < 1
    assert 2 <= called("random.uniform", 2, 3) <= 3
    assert called("random.randint", 1, 2) in (1, 2)
    assert isinstance(called("random.gauss", 0, 1), float)
    assert called("random.choice", "ab") in "ab"


def test_the_clock_is_the_readers() -> None:
    """
    Times are shown and read with the reader's offset; halves of microseconds round to even.
    """
    assert datetime(1970, 1, 1, 2, 0, 0, 2) == CLOCK.local(2.5e-6)
    assert 0.0 == CLOCK.seconds(datetime(1970, 1, 1, 2))
    assert 0.0 == CLOCK.seconds(datetime(1970, 1, 1, tzinfo=timezone.utc))


def test_modules_list_what_they_hold() -> None:
    """
    Suggestions come from the functions and values of a module.
    """
    assert {"math", "re", "random", "string", "datetime", "date"} == MODULES
    assert {"sqrt", "pi"} <= set(members("math"))
    assert math.pi == VALUES["math.pi"]


def test_only_our_functions_are_functions() -> None:
    """
    A function shows its name, and Python's own functions are not functions of a query.
    """
    assert is_function(FUNCTIONS["len"])
    assert not is_function(len)
    assert "len" == repr(FUNCTIONS["len"])
