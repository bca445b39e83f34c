"""
Objects that do not change, as frozen dataclasses, without `dataclasses`.
"""

from __future__ import annotations

from typing import Any

import pytest

from aim.core.value_objects import ValueObject


class Span(ValueObject):
    """Two numbers."""

    start: int
    end: int = 9


class Word(Span):
    """Two numbers and a text."""

    text: str = ""


@pytest.mark.parametrize(
    ("values", "named", "expected"),
    [
        ((1, 2, "a"), {}, (1, 2, "a")),
        ((1,), {"text": "a"}, (1, 9, "a")),
        ((), {"text": "a", "end": 2, "start": 1}, (1, 2, "a")),
    ],
)
def test_fields_come_in_their_order_by_name_or_by_default(
    values: tuple[Any, ...], named: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    """
    Those of the base come first.
    """
    word = Word(*values, **named)

    assert expected == (word.start, word.end, word.text)
    assert ("start", "end", "text") == Word.FIELDS
    assert f"Word(start={word.start!r}, end={word.end!r}, text='a')" == repr(word)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        ((), {"text": "a"}),
        ((1, 2, "a", 4), {}),
        ((1, 2), {"text": "a", "start": 1}),
        ((1,), {"text": "a", "x": 1}),
    ],
)
def test_values_that_do_not_fit_the_fields_are_an_error(values: tuple[Any, ...], named: dict[str, Any]) -> None:
    """
    One that is missing, one too many, one given twice, and one of another name.
    """
    with pytest.raises(TypeError, match="Word has the fields"):
        Word(*values, **named)


def test_equal_objects_are_one_key() -> None:
    """
    Objects of another class, or with another value, are others.
    """

    class Other(Span):
        """The same fields."""

    keys: dict[object, int] = {Span(1): 1, Span(1, 9): 2, Span(1, 8): 3, Other(1): 4}

    assert [2, 3, 4] == list(keys.values())
    assert Span(1) != (1, 9)


def test_an_object_does_not_change() -> None:
    """
    A field can't be set; a copy can have another value.
    """
    span = Span(1)
    with pytest.raises(AttributeError, match="'end' of a Span can't be changed"):
        span.end = 3  # type: ignore[misc]

    assert (Span(1), Span(1, 3)) == (span, span.replaced(end=3))
