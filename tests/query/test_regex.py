"""
Patterns find what Python's `re` finds, and never take long.
"""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from aim.query import regex
from aim.query.limits import TooMuch
from aim.query.pattern import BadPattern

ATOMS = [
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    r"\d",
    r"\w",
    r"\s",
    r"\b",
    r"\B",
    "^",
    "$",
    r"\A",
    r"\Z",
    "A",
    "\n",
    "é",
    "[é-ü]",
    "1",
]
LOOPS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{,2}", "{1,}?", "{0}"]
HOWS = ["search", "match", "fullmatch"]


def _extended(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(LOOPS)).map(lambda t: f"(?:{t[0]}){t[1]}"),
        st.tuples(inner, st.sampled_from(LOOPS)).map(lambda t: f"({t[0]}){t[1]}"),
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda items: f"(?:{'|'.join(items)})"),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"(?i:{text})"),
    )


patterns = st.recursive(st.sampled_from(ATOMS), _extended, max_leaves=7)
texts = st.text("abA1 \néÉ_", max_size=8)
flags = st.sampled_from([0, re.IGNORECASE, re.MULTILINE, re.DOTALL, re.ASCII, re.IGNORECASE | re.MULTILINE])
EXAMPLES = settings(suppress_health_check=list(HealthCheck))


@settings(EXAMPLES, max_examples=max(600, EXAMPLES.max_examples))
@given(patterns, texts, flags, st.sampled_from(HOWS))
def test_random_patterns_find_what_re_finds(pattern: str, text: str, flag: int, how: str) -> None:
    """
    The automaton finds a match where `re` does, with the same begin and end.
    """
    try:
        program = regex.compiled(pattern, int(flag))
    except BadPattern:
        reject()
    expected = getattr(re, how)(pattern, text, flag)
    spans = program.run(text, how)
    found = program.find(text, how)

    assert (None if expected is None else expected.span()) == (None if spans is None else spans[:2])
    assert (None if expected is None else expected.span()) == (None if found is None else found.span())


ANCHORS = [
    r"\bab\b", r"\Bb", r"b\B", r"a\Z", r"ab$", r"(?m)^b$", r"(?m)b$", r"(?m)^", r"\Aab", r"\Bab", "", "^$", r"\b", "$",
    r"(?a)\bé", r"\bé", r"(?s)a.b", "a.b", "(?i)AB", "[^a]b",
]  # fmt: skip
ANCHORED_TEXTS = ["ab", "ab\n", "ab\n\n", "a b", "xab", "xab ab\nb", "b\nab", "\nb", "\n", "é", "xé", "a\nb", "Ab"]


@pytest.mark.parametrize("pattern", ANCHORS)
def test_conditions_between_characters_are_those_of_re(pattern: str) -> None:
    """
    The automaton itself begins and ends where `re` does, at the edges of words, lines and the text.
    """
    program = regex.compiled(pattern)
    for how in HOWS:
        matches = [getattr(re, how)(pattern, text) for text in ANCHORED_TEXTS]
        spans = [program.run(text, how) for text in ANCHORED_TEXTS]

        assert [None if match is None else match.span() for match in matches] == [span and span[:2] for span in spans]


