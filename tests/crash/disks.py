"""
Disks that fail: one that crashes or refuses at its n-th call, and one that forgets what was not synced.

Both are real disks with a fault added, so what they hold is what the real one holds. The classes override every method
of `Disk` that changes anything; test_disks.py checks that none is forgotten.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from aim.storage.disk.files import Disk

SECTOR_BYTES = 512
PAGE_BYTES = 4096
HEADER_BYTES = 64  # of a segment

P = ParamSpec("P")
R = TypeVar("R")


class Crash(BaseException):
    """The process has died here; nothing of it runs any more."""


class CountingDisk(Disk):
    """Counts the calls, and lets `before` and `refuse` decide what becomes of each."""

    def __init__(self) -> None:
        self.count = 0
        self.refused_count = 0

    def fault(self, name: str, number: int) -> BaseException | None:
        """Return what call *number*, of the method *name*, raises instead of being done; None: it is done."""
        return None

    def _do(self, method: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        self.count += 1
        name = method.__name__.removeprefix("_quick_")
        error = self.fault(name, self.count - 1)
        if error is not None:
            self.refused_count += 1
            self.half(name, args)
            raise error
        return method(*args, **kwargs)

    def half(self, name: str, args: tuple[object, ...]) -> None:
        """Do half of a write that is refused, as a disk that runs full does."""
        if name == "write_at":
            descriptor, data, offset = args
            assert isinstance(descriptor, int)
            assert isinstance(data, bytes)
            assert isinstance(offset, int)
            if len(data) > HEADER_BYTES:  # what lies within one sector is written whole or not
                super().write_at(descriptor, data[: len(data) // 2], offset)

    def make_folder(self, path: Path) -> None:
        """Count, then make the folder."""
        self._do(super().make_folder, path)

    def create(self, path: Path) -> int:
        """Count, then create the file."""
        return self._do(super().create, path)

    def open_existing(self, path: Path) -> int:
        """Count, then open the file."""
        return self._do(super().open_existing, path)

    def write(self, descriptor: int, data: bytes) -> None:
        """Count, then write."""
        self._do(super().write, descriptor, data)

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        """Count, then write."""
        self._do(super().write_at, descriptor, data, offset)

    def allocate(self, descriptor: int, size_bytes: int) -> None:
        """Count, then allocate."""
        self._do(super().allocate, descriptor, size_bytes)

    def write_in_place(self, descriptor: int) -> None:
        """Count, then have the file written in place."""
        self._do(super().write_in_place, descriptor)

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        """Count, then cut."""
        self._do(super().truncate, descriptor, size_bytes)

    def sync(self, descriptor: int) -> None:
        """Count. The real wait is left out: the process dies here, not the machine."""
        self._do(self._quick_sync, descriptor)

    def sync_folder(self, path: Path) -> None:
        """Count, as `sync`."""
        self._do(self._quick_sync_folder, path)

    def _quick_sync(self, descriptor: int) -> None:
        os.fstat(descriptor)  # a closed descriptor is an error all the same

    def _quick_sync_folder(self, path: Path) -> None:
        return

    def touch(self, descriptor: int, path: Path) -> None:
        """Count, then set the time."""
        self._do(super().touch, descriptor, path)

    def touch_folder(self, path: Path) -> None:
        """Count, then set the time."""
        self._do(super().touch_folder, path)

    def stamp(self, path: Path) -> None:
        """Count, then set the time."""
        self._do(super().stamp, path)

    def link(self, source: Path, target: Path) -> None:
        """Count, then link."""
        self._do(super().link, source, target)

    def rename(self, source: Path, target: Path) -> None:
        """Count, then rename."""
        self._do(super().rename, source, target)

    def unlink(self, path: Path) -> None:
        """Count, then unlink."""
        self._do(super().unlink, path)

    def remove_folder(self, path: Path) -> None:
        """Count, then remove."""
        self._do(super().remove_folder, path)


class CrashingDisk(CountingDisk):
    """Dies at call *crash_at*, half of a write done, and at every call after it."""

    def __init__(self, crash_at: int) -> None:
        super().__init__()
        self.crash_at = crash_at

    def fault(self, name: str, number: int) -> BaseException | None:
        """Crash from the n-th call on."""
        return Crash(f"at call {number}, {name}") if number >= self.crash_at else None


class RefusingDisk(CountingDisk):
    """Answers the calls from *first* to *first* + *count* - 1 with the error number *code*."""

    def __init__(self, code: int, first: int, count: int = 1) -> None:
        super().__init__()
        self.code = code
        self.refused = range(first, first + count)

    def fault(self, name: str, number: int) -> BaseException | None:
        """Refuse within the range; folders that can't be synced are never an error (see `Disk.sync_folder`)."""
        if number in self.refused and name not in ("sync_folder", "remove_folder"):
            return OSError(self.code, os.strerror(self.code))
        return None


class ForgetfulDisk(Disk):
    """
    Remembers what was synced below *root*, and builds what a power cut may leave: of everything newer any part, in any
    combination of sectors, pages and names.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.contents: dict[int, bytes] = {}  # by inode: what the last sync of the file covered
        self.names: dict[Path, dict[str, int]] = {root: {}}  # by folder: the names that its last sync covered

    def sync(self, descriptor: int) -> None:
        """Remember the content. The real wait is left out: the power is not cut."""
        self.contents[os.fstat(descriptor).st_ino] = _content(descriptor)

    def sync_folder(self, path: Path) -> None:
        """Remember the names."""
        if path.is_dir():
            self.names[path] = _names(path)

    def after_power_loss(self, target: Path, chance: random.Random) -> Path:
        """Build in *target* one of the states that the disk may have after a power cut now."""
        if target.exists():
            shutil.rmtree(target)
        self._rebuild(self.root, target, chance)
        return target

    def _rebuild(self, folder: Path, target: Path, chance: random.Random) -> None:
        target.mkdir()
        kept, current = self.names.get(folder, {}), _names(folder)
        bold = chance.random()
        for name in sorted(kept.keys() | current.keys()):
            inode = kept.get(name) if chance.random() < bold else current.get(name)
            if kept.get(name) == current.get(name):
                inode = kept[name]
            if inode is None:
                continue
            path = folder / name
            if path.is_dir():
                self._rebuild(path, target / name, chance)
            else:
                now = path.read_bytes() if current.get(name) == inode else None
                (target / name).write_bytes(self._image(inode, now, chance, grows=".points-" not in name))

    def _image(self, inode: int, now: bytes | None, chance: random.Random, *, grows: bool) -> bytes:
        old = self.contents.get(inode, b"")
        if now is None:
            return old
        sizes = sorted([len(old), len(now)])
        size = chance.choice([*sizes, chance.randint(*sizes)] if grows else sizes)
        unit = chance.choice([SECTOR_BYTES, PAGE_BYTES])
        share = chance.choice([0.0, 1.0, chance.random()])
        image = bytearray(old.ljust(size, b"\0")[:size])
        for start in range(0, size, unit):
            if chance.random() < share:
                part = now[start : start + unit][: size - start]
                image[start : start + len(part)] = part
        return bytes(image)


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _names(folder: Path) -> dict[str, int]:
    with os.scandir(folder) as entries:
        return {entry.name: entry.inode() for entry in entries}
