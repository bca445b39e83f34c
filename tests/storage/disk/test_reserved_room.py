"""
Which file systems keep their maps, and when the others do.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from aim.storage.disk import reserved_room
from aim.storage.disk.reserved_room import ReservedRoom, file_system


def _mounts(tmp_path: Path, kind: str) -> Path:
    device = os.stat(tmp_path).st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 0:999999 / /other rw - proc proc rw\n"
        f"23 1 {os.major(device)}:{os.minor(device)} / / rw,relatime shared:1 - {kind} /dev/vda rw\n"
    )
    return mounts


def test_the_type_of_a_file_system_is_that_of_its_mount(tmp_path: Path) -> None:
    """
    The mount with the number of the file's device tells the type; without one it is not told.
    """
    assert "xfs" == file_system(tmp_path, _mounts(tmp_path, "xfs"))
    assert "" == file_system(tmp_path, tmp_path / "missing")
    assert "" == file_system(tmp_path / "missing")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("ext4", [False, False]), ("xfs", [True, False]), ("btrfs", [True, False]), ("zfs", [True, True])],
)
def test_maps_depend_on_the_file_system_and_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, expected: list[bool]
) -> None:
    """
    With little room all but reserving file systems are stored into with care, with much room only those that never
    reserve.
    """
    monkeypatch.setattr(reserved_room, "file_system", lambda path: kind)
    monkeypatch.setattr(reserved_room, "SCARCE_BYTES", 1 << 60)
    room = ReservedRoom(tmp_path)
    with_little = room.is_careful
    monkeypatch.setattr(reserved_room, "SCARCE_BYTES", 0)

    assert expected == [with_little, room.look()]


GIB = 1 << 30


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        ([4 * GIB], [False]),
        ([4 * GIB - 4096], [True]),
        ([5 * GIB, 3 * GIB, 5 * GIB, 6 * GIB - 4096, 6 * GIB, 5 * GIB], [False, True, True, True, False, False]),
    ],
)
def test_with_little_room_stores_are_careful_until_there_is_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: list[int], expected: list[bool]
) -> None:
    """
    Below 4 GiB no store goes through a map; from 6 GiB on they do again.
    """
    rooms = iter([free[0], *free])
    monkeypatch.setattr(reserved_room, "file_system", lambda path: "xfs")
    monkeypatch.setattr(
        os, "statvfs", lambda path: SimpleNamespace(f_bavail=next(rooms) // 4096, f_frsize=4096, f_bfree=1 << 60)
    )
    room = ReservedRoom(tmp_path)

    assert expected == [room.look() for _ in free]


def test_a_folder_that_is_away_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where the system does not say how much room there is, stores go on as they did.
    """
    monkeypatch.setattr(reserved_room, "file_system", lambda path: "xfs")
    room = ReservedRoom(tmp_path)
    room.folder = tmp_path / "missing"

    for is_careful in (True, False):
        room.is_careful = is_careful
        assert is_careful is room.look()


@pytest.mark.parametrize(
    ("kind", "may_move"),
    [
        ("ext2", False),
        ("ext3", False),
        ("tmpfs", False),
        ("", True),
        ("overlay", True),
        ("bcachefs", True),
        ("nilfs2", True),
    ],
)
def test_which_file_systems_may_move_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, may_move: bool
) -> None:
    """
    Only file systems that write in place reserve what a store needs; one that is not told may do anything.
    """
    monkeypatch.setattr(reserved_room, "file_system", lambda path: kind)

    assert may_move == ReservedRoom(tmp_path).may_move


def test_a_mount_of_another_device_says_nothing(tmp_path: Path) -> None:
    """
    A file system that is in no line of the list is not told.
    """
    mounts = tmp_path / "mountinfo"
    mounts.write_text("22 1 0:999999 / /other rw - proc proc rw\n")

    assert "" == file_system(tmp_path, mounts)
