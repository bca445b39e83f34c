"""
Files of media beside a source's records, each named by a record: read whole, checked, and never from outside.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from aim.convert.files import is_below

FILE_BYTES_MAX = 1 << 30


class MediaUnavailable(Exception):
    """A file that can't be used; the importer catches it and says so in the report."""


def media_bytes(folder: Path, relative: Any, sha256: Any = None) -> bytes:
    """
    Return the content of a file.

    Args:
        folder: the run's folder of media; the file has to lie below it.
        relative: the file's path in it.
        sha256: what its checksum has to be, in hex; nothing: it is not checked.

    Raises:
        MediaUnavailable: it is missing, not below *folder*, larger than 1 GiB, or another file than was logged.
    """
    path = folder / str(relative)
    try:
        if not is_below(path, folder):
            raise MediaUnavailable(f"{relative} lies outside of the run's folder")
        if path.stat().st_size > FILE_BYTES_MAX:
            raise MediaUnavailable(f"{relative} has more than 1 GiB")
        data = path.read_bytes()
    except OSError as error:
        raise MediaUnavailable(f"{relative} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise MediaUnavailable(f"{relative!r} is no path") from error
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise MediaUnavailable(f"{relative} is not the file that was logged: its checksum differs")
    return data
