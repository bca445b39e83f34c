"""
The SHA-256 of a file, by which it is known whether its bytes are those that were meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

CHUNK_BYTES = 1 << 20


class FileDigest(NamedTuple):
    """The SHA-256 of a file, hex, and how many bytes it has."""

    sha256: str
    size_bytes: int


class DigestedParts:
    """
    The parts of an open file from where it stands, and the digest of those that were handed out.

    Whoever copies a file by its parts has the digest of the copy, also when the file changes meanwhile.

    >>> import io
    >>> parts = DigestedParts(io.BytesIO(b"abcd"), part_bytes=3)
    >>> list(parts), parts.digest().size_bytes
    ([b'abc', b'd'], 4)
    """

    def __init__(self, file: BinaryIO, part_bytes: int = CHUNK_BYTES) -> None:
        self._file = file
        self._part_bytes = part_bytes
        self._hash = hashlib.sha256()
        self._size_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        while part := self._file.read(self._part_bytes):
            self._hash.update(part)
            self._size_bytes += len(part)
            yield part

    def digest(self) -> FileDigest:
        """Return the digest of the parts so far."""
        return FileDigest(self._hash.hexdigest(), self._size_bytes)


def digest_of(path: Path) -> FileDigest:
    """Return the digest of a file. Raises OSError. Cost: about 1 s a GB, without the GIL."""
    with open(path, "rb") as file:
        return digest_of_open(file)


def digest_of_open(file: BinaryIO) -> FileDigest:
    """
    Return the digest of what an open file has from where it stands; it stands at its end then.

    >>> import io
    >>> digest_of_open(io.BytesIO(b"abc")).sha256[:8]
    'ba7816bf'
    """
    parts = DigestedParts(file)
    for _ in parts:
        pass
    return parts.digest()
