"""
Objects that are their attributes: equal when these are equal, shown with them, and copied with some of them changed.

For classes that a training process loads. `dataclasses` does the same and more, and its import, with `inspect` and what
that imports, takes a tenth of the time from `import aim` to the first value.
"""

from __future__ import annotations

from typing import Any, TypeVar

PlainT = TypeVar("PlainT", bound="PlainObject")


class PlainObject:
    """
    The base of such classes; each has an `__init__` of its own.

    >>> class Size(PlainObject):
    ...     def __init__(self, width: int, height: int = 1) -> None:
    ...         self.width = width
    ...         self.height = height
    >>> Size(3), Size(3) == Size(3, 1), Size(3).replaced(height=2)
    (Size(width=3, height=1), True, Size(width=3, height=2))
    """

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if other.__class__ is self.__class__ else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    def replaced(self: PlainT, **changes: Any) -> PlainT:
        """Return a copy that shares all attributes but *changes*."""
        copied = object.__new__(type(self))
        vars(copied).update(vars(self), **changes)
        return copied