@pytest.mark.parametrize("loop", LOOPS)
def test_repeats_are_those_of_re(loop: str) -> None:
    """
    Greedy or not, with a bound or without: as many turns as `re` takes, of a part that may match nothing too.
    """
    for content in ("a", "(?:a|)", "(?:ab?)"):
        for pattern in (f"{content}{loop}", f"{content}{loop}b", f"x{content}{loop}$"):
            program = regex.compiled(pattern)
            for text in ("", "a", "aab", "xaaa", "xb", "aaaab"):
                match, spans = re.search(pattern, text), program.run(text, "search")
                assert (None if match is None else match.span()) == (spans and spans[:2])


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("(a)(b)?", "a"), ("(a|(b))+", "ab"), ("(?P<x>a+)(?P<y>b*)", "aab"), ("(a*?)(a*)", "aaa"), ("(a)|(b)", "b")],
)
def test_groups_are_those_of_re(pattern: str, text: str) -> None:
    """
    Groups, their names and spans are the same in both engines.
    """
    expected = re.search(pattern, text)
    program = regex.compiled(pattern)
    spans = program.run(text, "search")
    assert expected is not None
    assert spans is not None

    for found in (regex.search(pattern, text), regex.Match(text, spans, program.names)):
        assert found is not None
        assert expected.groups() == found.groups()
        assert expected.groupdict() == found.groupdict()
        assert expected.group() == found.group()
        assert [expected.span(number) for number in range(expected.re.groups + 1)] == [
            found.span(number) for number in range(expected.re.groups + 1)
        ]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+b", "a" * 3_000),
        ("(a|aa)+$", "a" * 3_000 + "b"),
        ("(a|a)*b", "a" * 3_000),
        ("(.*a){8}b", "a" * 400),
        ("(x+x+)+y", "x" * 2_000),
        ("a?" * 25 + "a" * 25, "a" * 25),
        (".*.*.*.*z", "a" * 3_000),
        (r"(\w+\s?)*!", "word " * 500),
        ("((a*)*)*b", "a" * 2_000),
        ("(?:(?:a{0,50}){0,50})b", "a" * 60),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 1_000),
    ],
)
def test_patterns_that_stop_other_engines_end(pattern: str, text: str) -> None:
    """
    The published patterns that stop other engines end in about a second, with an answer or a refusal.
    """
    begin = time.thread_time()
    try:
        assert regex.search(pattern, text) is None or pattern.startswith("a?")
    except (TooMuch, BadPattern):
        pass

    assert time.thread_time() - begin < 5.0


@pytest.mark.parametrize(
    ("pattern", "open_repeats"),
    [
        ("abc", 0),
        ("a+", 1),
        ("a+b*", 2),
        ("a{3}", 1),
        ("a|b+", 2),
        ("(a)?", 1),
        ("(a+)?", 2),
        ("(a+)+", None),
        ("(ab)*", None),
        ("(a|b)*", None),
        ("([ab])*", 1),
    ],
)
def test_a_pattern_goes_to_re_only_if_its_cost_is_known(pattern: str, open_repeats: int | None) -> None:
    """
    Repeats within repeats, and choices within repeats, are matched by the automaton.
    """
    assert open_repeats == regex.compiled(pattern).open_repeats


def test_the_text_that_re_may_have_shrinks_with_the_repeats() -> None:
    """
    The more open repeats a pattern has, the shorter are the texts for `re`.
    """
    chars = [regex.compiled("a*" * repeats + "b").fast_chars("search") for repeats in (0, 1, 2, 3)]

    assert sorted(chars, reverse=True) == chars
    assert chars[1] > 200
    assert -1 == regex.compiled("(a+)+").fast_chars("search")


def test_patterns_and_texts_are_texts() -> None:
    """
    Any other type is a TypeError, as in Python, which makes the value missing.
    """
    with pytest.raises(TypeError):
        regex.search(3, "a")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        regex.search("a", None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pattern", "flag"), [("a" * 1_001, 0), ("a", re.VERBOSE), ("a", re.LOCALE), ("(?:a{900}){900}", 0)]
)
def test_a_pattern_beyond_the_bounds_is_refused(pattern: str, flag: int) -> None:
    """
    A pattern that is too long, has other flags or makes too large a program is refused.
    """
    with pytest.raises(BadPattern):
        regex.compiled(pattern, int(flag))


def test_a_match_knows_its_groups_only() -> None:
    """
    A group that does not exist is an IndexError, as in Python.
    """
    found = regex.match("(a)", "ab")
    assert found is not None
    assert "<match of 'a' at 0>" == repr(found)
    assert ("a", "a") == found.group(0, 1)

    for group in (2, -1, 0.5):
        with pytest.raises(IndexError):
            found.group(group)  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        found.group("no")


def test_a_pattern_is_prepared_once() -> None:
    """
    The same pattern with the same flags is the same program.
    """
    assert regex.compiled("a+b") is regex.compiled("a+b")
    assert "a\\.b" == regex.escape("a.b")
    assert regex.fullmatch("a", "ab") is None
