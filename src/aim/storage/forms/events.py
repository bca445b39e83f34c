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
from aim.storage.disk.files import DISK, Disk

PREFIX = b'{"crc":"'
PREFIX_BYTES = 17  # up to and with the quote that closes the CRC
SECONDS_MAX = 1e12  # in the year 33,658; beyond it a time is damage
Event = dict[str, Any]


def encode(event: Mapping[str, Any]) -> bytes:
    """
    Return the line of an event, with its newline.

    >>> encode({"at": 1.5, "end": {"state": "finished"}})
    b'{"crc":"792ae9dd","at":1.5,"end":{"state":"finished"}}\\n'
    """
    body = json.dumps(event, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    rest = ("," + body[1:]).encode("utf-8", "surrogatepass")
    return b'%s%08x"%s\n' % (PREFIX, zlib.crc32(rest), rest)


def decode(line: bytes) -> Event | None:
    """Return the event of one line without its newline, or None if it fails its check."""
    if len(line) <= PREFIX_BYTES or not line.startswith(PREFIX):
        return None
    rest = line[PREFIX_BYTES:]
    if line[8:PREFIX_BYTES] != b'%08x"' % zlib.crc32(rest):
        return None
    try:
        event = json.loads("{" + rest[1:].decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def seconds(at: object) -> float:
    """
    Return a time of an event in Unix seconds; 0.0 for what is no time.

    >>> seconds(1.5), seconds("now"), seconds(1e300)
    (1.5, 0.0, 0.0)
    """
    return float(at) if isinstance(at, (int, float)) and abs(at) < SECONDS_MAX else 0.0


@dataclass
class ParsedLines:
    """
    What a stretch of an event file holds.

    Attributes:
        events: the good lines, in order.
        bad_spans: (offset in the file, length) of what fails its check.
        end_offset: the offset after the last whole line.
    """

    events: list[Event] = field(default_factory=list)
    bad_spans: list[tuple[int, int]] = field(default_factory=list)
    end_offset: int = 0


def parse(data: bytes, offset: int = 0) -> ParsedLines:
    """
    Take the lines of *data*, which begins at *offset* of its file. A last line without its newline is left for later.
    """
    end = data.rfind(b"\n") + 1
    good = parse_whole(data[:end])
    if good is not None:
        return ParsedLines(good, [], offset + end)
    lines = ParsedLines(end_offset=offset)
    start = 0
    while (stop := data.find(b"\n", start)) >= 0:
        _take(data[start:stop], offset + start, lines)
        start = stop + 1
    lines.end_offset = offset + start
    return lines


def parse_whole(data: bytes) -> list[Event] | None:
    """Return the events of *data* when each line is good, the last one too; else None."""
    # JSON is read in one call for all lines: half the time of a call for each
    found = data.split(b"\n")
    if found.pop():
        return None
    bodies = []
    for line in found:
        rest = line[PREFIX_BYTES:]
        if not line.startswith(b'%s%08x"' % (PREFIX, zlib.crc32(rest))):
            return None
        bodies.append(b"{" + rest[1:])
    try:
        decoded = json.loads((b"[" + b",".join(bodies) + b"]").decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    good = len(decoded) == len(found) and all(isinstance(event, dict) for event in decoded)
    return decoded if good else None


def _take(line: bytes, offset: int, lines: ParsedLines) -> None:
    event = decode(line)
    if event is not None:
        lines.events.append(event)
        return
    # newlines may be what broke: each part that begins with the prefix is checked as a line of its own
    starts = [0]
    while (again := line.find(PREFIX, starts[-1] + 1)) >= 0:
        starts.append(again)
    for start, stop in zip(starts, [*starts[1:], len(line) + 1]):
        part = decode(line[start : stop - 1])  # without the byte that was the newline
        if part is None:
            lines.bad_spans.append((offset + start, max(1, min(stop, len(line)) - start)))
            continue
        lines.events.append(part)
        if stop <= len(line):
            lines.bad_spans.append((offset + stop - 1, 1))


def read(path: Path, offset: int = 0) -> ParsedLines:
    """Read the lines of an event file from *offset* on."""
    with open(path, "rb") as file:
        file.seek(offset)
        return parse(file.read(), offset)


class EventLog:
    """
    The event file of this process: appends lines, in order, each with a later `at`.

    An append that the disk refuses is kept and tried again with the next one, so the order holds; `append` then raises
    the OSError once more for the writer to report. A signal handler may append in the middle of an append: its line
    follows the one that it interrupted.
    """

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self.path = path
        self.disk = disk
        self.descriptor = disk.create(path)
        self.at_s = 0.0
        self.size_bytes = 0
        self._pending: list[bytes] = []
        self._is_draining = False
        self._lock = threading.RLock()

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
        if self._is_draining:  # this is a signal handler within the call that drains
            return
        self._is_draining = True
        try:
            while self._pending:
                line = self._pending[0]
                self._write(line)
                self.size_bytes += len(line)
                self._pending.pop(0)
        finally:
            self._is_draining = False

    def _write(self, line: bytes) -> None:
        try:
            self.disk.write_at(self.descriptor, line, self.size_bytes)
        except OSError:
            try:
                self.disk.truncate(self.descriptor, self.size_bytes)
            except OSError:
                pass
            raise

    def touch(self) -> None:
        """Say that this writer is alive: the file's time is its heartbeat."""
        self.disk.touch(self.descriptor, self.path)

    def sync(self) -> None:
        """Wait until the lines are on the disk."""
        self.disk.sync(self.descriptor)

    def close(self) -> None:
        """Close the file."""
        descriptor, self.descriptor = self.descriptor, -1  # first, since a signal may come right after the close
        if descriptor >= 0:
            os.close(descriptor)
