"""
The stage that reads text: a table of texts and trees, a table of texts and messages.
"""

from __future__ import annotations

import warnings

import pytest

from aim.core.errors import InvalidQuery
from aim.query.limits import DEPTH_MAX, NODES_MAX, TEXT_CHARS_MAX
from aim.query.syntax import parse
from aim.query.tree import show, walk

TREES = [
    ("1", "Constant(1)"),
    ("run.lr", "Attribute(Name(run), lr)"),
    ("run['a', 'b']", "Subscript(Name(run), Group(tuple, [Constant('a'), Constant('b')]))"),
    ("x[1:2]", "Subscript(Name(x), Slice(Constant(1), Constant(2), None))"),
    ("a and b or c", "Logic(or, [Logic(and, [Name(a), Name(b)]), Name(c)])"),
    ("a and b and c", "Logic(and, [Name(a), Name(b), Name(c)])"),
    ("not a", "Unary(not, Name(a))"),
    ("-a ** 2", "Unary(-, Binary(**, Name(a), Constant(2)))"),
    ("a < b <= c", "Compare(('<', '<='), [Name(a), Name(b), Name(c)])"),
    ("a is not None", "Compare(('is not',), [Name(a), Constant(None)])"),
    ("a not in b", "Compare(('not in',), [Name(a), Name(b)])"),
    ("a if b else c", "Choice(Name(b), Name(a), Name(c))"),
    ("[a]", "Group(list, [Name(a)])"),
    ("{a}", "Group(set, [Name(a)])"),
    ("{'k': a}", "Dict([Constant('k')], [Name(a)])"),
    ("f(a, key=b)", "Call(Name(f), [Name(a)], [Keyword(key, Name(b))])"),
    ("lambda a, b: a", "Lambda(('a', 'b'), Name(a))"),
    ("(a := 1)", "Assign(a, Constant(1))"),
    ("[a for a in b if c]", "Comprehension(list, Name(a), None, [For(Target(a), Name(b), [Name(c)])])"),
    ("any(a for a in b)", "Call(Name(any), [Comprehension(list, Name(a), None, [For(Target(a), Name(b), ())])])"),
    (
        "{a: b for a, b in c}",
        "Comprehension(dict, Name(a), Name(b), [For(Target(None, [Target(a), Target(b)]), Name(c), ())])",
    ),
    (
        "f'{a}-{b!r:>5}'",
        "FString([Field(Name(a), , None), Constant('-'), Field(Name(b), r, FString([Constant('>5')]))])",
    ),
    ("a\n  and b  # why", "Logic(and, [Name(a), Name(b)])"),
    ("'#)' == a", "Compare(('==',), [Constant('#)'), Name(a)])"),
    ("select x, y if a", "Name(a)"),
    ("SELECT if a", "Name(a)"),
    ("select differ if a", "Name(a)"),
    ("selected", "Name(selected)"),
]  # fmt: skip

