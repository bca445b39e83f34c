"""
Reading beside a sealer, which replaces the segments of an ended writer by its sealed file.

A reader that lists a run's files may find one gone when it opens it. The same points are then in the other form, so
the reader looks again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

LOOKS_MAX = 3

Result = TypeVar("Result")


def retrying(look: Callable[[], Result]) -> Result:
    """
    Return what *look* returns; call it again while it finds a file gone, at most `LOOKS_MAX` times in all.

    Raises:
        FileNotFoundError: as the last look did: the run was deleted.
    """
    for _ in range(LOOKS_MAX - 1):
        try:
            return look()
        except FileNotFoundError:
            continue
    return look()
