"""
Event lines: checked one by one, so that damage hides only itself.
"""

from __future__ import annotations

import errno
import json
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.storage.disk.files import Disk
from aim.storage.forms import events
from aim.storage.forms.events import EventLog, WaitingLine, WaitingLines
from tests.storage.disks import NotedDisk

TEXTS = st.text(st.characters(exclude_categories=[]), max_size=12)
EVENTS = st.dictionaries(TEXTS, st.none() | st.integers() | TEXTS | st.lists(TEXTS), min_size=1, max_size=4)


def some_lines(count: int) -> list[dict[str, Any]]:
    """Return events of different lengths."""
    return [{"at": float(number), "set": ["a"], "value": "x" * number} for number in range(count)]


def encoded(events_of_file: list[dict[str, Any]]) -> bytes:
    """Return their lines."""
    return b"".join(events.encode(event) for event in events_of_file)


@given(EVENTS)
def test_a_line_gives_its_event(event: dict[str, Any]) -> None:
    """
    Any event is one line, whose CRC any tool can check, and comes back.
    """
    line = events.encode(event)

    assert 1 == line.count(b"\n")
    assert event == events.decode(line[:-1])
    assert int(line[8:16], 16) == zlib.crc32(line[17:-1])
    assert {"crc", *event} == set(json.loads(line.decode("utf-8", "surrogatepass")))


@given(st.lists(EVENTS, max_size=5), st.integers(0, 100))
def test_lines_are_taken_in_order_and_a_cut_one_is_left(written: list[dict[str, Any]], cut: int) -> None:
    """
    Whole lines are given, from any offset; a last line without its newline is left for later.
    """
    data = encoded(written) + events.encode({"last": "x" * 100})[:cut]
    lines = events.parse(data, 1000)

    assert written == lines.events
    assert [] == lines.bad_spans
    assert 1000 + len(encoded(written)) == lines.end_offset


@pytest.mark.parametrize("flip", [1, 0x20, 0xFF])
def test_any_flipped_byte_hides_one_line_only(flip: int) -> None:
    """
    For every byte of a file: after it is changed every other line is found, and the damage is named.
    """
    written = some_lines(5)
    data = encoded(written)
    for byte_offset in range(len(data)):
        damaged = bytearray(data)
        damaged[byte_offset] ^= flip
        lines = events.parse(bytes(damaged))
        left = [event for event in written if event in lines.events]
        cut_short = byte_offset == len(data) - 1  # the last newline
        assert len(written) - 1 <= len(left) == len(lines.events)
        assert lines.bad_spans or cut_short
        assert all(0 <= offset < offset + length <= len(data) for offset, length in lines.bad_spans)


def test_any_missing_newline_hides_at_most_one_line() -> None:
    """
    Where a newline is gone or another byte, the lines around it are found again by their beginning.
    """
    written = some_lines(4)
    joined = b"".join(events.encode(event)[:-1] + b"?" for event in written[:-1]) + events.encode(written[-1])
    lines = events.parse(joined)

    assert written == lines.events
    assert 3 == len(lines.bad_spans)


def test_thousands_of_lines_without_a_newline_are_found() -> None:
    """
    A file that lost all its newlines to a tool is read without end of stack.
    """
    written = some_lines(3000)
    joined = encoded(written).replace(b"\n", b" ") + b"\n"

    assert written == events.parse(joined[:-2] + b"\n").events


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"x", b'{"crc":"', b'{"crc":"00000000"', b'{"crc":"00000000"}', b'{"crc":"zzzzzzzz","at":1}',
     events.encode({"at": 1})[:-1].replace(b"1", b"2")],
)  # fmt: skip
def test_what_is_no_line_is_none(line: bytes) -> None:
    """
    A line that fails its check gives no event.
    """
    assert events.decode(line) is None