MESSAGES = [
    ("a = 3", 2, 3, "`=` does not compare. Did you mean `==`?"),
    ("a && b", 2, 4, "`&&` is not an operator. Did you mean `and`?"),
    ("a || b", 2, 4, "`||` is not an operator. Did you mean `or`?"),
    ("a <> b", 2, 4, "`<>` is not an operator. Did you mean `!=`?"),
    ("a === b", 2, 5, "`===` is not an operator. Did you mean `==`?"),
    ("a AND b", 2, 5, "`AND` is not an operator. Did you mean `and`?"),
    ("'a && b' == c d", 12, 15, None),
    ("a >", 2, 3, None),
    ("run.name == 'a", 12, 13, "This is not an expression: unterminated string literal"),
    ("(a", 1, 2, "This is not an expression: it ends too early, or a bracket is never closed"),
    ("a) or (b", 1, 2, "`)` closes nothing"),
    ("']' == a] + [b", 8, 9, "`]` closes nothing"),
    ("a @ b", 0, 5, "A query can't have `@`"),
    ("f(*a)", 2, 4, "A query can't have `*` before an argument or item"),
    ("f(**a)", 4, 5, "A query can't have `**` before an argument"),
    ("{**a}", 0, 5, "A query can't have `**` in a dict"),
    ("...", 0, 3, "A query can't have `...`"),
    ("a.__class__", 2, 11, "`.__class__` begins with `_`. A param of that name is written ['__class__']"),
    ("__import__('os')", 0, 10, "`__import__` begins with `_`; a query has no such names"),
    ("[_x for _x in a]", 8, 10, "`_x` begins with `_`; a query has no such names"),
    ("lambda *a: a", 0, 12, "A lambda in a query takes plain parameters only"),
    ("lambda a=1: a", 0, 13, "A lambda in a query takes plain parameters only"),
    ("(yield a)", 1, 8, "A query can't have `yield`"),
    ("[a async for a in b]", 9, 10, None),
    ("import os", 0, 6, None),
    ("a; b", 1, 2, None),
    ("a = b = c", 2, 3, "`=` does not compare. Did you mean `==`?"),
    ("1 +", 2, 3, "This is not an expression: it ends too early, or a bracket is never closed"),
    ("a and  ", 5, 6, "This is not an expression: it ends too early, or a bracket is never closed"),
    ("[1, 2", 4, 5, "This is not an expression: it ends too early, or a bracket is never closed"),
    ("f(a", 2, 3, "This is not an expression: it ends too early, or a bracket is never closed"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TREES)
def test_a_text_becomes_a_tree(text: str, expected: str) -> None:
    """
    The tree of a text is the one beside it.
    """
    node = parse(text)

    assert node is not None
    assert expected == show(node)


@pytest.mark.parametrize(("text", "start", "end", "message"), MESSAGES)
def test_a_wrong_text_gets_a_message_with_its_place(text: str, start: int, end: int, message: str | None) -> None:
    """
    The message and the span of the fault are those beside the text; None: the message is Python's.
    """
    with pytest.raises(InvalidQuery) as caught:
        parse(text)

    assert text == caught.value.query
    if message is not None:
        assert message == str(caught.value).splitlines()[0]
        assert (start, end) == (caught.value.start, caught.value.end)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("f(a b)", 2, 5),
        (" ( a b )", 3, 6),
        ("'größe' == (a b)", 12, 15),
        ("a +\n  * b", 6, 7),
        ("select x if f(a b)", 14, 17),
    ],
)
def test_a_fault_that_python_finds_is_shown_at_its_place(text: str, start: int, end: int) -> None:
    """
    The place is that in the text of the user, whatever stands before it, in lines and in letters that take two bytes.
    """
    with pytest.raises(InvalidQuery, match="This is not an expression: ") as caught:
        parse(text)

    assert (start, end) == (caught.value.start, caught.value.end)


@pytest.mark.parametrize("text", ["", "  ", "\n", "select", "select a, b", "select x if", "Select if "])
def test_an_empty_text_asks_for_everything(text: str) -> None:
    """
    An empty text, or nothing after `select ... if`, has no tree.
    """
    assert parse(text) is None


@pytest.mark.parametrize(
    "text", ["é == run.ü", "select a if\n run.b == 'x'", "run.a ==\n 'ß' and run.c", "\t run.a", "run.a\r\n== 2"]
)
def test_places_count_characters_of_the_text_as_given(text: str) -> None:
    """
    The text in the span of each name and constant is that name or constant.
    """
    node = parse(text)

    assert node is not None
    for part in walk(node):
        words = text[part.start : part.end]
        if show(part).startswith("Name("):
            assert show(part) == f"Name({words})"
        if show(part).startswith("Constant("):
            assert show(part) == f"Constant({words})"


def test_an_escape_that_python_warns_of_is_read_in_silence() -> None:
    """
    A pattern without the `r` of a raw text causes no warning, since the user of a query could not see it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        node = parse(r"'\d' == 1 is 1")

    assert node is not None


def test_a_text_with_half_a_surrogate_pair_is_read_as_a_question_mark() -> None:
    """
    A character that can't be encoded is replaced, so that messages can be printed.
    """
    node = parse("'\ud800' == 'a'")

    assert node is not None
    assert "Compare(('==',), [Constant('?'), Constant('a')])" == show(node)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a" * (TEXT_CHARS_MAX + 1),
            f"The query has {TEXT_CHARS_MAX + 1:,} characters; the most is {TEXT_CHARS_MAX:,}",
        ),
        ("a," * NODES_MAX, f"The query has more than {NODES_MAX:,} parts"),
        ("-" * (DEPTH_MAX + 2) + "a", f"The query is nested more than {DEPTH_MAX} deep"),
        ("-" * 60_000 + "a", "The query is nested too deeply"),
        ("a\0", None),
    ],
)
def test_a_text_beyond_the_bounds_is_refused(text: str, message: str | None) -> None:
    """
    Too long, too many parts, too deep: each has its message.
    """
    with pytest.raises(InvalidQuery) as caught:
        parse(text)

    assert message in (None, caught.value.message)


def test_what_is_not_a_text_is_refused() -> None:
    """
    None, which raises an AttributeError in Aim 3, is not a query.
    """
    with pytest.raises(InvalidQuery, match="A query is a text, not a NoneType"):
        parse(None)  # type: ignore[arg-type]
