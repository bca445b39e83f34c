"""
Patterns: their trees, and the messages of those that are refused.
"""

from __future__ import annotations

import re

import pytest

from aim.query.pattern import Alternation, BadPattern, Character, Concatenation, Repeat, parse


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a(", 1, "missing ), unterminated subpattern"),
        ("a)", 1, "unbalanced parenthesis"),
        ("[a", 0, "unterminated character set"),
        ("[]", 0, "unterminated character set"),
        ("*a", 0, "nothing to repeat"),
        ("a**", 1, "multiple repeat"),
        ("a++", 2, "possessive repeats are not supported"),
        ("a{2}{3}", 1, "multiple repeat"),
        ("a{3,2}", 1, "min repeat greater than max repeat"),
        ("a{99999}", 1, "a repeat of more than 1,000 times"),
        ("a{9999999999}", 1, "a repeat of more than 1,000 times"),
        ("^*", 1, "a condition between characters can't be repeated"),
        (r"(a)\1", 3, "back references are not supported"),
        (r"\q", 0, "bad escape \\q"),
        ("\\", 0, "bad escape \\"),
        (r"\x1", 0, "incomplete escape \\x"),
        ("(?=a)", 0, "looking ahead or behind, conditions, comments and atomic groups are not supported"),
        ("(?<!a)", 0, "looking ahead or behind, conditions, comments and atomic groups are not supported"),
        ("(?>a)", 0, "looking ahead or behind, conditions, comments and atomic groups are not supported"),
        ("(?P=a)", 0, "looking ahead or behind, conditions, comments and atomic groups are not supported"),
        ("(?x)a", 2, "the flag `x` is not supported; there are a, i, m and s"),
        ("(?x:a)", 0, "the flag `x` is not supported within a pattern"),
        ("(?P<a>a)(?P<a>b)", 8, "the group `a` is there twice"),
        ("(" * 40 + ")" * 40, 31, "groups are nested more than 30 deep"),
        ("[b-a]", 1, None),
        (r"[\d-\w]", 1, None),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_its_place(text: str, place: int, message: str | None) -> None:
    """
    The offset and the message are those beside the pattern; None: the message is that of `re`.
    """
    with pytest.raises(BadPattern) as caught:
        parse(text)

    assert place == caught.value.offset
    assert message in (None, str(caught.value))


def test_a_pattern_becomes_a_tree() -> None:
    """
    Concatenations, alternatives, repeats and groups become nodes.
    """
    a, b = Character("a", 0), Character("b", 0)

    assert Concatenation((a, b)) == parse("ab").tree
    assert Alternation((a, b)) == parse("a|b").tree
    assert Repeat(a, 0, None, True) == parse("a*").tree
    assert Repeat(a, 1, None, False) == parse("a+?").tree
    assert Repeat(a, 2, 3, True) == parse("a{2,3}").tree
    assert Repeat(a, 0, 3, True) == parse("a{,3}").tree
    assert Concatenation((a, Character(r"\{", 0), Character(r"\}", 0))) == parse("a{}").tree
    assert Concatenation(()) == parse("").tree


def test_flags_hold_for_the_group_that_has_them() -> None:
    """
    `(?i)` at the beginning is valid for the whole pattern, `(?i:...)` within the group, and `(?-i:...)` removes the
    flag.
    """
    whole = parse("(?i)a(?-i:b)")

    assert Concatenation((Character("a", re.IGNORECASE), Character("b", 0))) == whole.tree
    assert re.IGNORECASE == whole.flags
    assert Concatenation((Character("a", 0), Character("b", re.IGNORECASE))) == parse("a(?i:b)").tree


def test_groups_are_numbered_and_named() -> None:
    """
    Only groups that capture count.
    """
    parsed = parse("(a)(?:b)(?P<c>c)")

    assert 2 == parsed.group_count
    assert {"c": 2} == parsed.group_names


@pytest.mark.parametrize(
    "text", ["[]a]", "[^]a]", r"[\]]", "[[]", r"\x41", r"\u0041", r"\U00000041", r"\0", r"\N{BULLET}", r"\."]
)
def test_one_character_may_be_written_in_many_ways(text: str) -> None:
    """
    Classes and escapes are one character, whose text is passed to `re`.
    """
    assert Character(text, 0) == parse(text).tree
