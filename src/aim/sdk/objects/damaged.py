"""
What stands for an object that can't be read, where many objects are read at once: the others are given all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from aim.core.errors import DamagedFile


class UnusableObject(DamagedFile, AttributeError):
    """A damaged object was used; it is an AttributeError too, so that `hasattr` is False."""


class DamagedObject:
    """
    An object whose stored form is damaged: using it raises `DamagedFile`.

    Attributes:
        error: what is damaged, and where.

    >>> damaged = DamagedObject(DamagedFile("0a1b2c3d.blobs-0000.zip", "byte 96", "the file ends there"))
    >>> damaged
    <DamagedObject: 0a1b2c3d.blobs-0000.zip at byte 96: the file ends there>
    >>> hasattr(damaged, "caption")
    False
    """

    def __init__(self, error: DamagedFile) -> None:
        self.error = error

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_") or name == "error":  # what copy, pickle and notebooks ask of any object
            raise AttributeError(name)
        raise UnusableObject(self.error.file, self.error.position, self.error.defect)

    def __repr__(self) -> str:
        return f"<DamagedObject: {self.error.file} at {self.error.position}: {self.error.defect}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import parts

        return str(parts.notice(str(self.error)))


def or_damaged(read: Callable[..., Any], *arguments: Any) -> Any:
    """Return what *read* returns for *arguments*; a `DamagedObject` when it finds damage."""
    try:
        return read(*arguments)
    except DamagedFile as error:
        return DamagedObject(error)
