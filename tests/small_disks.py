"""
Disks of a few pages that are really full.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


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
