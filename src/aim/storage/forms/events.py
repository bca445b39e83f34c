"""
Event lines: JSON, one checked line each. Specified in docs/formats/events.md.

    line := {"crc":"hhhhhhhh" , rest-of-the-object }  newline          hhhhhhhh = CRC-32 of  ,rest-of-the-object}

A bad line hides only itself. Where the newline between two lines is damaged, the prefix of the second one tells both
apart.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import zlib
from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from aim.core import clock
from aim.core.plain_objects import PlainObject
from aim.core.tuples import NamedTuple
from aim.storage.disk.files import DISK, Disk
from aim.storage.disk.spare_descriptors import SPARE

PREFIX = b'{"crc":"'
PREFIX_BYTES = 17  # up to and with the quote that closes the CRC
Event = dict[str, Any]
to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
WAITING_BYTES_MAX = 16 << 20  # of lines that the disk refuses, kept in memory


def encode(event: Mapping[str, Any]) -> bytes:
    """
    Return the line of an event, with its newline.

    >>> encode({"at": 1.5, "end": {"state": "finished"}})
    b'{"crc":"792ae9dd","at":1.5,"end":{"state":"finished"}}\\n'
    """
    body = to_json(event)
    checked_text = ("," + body[1:]).encode("utf-8", "surrogatepass")
    return b'%s%08x"%s\n' % (PREFIX, zlib.crc32(checked_text), checked_text)


def decode(line: bytes) -> Event | None:
    """Return the event of one line without its newline, or None if it fails its check."""
    if len(line) <= PREFIX_BYTES or not line.startswith(PREFIX):
        return None
    checked_text = line[PREFIX_BYTES:]
    if line[8:PREFIX_BYTES] != b'%08x"' % zlib.crc32(checked_text):
        return None
    try:
        event = json.loads("{" + checked_text[1:].decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def seconds(at: object, before_s: float = 0.0) -> float:
    """
    Return a time of an event in Unix seconds; for what is no time *before_s*, that of the event before it.

    >>> seconds(1.5), seconds("now"), seconds(1e300, 7.0)
    (1.5, 0.0, 7.0)
    """
    return float(at) if isinstance(at, (int, float)) and abs(at) < clock.SECONDS_MAX else before_s


class ParsedLines(PlainObject):
    """
    The lines of a part of an event file.

    Attributes:
        events: of the good lines, in order.
        bad_spans: offset in the file and length of what fails its check.
        end_offset: the offset after the last whole line.
    """

    def __init__(
        self,
        events: list[Event] | None = None,
        bad_spans: list[tuple[int, int]] | None = None,
        end_offset: int = 0,
    ) -> None:
        self.events: list[Event] = [] if events is None else events
        self.bad_spans: list[tuple[int, int]] = [] if bad_spans is None else bad_spans
        self.end_offset = end_offset


def parse(data: bytes, offset: int = 0) -> ParsedLines:
    """
    Parse the lines of *data*, which begins at *offset* of its file. A last line without a newline is left out.
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
    """Return the events of *data* if every line is good, the last one too; else None."""
    # one call for the JSON of all lines takes half the time of one for each
    lines = data.split(b"\n")
    if lines.pop():
        return None
    bodies = []
    for line in lines:
        checked_text = line[PREFIX_BYTES:]
        if not line.startswith(b'%s%08x"' % (PREFIX, zlib.crc32(checked_text))):
            return None
        bodies.append(b"{" + checked_text[1:])
    try:
        decoded = json.loads((b"[" + b",".join(bodies) + b"]").decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    good = len(decoded) == len(lines) and all(isinstance(event, dict) for event in decoded)
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
        part = decode(line[start : stop - 1])  # without the byte in place of the newline
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


class WaitingLine(NamedTuple):
    """A line that the disk has refused, or that another line holds back."""

    event: Mapping[str, Any]
    line: bytes


class WaitingLines:
    """
    The lines that are still to be written, in the order of recording.

    Attributes:
        lost_count: how many lines were given up, because more than `WAITING_BYTES_MAX` were waiting.
    """

    def __init__(self) -> None:
        self.lost_count = 0
        self._lines: list[WaitingLine] = []
        self._size_bytes = 0
        self._undeclared: set[object] = set()  # numbers of sequences whose declaration waits

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, waiting: WaitingLine) -> None:
        """Keep a line. Raises OSError: there are too many; declarations and gaps are kept all the same."""
        if "sequence" in waiting.event:
            self._undeclared.add(waiting.event["sequence"])
        elif self._lines and self._size_bytes + len(waiting.line) > WAITING_BYTES_MAX and "gap" not in waiting.event:
            self.lost_count += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._lines.append(waiting)
        self._size_bytes += len(waiting.line)

    def in_order(self, *, is_begun: bool) -> list[WaitingLine]:
        """Return all lines in the order in which they are to be written."""
        if not is_begun:  # the first line begins the file
            return list(self._lines)
        return sorted(self._lines, key=lambda waiting: "sequence" not in waiting.event)

    def holds_back(self, waiting: WaitingLine, *, is_begun: bool) -> bool:
        """Return whether *waiting* may not be written before another line."""
        return waiting.event.get("point") in self._undeclared if is_begun else waiting is not self._lines[0]

    def declare(self, waiting: WaitingLine) -> None:
        """Let points pass: *waiting* was written."""
        self._undeclared.discard(waiting.event.get("sequence"))

    def forget(self, written: Container[int]) -> None:
        """Drop the lines that were written, by their ids."""
        self._lines = [waiting for waiting in self._lines if id(waiting) not in written]
        self._size_bytes = sum(len(waiting.line) for waiting in self._lines)


