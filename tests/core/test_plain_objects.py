"""
Objects that are their attributes, as dataclasses are, without `dataclasses`.
"""

from __future__ import annotations

from typing import Any

import pytest

from aim.core.plain_objects import PlainObject


class Size(PlainObject):
    """Two numbers."""

    def __init__(self, width: int, height: int = 1) -> None:
        self.width = width
        self.height = height


class Box(Size):
    """The same two numbers, of another class."""


@pytest.mark.parametrize(
    ("other", "expected"),
    [(Size(3, 1), True), (Size(3, 2), False), (Box(3, 1), False), ((3, 1), False), (None, False)],
)
def test_objects_of_one_class_with_equal_attributes_are_equal(other: Any, expected: bool) -> None:
    """
    Another class, or another value, makes them unequal.
    """
    assert expected == (Size(3) == other)


def test_a_copy_has_its_changes_and_shares_the_rest() -> None:
    """
    The original stays as it is, and the copy has its class.
    """
    box = Box(3, 4)
    copied = box.replaced(height=[5])

    assert ("Box(width=3, height=4)", "Box(width=3, height=[5])") == (repr(box), repr(copied))
    assert copied.height is copied.replaced(width=9).height


def test_what_can_change_has_no_hash() -> None:
    """
    As a dataclass that compares by its fields, it is no key of a dict.
    """
    with pytest.raises(TypeError, match="unhashable"):
        hash(Size(1))
