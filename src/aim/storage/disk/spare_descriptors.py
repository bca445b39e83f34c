"""
Descriptors that are held open for the moment when a process has none left.

A training may have as many files open as it is allowed to. What is recorded then needs a descriptor only for a moment:
to write what waits in memory, or to sync a folder. So each process holds a few, lets one go when an open is refused,
opens the file in its place, and takes the descriptor back when the file is closed.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable

HELD_COUNT = 3
NONE_LEFT = frozenset({errno.EMFILE, errno.ENFILE})
"""The errors of a process, and of a machine, that has no descriptors left."""


class SpareDescriptors:
    """
    A few descriptors of one process.

    >>> spare = SpareDescriptors()
    >>> spare.hold()
    >>> os.close(spare.open(lambda: os.open(os.devnull, os.O_RDONLY)))
    """

    def __init__(self) -> None:
        self._held: list[int] = []
        self._identity: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def hold(self) -> None:
        """Hold as many as there should be, if the process has any left. Cost: nothing when they are held."""
        if len(self._held) < HELD_COUNT:
            with self._lock:
                try:
                    while len(self._held) < HELD_COUNT:
                        self._held.append(os.dup(self._held[0]) if self._held else self._first())
                except OSError:  # none are left: those that are held have to do
                    pass

    def _first(self) -> int:
        # one end of a pipe: its inode tells whether a descriptor is still ours
        descriptor, other_end = os.pipe()
        os.close(other_end)
        status = os.fstat(descriptor)
        self._identity = (status.st_dev, status.st_ino)
        return descriptor

    def open(self, open_file: Callable[[], int]) -> int:
        """
        Return what *open_file* returns; when the process has no descriptors left, once more after one was let go.

        Raises:
            OSError: of the second attempt.
        """
        try:
            return open_file()
        except OSError as error:
            if error.errno not in NONE_LEFT or not self._let_go():
                raise
        return open_file()

    def _let_go(self) -> bool:
        with self._lock:
            while self._held:
                descriptor = self._held.pop()
                if self._is_own(descriptor):
                    os.close(descriptor)
                    return True
        return False

    def _is_own(self, descriptor: int) -> bool:
        # a program that closes all descriptors, as daemons do, may have given the number to another file
        try:
            status = os.fstat(descriptor)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def close(self, descriptor: int) -> None:
        """Close a file, and hold its descriptor if one was let go: nobody else gets it in between."""
        with self._lock:
            if self._held and len(self._held) < HELD_COUNT and self._is_own(self._held[0]):
                os.dup2(self._held[0], descriptor, inheritable=False)
                self._held.append(descriptor)
                return
        os.close(descriptor)
        self.hold()


SPARE = SpareDescriptors()
"""Those of this process."""
