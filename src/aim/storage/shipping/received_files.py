"""
The files that a server writes what it receives into: open for a while, and synced by a thread of their own.

    receive    writes, and notes which files it wrote to             under a lock, microseconds
    sync       fsyncs these files, then the folders with new names   one thread; no request waits for it

Descriptors are closed by the thread that syncs: closing a file can take as long as syncing it. Only when thousands of
trainings begin within a second are there more files than descriptors: then what waits to be synced is *shut* at once,
and opened again to be synced.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterator
from pathlib import Path

from aim.storage.disk.files import Disk

OPEN_MAX, OPEN_MAX_LEAST = 8_192, 128
OPEN_SHARE = 1 / 8  # of the descriptors that the process may have: connections and readers need some too
HELD_FACTOR = 2.5  # so many more are open until they were synced
IDLE_S = 60.0  # a file that nothing was written to for so long is closed


def open_max_of_process() -> int:
    """Return how many files may stay open, by how many descriptors this process may have."""
    try:
        import resource
    except ImportError:  # Windows
        return OPEN_MAX_LEAST
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return OPEN_MAX
    return max(OPEN_MAX_LEAST, min(OPEN_MAX, int(limit * OPEN_SHARE)))


class ReceivedFile:
    """
    One open file.

    Attributes:
        pages: the pages of a segment whose CRC is to be taken when they are on the disk.
        is_prepared: whether it is a segment that has its size and its header.
        used_at_s: when it was last looked for, by the monotonic clock.
        is_shut: whether `descriptor` is closed; `ReceivedFiles` opens it again.
        is_syncing: whether the thread that syncs uses the descriptor.
    """

    __slots__ = (
        "path",
        "descriptor",
        "pages",
        "is_prepared",
        "used_at_s",
        "is_shut",
        "is_syncing",
        "_identity",
        "_path_text",
    )

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.pages: set[int] = set()
        self.is_prepared = False
        self.used_at_s = time.monotonic()
        self.is_shut = self.is_syncing = False
        self._path_text = str(path)
        status = os.fstat(descriptor)
        self._identity = (status.st_dev, status.st_ino)

    def is_at_path(self) -> bool:
        """Return whether the file still has its name: a deleted run's files have none there."""
        try:
            status = os.stat(self._path_text)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def shut(self) -> None:
        """Close the descriptor for a while."""
        os.close(self.descriptor)
        self.descriptor, self.is_shut = -1, True

    def size_bytes(self) -> int:
        """Return the size of the file."""
        return os.fstat(self.descriptor).st_size


