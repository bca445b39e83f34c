"""
Files whose bytes lie in parts of an object store.
"""

from __future__ import annotations

import hashlib
import random

import pytest

from aim.storage.cluster.cluster_files import PartsFile, WholeFile
from aim.storage.cluster.object_store import Objects
from aim.storage.cluster.settings import ObjectSettings

CONTENT = random.Random(7).randbytes(1_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
RID = bytes(16)


@pytest.fixture(name="objects")
def _objects() -> Objects:
    """
    An object store in memory.
    """
    return Objects(ObjectSettings("memory:///"))


def test_parts_that_overlap_are_read_as_one_file(objects: Objects) -> None:
    """
    Whatever the cut of the parts, any bytes of the file are read as they were.
    """
    chance = random.Random(8)
    for attempt in range(50):
        parts = []
        start = 0
        while start < len(CONTENT):
            size_bytes = chance.randint(1, 300)
            data = CONTENT[start : start + size_bytes]
            objects.put(f"{attempt}/{start}", data)
            parts.append((start, len(data), f"{attempt}/{start}"))
            start += chance.randint(1, size_bytes)
        file = PartsFile(objects, parts, list)
        begin, stop = sorted(chance.choices(range(len(CONTENT) + 1), k=2))
        file.seek(begin)

        assert CONTENT[begin:stop] == file.read(stop - begin)


def test_a_file_is_whole_when_no_part_is_missing(objects: Objects) -> None:
    """
    Parts may come in any order; until the last one the file can't be opened.
    """
    file = WholeFile(objects, RID, DIGEST, len(CONTENT))
    file.put(600, CONTENT[600:])
    assert (0, False) == (file.present_bytes(), file.is_whole())
    with pytest.raises(FileNotFoundError):
        file.opened()
    file.put(0, CONTENT[:700])

    assert (len(CONTENT), True) == (file.present_bytes(), file.is_whole())
    assert CONTENT == file.opened().read()
    assert file.has_its_digest()


def test_an_empty_file_is_whole_with_its_only_part(objects: Objects) -> None:
    """
    A file without bytes is there once it was sent.
    """
    file = WholeFile(objects, RID, hashlib.sha256().hexdigest(), 0)
    before = file.is_whole()
    file.put(0, b"")

    assert (False, True, b"") == (before, file.is_whole(), file.opened().read())


def test_other_bytes_are_seen_and_removed(objects: Objects) -> None:
    """
    A file whose bytes are not those of its digest says so, and is gone after it was deleted.
    """
    file = WholeFile(objects, RID, DIGEST, len(CONTENT))
    file.put(0, CONTENT[:-1] + b"?")

    assert not file.has_its_digest()
    file.delete()
    assert 0 == file.present_bytes()
