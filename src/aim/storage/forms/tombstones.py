"""
Which runs were deleted, and when: `trash/deleted.jsonl`. Specified in docs/formats/repository.md.

    {"crc":"........","at":1795380950.2,"deleted":"<run hash>"}       restored: a deletion that was taken back

A client that ships a run learns from it that the run was deleted, also after the server was restarted. Lines are
appended, each by one write; what is older than 90 days counts no more.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from aim.storage.disk.files import Disk
from aim.storage.forms import events

FILE_NAME = "deleted.jsonl"
KEPT_S = 90 * 86_400.0


def write(trash: Path, run_hash: str, disk: Disk, *, restored: bool = False) -> None:
    """
    Note that a run is deleted, or *restored*.

    A disk that refuses the line does not keep anybody from deleting a run: a client may then bring the run back.
    """
    line = events.encode({"at": round(time.time(), 6), "restored" if restored else "deleted": run_hash})
    try:
        disk.make_folder(trash)
        _append(trash / FILE_NAME, line, disk)
    except OSError:
        pass


def _append(path: Path, line: bytes, disk: Disk) -> None:
    try:
        descriptor = disk.create(path)
    except FileExistsError:
        descriptor = disk.open_existing(path)
    try:
        end = os.lseek(descriptor, 0, os.SEEK_END)
        is_torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"  # a full disk has cut the last line short
        disk.write_at(descriptor, b"\n" + line if is_torn else line, end)
        disk.sync(descriptor)
    finally:
        os.close(descriptor)


def read(trash: Path) -> dict[str, float]:
    """Return when each run that is deleted was deleted, in Unix seconds. Cost: reads the file."""
    try:
        lines = events.read(trash / FILE_NAME).events
    except FileNotFoundError:
        return {}
    deleted: dict[str, float] = {}
    oldest_s = time.time() - KEPT_S
    for line in lines:
        at_s = events.seconds(line.get("at"))
        if isinstance(line.get("deleted"), str) and at_s >= oldest_s:
            deleted[line["deleted"]] = at_s
        deleted.pop(str(line.get("restored")), None)
    return deleted
