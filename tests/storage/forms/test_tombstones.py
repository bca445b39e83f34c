"""
The lines that say which runs were deleted.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from aim.storage.disk.files import DISK
from aim.storage.folder import FolderBackend
from aim.storage.forms import events, tombstones
from tests.storage.disks import NotedDisk


def test_a_deletion_is_remembered_until_it_is_taken_back(tmp_path: Path) -> None:
    """
    Deleted runs are listed with their times; one that was restored is not.
    """
    for run_hash in ("a", "b"):
        tombstones.write(tmp_path, run_hash, DISK)
    tombstones.write(tmp_path, "a", DISK, restored=True)

    deleted = tombstones.read(tmp_path)

    assert ["b"] == list(deleted)
    assert abs(time.time() - deleted["b"]) < 3600


def test_a_line_that_a_full_disk_cut_short_takes_no_other_with_it(tmp_path: Path) -> None:
    """
    What is written after half a line begins on a line of its own.
    """
    (tmp_path / "deleted.jsonl").write_bytes(b'{"crc":"12')
    tombstones.write(tmp_path, "a", DISK)

    assert ["a"] == list(tombstones.read(tmp_path))


def test_old_deletions_are_forgotten(tmp_path: Path) -> None:
    """
    After 90 days a deletion counts no more.
    """
    old = events.encode({"at": time.time() - 91 * 86_400, "deleted": "a"})
    (tmp_path / "deleted.jsonl").write_bytes(old)

    assert {} == tombstones.read(tmp_path)


def test_a_full_disk_keeps_nobody_from_deleting(tmp_path: Path) -> None:
    """
    A disk that refuses the line does not refuse the deletion, which makes room.
    """
    backend = FolderBackend(tmp_path / ".aim", create=True)
    backend.new_writer("a").close()

    FolderBackend(tmp_path / ".aim", disk=NotedDisk("write_at")).delete_run("a")

    assert [] == backend.run_hashes()


@pytest.mark.parametrize("how", ["deleted for good", "put into the trash", "brought back"])
def test_each_way_of_deleting_leaves_a_line(tmp_path: Path, how: str) -> None:
    """
    A run that was deleted, or waits in the trash, is listed; one that was brought back is not.
    """
    backend = FolderBackend(tmp_path / ".aim", create=True)
    backend.new_writer("a").close()
    if how == "deleted for good":
        backend.delete_run("a")
    else:
        name = backend.trash.put_away("a")
        if how == "brought back":
            backend.trash.bring_back(name)
    backend.trash.empty()

    assert ([] if how == "brought back" else ["a"]) == list(tombstones.read(tmp_path / ".aim" / "trash"))
