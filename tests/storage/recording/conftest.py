"""
The parts of a writer by themselves: no background thread, no services, and a disk that can refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.storage.disk.refusals import Refusals
from aim.storage.recording.lifecycle import Lifecycle
from tests.storage.disks import NotedDisk
from tests.storage.recording.parts import Parts, Reading


@pytest.fixture(name="disk")
def _disk() -> NotedDisk:
    return NotedDisk()


@pytest.fixture(name="parts")
def _parts(folder: Path, disk: NotedDisk) -> Iterator[Parts]:
    """
    The files of a writer that a test takes through its life by hand.
    """
    parts = Parts(folder, disk, Lifecycle("run", lambda: False), Refusals("run", folder))
    yield parts
    disk.refused.clear()
    parts.files.close()


@pytest.fixture(name="reading")
def _reading(folder: Path) -> Reading:
    """
    What is on the disk of that run.
    """
    return Reading(folder)
