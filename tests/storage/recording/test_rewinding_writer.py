"""
A writer that takes its run back: what it hides, and that nothing that comes after is hidden, whatever the clock does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aim.core.errors import RunClosed
from aim.core.values import INT_MAX, Stored
from aim.storage.forms.journal import FREE_THREADED, PAGE_BYTES, RECORD_BYTES
from aim.storage.reading.folder_source import open_run
from aim.storage.recording import segment_chain, sequence_writer
from aim.storage.recording.writer import Writer
from tests.storage.writing import segment_of


def curve(folder: Path, name: str = "loss") -> dict[int, float]:
    """Return the values by step that a fresh reader sees."""
    points = open_run(folder).points((name, "{}"))
    return {} if points is None else dict(zip(points.steps.tolist(), points.values.tolist(), strict=True))


@pytest.fixture(name="writer")
def _writer(tmp_path: Path) -> Writer:
    """
    A writer of a run.
    """
    return Writer(tmp_path, "mine")


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(name="set_clock")
def _set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Clock]:
    """
    Puts one clock in the place of all that recording asks.
    """

    def put(now_s: float) -> Clock:
        stopped = Clock(now_s)
        monkeypatch.setattr(sequence_writer, "now", stopped)
        monkeypatch.setattr(segment_chain, "now", stopped)
        monkeypatch.setattr(time, "time", stopped)
        return stopped

    return put


def test_later_steps_are_hidden_and_steps_go_on(writer: Writer, tmp_path: Path) -> None:
    """
    After a rewind the points at later steps are gone, and the next one without a step follows.
    """
    loss = writer.sequence("loss")
    for value in range(10):
        loss.track(value / 2)
    writer.sequences.rewind(5)
    loss.track(7.5)

    assert [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 7.5] == list(curve(tmp_path).values())
    assert 7 == loss.next_step()


def test_steps_are_never_set_forward(writer: Writer) -> None:
    """
    A rewind beyond a sequence's last step leaves its steps; one below all steps begins at 0.
    """
    short, long = writer.sequence("short"), writer.sequence("long")
    short.track(1.0)
    long.track(1.0, step=100)
    writer.sequences.rewind(50)
    steps = [short.next_step(), long.next_step()]
    writer.sequences.rewind(-10)
    steps += [short.next_step(), long.next_step()]
    writer.sequences.rewind(INT_MAX)
    long.track(1.0)

    assert [1, 51, 0, 0, 1] == [*steps, long.next_step()]


def test_a_clock_that_stands_still_hides_nothing_new(
    writer: Writer, tmp_path: Path, set_clock: Callable[[float], Clock]
) -> None:
    """
    All in one tick of the clock: what came before the rewind is hidden, and what comes after it is not.
    """
    set_clock(2e9)
    loss, count = writer.sequence("loss"), writer.sequence("count")
    for _ in range(3):
        for value in range(10):
            loss.track(float(value))
            count.track(value)
            count.track(2**60 + value, step=value + 100)
        writer.sequences.rewind(4)
    loss.track(-5.0)
    count.track(-5)
    count.track(2**60)

    assert [0.0, 1.0, 2.0, 3.0, 4.0, -5.0] == [value for step, value in curve(tmp_path).items() if step < 6]
    assert {5: -5, 6: 2**60} == {step: value for step, value in curve(tmp_path, "count").items() if step > 4}


def test_a_clock_that_is_set_back_hides_nothing_new(
    writer: Writer, tmp_path: Path, set_clock: Callable[[float], Clock]
) -> None:
    """
    The clock goes back an hour before the rewind: the points before it are hidden all the same, those after it are
    shown, and once the clock has caught up values take the fast path again.
    """
    moving = set_clock(2e9)
    loss = writer.sequence("loss")
    for value in range(10):
        loss.track(float(value))
    moving.now_s -= 3600.0
    writer.sequences.rewind(4)
    loss.track(50.0)
    loss.track(60.0)
    during = loss.floats
    moving.now_s += 3601.0
    loss.track(70.0)
    loss.track(80.0)

    assert [0.0, 1.0, 2.0, 3.0, 4.0, 50.0, 60.0, 70.0, 80.0] == list(curve(tmp_path).values())
    assert (0, True) == (len(during), float in loss.floats or FREE_THREADED)


def test_a_clock_that_was_set_back_long_ago_hides_nothing_new(
    writer: Writer, tmp_path: Path, set_clock: Callable[[float], Clock]
) -> None:
    """
    The clock goes back between two segments, and the first one is done with: its points are hidden all the same.
    """
    moving = set_clock(2e9)
    loss = writer.sequence("loss")
    loss.track(0.0)
    moving.now_s += 1.0  # after the last event line
    first = segment_of(writer)
    while first.taken() < (first.size_bytes - PAGE_BYTES) // RECORD_BYTES:
        loss.track(1.0)
    moving.now_s -= 3600.0
    loss.track(2.0)
    for _ in range(2):  # what is on the disk and checked is closed
        writer.tick()
    writer.sequences.rewind(0)
    loss.track(3.0)

    assert {0: 0.0, 1: 3.0} == curve(tmp_path)


def test_other_writers_are_rewound_too_and_go_on(writer: Writer, tmp_path: Path) -> None:
    """
    What another process recorded before is hidden as well; what it records later is shown.
    """
    other = Writer(tmp_path, "mine")
    for value in range(10):
        other.sequence("loss").track(float(value), step=value)
    writer.sequences.rewind(4, other.lines.log.at_s)
    other.sequence("loss").track(99.0, step=9)

    assert {0: 0.0, 1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0, 9: 99.0} == curve(tmp_path)


def test_logs_and_system_metrics_are_not_rewound(writer: Writer, tmp_path: Path) -> None:
    """
    Terminal lines, log records and system metrics stay, and their steps go on.
    """
    kinds = {"logs": "aim.log_line", "__log_records": "aim.log_record"}
    for name, kind in kinds.items():
        writer.sequence(name).track_shared([Stored(kind, {"text": "a"})] * 2, [0, 1])
    cpu = writer.sequence("__system__cpu")
    cpu.track(1.0)
    cpu.track(2.0)
    writer.sequences.rewind(-1)
    cpu.track(3.0)

    assert [0, 1, 2] == list(curve(tmp_path, "__system__cpu"))
    assert [[0, 1], [0, 1]] == [list(curve(tmp_path, name)) for name in kinds]


def test_a_closed_run_is_not_rewound(writer: Writer) -> None:
    """
    After the end a rewind is an error.
    """
    writer.close()
    with pytest.raises(RunClosed):
        writer.sequences.rewind(3)


def test_threads_that_track_meanwhile_lose_nothing_later(writer: Writer, tmp_path: Path) -> None:
    """
    While threads track, rewinds come; what each thread tracked after the last of them is there.
    """
    stop = threading.Event()

    def record(name: str) -> None:
        while not stop.is_set():
            writer.sequence(name).track(1.0)

    threads = [threading.Thread(target=record, args=(f"m{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        writer.sequences.rewind(10)
    stop.set()
    for thread in threads:
        thread.join()
    for number in range(3):
        for _ in range(30):
            writer.sequence(f"m{number}").track(2.0)

    for number in range(3):
        values = list(curve(tmp_path, f"m{number}").values())
        assert [2.0] * 30 == values[-30:]
    writer.close()
