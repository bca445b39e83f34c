"""
Whether a source has changed since it was imported: size and time of each of its files, taken before it was read.

A file that is written while it is read so counts as changed at the next import.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

FILES_LISTED_MAX = 50  # of a run with more, one digest stands for all


def of_files(paths: Iterable[Path]) -> dict[str, list[int] | str]:
    """
    Return the fingerprint of some files: size in bytes and time in nanoseconds by path; as JSON can hold it.

    >>> of_files([Path("/nowhere/at/all")])
    {'/nowhere/at/all': [-1, 0]}
    """
    stamps: dict[str, list[int] | str] = {}
    for path in paths:
        try:
            status = path.stat()
            stamps[_text(path)] = [status.st_size, status.st_mtime_ns]
        except OSError:
            stamps[_text(path)] = [-1, 0]
    if len(stamps) <= FILES_LISTED_MAX:
        return stamps
    digest = hashlib.blake2b(repr(sorted(stamps.items())).encode(), digest_size=16)
    return {f"{len(stamps)} files": digest.hexdigest()}


def _text(path: Path) -> str:
    return str(path).encode("utf-8", "replace").decode()
