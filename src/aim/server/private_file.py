"""
A file of checked lines that only its owner may read, and that only ever grows: of tokens, of sessions.

    mode 0600 in a folder of mode 0700      else it is refused as a whole
    a last line without a newline           is half of one, of a process that died: whoever writes next cuts it off
    writers at once                         lock the file, and each writes whole lines
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from aim.core.errors import UsageError
from aim.storage.forms import events

Content = TypeVar("Content")
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class PrivateFile(Generic[Content]):
    """
    A private file, and what its lines mean. Any thread and any number of processes may use it.

    Args:
        read: makes the content of the bytes of the file.
        empty: the content when there is no file.
    """

    def __init__(self, path: Path, read: Callable[[bytes], Content], empty: Content) -> None:
        self.path = path
        self._read = read
        self._empty = empty
        self._content = empty
        self._stamp: tuple[int, int, int] | None = None
        self._lock = threading.Lock()

    @property
    def exists(self) -> bool:
        """Whether there ever was a line. Cost: a few microseconds."""
        return os.path.lexists(self.path)

    def content(self) -> Content:
        """
        Return the content; it is read again when the file has changed. Cost: a few microseconds, else its size.

        Raises:
            UsageError: others may read the file.
            OSError: it can't be read.
        """
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            return self._empty
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        with self._lock:
            if stamp != self._stamp:
                _check_private(self.path, status)
                self._content = self._read(self.path.read_bytes())
                self._stamp = stamp
            return self._content

    def append(self, event: Mapping[str, Any]) -> None:
        """Write a line, and wait until it is on the disk. Raises as `content`."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_CREAT | os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(self.path, flags, 0o600)
        with self._lock, os.fdopen(descriptor, "r+b") as file:
            _check_private(self.path, os.fstat(descriptor))
            _lock_file(descriptor)
            content = file.read()
            whole = content.rfind(b"\n") + 1
            file.truncate(whole)
            file.seek(whole)
            file.write(events.encode(event))
            file.flush()
            os.fsync(descriptor)
            self._stamp = None


def _lock_file(descriptor: int) -> None:
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _check_private(path: Path, status: os.stat_result) -> None:
    if os.name == "posix" and status.st_mode & OTHERS:
        raise UsageError(f"Others may read or write {path}, so it is refused. Run `chmod 600 {path}`.")
