"""
Whether a store into a mapped file may need room on the disk at that moment, in which case it can end the process.

A segment's blocks are reserved when it is made. Where data is written to new blocks (copy on write), the reservation
does not count: a store into a mapped page then asks for room, and if there is none the system answers with SIGBUS. See
docs/decisions/copy-on-write.md for what was measured.

    file system                     a segment is            and it is stored into
    ext2, ext3, ext4, tmpfs         reserved                through the map, always
    btrfs                           marked to be written    through the map while there is much room, else by `pwrite`,
                                    in place                which is refused and not killed: a snapshot undoes the mark
    XFS, overlays, any other one    reserved                the same: a copy of the file may share its blocks
    bcachefs, ZFS, NILFS            not reserved            by `pwrite`, always
"""

from __future__ import annotations

import os
from pathlib import Path

SCARCE_BYTES = 4 << 30  # with less room than this no store goes through a map
AMPLE_SHARE = 1.5  # of SCARCE_BYTES: with this much they do again
RESERVING = frozenset({"ext2", "ext3", "ext4", "tmpfs"})
ALWAYS_MOVING = frozenset({"bcachefs", "nilfs2", "zfs"})
MOUNTS = Path("/proc/self/mountinfo")


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """
    Return the type of the file system that holds *path*, such as `ext4`; "" where the system does not tell.

    A btrfs is not told: its files have device numbers that are in no list.

    Cost: some 50 us.
    """
    try:
        device = os.stat(path).st_dev
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in lines:
        words, _, kind = line.partition(" - ")
        if words.split(" ")[2:3] == [number]:
            return kind.split(" ")[0]
    return ""


class ReservedRoom:
    """
    What the file system of *folder* promises about stores into mapped files.

    Attributes:
        folder: where the files are.
        may_move: whether a store may go to a new block.
        is_careful: whether records have to be written by `pwrite` now.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kind = file_system(folder)
        self.may_move = kind not in RESERVING
        self._always_moves = kind in ALWAYS_MOVING
        self.is_careful = self._always_moves
        self.look()

    def look(self) -> bool:
        """Look at how much room there is; return `is_careful`. Cost: a system call, and none on ext4."""
        if self.may_move and not self._always_moves:
            try:
                room = os.statvfs(self.folder)
            except (OSError, AttributeError):  # some systems have no such call, and maps are as they were
                return self.is_careful
            limit_bytes = SCARCE_BYTES * (AMPLE_SHARE if self.is_careful else 1.0)
            self.is_careful = room.f_bavail * room.f_frsize < limit_bytes
        return self.is_careful
