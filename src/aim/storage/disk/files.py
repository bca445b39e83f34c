"""
Every call that changes the disk.

The rest of the storage writes through a `Disk`, so that a test can make the n-th write, sync or rename fail, or lose
what was not synced. Readers use the standard library directly. Stores into a mapped segment are not calls and can't
fail here; docs/formats/points.md says why they are safe.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from aim.storage.disk.spare_descriptors import NONE_LEFT, SPARE

SCRATCH_AGE_S = 3600.0  # a scratch file of this age is left over from a process that died: nobody completes it

# The answers of file systems that can't reserve blocks.
NOT_OFFERED = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL})

# The calls of Linux that read and set the flags of a file, and the flag of `chattr +C`.
GET_FLAGS = 0x80086601
SET_FLAGS = 0x40086602
NO_COPY_ON_WRITE = 0x00800000


class Disk:
    """
    The real disk.

    Attributes:
        ships: whether what is recorded on it is shipped to a server (storage/shipping/spool.py).
    """

    ships = False

    def make_folder(self, path: Path) -> None:
        """Create a folder and its parents, unless they exist."""
        path.mkdir(parents=True, exist_ok=True)

    def create(self, path: Path) -> int:
        """Create a file that must not exist yet; return its descriptor, open for reading and writing."""
        return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_CLOEXEC", 0), 0o666)

    def open_existing(self, path: Path) -> int:
        """Open a file for reading and writing."""
        return os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of *data* at the position of the descriptor."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        """Write all of *data* at *offset*."""
        view = memoryview(data)
        while view:
            count = os.pwrite(descriptor, view, offset)
            view, offset = view[count:], offset + count

    def allocate(self, descriptor: int, size_bytes: int) -> None:
        """Give the file its size and blocks of zeros. Raises OSError: the disk is full."""
        if hasattr(os, "posix_fallocate"):
            try:
                return os.posix_fallocate(descriptor, 0, size_bytes)
            except OSError as error:
                if error.errno not in NOT_OFFERED:
                    raise
        zeros = bytes(min(size_bytes, 1 << 20))
        for offset in range(0, size_bytes, len(zeros)):
            self.write_at(descriptor, zeros[: size_bytes - offset], offset)

    def write_in_place(self, descriptor: int) -> None:
        """Have an empty file written in place, where the file system would write to new blocks; else do nothing."""
        if sys.platform != "linux":
            return
        import fcntl

        flags = bytearray(8)
        try:
            fcntl.ioctl(descriptor, GET_FLAGS, flags)
            in_place = int.from_bytes(flags, "little") | NO_COPY_ON_WRITE
            fcntl.ioctl(descriptor, SET_FLAGS, in_place.to_bytes(8, "little"))
        except OSError:  # only btrfs has the flag
            pass

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        """Cut the file to *size_bytes*."""
        os.ftruncate(descriptor, size_bytes)

    def sync(self, descriptor: int) -> None:
        """Wait until the file's content is on the disk. `mmap.flush` would hold the GIL meanwhile."""
        os.fsync(descriptor)

    def sync_folder(self, path: Path) -> None:
        """Wait until the names in a folder are on the disk. Raises OSError: there are no descriptors left."""
        try:
            descriptor = SPARE.open(lambda: os.open(path, os.O_RDONLY))
        except OSError as error:
            if error.errno in NONE_LEFT:
                raise
            return  # some systems do not open folders; they keep names in order themselves
        try:
            os.fsync(descriptor)
        except OSError:
            pass
        finally:
            SPARE.close(descriptor)

    def touch(self, descriptor: int, path: Path) -> None:
        """Set the file's time to now."""
        os.utime(descriptor if os.utime in os.supports_fd else path)

    def touch_folder(self, path: Path) -> None:
        """Set a folder's time to now. Raises FileNotFoundError."""
        os.utime(path)

    def stamp(self, path: Path) -> None:
        """Set the time of an empty file to now; create it and its folder if they do not exist."""
        try:
            os.utime(path)
        except FileNotFoundError:
            path.parent.mkdir(exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY | getattr(os, "O_CLOEXEC", 0), 0o666))
            os.utime(path)

    def link(self, source: Path, target: Path) -> None:
        """Give *source* a second name. Atomic. Raises FileExistsError: *target* exists."""
        try:
            os.link(source, target)
        except FileExistsError:
            raise
        except OSError:
            # a file system without hard links: wherever this is used both contents are equal, so it may replace
            if target.exists():
                raise FileExistsError(target) from None
            os.rename(source, target)

    def rename(self, source: Path, target: Path) -> None:
        """Move a file or folder. Atomic."""
        os.rename(source, target)

    def unlink(self, path: Path) -> None:
        """Remove a file, unless it is gone already."""
        path.unlink(missing_ok=True)

    def remove_folder(self, path: Path) -> None:
        """Remove a folder with everything in it."""
        import shutil  # it loads all compressors, so only a process that removes a folder imports it

        shutil.rmtree(path, ignore_errors=True)

    def write_new(self, path: Path, data: bytes, *, sync: bool = True) -> None:
        """Create a file with *data*; with *sync* wait until it is on the disk."""
        descriptor = self.create(path)
        try:
            self.write(descriptor, data)
            if sync:
                self.sync(descriptor)
        finally:
            os.close(descriptor)

    def publish(self, path: Path, data: bytes, *, sync: bool = True) -> bool:
        """
        Create a small file in one step, whole or not at all; return False, and change nothing, when the name is taken.
        """
        return self.publish_made(path, lambda scratch: self.write_new(scratch, data, sync=sync), sync=sync)

    def publish_made(self, path: Path, make: Callable[[Path], object], *, sync: bool = True) -> bool:
        """
        Do as `publish` with a file that *make* creates at the path that it is given, and puts on the disk if *sync*.

        What *make* raises is raised, and nothing is published then.
        """
        scratch = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
        try:
            make(scratch)
            self.link(scratch, path)
        except FileExistsError:
            return False
        finally:
            self._forget(scratch)
        if sync:
            self.sync_folder(path.parent)
        return True

    def _forget(self, scratch: Path) -> None:
        try:
            self.unlink(scratch)
        except OSError:  # the file is published all the same; scratch files are removed later
            pass


DISK = Disk()


def has_no_name(descriptor: int) -> bool:
    """Return whether an open file was deleted. One that can't be asked, as on a mount that is away, has a name."""
    try:
        return os.fstat(descriptor).st_nlink == 0
    except OSError:
        return False


def is_at(path: Path, descriptor: int) -> bool:
    """Return whether the file at *path* is the open one."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except OSError:
        return False


def path_of(descriptor: int) -> Path | None:
    """
    Return the path that an open file has now, wherever it was renamed to; None where the system does not tell.

    Linux keeps it in /proc; macOS answers F_GETPATH, which its fcntl(2) describes.
    """
    try:
        if sys.platform == "darwin":
            import fcntl

            return Path(os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0")))
        return Path(os.readlink(f"/proc/self/fd/{descriptor}"))
    except (OSError, AttributeError):
        return None