@pytest.mark.parametrize(
    "checked_text", [b",1]", b"", b",", b',"a":}', b"x", b',"a":"\xff"}', b',"a":' + b"[" * 100_000]
)
def test_a_line_that_checks_and_is_no_json_is_none(checked_text: bytes) -> None:
    """
    Even with a right CRC, what is no JSON object is no event and no error.
    """
    assert events.decode(b'{"crc":"%08x"%s' % (zlib.crc32(checked_text), checked_text)) is None


def test_appended_events_are_read_back(tmp_path: Path) -> None:
    """
    The log gives each event a later time, and what was appended is there at once.
    """
    log = EventLog(tmp_path / "w.events.jsonl")
    moments = [log.append({"set": ["a"], "value": number}) for number in range(100)]
    log.sync()
    log.touch()
    first = events.read(log.path)
    log.append({"end": {}})
    second = events.read(log.path, first.end_offset)
    log.close()
    log.close()

    assert moments == [event["at"] for event in first.events] == sorted(set(moments))
    assert [{}] == [event["end"] for event in second.events]
    assert log.path.stat().st_size == second.end_offset == log.size_bytes


def test_a_file_of_another_is_never_appended_to(tmp_path: Path) -> None:
    """
    A log is begun under a new name only.
    """
    EventLog(tmp_path / "w.events.jsonl").close()
    with pytest.raises(FileExistsError):
        EventLog(tmp_path / "w.events.jsonl")