class ReceivedFiles:
    """
    The files of one process that receives.

    Attributes:
        lock: held while something is written; never while something is synced.

    Args:
        open_max: how many files stay open after they were synced; None: as many as suits the process.
    """

    def __init__(self, disk: Disk, open_max: int | None = None) -> None:
        self.lock = threading.RLock()
        self._disk = disk
        self._open_max = open_max_of_process() if open_max is None else open_max
        self._open: OrderedDict[Path, ReceivedFile] = OrderedDict()
        self._shut: dict[Path, ReceivedFile] = {}
        self._dirty: dict[ReceivedFile, None] = {}
        self._folders: dict[Path, None] = {}
        self._doomed: list[ReceivedFile] = []

    def existing(self, path: Path) -> ReceivedFile | None:
        """Return the file at *path*, open; None when there is none. Raises OSError."""
        file = self._open.get(path)
        if file is not None:
            if file.is_at_path():
                self._open.move_to_end(path)
                file.used_at_s = time.monotonic()
                return file
            self._doomed.append(self._open.pop(path))
        shut = self._shut.pop(path, None)
        try:
            descriptor = self._disk.open_existing(path)
        except FileNotFoundError:
            return None
        if shut is None or not shut.is_at_path():  # a shut file that lost its name is nobody's any more
            return self._hold(path, descriptor)
        shut.descriptor, shut.is_shut, shut.used_at_s = descriptor, False, time.monotonic()
        self._open[path] = shut
        return shut

    def opened(self, path: Path) -> ReceivedFile:
        """Return the file at *path*, which is made when there is none. Raises OSError."""
        file = self.existing(path)
        if file is not None:
            return file
        try:
            descriptor = self._disk.create(path)
        except FileExistsError:  # made by another process that receives
            descriptor = self._disk.open_existing(path)
        self._folders[path.parent] = None
        return self._hold(path, descriptor)

    def _hold(self, path: Path, descriptor: int) -> ReceivedFile:
        file = self._open[path] = ReceivedFile(path, descriptor)
        return file

    def make_room(self) -> None:
        """Shut what is open beyond all bounds, longest unused first. Only while no file of this is in use."""
        count = len(self._open) - int(self._open_max * HELD_FACTOR)
        if count <= 0:
            return
        idle = (file for file in self._open.values() if not file.is_syncing)
        for file in list(itertools.islice(idle, count)):
            del self._open[file.path]
            file.shut()
            if file in self._dirty:
                self._shut[file.path] = file

    @contextlib.contextmanager
    def held(self, file: ReceivedFile) -> Iterator[bool]:
        """Have a file open for a moment that may have been shut; yields False when it is gone."""
        is_shut = file.is_shut
        is_there = not is_shut or self.existing(file.path) is file
        try:
            yield is_there
        finally:
            if is_shut and is_there:
                del self._open[file.path]
                file.shut()
                self._shut[file.path] = file

    def write(self, file: ReceivedFile, data: bytes, offset: int) -> None:
        """Write *data* at *offset*. Raises OSError."""
        self._dirty[file] = None
        self._disk.write_at(file.descriptor, data, offset)

    def resize(self, file: ReceivedFile, size_bytes: int) -> None:
        """Give a file its size; what is new reads as zeros. Raises OSError."""
        self._dirty[file] = None
        self._disk.truncate(file.descriptor, size_bytes)

    def note_folder(self, folder: Path) -> None:
        """Have *folder* synced, which has a new name in it."""
        self._folders[folder] = None

    def take_dirty(self) -> list[ReceivedFile]:
        """Return the files that were written to since the last call."""
        with self.lock:
            dirty, self._dirty = list(self._dirty), {}
            for file in dirty:
                file.is_syncing = not file.is_shut
            return dirty

    def sync(self, dirty: list[ReceivedFile], kept: Collection[ReceivedFile] = ()) -> OSError | None:
        """Put *dirty* files and new names on the disk, and return the first refusal; *kept* files are not shut yet."""
        with self.lock:
            folders, self._folders = list(self._folders), {}
        refusal: OSError | None = None
        for file in dirty:
            try:
                self._sync_file(file)
            except OSError as error:
                file.is_prepared = False  # what it held may be gone
                refusal = refusal or error
            finally:
                file.is_syncing = file.is_syncing and file in kept
        for folder in folders:
            try:
                self._disk.sync_folder(folder)
            except OSError as error:
                refusal = refusal or error
        return refusal

    def _sync_file(self, file: ReceivedFile) -> None:
        if file.is_syncing:
            self._disk.sync(file.descriptor)
        elif file.is_at_path():  # it was shut; a request may open it at this moment
            descriptor = self._disk.open_existing(file.path)
            try:
                self._disk.sync(descriptor)
            finally:
                os.close(descriptor)

    def close_some(self) -> None:
        """Close the files that were not used for the longest time, and those that lost their names."""
        with self.lock:
            limit_s = time.monotonic() - IDLE_S
            while self._open and (len(self._open) > self._open_max or self._is_oldest_before(limit_s)):
                self._doomed.append(self._open.popitem(last=False)[1])
            closing = [file for file in self._doomed if file not in self._dirty]
            self._doomed = [file for file in self._doomed if file in self._dirty]
            self._shut = {path: file for path, file in self._shut.items() if file in self._dirty}
        for file in closing:
            os.close(file.descriptor)

    def _is_oldest_before(self, limit_s: float) -> bool:
        return next(iter(self._open.values())).used_at_s < limit_s

    def close(self) -> None:
        """Close all files."""
        with self.lock:
            files, self._open, self._dirty = [*self._open.values(), *self._doomed], OrderedDict(), {}
            self._doomed, self._shut = [], {}
        for file in files:
            os.close(file.descriptor)
