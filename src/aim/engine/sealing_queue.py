"""
Which runs are to be sealed, and the one process of this machine that seals them for a repository.

    a run is closed   ->  its folder is added to the queue
                      ->  the queue is locked by nobody: a shell is started with the lock, and waits
    2 s later         ->  the shell becomes Python: it waits until nothing was closed for 2 s, and seals what is queued
    the queue ends    ->  it is removed; what came meanwhile is sealed first

So while sixteen processes record and end, nothing but a shell is started; and a sweep of a thousand short runs is
sealed by one process. The queue is a file of paths, each with a zero byte behind it, below the machine's caches.

Rule 1: whoever adds asks for the lock afterwards. Whoever gives the lock back looks at the queue afterwards. So what
was added is seen by one of the two.
Rule 2: the lock is one of the open file, which the shell inherits. It ends with the last process that has the file.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from aim.storage.disk.caches import cache_folder
from aim.storage.recording import detached

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

QUIET_S = 2.0
PATIENCE_S = 20.0  # then it begins all the same
LOOK_INTERVAL_S = 0.2
FOLDER_NAME = "sealing"
QUEUE = 0  # the descriptor of the queue in the process that seals


class NoQueue(OSError):
    """There can be no queue here, such as on a file system without locks."""


def queue_file(repository: Path) -> Path:
    """Return the queue of a repository on this machine; a new repository at an old path has another one."""
    stat = repository.stat()
    node = os.uname().nodename if hasattr(os, "uname") else ""
    return cache_folder() / FOLDER_NAME / f"{node}-{stat.st_dev:x}-{stat.st_ino:x}.queue"


def add(run_folder: Path) -> int | None:
    """
    Queue a run; return the id of the process that was started for it, or None: there is one already.

    Raises:
        OSError: there can be no queue here, or nobody can be started.

    Cost: about 50 us, and 1 ms where a process is started.
    """
    path = queue_file(run_folder.parent.parent)
    descriptor = _opened(path)
    try:
        os.write(descriptor, os.fsencode(run_folder.absolute()) + b"\0")
        if not _lock(descriptor):
            return None
        child = detached.start("aim.engine.sealing", "--queue", str(path), stdin=descriptor, after_s=QUIET_S)
    finally:
        os.close(descriptor)
    if child is None:
        raise NoQueue("no process can be started")
    return child


def _opened(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)


def _lock(descriptor: int) -> bool:
    if fcntl is None:
        raise NoQueue("no locks")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def drain(descriptor: int, path: Path, seal: Callable[[Iterable[Path]], object]) -> None:
    """
    Seal what is in the queue *path*, which is open, and locked by this process, until there is nothing more.

    Args:
        seal: seals runs by their folders; a run that can't be sealed does not end it.
    """
    offset = 0
    while True:
        _wait_until_quiet(descriptor)
        offset, folders = _queued(descriptor, offset)
        seal(folders)
        if os.fstat(descriptor).st_size > offset:
            continue
        with contextlib.suppress(OSError):
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                path.unlink()  # first: who comes now begins another one
        if os.fstat(descriptor).st_size > offset:
            continue
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        if os.fstat(descriptor).st_size == offset or not _lock(descriptor):
            return


def _wait_until_quiet(descriptor: int) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while time.time() - os.fstat(descriptor).st_mtime < QUIET_S and time.monotonic() < until_s:
        time.sleep(LOOK_INTERVAL_S)


def _queued(descriptor: int, offset: int) -> tuple[int, list[Path]]:
    """Return what was added from *offset* on, each run once, and the offset behind it."""
    content = os.pread(descriptor, os.fstat(descriptor).st_size - offset, offset)
    whole = content[: content.rfind(b"\0") + 1]
    names = dict.fromkeys(os.fsdecode(name) for name in whole.split(b"\0") if name)
    return offset + len(content), [Path(name) for name in names]
