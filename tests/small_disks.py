"""
Disks of a few pages that are really full.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

LOOP_MIB = 64


@contextmanager
def small_disk(target: Path, size_kib: int) -> Iterator[Path]:
    """Mount a file system of *size_kib* at *target*, which is made; where that is not allowed, skip the test."""
    target.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(target)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a tmpfs can be mounted by root only")
    try:
        yield target
    finally:
        subprocess.run(["umount", "-l", str(target)], check=True)


@contextmanager
def loop_disk(target: Path, room_kib: int) -> Iterator[Path]:
    """
    Mount an ext4 of 64 MiB in a file at *target*, which is made, and leave so much room on it; where that is not
    allowed, skip the test.
    """
    target.mkdir()
    image = target.with_suffix(".image")
    with open(image, "wb") as file:
        file.truncate(LOOP_MIB << 20)
    commands = (["mkfs.ext4", "-q", "-m", "0", str(image)], ["mount", "-o", "loop", str(image), str(target)])
    try:
        mounted = all(subprocess.run(command, capture_output=True, check=False).returncode == 0 for command in commands)
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a loop device can be mounted by root only")
    room = os.statvfs(target)
    with open(target / "other-files", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - (room_kib << 10))
    try:
        yield target
    finally:
        subprocess.run(["umount", "-l", str(target)], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk to its last byte; return the file that does so."""
    path = disk / "filler"
    with open(path, "ab", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                pass
    return path
