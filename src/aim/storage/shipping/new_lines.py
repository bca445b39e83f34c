"""
What is new in an event file, and what its lines declare: sequences of objects, artifacts, the end.

Whole lines only, up to the last newline: what is below it never changes, whoever writes the file. The `end` line, and
what may follow it, is not among them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from aim.storage.forms import events
from aim.storage.forms.artifact_records import FILES_FOLDER
from aim.storage.shipping.frames import EVENTS, FRAME_BYTES_MAX
from aim.storage.shipping.progress import FileKey, FilePart

KEY: FileKey = (EVENTS, "0")
READ_BYTES = 1 << 20
DECLARING = (b'"sequence":', b'"end":', b'"artifact":')
NUMBERS = frozenset({"int", "float"})


class LocalArtifact(NamedTuple):
    """A file that is kept with the run."""

    size_bytes: int
    sha256: str


class NewLines:
    """
    The event file at *path*.

    Attributes:
        end: what the `end` line says; None: there is none yet.
        object_numbers: the numbers of the sequences whose points are objects.
        artifacts: those that are kept with the run, by their name in its folder.
        has_more: whether the last `read` has left lines, the end not counted.

    Args:
        writer: the id that the first line is to name, at the server.
    """

    def __init__(self, path: Path, writer: str) -> None:
        self._path = path
        self._writer = writer
        self.end: dict[str, Any] | None = None
        self.object_numbers: set[int] = set()
        self.artifacts: dict[str, LocalArtifact] = {}
        self.has_more = False
        self._end_offset = -1
        self._parsed_bytes = 0

    def read(self, start: int, budget_bytes: int) -> list[FilePart]:
        """Return the new lines from the byte *start* on. Raises FileNotFoundError, OSError."""
        size_bytes = min(max(budget_bytes, READ_BYTES), FRAME_BYTES_MAX)
        with open(self._path, "rb") as file:
            descriptor = file.fileno()
            self._parse_to(descriptor, start)
            data = os.pread(descriptor, size_bytes, start)
            self.has_more = len(data) == size_bytes
            stop = data.rfind(b"\n") + 1
            if not stop and self.has_more and _has_newline(descriptor, start + size_bytes):
                stop = size_bytes  # a line that is longer than a frame goes in parts
            else:
                self._parse(data[:stop], start)
        if 0 <= self._end_offset < start + stop:
            stop = self._end_offset - start
            self.has_more = False
        return [FilePart(KEY, start, start + stop, self._renamed(data[:stop], start))] if stop > 0 else []

    def read_end(self, start: int) -> list[FilePart]:
        """Return what the file has from the byte *start* on: the end."""
        with open(self._path, "rb") as file:
            data = os.pread(file.fileno(), FRAME_BYTES_MAX, start)
        stop = data.rfind(b"\n") + 1
        return [FilePart(KEY, start, start + stop, self._renamed(data[:stop], start))] if stop else []

    def is_end(self, piece: FilePart) -> bool:
        """Return whether the end is in *piece*."""
        return piece.start <= self._end_offset < piece.stop

    def is_end_within(self, stop: int) -> bool:
        """Return whether the end is among the first *stop* bytes."""
        return 0 <= self._end_offset < stop

    def _renamed(self, data: bytes, start: int) -> bytes:
        # the first line at the server names the writer by its id there; the length is the same
        line, newline, others = data.partition(b"\n")
        begin = None if start else events.decode(line)
        fields = begin.get("begin") if begin else None
        if begin is None or not isinstance(fields, dict) or fields.get("writer") == self._writer:
            return data
        renamed = events.encode({**without_crc(begin), "begin": {**fields, "writer": self._writer}})
        return renamed.rstrip(b"\n") + newline + others

    def _parse_to(self, descriptor: int, stop: int) -> None:
        # what lines declare that an earlier shipper has sent
        while self._parsed_bytes < stop:
            data = os.pread(descriptor, READ_BYTES, self._parsed_bytes)[: stop - self._parsed_bytes]
            size_bytes = data.rfind(b"\n") + 1 or len(data)
            if not size_bytes:
                return
            self._parse(data[:size_bytes], self._parsed_bytes)

    def _parse(self, data: bytes, start: int) -> None:
        offset = start
        for line in data.splitlines(keepends=True):
            if offset >= self._parsed_bytes and line.split(b",", 2)[-1].startswith(DECLARING):
                event = events.decode(line.rstrip(b"\n"))
                if event is not None:
                    self._note(event, offset)
            offset += len(line)
        self._parsed_bytes = max(self._parsed_bytes, offset)

    def _note(self, event: dict[str, Any], offset: int) -> None:
        artifact = event.get("artifact")
        if "sequence" in event:
            if event.get("kind") not in NUMBERS:
                self.object_numbers.add(event["sequence"])
        elif isinstance(event.get("end"), dict):
            self.end, self._end_offset = event["end"], offset
        elif isinstance(artifact, dict) and artifact.get("uri") is None and type(artifact.get("size")) is int:
            name = f"{FILES_FOLDER}/{artifact.get('name')}"
            self.artifacts[name] = LocalArtifact(artifact["size"], str(artifact.get("sha256")))


def without_crc(event: dict[str, Any]) -> dict[str, Any]:
    """Return a decoded line as `events.encode` takes it."""
    return {key: value for key, value in event.items() if key != "crc"}


def _has_newline(descriptor: int, offset: int) -> bool:
    while data := os.pread(descriptor, READ_BYTES, offset):
        if b"\n" in data:
            return True
        offset += len(data)
    return False
