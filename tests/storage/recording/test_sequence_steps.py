"""
The steps of one sequence being recorded: given or counted, in any order, from before and after a resume.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.core.errors import UntrackableValue
from aim.storage.forms.records import scan
from aim.storage.reading.folder_source import open_run
from aim.storage.recording.sequence_writer import EarlierWriters, SequenceWriter
from aim.storage.recording.writer import Writer
from tests.storage.writing import Picture, Tensor, tracked_points

BIG = 2**53


# steps


@pytest.mark.parametrize("value", [0.5, 1, BIG + 1, Picture(), np.array(0.5)])
@pytest.mark.parametrize(
    ("given_steps", "stored"),
    [
        ([None, None, None], [0, 1, 2]),
        ([10, 5, None], [5, 10, 11]),
        ([None, 7, None], [0, 7, 8]),
        ([-3, None], [-3, 0]),
        ([-3, -7, None, None], [-7, -3, 0, 1]),
        ([None, -1, None], [-1, 0, 1]),
        ([0, None], [0, 1]),
        ([None, None, None, 1, None], [0, 1, 2, 3]),
        ([7.0, None], [7, 8]),
        ([1.0, -1.0], [-1, 1]),
        ([True, None], [1, 2]),
        ([np.int64(4), np.array(5), np.array([6]), None], [4, 5, 6, 7]),
        ([Tensor(3), None], [3, 4]),
        ([np.float32(2)], [2]),
        ([BIG, BIG + 1, None], [BIG, BIG + 1, BIG + 2]),
        ([2**63 - 1, -(2**63), 4], [-(2**63), 4, 2**63 - 1]),
    ],
)
def test_steps_follow_the_largest_and_are_kept_in_any_order(
    writer: Writer, loss: SequenceWriter, value: object, given_steps: list[object], stored: list[int]
) -> None:
    """
    A value without a step gets the one after the largest so far; late and negative steps are kept; nothing is rounded.
    """
    for step in given_steps:
        loss.track(value, step)

    assert stored == tracked_points(writer).steps.tolist()


@pytest.mark.parametrize("value", [0.5, 1, Picture()])
def test_a_step_that_is_tracked_again_is_overwritten(writer: Writer, loss: SequenceWriter, value: object) -> None:
    """
    Of two values at one step the later counts; the next automatic step goes on from the largest.
    """
    loss.track(value, 3, 1.0)
    loss.track(value, 9)
    loss.track(value, 3, 2.0)
    loss.track(value)

    points = tracked_points(writer)
    assert [3, 9, 10] == points.steps.tolist()
    assert 2.0 == points.epochs[0]


@pytest.mark.parametrize("value", [0.5, 1, BIG + 1, Picture(), np.array(0.5)])
@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 2**100, 1e30])
def test_a_step_beyond_64_bits_overflows_and_spoils_nothing(
    writer: Writer, loss: SequenceWriter, value: object, step: object
) -> None:
    """
    A step beyond 64 bits is an OverflowError; the next automatic step is what it would have been.
    """
    loss.track(value, 4)
    with pytest.raises(OverflowError, match="64 bits"):
        loss.track(value, step)
    loss.track(value)

    assert [4, 5] == tracked_points(writer).steps.tolist()


@pytest.mark.parametrize("value", [0.5, 1, Picture()])
def test_there_is_no_step_after_the_last_one(writer: Writer, loss: SequenceWriter, value: object) -> None:
    """
    After step 2**63 - 1 a value without a step has none left; one with a step is still recorded.
    """
    loss.track(value, 2**63 - 1)
    for _ in range(2):
        with pytest.raises(OverflowError):
            loss.track(value)
    loss.track(value, 1)

    assert [1, 2**63 - 1] == tracked_points(writer).steps.tolist()


@pytest.mark.parametrize("value", [0.5, 1, Picture()])
@pytest.mark.parametrize("step", ["7", b"7", math.nan, math.inf, [7], object(), int, 1j, np.array([1, 2])])
def test_what_is_no_step_is_refused(writer: Writer, loss: SequenceWriter, value: object, step: object) -> None:
    """
    A step that is no integer and no finite float is refused, and nothing is recorded.
    """
    loss.track(value)
    with pytest.raises(UntrackableValue):
        loss.track(value, step)
    loss.track(value)

    assert [0, 1] == tracked_points(writer).steps.tolist()


@pytest.mark.parametrize("value", [0.5, 1, BIG + 1, np.array(0.5)])
def test_automatic_steps_go_on_when_a_run_is_resumed(tmp_path: Path, value: object) -> None:
    """
    The first value of a resumed run follows what was recorded before, and an earlier step is kept.
    """
    history = {("loss", "{}"): EarlierWriters(frozenset({"int", "float"}), 10)}
    writer = Writer(tmp_path, "run", read_earlier=lambda: history)
    loss = writer.sequence("loss")
    loss.track(value)
    loss.track(value, 3)
    loss.track(value)
    loss.track(value, 20)
    assert 21 == loss.next_step()
    writer.sequence("other").track(value)

    assert [3, 10, 11, 20] == tracked_points(writer).steps.tolist()
    assert [0] == tracked_points(writer, "other").steps.tolist()
    writer.close()


@pytest.mark.parametrize("value", [0.5, 1])
def test_a_step_from_a_counter_that_was_moved_counts_for_nobody(
    writer: Writer, loss: SequenceWriter, value: object
) -> None:
    """
    A thread that takes its step while another one moves the counter takes again: no step is given twice.
    """
    loss.track(value)
    steps = iter([50, 51, 52])

    class Meanwhile:
        """The counter, at whose first call another thread jumps ahead and counts on from there."""

        def __iter__(self) -> Meanwhile:
            return self

        def __next__(self) -> int:
            if loss.last < 50:
                loss.track(value, 50)
                loss.track(value)
            return next(steps)

    loss.counter = Meanwhile()
    for _ in range(3):
        loss.track(value)

    steps_found = scan(writer.files.folder, writer.id).records["step"].tolist()
    assert [0, 50, 51, 52, 53, 54] == sorted(steps_found)


def test_the_history_is_asked_for_once_and_only_when_needed(tmp_path: Path) -> None:
    """
    A resumed run reads what was recorded at its first sequence, not before, and never again.
    """
    asked: list[int] = []

    def history() -> dict[tuple[str, str], EarlierWriters]:
        asked.append(1)
        return {}

    writer = Writer(tmp_path, "run", read_earlier=history)
    writer.lines.set_param(("a",), 1)
    assert [] == asked
    writer.sequence("a").track(1)
    writer.sequence("b").track(1)

    assert [1] == asked
    writer.close()


@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from([0.5, 1, BIG + 1]),
            st.none() | st.integers(-20, 40) | st.sampled_from([2**63, "x", 1.5]),
            st.none() | st.sampled_from([1, 0.1, "x", math.inf]),
        ),
        max_size=60,
    )
)
def test_any_history_of_steps_is_that_of_the_oracle(
    tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[Any, Any, Any]]
) -> None:
    """
    After any calls, refused ones among them, the points are those of a dict that counts by the rules.
    """
    writer = Writer(tmp_path_factory.mktemp("run"), "run")
    loss = writer.sequence("loss")
    oracle: dict[int, Any] = {}
    largest = -1
    for value, step, epoch in calls:
        try:
            loss.track(value, step, epoch)
        except (UntrackableValue, OverflowError):
            if isinstance(step, (int, float)) and abs(step) < 100 and epoch == "x":
                largest = loss.next_step() - 1  # whether a refused step counts is not said
            continue
        index = largest + 1 if step is None else int(step)
        largest = max(largest, index)
        oracle[index] = value
    assert largest + 1 == loss.next_step()
    writer.close()

    points = open_run(writer.files.folder).points(("loss", "{}"))
    visible = {} if points is None else dict(zip(points.steps.tolist(), points.values.tolist(), strict=True))
    assert oracle == visible
    assert [] == scan(writer.files.folder, writer.id).damage
