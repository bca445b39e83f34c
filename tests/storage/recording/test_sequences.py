"""
The sequences of a writer: numbers, next steps, and what a rewind does to all of them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from aim.core.errors import RunClosed, UntrackableValue
from aim.core.values import Stored
from aim.storage.recording import background
from aim.storage.recording.lifecycle import WriterState
from aim.storage.recording.sequence_writer import EarlierWriters
from aim.storage.recording.writer import Writer
from tests.storage.writing import Picture, lines, segment_of, tracked_points, tracked_values

FUTURE_S = 4e9
EARLIER = {
    ("loss", "{}"): EarlierWriters(frozenset({"float"}), 100),
    ("short", "{}"): EarlierWriters(frozenset({"float"}), 3),
    ("logs", "{}"): EarlierWriters(frozenset({"aim.log_line"}), 100),
    ("__system__cpu", "{}"): EarlierWriters(frozenset({"float"}), 100),
}


class Asked:
    """What earlier writers recorded; it counts how often it is asked."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Mapping[tuple[str, str], EarlierWriters]:
        self.count += 1
        return EARLIER


@pytest.fixture(name="earlier")
def _earlier() -> Asked:
    return Asked()


@pytest.fixture(name="resumed")
def _resumed(folder: Path, earlier: Asked) -> Iterator[Writer]:
    """
    A writer of a run that has points already.
    """
    writer = Writer(folder, "run", read_earlier=earlier)
    background.unregister(writer)
    yield writer
    writer.close()


# handles


def test_earlier_writers_are_read_once_and_when_needed(resumed: Writer, earlier: Asked) -> None:
    """
    What a run has is read for the first sequence; its next step goes on after that, and its kinds hold.
    """
    assert 0 == earlier.count
    steps = [resumed.sequence(name).next_step() for name in ("loss", "short", "new")]

    assert ([100, 3, 0], 1) == (steps, earlier.count)
    with pytest.raises(UntrackableValue, match="It holds float"):
        resumed.sequence("loss").track(Picture())


