"""
Compressed sources with a bound: a small file may say that it becomes terabytes.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

from aim.core.errors import AimError

PLAIN_BYTES_MAX = 8 << 30
RATIO_MAX = 1000
ZIP_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError)
"""What `zipfile` raises for damage: a flipped bit may name a way of packing that there is not."""
RATIO_FROM_BYTES = 1 << 20  # small files of zeros pack better than any real one


class TooLarge(AimError):
    """A compressed file becomes too large."""


def check_size(path: Path | str, packed_bytes: int, plain_bytes: int) -> None:
    """
    Raise TooLarge for more than 8 GiB, or more than 1,000 times the size of the packed file.

    >>> check_size("logs.gz", 1_000, 900_000)
    """
    if plain_bytes > PLAIN_BYTES_MAX or plain_bytes > max(RATIO_FROM_BYTES, RATIO_MAX * packed_bytes):
        raise TooLarge(
            f"'{path}' has {packed_bytes:,} bytes and becomes more than {plain_bytes:,}, which no record of a training "
            "does. Unpack it yourself, and import what comes out of it."
        )


def zip_names(path: Path) -> frozenset[str]:
    """
    Return the names in a ZIP file; none for a file that is none, or whose list of names is damaged.

    >>> zip_names(Path("README.md"))
    frozenset()
    """
    try:
        if not zipfile.is_zipfile(path):
            return frozenset()
        with zipfile.ZipFile(path) as archive:
            return frozenset(archive.namelist())
    except ZIP_DAMAGE:
        return frozenset()


class BoundedStream(io.RawIOBase):
    """What *stream* unpacks of the file *path*; raises TooLarge beyond the bound, and OSError for damage."""

    def __init__(self, stream: IO[bytes] | Any, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._packed_bytes = path.stat().st_size
        self._plain_bytes = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True: a reader goes back to where a record began."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to an offset of the plain bytes."""
        position: int = self._stream.seek(offset, whence)
        return position

    def readinto(self, buffer: Any) -> int:
        """Read into *buffer*."""
        try:
            chunk = self._stream.read(len(buffer))
        except EOFError as error:
            raise OSError(f"'{self._path}' ends within its compressed data") from error
        self._plain_bytes += len(chunk)
        check_size(self._path, self._packed_bytes, self._plain_bytes)
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Close the file too."""
        self._stream.close()
        super().close()
