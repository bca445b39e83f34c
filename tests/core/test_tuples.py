"""
`NamedTuple` without compiled annotations: it does what that of `typing` does.
"""

from __future__ import annotations

import copy
import typing
from typing import Any

import pytest

from aim.core import tuples


class Point(tuples.NamedTuple):
    """A point."""

    x: int
    y: float = 0.5
    tags: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The sum."""
        return self.x + self.y

    def __str__(self) -> str:
        return f"at {self.x}"


class TypingPoint(typing.NamedTuple):
    """A point."""

    x: int
    y: float = 0.5
    tags: tuple[str, ...] = ()


@pytest.mark.parametrize(
    "ask",
    [
        lambda point: point(1),
        lambda point: point(1, tags=("a",))._replace(y=2.5),
        lambda point: point(x=1)._asdict(),
        lambda point: point._fields,
        lambda point: point._field_defaults,
        lambda point: point.__annotations__.keys(),
        lambda point: typing.get_type_hints(point),
        lambda point: point.__doc__,
        lambda point: point.__module__,
        lambda point: point.__mro__[1:],
    ],
)
def test_a_class_answers_as_one_of_typing(ask: Any) -> None:
    """
    Its fields, defaults, annotations, texts and bases are the same.
    """
    assert ask(TypingPoint) == ask(Point)


def test_a_class_keeps_its_own_methods() -> None:
    """
    Properties and special methods of the body are those of the class, which has its own name.
    """
    assert (1.5, "at 1", "Point(x=1, y=0.5, tags=())") == (Point(1).total, str(Point(1)), repr(Point(1)))
    assert "Point" == Point.__qualname__


def test_an_object_is_copied() -> None:
    """
    It comes back as an object of the same class.
    """
    restored = copy.deepcopy(Point(3, tags=("a",)))

    assert (Point(3, tags=("a",)), Point) == (restored, type(restored))


def test_a_field_without_a_value_is_an_error() -> None:
    """
    As with any call, what is missing is named.
    """
    with pytest.raises(TypeError, match="'x'"):
        Point()  # type: ignore[call-arg]
