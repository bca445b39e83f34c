"""
Files of a cluster whose bytes lie in parts: blob files, sealed points and artifacts.

A whole file is named by its SHA-256, and so are the keys of its parts. So which parts are there is asked of the object
store alone, and a part that comes again, in another cut, changes nothing.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

from aim.storage.cluster import rows
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.object_store import Objects, whole_key, whole_prefix

READ_AHEAD_BYTES = 64 << 10  # of a file: a header of an entry and, of most, its data
CHUNK_BYTES = 4 << 20

Part = tuple[int, int, str]
"""Where the bytes of an object begin in the file, how many they are, and the key of the object."""


def blob_parts(project: ClusterProject, rid: bytes, writer: int, file: int) -> list[Part]:
    """Return the parts of a blob file, sorted; none: there is no such file. Raises ClusterUnavailable."""
    found = project.database.rows(
        f"SELECT start, bytes, key FROM {project.table('parts')} FINAL WHERE rid = {{rid:FixedString(16)}} "
        "AND writer = {writer:UInt32} AND file = {file:UInt32} ORDER BY start, bytes",
        {"rid": rid, "writer": writer, "file": file},
    )
    return [(int(start), int(size_bytes), str(key)) for start, size_bytes, key in found]


class PartsFile(io.RawIOBase):
    """
    A file whose bytes are *parts*, which may overlap with equal bytes, for reading. Raises ObjectsUnavailable.

    Args:
        again: lists the parts anew. It is asked when an object is gone: the parts may have been joined meanwhile.
    """

    def __init__(self, objects: Objects, parts: list[Part], again: Callable[[], list[Part]]) -> None:
        self._objects = objects
        self._parts = parts
        self._again = again
        self._position = 0
        self._size_bytes = max((start + size_bytes for start, size_bytes, _ in parts), default=0)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a byte."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}[whence]
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Read into *buffer* what is there without a gap. Raises FileNotFoundError: an object is gone."""
        stop = min(self._position + len(buffer), self._size_bytes)
        data = self._read(stop)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _read(self, stop: int) -> bytes:
        gone: set[str] = set()
        while True:
            there = [part for part in self._parts if part[2] not in gone]
            chosen = rows.cover(there, self._position, stop)
            if gone and not chosen:
                raise FileNotFoundError(min(gone))
            pieces: list[bytes] = []
            for key, start, end in chosen:
                try:
                    pieces.append(self._objects.read(key, start, end - start))
                except FileNotFoundError:
                    gone.add(key)
                    self._parts = self._again()
                    break
            else:
                return b"".join(pieces)


class WholeFile:
    """The file of the run *rid* with these bytes: sealed points, or an artifact."""

    def __init__(self, objects: Objects, rid: bytes, sha256: str, size_bytes: int) -> None:
        self._objects = objects
        self._rid = rid
        self._sha256 = sha256
        self._size_bytes = size_bytes

    def put(self, offset: int, data: bytes) -> None:
        """Store a part. Raises ObjectsUnavailable."""
        self._objects.put(whole_key(self._rid, self._sha256, offset, len(data)), data)

    def present_bytes(self) -> int:
        """Return up to where the file is there without a gap. Raises ObjectsUnavailable."""
        end = 0
        for start, size_bytes, _ in self._parts():
            if start > end:
                break
            end = max(end, start + size_bytes)
        return min(end, self._size_bytes)

    def is_whole(self) -> bool:
        """Return whether all bytes are there. Raises ObjectsUnavailable."""
        return bool(self._parts()) and self.present_bytes() >= self._size_bytes

    def opened(self) -> io.BufferedReader:
        """Open the file. Raises FileNotFoundError: not all of it is there; ObjectsUnavailable."""
        if not self.is_whole():
            raise FileNotFoundError(f"the file {self._sha256}")
        return io.BufferedReader(PartsFile(self._objects, self._parts(), self._parts), READ_AHEAD_BYTES)

    def has_its_digest(self) -> bool:
        """Return whether its bytes are those that it is named after. Cost: reads all of it."""
        digest = hashlib.sha256()
        with self.opened() as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest() == self._sha256

    def delete(self) -> None:
        """Remove all parts. Raises ObjectsUnavailable."""
        self._objects.delete(key for _, _, key in self._parts())

    def _parts(self) -> list[Part]:
        return sorted(map(_part, self._objects.keys(whole_prefix(self._rid, self._sha256))))


def _part(key: str) -> Part:
    start, _, size_bytes = key.rpartition("/")[2].partition("-")
    return int(start), int(size_bytes), key
