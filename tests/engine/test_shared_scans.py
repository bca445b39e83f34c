"""
One scan for a repository and process, however often the repository is opened.
"""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

from aim.engine import shared_scans
from aim.engine.repository import Repository
from aim.engine.scan import Scan


def scan_of(folder: Path) -> Scan:
    """Open the repository in *folder*, made if there is none, and return what answers its questions."""
    scan = Repository(folder, create=True).questions()
    assert isinstance(scan, Scan)
    return scan


def test_a_folder_has_one_scan(tmp_path: Path) -> None:
    """
    The same folder has the same scan under any of its paths, another one another.
    """
    scan = scan_of(tmp_path / "a")
    (tmp_path / "link").symlink_to(tmp_path / "a")

    assert scan is scan_of(tmp_path / "a")
    assert scan is scan_of(tmp_path / "link")
    assert scan is scan_of(tmp_path / "b" / ".." / "a")
    assert scan is not scan_of(tmp_path / "b")


def test_a_folder_that_was_made_anew_has_another_scan(tmp_path: Path) -> None:
    """
    What was asked of a repository that was moved away is not the answer for the one in its place.
    """
    first = scan_of(tmp_path / "work")
    (tmp_path / "work").rename(tmp_path / "moved")
    second = scan_of(tmp_path / "work")

    assert first is not second
    assert second is scan_of(tmp_path / "work")


def test_scans_that_nobody_uses_end(tmp_path: Path) -> None:
    """
    Of the scans that nobody uses the last few stay; one that somebody uses stays the same in any case.
    """
    used = scan_of(tmp_path / "used")
    unused = weakref.ref(scan_of(tmp_path / "unused"))
    recent = [weakref.ref(scan_of(tmp_path / f"recent-{number}")) for number in range(shared_scans.IDLE_MAX)]
    gc.collect()

    assert None is unused()
    assert [] == [number for number, scan in enumerate(recent) if scan() is None]
    assert used is scan_of(tmp_path / "used")