class EventLog:
    """
    The event file of this process: appends lines, each with a later `at`.

    A line that the disk refuses waits, and later lines pass it: it keeps its `at`, by which lines are folded, so an
    order of lines in the file means nothing. `append` raises the OSError, for the writer to report. What waits is
    written by `retry`, declarations of sequences first. Two kinds of lines hold others back:

        begin         is the first line of the file: nothing passes it
        a sequence    its exact points do not pass its declaration

    A signal handler may append in the middle of an append: its line follows the one that it interrupted.

    Attributes:
        waiting: the lines that are still to be written.
    """

    def __init__(self, path: Path, disk: Disk = DISK) -> None:
        self.path = path
        self.disk = disk
        self.descriptor = SPARE.open(lambda: disk.create(path))
        self.at_s = 0.0
        self.size_bytes = 0
        self.waiting = WaitingLines()
        self._interrupting: list[WaitingLine] = []
        self._is_writing = False
        self._is_torn = False
        self._lock = threading.RLock()

    def append(self, event: Mapping[str, Any]) -> float:
        """Append an event; return its `at`. Raises OSError: the disk refuses, and the event is kept for later."""
        self.append_all((event,))
        return self.at_s

    def append_all(self, events: Iterable[Mapping[str, Any]]) -> None:
        """
        Append one event, or several declarations of sequences, in one write. Raises OSError: the disk refuses, and what
        it refuses is kept for later.
        """
        with self._lock:
            added = []
            for event in events:
                self.at_s = clock.after(self.at_s)
                added.append(WaitingLine(event, encode({"at": self.at_s, **event})))
                self.waiting.add(added[-1])
            is_begun = self.size_bytes > 0
            if self._is_writing:  # a signal handler within the call that writes
                self._interrupting += added
            elif any(self.waiting.holds_back(waiting, is_begun=is_begun) for waiting in added):
                self._write_waiting(self.waiting.in_order(is_begun=is_begun))
            else:
                self._write_waiting(added)

    def retry(self) -> None:
        """Write what the disk refused before, each line that it takes now. Raises OSError: the first refusal."""
        if len(self.waiting):
            with self._lock:
                if not self._is_writing:
                    self._write_waiting(self.waiting.in_order(is_begun=self.size_bytes > 0))

    def seize(self) -> None:
        """
        Write what waits, within a call that interrupts an append which is not continued. Raises OSError.

        The line of that append may be written twice, which changes nothing: lines are folded by their `at`.
        """
        with self._lock:
            self._is_writing = False
            self._interrupting = []  # they are among what waits
            self.retry()

    def _write_waiting(self, lines: list[WaitingLine]) -> None:
        refusal: OSError | None = None
        refused_bytes = 0  # the length of the shortest line that was refused: longer ones are not tried
        written: set[int] = set()
        self._is_writing = True  # right before the `try`: an interrupt comes after a call, and would leave it set
        try:
            while lines:
                for waiting in [] if self._write_whole(lines, written) else lines:
                    is_too_long = 0 < refused_bytes <= len(waiting.line)
                    if is_too_long or self.waiting.holds_back(waiting, is_begun=self.size_bytes > 0):
                        continue
                    try:
                        self._write(waiting.line)
                    except OSError as error:
                        refusal = refusal or error
                        refused_bytes = len(waiting.line)
                        continue
                    self.size_bytes += len(waiting.line)
                    written.add(id(waiting))
                    self.waiting.declare(waiting)
                lines, self._interrupting = self._interrupting, []
        finally:
            self._is_writing = False
            self.waiting.forget(written)
        if refusal is not None:
            raise refusal

    def _write_whole(self, lines: list[WaitingLine], written: set[int]) -> bool:
        # many lines take one call, if the disk takes them all
        is_begun = self.size_bytes > 0
        if len(lines) == 1 or any(self.waiting.holds_back(waiting, is_begun=is_begun) for waiting in lines):
            return False
        data = b"".join(waiting.line for waiting in lines)
        try:
            self._write(data)
        except OSError:
            return False
        self.size_bytes += len(data)
        written.update(id(waiting) for waiting in lines)
        for waiting in lines:
            self.waiting.declare(waiting)
        return True

    def _write(self, line: bytes) -> None:
        try:
            self.disk.write_at(self.descriptor, line, self.size_bytes)
        except OSError:
            self._is_torn = True
            self._cut(self.size_bytes)
            raise
        if self._is_torn:  # a part of a longer line may follow
            self._cut(self.size_bytes + len(line))

    def _cut(self, size_bytes: int) -> None:
        try:
            self.disk.truncate(self.descriptor, size_bytes)
            self._is_torn = False
        except OSError:  # the next line tries it again
            pass

    def touch(self) -> None:
        """Set the file's time, which is the heartbeat of its writer."""
        self.disk.touch(self.descriptor, self.path)

    def sync(self) -> None:
        """Wait until the lines are on the disk."""
        self.disk.sync(self.descriptor)

    def close(self) -> None:
        """Close the file."""
        descriptor, self.descriptor = self.descriptor, -1  # first, since a signal may come right after the close
        if descriptor >= 0:
            os.close(descriptor)
