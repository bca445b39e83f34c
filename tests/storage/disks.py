"""
A disk for tests: it notes the calls that change it, and refuses those that a test names.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from aim.storage.disk.files import Disk


class NotedDisk(Disk):
    """
    The real disk, seen by a test.

    Attributes:
        calls: the names of the calls so far, each with the name of the file where one is given.
        refused: the names of the calls that raise `ENOSPC` and change nothing.
    """

    def __init__(self, *refused: str) -> None:
        self.calls: list[str] = []
        self.refused = set(refused)

    def _note(self, call: str, path: Path | None = None) -> None:
        self.calls.append(call if path is None else f"{call} {path.name}")
        if call in self.refused:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def create(self, path: Path) -> int:
        self._note("create", path)
        return super().create(path)

    def allocate(self, descriptor: int, size_bytes: int) -> None:
        self._note("allocate")
        super().allocate(descriptor, size_bytes)

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        self._note("write_at")
        super().write_at(descriptor, data, offset)

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        self._note("truncate")
        super().truncate(descriptor, size_bytes)

    def sync(self, descriptor: int) -> None:
        self._note("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        super().sync(descriptor)

    def sync_folder(self, path: Path) -> None:
        self._note("sync_folder", path)
        super().sync_folder(path)

    def unlink(self, path: Path) -> None:
        self._note("unlink", path)
        super().unlink(path)

    def stamp(self, path: Path) -> None:
        self._note("stamp", path)
        super().stamp(path)
