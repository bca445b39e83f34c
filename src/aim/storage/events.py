"""
Event lines: JSON, one checked line each. Specified in docs/formats/events.md.

    line := {"crc":"hhhhhhhh" , rest-of-the-object }  newline          hhhhhhhh = CRC-32 of  ,rest-of-the-object}

A bad line hides itself only. Where the newline between two lines is damaged, both are found again by the prefix.
"""

from __future__ import annotations

import json
import os
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aim.core import clock
from aim.storage.files import DISK, Disk

PREFIX = b'{"crc":"'
PREFIX_BYTES = 17  # up to and with the quote that closes the CRC
Event = dict[str, Any]


def encode(event: Mapping[str, Any]) -> bytes:
    """
    Give the line of an event, with its newline.

    >>> encode({"at": 1.5, "end": {"state": "finished"}})
    b'{"crc":"792ae9dd","at":1.5,"end":{"state":"finished"}}\\n'
    """
    body = json.dumps(event, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    rest = ("," + body[1:]).encode("utf-8", "surrogatepass")
    return b'%s%08x"%s\n' % (PREFIX, zlib.crc32(rest), rest)


def decode(line: bytes) -> Event | None:
    """Give the event of one line without its newline, or None if it fails its check."""
    if len(line) <= PREFIX_BYTES or not line.startswith(PREFIX):
        return None
    rest = line[PREFIX_BYTES:]
    if line[8:PREFIX_BYTES] != b'%08x"' % zlib.crc32(rest):
        return None
    try:
        event = json.loads(b"{" + rest[1:])
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


@dataclass
class Lines:
    """
    What a stretch of an event file holds.

    Attributes:
        events: the good lines, in order.
        bad: (offset in the file, length) of what fails its check.
        end: the offset after the last whole line.
    """

    events: list[Event] = field(default_factory=list)
    bad: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0


def parse(data: bytes, offset: int = 0) -> Lines:
    """
    Take the lines of *data*, which begins at *offset* of its file. A last line without its newline is left for the next time.
    """
    lines = Lines(end=offset)
    start = 0
    while (stop := data.find(b"\n", start)) >= 0:
        _take(data[start:stop], offset + start, lines)
        start = stop + 1
    lines.end = offset + start
    return lines


def _take(line: bytes, offset: int, lines: Lines) -> None:
    event = decode(line)
    if event is not None:
        lines.events.append(event)
        return
    # the newline of an earlier line may be what broke: look for a prefix further on
    again = line.find(PREFIX, 1)
    if again < 0:
        if line:
            lines.bad.append((offset, len(line)))
        else:
            lines.bad.append((offset, 1))
        return
    head = decode(line[: again - 1])
    if head is not None:
        lines.events.append(head)
        lines.bad.append((offset + again - 1, 1))
    else:
        lines.bad.append((offset, again))
    _take(line[again:], offset + again, lines)


def read(path: Path, offset: int = 0) -> Lines:
    """Read the lines of an event file from *offset* on."""
    with open(path, "rb") as file:
        file.seek(offset)
        return parse(file.read(), offset)


class EventLog:
    """
    The event file of this process: appends lines, in order, each with a later `at`.

    An append that the disk refuses is kept and tried again with the next one, so the order holds; `append` then raises
    the OSError once more for the writer to report.
    """

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self.path = path
        self.disk = disk
        self.descriptor = disk.create(path)
        self.at_s = 0.0
        self.size_bytes = 0
        self._pending: list[bytes] = []
        self._lock = threading.Lock()
        os.set_inheritable(self.descriptor, False)

    def append(self, event: Mapping[str, Any]) -> float:
        """Append an event; give its `at`. Raises OSError when the disk refuses; the event is then kept for later."""
        with self._lock:
            self.at_s = clock.after(self.at_s)
            self._pending.append(encode({"at": self.at_s, **event}))
            self._drain()
            return self.at_s

    def retry(self) -> None:
        """Write what the disk refused before."""
        if self._pending:
            with self._lock:
                self._drain()

    def _drain(self) -> None:
        while self._pending:
            line = self._pending[0]
            try:
                self.disk.write_at(self.descriptor, line, self.size_bytes)
            except OSError:
                try:
                    self.disk.truncate(self.descriptor, self.size_bytes)
                except OSError:
                    pass
                raise
            self.size_bytes += len(line)
            self._pending.pop(0)

    def touch(self) -> None:
        """Say that this writer is alive: the file's time is its heartbeat."""
        os.utime(self.descriptor if os.utime in os.supports_fd else self.path)

    def sync(self) -> None:
        """Wait until the lines are on the disk."""
        self.disk.sync(self.descriptor)

    def close(self) -> None:
        """Close the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
