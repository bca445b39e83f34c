"""
Which file systems keep their maps, and when the others do.
"""

from __future__ import annotations

import os
from pathlib import Path

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
