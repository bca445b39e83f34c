"""
Stamps: how a reader sees that some run was changed without a look at 100,000 folders. Specified in repository.md.

    .aim/changes/<xx>      empty; its time is that of the latest change of a run with CRC-32(hash) mod 256 = xx
    .aim/changes/          its time is that of the latest change of any run

A process that begins to record into a run, or edits, copies or deletes one, *touches* both stamps afterwards. A reader
for which the folder's time has not changed has nothing more to do. Otherwise it looks at the 256 files, and then at the
few runs of those that changed.

Rule 1: a stamp is touched after the change. A reader takes the stamps before it reads the run.
Rule 2: nothing depends on stamps: a change without one is found when the reader next goes through all folders.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from aim.storage.disk.files import DISK, Disk

FOLDER_NAME = "changes"
SLOT_COUNT = 256


def slot(run_hash: str) -> int:
    """
    Return the number of the stamp that stands for a run.

    >>> slot("3df703c1b2a94c5d8e6f7a80")
    214
    """
    return zlib.crc32(run_hash.encode()) % SLOT_COUNT


def stamp_name(number: int) -> str:
    """Return the name of a stamp's file."""
    return f"{number:02x}"


def touch(run_folder: Path, disk: Disk = DISK) -> None:
    """
    Touch the stamps of the run in *run_folder*, `<repository>/runs/<hash>`, which has changed.

    A stamp that the disk refuses costs readers some seconds and nothing else, so nothing is raised. Cost: about 10 us.
    """
    runs = run_folder.parent
    if runs.name != "runs":
        return
    folder = runs.parent / FOLDER_NAME
    try:
        disk.stamp(folder / stamp_name(slot(run_folder.name)))
        disk.stamp(folder)
    except OSError:
        pass
