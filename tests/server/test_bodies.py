"""
The members of a request's body: what is read, and what is refused with which message.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aim.server.answers import Refusal
from aim.server.bodies import WHOLE_MAX, Body, context_text, read_key

Read = Callable[[Body], Any]
CHOICES = ("mean", "median")


def number_of(value: Any, where: str) -> int:
    """Read an item of a list: the length of a text."""
    return len(Body({where: value}).text(where))


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (lambda body: body.text("a"), "x", "x"),
        (lambda body: body.text("a", chars_max=1), "x", "x"),
        (lambda body: body.text_or_none("a"), None, None),
        (lambda body: body.text_or_none("a"), "", ""),
        (lambda body: body.whole("a", 7, 0, 9), None, 7),
        (lambda body: body.whole("a", 7, 0, 9), 0, 0),
        (lambda body: body.whole("a", 7, 0, 9), 9, 9),
        (lambda body: body.number("a"), 3, 3.0),
        (lambda body: body.number("a"), -0.5, -0.5),
        (lambda body: body.number("a"), WHOLE_MAX - 1, float(WHOLE_MAX - 1)),
        (lambda body: body.flag("a"), True, True),
        (lambda body: body.choice("a", CHOICES), "median", "median"),
        (lambda body: body.items("a"), [1, "x"], [1, "x"]),
        (lambda body: body.items("a", 2), [1, 2], [1, 2]),
        (lambda body: body.items("a"), None, None),
        (lambda body: body.texts("a"), ["x"], ["x"]),
        (lambda body: body.texts("a"), [], []),
        (lambda body: body.texts("a"), None, None),
        (lambda body: body.inner("a"), None, None),
        (lambda body: body.inner("a").text("b"), {"b": "x"}, "x"),
        (lambda body: body.each("a", number_of), ["x", "yy"], [1, 2]),
        (lambda body: body.each("a", number_of), None, None),
        (lambda body: body.window("a"), [1, 2.5], (1.0, 2.5)),
        (lambda body: body.window("a"), [3, 3], (3.0, 3.0)),
        (lambda body: body.window("a"), None, None),
        (lambda body: body.raw("a"), {"any": [1]}, {"any": [1]}),
    ],
)
def test_a_member_is_read_as_its_type(read: Read, value: Any, expected: Any) -> None:
    """
    The value of a member is that beside it; null is none where a member may be left out.
    """
    member = read(Body({"a": value}))

    assert expected == member
    assert type(expected) is type(member)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda body: body.text("a"), ""),
        (lambda body: body.text("a", "x"), "x"),
        (lambda body: body.text_or_none("a"), None),
        (lambda body: body.whole("a", 7, 0, 9), 7),
        (lambda body: body.number("a"), 0.0),
        (lambda body: body.number("a", 0.5), 0.5),
        (lambda body: body.flag("a"), False),
        (lambda body: body.choice("a", CHOICES, "mean"), "mean"),
        (lambda body: body.items("a"), None),
        (lambda body: body.window("a"), None),
        (lambda body: body.raw("a"), None),
    ],
)
def test_a_member_that_is_left_out_has_its_default(read: Read, expected: Any) -> None:
    """
    A body without the member is read as the default beside it.
    """
    assert expected == read(Body({"other": 1}))


@pytest.mark.parametrize(
    ("read", "value", "message"),
    [
        (lambda body: body.text("a"), 3, "`a` must be a string, got 3."),
        (lambda body: body.text("a"), None, "`a` must be a string, got null."),
        (lambda body: body.text("a", chars_max=3), "four", "`a` has 4 characters; at most 3 are read."),
        (lambda body: body.whole("a", 7, 1, 9), 0, "`a` must be 1 or more, got 0."),
        (lambda body: body.whole("a", 7, 1, 9), 10, "`a` must be 9 or less, got 10."),
        (lambda body: body.whole("a", 7, 1, 9), True, "`a` must be an integer, got true."),
        (lambda body: body.whole("a", 7, 1, 9), 2.0, "`a` must be an integer, got 2.0."),
        (lambda body: body.number("a"), "1", '`a` must be a number, got "1".'),
        (lambda body: body.number("a"), False, "`a` must be a number, got false."),
        (lambda body: body.number("a"), float("nan"), "`a` must be a number, got NaN."),
        (lambda body: body.number("a"), None, "`a` must be a number, got null."),
        (lambda body: body.flag("a"), 1, "`a` must be true or false, got 1."),
        (lambda body: body.choice("a", CHOICES), "max", '`a` must be one of mean, median, got "max".'),
        (lambda body: body.choice("a", CHOICES), [], "`a` must be one of mean, median, got []."),
        (lambda body: body.items("a", 2), [1, 2, 3], "`a` must be a list of at most 2, got [1, 2, 3]."),
        (lambda body: body.items("a"), "x", '`a` must be a list of at most 100,000, got "x".'),
        (lambda body: body.texts("a"), ["x", 1], '`a` must be a list of strings, got ["x", 1].'),
        (lambda body: body.inner("a"), [], "`a` must be an object, got []."),
        (lambda body: body.inner("a").flag("b"), {"b": 1}, "`a.b` must be true or false, got 1."),
        (lambda body: body.each("a", number_of), ["x", 2], "`a[1]` must be a string, got 2."),
        (lambda body: body.window("a"), [2, 1], "`a` must be two numbers, the lower one first, got [2, 1]."),
        (lambda body: body.window("a"), [1], "`a` must be two numbers, the lower one first, got [1]."),
        (lambda body: body.window("a"), [1, "2"], '`a` must be two numbers, the lower one first, got [1, "2"].'),
        (lambda body: body.text("a"), list(range(99)), None),
    ],
)
def test_a_member_of_another_type_is_refused(read: Read, value: Any, message: str | None) -> None:
    """
    The message names the member and what it must be; a long value is cut.
    """
    with pytest.raises(Refusal) as caught:
        read(Body({"a": value}))

    assert (400, "request") == (caught.value.status, caught.value.body["kind"])
    if message is None:
        assert str(caught.value).startswith("`a` must be a string, got [0, 1, 2, ")
        assert str(caught.value).endswith("...")
        assert 100 > len(str(caught.value))
    else:
        assert message == str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "The body is not JSON."),
        (b"\xff{}", "The body is not JSON."),
        (b"[]", "The body has to be a JSON object."),
        (b"1", "The body has to be a JSON object."),
        (b"[" * 100_000, "The body is not JSON."),
        (b'{"a": "\\ud800"}', "The body is not JSON."),
    ],
)
def test_what_is_no_object_is_refused(content: bytes, message: str) -> None:
    """
    So is a text with half of a character, which can neither be stored nor sent.
    """
    with pytest.raises(Refusal) as caught:
        Body.from_json(content)

    assert message == str(caught.value)


def test_an_object_is_read_with_all_its_characters() -> None:
    """
    Both halves of a character are one.
    """
    body = Body.from_json(b'{"a": "\\ud83d\\ude00", "b": 1}')

    assert "\U0001f600" == body.text("a")
    assert {"a", "b"} == set(body.names())
    assert ("a" in body, "c" in body) == (True, False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"name": "loss"}, ("loss", None)),
        ({"name": "loss", "context": None}, ("loss", None)),
        ({"name": "loss", "context": {}}, ("loss", "{}")),
        ({"name": "", "context": {"b": 1, "a": ["x"]}}, ("", '{"a":["x"],"b":1}')),
    ],
)
def test_a_key_is_a_name_and_the_text_of_a_context(value: Any, expected: tuple[str, str | None]) -> None:
    """
    Without a context it means every context.
    """
    assert expected == read_key(value, "metrics[0]")


@pytest.mark.parametrize("value", [None, "loss", {}, {"name": 1}, {"name": "loss", "context": 3}])
def test_what_is_no_key_is_refused(value: Any) -> None:
    """
    The message says where it stands.
    """
    with pytest.raises(Refusal, match=r"`metrics\[0\]"):
        read_key(value, "metrics[0]")
    with pytest.raises(Refusal, match="`x` must be an object"):
        context_text("no context", "x")
