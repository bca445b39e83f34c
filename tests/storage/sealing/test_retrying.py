"""
Looking again when a sealer has come between.
"""

from __future__ import annotations

import pytest

from aim.storage.sealing.retrying import LOOKS_MAX, retrying


class Shelf:
    """A place where the first *gone_count* looks find a file gone."""

    def __init__(self, gone_count: int) -> None:
        self.looks = 0
        self._gone_count = gone_count

    def look(self) -> str:
        """Return the file, or say that it is gone."""
        self.looks += 1
        if self.looks <= self._gone_count:
            raise FileNotFoundError
        return "sealed"


@pytest.mark.parametrize("gone_count", range(LOOKS_MAX))
def test_a_file_that_is_gone_is_looked_for_again(gone_count: int) -> None:
    """
    Each look that finds a file gone is followed by one more.
    """
    shelf = Shelf(gone_count)

    assert ("sealed", gone_count + 1) == (retrying(shelf.look), shelf.looks)


def test_the_last_look_says_that_the_run_is_gone() -> None:
    """
    After `LOOKS_MAX` looks the error is raised.
    """
    shelf = Shelf(LOOKS_MAX)
    with pytest.raises(FileNotFoundError):
        retrying(shelf.look)

    assert LOOKS_MAX == shelf.looks
