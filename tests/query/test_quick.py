"""
The quick loops return what the closures return.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.query import regex
from aim.query.check import check
from aim.query.evaluate import Evaluator
from aim.query.functions import Clock
from aim.query.operators import MISSING
from aim.query.quick import quick
from aim.query.syntax import parse

CLOCK = Clock(0.0)
QUICK = [
    "run.a == 'adam'",
    "run.a == 1",
    "run.a == None",
    "run.a == [1]",
    "run.a != 'adam'",
    "run.a != None",
    "run.a in ['adam', 'sgd']",
    "run.a in ('adam',)",
    "'da' in run.a",
    "'da' not in run.a",
    "run.a.startswith('ad')",
    "run.a.endswith('m')",
    "re.search('d.m', run.a)",
    "re.match('(a|d)', run.a)",
    "re.fullmatch('a.*m', run.a)",
]
OTHER = [
    "run.a > 1",
    "run.a in ['adam', 1]",
    "run.a in 'adam'",
    "1 in run.a",
    "run.a is None",
    "'adam' == run.a",
    "run.a.startswith(('a', 'b'))",
    "run.a.startswith('a', 1)",
    "run.a.lower() == 'a'",
    "re.search('(a+)+', run.a)",
    "re.search('a', run.a, re.I)",
    "re.search('a', run.a).group() == 'a'",
    "1 < run.a < 2",
    "run.a == run.b",
    "run.a.endswith('a', 1)",
    "run.a.count('a')",
    "run.a not in ['adam']",
    "re.escape('a')",
]
values = st.lists(
    st.sampled_from(
        [
            "adam",
            "sgd",
            "",
            "Adam",
            "am",
            1,
            1.0,
            True,
            None,
            MISSING,
            ["adam"],
            ["da"],
            [1],
            {"da": 1},
            {},
            b"adam",
            "a" * 3000,
        ]
    ),
    max_size=6,
)


def built(text: str) -> Evaluator:
    """The closures of a query."""
    parsed = parse(text)
    assert parsed is not None
    return Evaluator(check(parsed, text, "run", CLOCK), text, CLOCK)


@pytest.mark.parametrize("text", QUICK)
@given(given_values=values)
def test_random_values_are_answered_as_by_closures(text: str, given_values: list[Any]) -> None:
    """
    The loop and the closure agree on every value of any type.
    """
    parsed = parse(text)
    assert parsed is not None
    loop = quick(check(parsed, text, "run", CLOCK))
    assert loop is not None
    evaluator = built(text)

    assert [bool(evaluator.ask([value])) for value in given_values] == loop(given_values)


@pytest.mark.parametrize("text", OTHER)
def test_other_shapes_have_no_loop(text: str) -> None:
    """
    Leaves of other shapes are left to the closures.
    """
    parsed = parse(text)
    assert parsed is not None

    assert quick(check(parsed, text, "run", CLOCK)) is None


@pytest.mark.parametrize("function", ["search", "match", "fullmatch"])
def test_long_texts_are_matched_as_by_closures(function: str) -> None:
    """
    A pattern that takes long for long texts is tried in another way from a length on; the answers are the same.
    """
    pattern = ".*a.*b.*c"
    text = f"re.{function}('{pattern}', run.a)"
    parsed = parse(text)
    assert parsed is not None
    loop = quick(check(parsed, text, "run", CLOCK))
    assert loop is not None
    chars_max = regex.compiled(pattern).fast_chars(function)
    evaluator = built(text)

    for length in range(chars_max - 1, chars_max + 3):
        long_values = ["abc".rjust(length, "x"), "acb".rjust(length, "x"), "abc".ljust(length, "x"), None, 3, MISSING]
        expected = [bool(evaluator.ask([value])) for value in long_values]
        assert expected == loop(long_values) == [True, False, function != "fullmatch", False, False, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("run.a != None", [True, False, False, True]),
        ("run.a == None", [False, True, True, False]),
        ("'da' in run.a", [True, False, False, True]),
        ("'da' not in run.a", [False, True, True, False]),
        ("run.a.startswith('ad')", [True, False, False, False]),
    ],
)
def test_a_loop_has_the_answers_beside_it(text: str, expected: list[bool]) -> None:
    """
    Of a text, None, a missing value and a list.
    """
    parsed = parse(text)
    assert parsed is not None
    loop = quick(check(parsed, text, "run", CLOCK))

    assert loop is not None
    assert expected == loop(["adam", None, MISSING, ["da"]])