class Flaky(Disk):
    """A disk that writes the first bytes of a line and then refuses, as often as it is told."""

    refusals = 0
    cuts = True

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        """Refuse half-way."""
        if self.refusals:
            self.refusals -= 1
            super().write_at(descriptor, data[:10], offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write_at(descriptor, data, offset)

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        """Refuse to cut as well, if told."""
        if not self.cuts:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().truncate(descriptor, size_bytes)


@pytest.mark.parametrize("cuts", [True, False])
def test_what_the_disk_refuses_is_kept_and_written_later(tmp_path: Path, cuts: bool) -> None:
    """
    A refused line raises, and is written as soon as the disk takes it, with its own time; no torn line stays.
    """
    disk = Flaky()
    disk.cuts = cuts
    log = EventLog(tmp_path / "w.events.jsonl", disk)
    log.append({"n": 0})
    disk.refusals = 4  # the last two in the first retry: all lines at once, then one by one
    for number in (1, 2):
        with pytest.raises(OSError, match="No space"):
            log.append({"n": number})
        assert [0] == [event["n"] for event in events.read(log.path).events]
    with pytest.raises(OSError, match="No space"):
        log.retry()
    log.append({"n": 3})
    log.retry()
    log.close()

    lines = events.read(log.path)
    assert 0 == lines.events[0]["n"]
    assert [0, 1, 2, 3] == [event["n"] for event in sorted(lines.events, key=lambda event: event["at"])]
    assert [] == lines.bad_spans
    assert log.path.stat().st_size == lines.end_offset


class SmallDisk(Disk):
    """A disk that takes files up to a size."""

    size_bytes_max = 1000

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        """Write what there is room for, and refuse the rest."""
        room = max(0, self.size_bytes_max - offset)
        super().write_at(descriptor, data[:room], offset)
        if len(data) > room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _names_of(path: Path) -> list[str]:
    lines = events.read(path)
    assert [] == lines.bad_spans
    assert path.stat().st_size == lines.end_offset
    return [next(key for key in event if key != "at") for event in lines.events]


def test_a_line_that_does_not_fit_holds_back_no_other(tmp_path: Path) -> None:
    """
    A param that is larger than the room on the disk waits alone; what is recorded after it is there at once.
    """
    disk = SmallDisk()
    log = EventLog(tmp_path / "w.events.jsonl", disk)
    log.append({"begin": {}})
    with pytest.raises(OSError, match="No space"):
        log.append({"set": ["big"], "value": "x" * 2000})
    log.append({"tags": {"add": ["good"]}})
    log.append({"sequence": 1})
    log.append({"end": {}})

    assert ["begin", "tags", "sequence", "end"] == _names_of(log.path)
    assert 1 == len(log.waiting)
    disk.size_bytes_max = 10_000
    log.retry()
    assert ["begin", "tags", "sequence", "end", "set"] == _names_of(log.path)
    assert 0 == len(log.waiting)


def test_many_declarations_take_one_call_of_the_disk(tmp_path: Path) -> None:
    """
    What is announced together is written at once, each line with a time of its own.
    """
    disk = NotedDisk()
    log = EventLog(tmp_path / "w.events.jsonl", disk)
    log.append({"n": 0})
    disk.calls.clear()
    log.append_all([{"sequence": number} for number in range(1, 1_001)])
    log.close()
    lines = events.read(log.path).events
    times = [line["at"] for line in lines]

    assert ["write_at"] == disk.calls
    assert [*range(1, 1_001)] == [line["sequence"] for line in lines[1:]]
    assert sorted(set(times)) == times


def test_of_many_declarations_those_are_written_for_which_there_is_room(tmp_path: Path) -> None:
    """
    If the disk takes only some of the lines, these are whole, and the others are kept for later.
    """
    disk = SmallDisk()
    log = EventLog(tmp_path / "w.events.jsonl", disk)
    log.append({"n": 0})
    with pytest.raises(OSError, match="No space"):
        log.append_all([{"sequence": number} for number in range(1, 51)])
    partly = events.read(log.path)
    disk.size_bytes_max = 100_000
    log.retry()
    log.close()
    lines = events.read(log.path)

    assert [] == partly.bad_spans
    assert 10 < len(partly.events) < 30
    assert [*range(1, 51)] == sorted(line["sequence"] for line in lines.events[1:])
    assert [] == lines.bad_spans


def test_declarations_are_the_first_to_get_room(tmp_path: Path) -> None:
    """
    Of several lines that wait the declarations of sequences are written first, and no exact point before its sequence.
    """
    disk = SmallDisk()
    log = EventLog(tmp_path / "w.events.jsonl", disk)
    log.append({"begin": {}})
    disk.size_bytes_max = log.size_bytes
    lines: list[events.Event] = [{"tags": {}}, {"point": 1}, {"sequence": 1, "name": "a rather long name"}]
    for event in lines:
        with pytest.raises(OSError, match="No space"):
            log.append(event)
    disk.size_bytes_max = 1000
    log.append({"property": {}})
    log.append({"point": 1})

    assert ["begin", "property", "sequence", "tags", "point", "point"] == _names_of(log.path)


def test_nothing_is_written_before_the_line_that_begins_a_file(tmp_path: Path) -> None:
    """
    While the begin of a writer waits for room, all other lines wait too.
    """
    disk = SmallDisk()
    disk.size_bytes_max = 50
    log = EventLog(tmp_path / "w.events.jsonl", disk)
    lines: list[events.Event] = [{"begin": {"command": "x" * 100}}, {"tags": {}}]
    for event in lines:
        with pytest.raises(OSError, match="No space"):
            log.append(event)
    assert [] == _names_of(log.path)
    disk.size_bytes_max = 1000
    log.append({"sequence": 1})

    assert ["begin", "tags", "sequence"] == _names_of(log.path)


def test_lines_that_wait_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What the disk refuses for long is kept up to a bound; then lines are lost, and counted, but for declarations.
    """
    monkeypatch.setattr(events, "WAITING_BYTES_MAX", 3000)
    disk = SmallDisk()
    log = EventLog(tmp_path / "w.events.jsonl", disk)
    log.append({"begin": {}})
    disk.size_bytes_max = log.size_bytes
    lines: list[events.Event] = [{"set": ["a"], "value": "x" * 1000}] * 4 + [{"sequence": 1}]
    for event in lines:
        with pytest.raises(OSError, match="No space"):
            log.append(event)

    assert (2, 3) == (log.waiting.lost_count, len(log.waiting))


def test_an_append_within_an_append_follows_it(tmp_path: Path) -> None:
    """
    What a signal handler appends while a line is being written comes after that line.
    """

    class Interrupted(Disk):
        log: EventLog | None = None

        def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
            super().write_at(descriptor, data, offset)
            if self.log is not None:
                log, self.log = self.log, None
                log.append({"n": "from the handler"})

    disk = Interrupted()
    log = EventLog(tmp_path / "w.events.jsonl", disk)
    disk.log = log
    log.append({"n": "first"})
    log.append({"n": "second"})
    log.close()

    assert ["first", "from the handler", "second"] == [event["n"] for event in events.read(log.path).events]


def checked(text: bytes) -> bytes:
    """Return a line of any text with its right CRC."""
    return b'%s%08x"%s\n' % (events.PREFIX, zlib.crc32(text), text)


@pytest.mark.parametrize(
    "text",
    [
        b',"a":1},{"b":2}',
        b",1]",
        b",",
        b',"a":1',
        b',"a":1}}',
        b',"a":NaN}',
        b',"a":"\xff"}',
        b',"a":' + b"[" * 100_000 + b"}",
    ],
    ids=range(8),
)
def test_a_line_that_checks_and_is_no_event_hides_only_itself(text: bytes) -> None:
    """
    Whatever stands in a line with a right CRC, the lines around it are read, and it is named with its place.
    """
    good = [{"at": 1.0, "n": number} for number in range(2)]
    first, last = map(events.encode, good)
    lines = events.parse(first + checked(text) + last)
    expected_bad = [] if text == b',"a":NaN}' else [(len(first), len(checked(text)) - 1)]

    assert expected_bad == lines.bad_spans
    assert [0, 1] == [event["n"] for event in lines.events if "n" in event]


@pytest.mark.parametrize("is_begun", [False, True])
def test_lines_wait_for_those_that_hold_them_back(is_begun: bool) -> None:
    """
    The first line of a file goes before all; after that a sequence goes before its own exact points, and no others.
    """
    waiting = WaitingLines()
    texts: list[dict[str, Any]] = [{"set": 1}, {"sequence": 1}, {"point": 1}, {"point": 2}, {"sequence": 2}]
    added = [WaitingLine(event, b"x" * 10) for event in texts]
    for line in added:
        waiting.add(line)
    order = [line.event for line in waiting.in_order(is_begun=is_begun)]
    held = [line.event for line in added if waiting.holds_back(line, is_begun=is_begun)]

    if not is_begun:
        assert (texts, texts[1:]) == (order, held)
        return
    assert [{"sequence": 1}, {"sequence": 2}, {"set": 1}, {"point": 1}, {"point": 2}] == order
    assert [{"point": 1}, {"point": 2}] == held
    waiting.declare(added[1])
    assert [False, True] == [waiting.holds_back(line, is_begun=True) for line in added[2:4]]
    waiting.forget({id(line) for line in added[:2]})
    assert (3, texts[2:]) == (len(waiting), [line.event for line in waiting.in_order(is_begun=False)])


def test_what_waits_has_a_limit_that_declarations_and_gaps_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The first line waits however long it is; a line too many is counted as lost and refused.
    """
    monkeypatch.setattr(events, "WAITING_BYTES_MAX", 30)
    waiting = WaitingLines()
    waiting.add(WaitingLine({"n": 0}, b"x" * 100))
    with pytest.raises(OSError, match="No space left"):
        waiting.add(WaitingLine({"n": 1}, b"x"))
    waiting.add(WaitingLine({"sequence": 1}, b"x" * 50))
    waiting.add(WaitingLine({"gap": {}}, b"x" * 50))
    assert (1, 3) == (waiting.lost_count, len(waiting))
    waiting.forget({id(line) for line in waiting.in_order(is_begun=False)})
    for number in range(3):
        waiting.add(WaitingLine({"n": number}, b"x" * 10))
    with pytest.raises(OSError, match="No space left"):
        waiting.add(WaitingLine({"n": 4}, b"x"))

    assert (2, 3) == (waiting.lost_count, len(waiting))
