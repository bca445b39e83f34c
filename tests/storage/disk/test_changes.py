"""
Stamps: which file a change of a run touches, and that no refusal of the disk matters.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aim.storage.disk import changes
from tests.storage.disks import NotedDisk


@pytest.mark.parametrize(
    ("run_hash", "slot", "name"), [("3df703c1b2a94c5d8e6f7a80", 214, "d6"), ("", 0, "00"), ("run", 192, "c0")]
)
def test_a_run_has_one_of_256_stamps(run_hash: str, slot: int, name: str) -> None:
    """
    The stamp of a run follows from its hash alone, as docs/formats/repository.md says.
    """
    assert (slot, name) == (changes.slot(run_hash), changes.stamp_name(slot))


def test_a_change_touches_the_stamp_first_and_its_folder_then(tmp_path: Path) -> None:
    """
    Both files get the time of now; a reader that sees the folder's time finds the stamp's too.
    """
    run = tmp_path / "runs" / "run"
    run.mkdir(parents=True)
    disk = NotedDisk()
    for _ in range(2):
        changes.touch(run, disk)
        stamps = tmp_path / "changes"
        assert [changes.stamp_name(changes.slot("run"))] == [path.name for path in stamps.iterdir()]
        assert all(path.stat().st_mtime > 2 for path in (stamps, *stamps.iterdir()))
        for path in (*stamps.iterdir(), stamps):
            os.utime(path, (1, 1))

    assert 2 * [f"stamp {changes.stamp_name(changes.slot('run'))}", "stamp changes"] == disk.calls


def test_a_folder_outside_a_repository_has_no_stamps(tmp_path: Path) -> None:
    """
    A run that lies elsewhere, as in a copy, makes no files beside it.
    """
    disk = NotedDisk()
    changes.touch(tmp_path / "copies" / "run", disk)

    assert ([], []) == (disk.calls, list(tmp_path.iterdir()))


def test_a_refused_stamp_is_no_error(tmp_path: Path) -> None:
    """
    Nothing depends on stamps, so nothing is raised.
    """
    (tmp_path / "runs" / "run").mkdir(parents=True)
    changes.touch(tmp_path / "runs" / "run", NotedDisk("stamp"))

    assert ["runs"] == [path.name for path in tmp_path.iterdir()]