def test_a_handle_after_the_close_is_an_error_until_the_process_ends(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A new handle of a closed run is refused; while the process ends it takes values and records nothing.
    """
    writer.close()
    with pytest.raises(RunClosed):
        writer.sequence("loss")
    monkeypatch.setattr(background, "is_ending", lambda: True)
    handle = writer.sequence("loss", {"a": 1})
    handle.track(0.5)

    assert ("loss", {"a": 1}) == (handle.name, handle.context)
    assert handle is not writer.sequence("loss", {"a": 1})


# numbers


def test_numbers_count_from_one_in_the_order_of_the_first_values(writer: Writer) -> None:
    """
    A sequence has a number for each kind it records, announced before the first point.
    """
    for name, value in (("a", 0.5), ("b", 1), ("a", 1), ("a", 0.25), ("c", Picture())):
        writer.sequence(name).track(value)
    declared = [line for line in lines(writer) if "sequence" in line]

    assert [(1, "a", "float"), (2, "b", "int"), (3, "a", "int"), (4, "c", "test.picture")] == [
        (line["sequence"], line["name"], line["kind"]) for line in declared
    ]


@pytest.mark.parametrize(("number", "expected"), [(-1, None), (0, None), (1, "a"), (2, "b"), (3, None)])
def test_a_number_belongs_to_one_sequence(writer: Writer, number: int, expected: str | None) -> None:
    """
    Numbers that were not given belong to no sequence.
    """
    for name in "ab":
        writer.sequence(name).track(0.5)
    declared = writer.sequences.declared(number)

    assert expected == (declared and declared[0].name)
    assert declared is None or "float" == declared[1]


def test_all_sequences_are_announced_again_under_their_numbers(writer: Writer) -> None:
    """
    In a new event file the declarations are the same, in the same order.
    """
    for name in "ab":
        writer.sequence(name, {"of": name}).track(1)
    before = [{**line, "at": 0} for line in lines(writer) if "sequence" in line]
    former = writer.files.begin_again()
    writer.sequences.declare_again()
    former.log.close()
    for segment in former.segments:
        segment.close()

    assert before == [{**line, "at": 0} for line in lines(writer) if "sequence" in line]


def test_a_sequence_that_is_announced_after_the_end_has_no_number(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    While the process ends, a declaration of a closed run is left out: its number is 0, and the file stays as it is.
    """
    handle = writer.sequence("loss")
    writer.close()
    before = lines(writer)
    with pytest.raises(RunClosed):
        writer.sequences.declare([(handle, "float")])
    monkeypatch.setattr(background, "is_ending", lambda: True)

    assert ([0], before) == (writer.sequences.declare([(handle, "float")]), lines(writer))


def test_next_steps_stand_in_the_order_of_the_numbers(writer: Writer) -> None:
    """
    Each number has the next step of its sequence; one without a number has none.
    """
    writer.sequence("a").track(0.5, 7)
    writer.sequence("b").track(1)
    writer.sequence("a").track(1)
    writer.sequence("never")

    assert [9, 1, 9] == writer.sequences.next_steps()


def test_a_child_of_a_fork_gives_numbers_anew(writer: Writer) -> None:
    """
    The numbers are the parent's: the child's begin at 1, and each sequence is announced again when it is tracked.
    """
    writer.sequence("a").track(0.5)
    writer.sequences.forked()

    assert [] == writer.sequences.next_steps()
    writer.sequence("a").track(0.5)
    assert ([2], 1) == (writer.sequences.next_steps(), lines(writer)[-1]["sequence"])


def test_a_stop_sends_each_sequence_to_the_slow_path(writer: Writer) -> None:
    """
    After the end no handle stores a float by itself: it asks whether the run admits it.
    """
    handles = [writer.sequence(name) for name in "ab"]
    for handle in handles:
        handle.track(0.5)
    writer.lifecycle.state = WriterState.CLOSING
    writer.sequences.stop()

    for handle in handles:
        with pytest.raises(RunClosed):
            handle.track(0.5)
    writer.lifecycle.state = WriterState.OPEN


# rewinds


@pytest.mark.parametrize(
    ("step", "expected"),
    [(5, [6, 3, 10, 10]), (9, [10, 3, 10, 10]), (50, [10, 3, 10, 10]), (-1, [0, 0, 10, 10]), (-9, [0, 0, 10, 10])],
)
def test_steps_go_on_after_the_rewind(writer: Writer, step: int, expected: list[int]) -> None:
    """
    A sequence that got further goes on after the step of the rewind, at 0 at the earliest; what got less far goes on
    where it was. System metrics and log records are not taken back.
    """
    for count, name in ((10, "loss"), (3, "short"), (10, "__system__cpu")):
        for _ in range(count):
            writer.sequence(name).track(0.5)
    for _ in range(10):
        writer.sequence("logs").track(_LogLine())
    writer.sequences.rewind(step)

    assert expected == [writer.sequence(name).next_step() for name in ("loss", "short", "__system__cpu", "logs")]


class _LogLine:
    def stored(self) -> Stored:
        return Stored("aim.log_line", {"text": "?"}, None, "")


@pytest.mark.parametrize(
    ("step", "expected"), [(50, [51, 3, 100, 100]), (1, [2, 2, 100, 100]), (200, [100, 3, 100, 100])]
)
def test_earlier_points_are_rewound_too(resumed: Writer, step: int, expected: list[int]) -> None:
    """
    A sequence that only earlier writers recorded goes on after the step of the rewind when it is tracked at last.
    """
    resumed.sequence("another")
    resumed.sequences.rewind(step)

    assert expected == [resumed.sequence(name).next_step() for name in ("loss", "short", "logs", "__system__cpu")]


def test_what_is_tracked_after_a_rewind_is_later_than_it(writer: Writer) -> None:
    """
    Also where the clock is behind the newest time of the run, the points after a rewind are not hidden by it.
    """
    loss = writer.sequence("loss")
    for value in (0.5, 0.25):
        loss.track(value)
    rewind = writer.sequences.rewind(0, seen_at_s=FUTURE_S)
    loss.track(0.125)

    assert rewind.time_s > FUTURE_S
    assert rewind.time_s == tracked_points(writer).times_s[-1]
    assert [0.5, 0.125] == tracked_values(writer)


def test_a_rewind_is_later_than_the_points_of_this_process(writer: Writer) -> None:
    """
    The newest point counts, whatever time it has.
    """
    writer.sequence("loss").track(0.5)
    writer.files.segments.put(1, 0.25, 1, None, FUTURE_S)

    assert writer.sequences.rewind(0).time_s > FUTURE_S


def test_a_rewind_of_a_closed_run_is_refused(writer: Writer) -> None:
    """
    After the end nothing can be taken back.
    """
    writer.close()
    with pytest.raises(RunClosed):
        writer.sequences.rewind(0)


def test_a_clock_that_is_behind_is_advanced(writer: Writer) -> None:
    """
    What is recorded after `advance_clock` is not before the newest time of the run; an earlier time changes nothing.
    """
    loss = writer.sequence("loss")
    loss.track(0.5)
    writer.sequences.advance_clock(1.0)
    assert 0.0 == writer.files.segments.earliest_at_s
    writer.sequences.advance_clock(FUTURE_S)
    writer.sequences.advance_clock(time.time())
    loss.track(0.25)

    assert FUTURE_S == tracked_points(writer).times_s[-1]
    assert FUTURE_S == writer.files.segments.earliest_at_s


def test_the_fast_path_comes_back_when_the_clock_has_caught_up(writer: Writer) -> None:
    """
    A time that has passed sends each sequence to the slow path once.
    """
    loss = writer.sequence("loss")
    loss.track(0.5)
    writer.sequences.set_earliest_time(time.time())
    assert not loss.floats
    loss.track(0.5)

    assert float in loss.floats
    assert 2 == segment_of(writer).taken()
