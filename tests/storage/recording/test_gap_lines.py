"""
When a writer says what it has lost, and what it says.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from aim.storage.recording import gap_lines
from aim.storage.recording.gap_lines import GapLines
from tests.storage.disks import NotedDisk
from tests.storage.recording.parts import Parts, Reading


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def read(self) -> float:
        """Return the moment."""
        return self.now_s


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch, parts: Parts) -> Clock:
    """
    The clock of the gap lines alone.
    """
    clock = Clock()
    monkeypatch.setattr(gap_lines, "time", SimpleNamespace(monotonic=clock.read, time=lambda: 5.0))
    parts.refusals.reason = "full"
    return clock


def gaps(parts: Parts, reading: Reading) -> list[dict[str, Any]]:
    """Return what the gap lines on the disk say."""
    return [line["gap"] for line in reading.lines(parts.files.id)]


def written_at(parts: Parts, reading: Reading, clock: Clock, seconds: range) -> list[int]:
    """Return the seconds after the start at which a gap line appears, while a point is lost at each of *seconds*."""
    start_s, moments = clock.now_s, []
    count = len(gaps(parts, reading))
    for second in seconds:
        clock.now_s = start_s + second
        parts.refusals.count_lost()
        parts.files.gaps.write()
        if len(gaps(parts, reading)) > count:
            count += 1
            moments.append(second)
    return moments


def test_the_lines_become_rarer_while_points_are_lost(parts: Parts, reading: Reading, clock: Clock) -> None:
    """
    The first line comes at once, the next ones after 2, 4, 8 ... seconds, and together they count each loss once.
    """
    assert [0, 2, 6, 14, 30, 62] == written_at(parts, reading, clock, range(64))
    assert [1, 2, 4, 8, 16, 32] == [gap["points"] for gap in gaps(parts, reading)]


def test_the_longest_pause_is_an_hour(parts: Parts, reading: Reading, clock: Clock) -> None:
    """
    However long the disk refuses, there is a line for each hour.
    """
    moments = written_at(parts, reading, clock, range(0, 40_000, 10))

    assert [3600, 3600, 3600] == [later - earlier for earlier, later in zip(moments[-4:], moments[-3:])]


def test_after_recording_went_on_the_next_loss_is_said_at_once(parts: Parts, reading: Reading, clock: Clock) -> None:
    """
    `resume` says what was lost until then, however early, and the pauses begin anew.
    """
    written_at(parts, reading, clock, range(20))
    parts.files.gaps.resume()

    assert 20 == sum(gap["points"] for gap in gaps(parts, reading))
    assert [0, 2, 6] == written_at(parts, reading, clock, range(8))


def test_without_a_loss_there_is_no_line(parts: Parts, reading: Reading, clock: Clock) -> None:
    """
    Nothing is said where nothing was lost, and a silent second does not make the next line later.
    """
    for _ in range(3):
        parts.files.gaps.write()
    parts.files.gaps.resume()
    parts.files.gaps.end()

    assert [] == gaps(parts, reading)
    assert [0, 2] == written_at(parts, reading, clock, range(4))


def test_a_line_says_what_and_when_and_why(parts: Parts, reading: Reading, clock: Clock) -> None:
    """
    A gap has counts, the first and the last moment, and the words of the disk; lost event lines are counted once.
    """
    parts.files.lines.log.waiting.lost_count = 2
    parts.files.gaps.write()
    clock.now_s += 100
    parts.files.gaps.write()
    parts.files.lines.log.waiting.lost_count = 5
    parts.refusals.count_lost()
    parts.files.gaps.write()
    first, second = gaps(parts, reading)

    assert {"points": 0, "lines": 2, "from": 5.0, "until": 5.0, "why": "full"} == first
    assert (1, 3, "full") == (second["points"], second["lines"], second["why"])
    assert 1e9 < second["from"] == second["until"]


def test_at_the_end_the_lines_that_wait_are_lost(parts: Parts, reading: Reading, clock: Clock, disk: NotedDisk) -> None:
    """
    The gap before the end counts the lines that no retry could write; it waits with them where it is refused too.
    """
    disk.refused.add("write_at")
    for number in range(3):
        parts.files.lines.set_param(("a",), number)
    parts.files.gaps.end()
    assert [] == reading.lines(parts.files.id)
    disk.refused.clear()
    parts.files.lines.log.retry()

    (gap,) = (line["gap"] for line in reading.lines(parts.files.id) if "gap" in line)
    assert (0, 3, "No space left on device") == (gap["points"], gap["lines"], gap["why"])


def test_a_new_event_file_has_lost_nothing_yet(parts: Parts, reading: Reading, clock: Clock) -> None:
    """
    Lines that the former event file lost are not counted in the new one, and the first gap comes at once.
    """
    lines = GapLines(parts.refusals, parts.files.lines)
    parts.files.lines.log.waiting.lost_count = 2
    lines.write()
    parts.files.lines.log.waiting.lost_count = 1
    lines.begin()
    lines.write()

    assert [2, 1] == [gap["lines"] for gap in gaps(parts, reading)]
