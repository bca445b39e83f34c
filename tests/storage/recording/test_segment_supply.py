"""
Segments made in order: no number is left out, whatever the disk refuses.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from aim.storage.disk.files import Disk
from aim.storage.recording.segment_supply import SegmentSupply

WRITER = "0a1b2c3d"


class RefusingDisk(Disk):
    """A disk that has no room for files while *is_full*."""

    def __init__(self) -> None:
        self.is_full = False

    def allocate(self, descriptor: int, size_bytes: int) -> None:
        """Refuse, or allocate."""
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().allocate(descriptor, size_bytes)


@pytest.fixture(name="disk")
def _disk() -> RefusingDisk:
    return RefusingDisk()


@pytest.fixture(name="supply")
def _supply(tmp_path: Path, disk: RefusingDisk) -> SegmentSupply:
    return SegmentSupply(tmp_path, "run", WRITER, disk)


def names(folder: Path) -> list[str]:
    """Return the numbers of the segment files."""
    return sorted(path.name[-4:] for path in folder.iterdir())


def test_a_refused_number_is_made_next(supply: SegmentSupply, disk: RefusingDisk, tmp_path: Path) -> None:
    """
    A segment that the disk refused is counted, and its number is the next one's.
    """
    supply.make()
    disk.is_full = True
    with pytest.raises(OSError, match="No space left"):
        supply.make()
    assert 2 == supply.count
    disk.is_full = False

    assert (1, 2) == (supply.make().number, supply.make().number)
    assert (["0000", "0001", "0002"], 3) == (names(tmp_path), supply.count)


def test_a_spare_that_is_not_needed_goes(supply: SegmentSupply, tmp_path: Path) -> None:
    """
    At the end the segment that was made ahead of need is removed, and not counted.
    """
    first, supply.spare = supply.make(), supply.make()
    supply.give_back_spare()

    assert (["0000"], 1, [first]) == (names(tmp_path), supply.count, supply.segments)


def test_refused_numbers_at_the_end_are_given_up(supply: SegmentSupply, disk: RefusingDisk, tmp_path: Path) -> None:
    """
    Numbers after the last segment are not counted, and their segments are not made.
    """
    supply.make()
    disk.is_full = True
    with pytest.raises(OSError, match="No space left"):
        supply.make()
    supply.give_back_spare()

    assert (["0000"], 1) == (names(tmp_path), supply.count)
