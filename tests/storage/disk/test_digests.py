"""
The digest of a file: that of all its bytes, however many pieces they are read in.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from aim.storage.disk.digests import CHUNK_BYTES, digest_of, digest_of_open


@pytest.mark.parametrize("size_bytes", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 7])
def test_a_file_has_the_digest_of_its_bytes(size_bytes: int, tmp_path: Path) -> None:
    """
    Files around the size of a piece have the digest of the whole, and their size.
    """
    content = bytes(index % 251 for index in range(size_bytes))
    path = tmp_path / "model.pt"
    path.write_bytes(content)

    assert (hashlib.sha256(content).hexdigest(), size_bytes) == digest_of(path)


def test_an_open_file_is_read_from_where_it_stands() -> None:
    """
    What was read before does not count, and the file stands at its end.
    """
    file = io.BytesIO(b"head and body")
    file.seek(5)

    assert (hashlib.sha256(b"and body").hexdigest(), 8) == digest_of_open(file)
    assert b"" == file.read()


def test_a_file_that_is_not_there_is_an_error_of_the_disk(tmp_path: Path) -> None:
    """
    Who asks decides what a missing file means.
    """
    with pytest.raises(FileNotFoundError):
        digest_of(tmp_path / "gone")
