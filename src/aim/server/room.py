"""
Whether a repository has room for what trainings send, as pages and monitors say it.

    disk       the disk is full, or has just refused what was sent
    project    the project holds as much as it may (`--project-max`)

A refusal counts until something is taken again. Who was refused comes again within a minute, so a refusal that is older
than that says nothing: the training has ended, or its machine is away.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

DISK, PROJECT = "disk", "project"
FREE_BYTES_MIN = 1 << 20  # a disk with less is full: a journal's segments do not fit
REFUSED_S = 90.0


class Room:
    """
    The room of the repository whose files are in *folder*; None: it is in none. Any thread may use it.

    >>> import tempfile
    >>> room = Room(Path(tempfile.mkdtemp()))
    >>> room.refuse(PROJECT)
    >>> room.lack()
    'project'
    >>> room.take()
    >>> room.lack()
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._refused: tuple[str, float] | None = None

    def refuse(self, reason: str) -> None:
        """Count what was just refused, for `DISK` or `PROJECT`."""
        self._refused = (reason, time.monotonic())

    def take(self) -> None:
        """Count what was just stored."""
        self._refused = None

    def lack(self) -> str | None:
        """Return why nothing more finds room: `DISK` or `PROJECT`; None when there is room. Cost: 5 us."""
        if self._is_disk_full():
            return DISK
        refused = self._refused
        return refused[0] if refused is not None and time.monotonic() - refused[1] < REFUSED_S else None

    def _is_disk_full(self) -> bool:
        if self._folder is None:
            return False
        try:
            disk = os.statvfs(self._folder)
        except OSError:  # it is gone, which other requests say
            return False
        return disk.f_bavail * disk.f_frsize < FREE_BYTES_MIN or (disk.f_files > 0 and disk.f_favail == 0)
