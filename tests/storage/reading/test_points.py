"""
Points of a sequence as arrays: merged from what writers recorded, typed, and read when they are asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.storage.forms.history import Deletion, Rewind
from aim.storage.forms.records import IntArray
from aim.storage.forms.state import ExactPoint, SequencePart, SequenceState
from aim.storage.forms.visible import Visibility
from aim.storage.reading.points import (
    BYTES_A_POINT,
    POINTS_OVERHEAD_BYTES,
    Chunk,
    ColumnsReader,
    JournalNumbers,
    PointEnds,
    Points,
    exact_chunks,
    floats_of,
    is_increasing,
    merge,
    typed,
)

BIG = 2**53
Row = tuple[int, float, int]
"""Step, value, second of recording."""


def chunk(writer: str, *rows: Row, dtype: Any = np.float64) -> Chunk:
    """Return what a writer recorded."""
    steps, values, seconds = (list(column) for column in zip(*rows)) if rows else ([], [], [])
    epochs = np.array([step / 2 for step in steps], np.float32)
    times_us = np.array([second * 1_000_000 for second in seconds], np.int64)
    return Chunk(np.array(steps, np.int64), np.array(values, dtype), times_us, epochs, writer)


def sequence(*kinds: str) -> SequenceState:
    """Return a sequence that has points of *kinds*."""
    return SequenceState("loss", {}, "{}", [SequencePart("a", number, kind) for number, kind in enumerate(kinds, 1)])


# merging

ROWS = st.lists(st.tuples(st.integers(-2, 4), st.integers(0, 99).map(float), st.integers(1, 5)), max_size=6)


@given(st.lists(st.tuples(st.sampled_from("abc"), ROWS), max_size=4))
def test_of_each_step_the_latest_point_counts(recorded: list[tuple[str, list[Row]]]) -> None:
    """
    Within a chunk the point that was recorded last counts; of those of several chunks the latest by time, then by
    writer, then the one of the later chunk.
    """
    latest: dict[int, tuple[tuple[int, str, int], float]] = {}
    for number, (writer, rows) in enumerate(recorded):
        for step, (value, second) in {step: (value, second) for step, value, second in rows}.items():
            latest[step] = max(latest.get(step, ((-1, "", 0), 0.0)), ((second, writer, number), value))
    points = merge([chunk(writer, *rows) for writer, rows in recorded], sequence("float"), Visibility())

    assert sorted(latest) == points.steps.tolist()
    assert [latest[step][1] for step in sorted(latest)] == points.values.tolist()
    assert [float(latest[step][0][0]) for step in sorted(latest)] == points.times_s.tolist()
    assert [step / 2 for step in sorted(latest)] == points.epochs.tolist()
    assert [latest[step][0][1] for step in sorted(latest)] == [points.writer_ids[index] for index in points.writers]
    assert sorted({writer for writer, rows in recorded if rows}) == list(points.writer_ids)


@pytest.mark.parametrize(
    ("visibility", "expected"),
    [
        (Visibility(), [0, 1, 2, 3]),
        (Visibility(rewinds=(Rewind(1, 25.0),)), [0, 1, 3]),
        (Visibility(dropped_at_s=15.0), [1, 2, 3]),
        (Visibility(before_s=25.0), [0, 1]),
        (Visibility(deletions=(Deletion(30.0, frozenset({1, 2})),)), [0, 3]),
        (Visibility(dropped_at_s=99.0), []),
    ],
)
def test_what_is_hidden_is_not_merged(visibility: Visibility, expected: list[int]) -> None:
    """
    Points that a rewind, a drop, a deletion or the moment of looking hides are left out, with all that belongs to them.
    """
    chunks = [chunk("a", (0, 0.0, 10), (2, 2.0, 25)), chunk("b", (1, 1.0, 20), (3, 3.0, 30))]
    if visibility.rewinds:
        chunks[0] = chunk("a", (0, 0.0, 10), (2, 2.0, 24))
    points = merge(chunks, sequence("float"), visibility)

    assert expected == points.steps.tolist() == points.values.tolist()
    assert [step / 2 for step in expected] == points.epochs.tolist()
    assert {} == points.hidden_items


def test_deleted_objects_of_a_list_are_handed_on() -> None:
    """
    Where some objects of a step were deleted, the points say which.
    """
    visibility = Visibility(deletions=(Deletion(30.0, frozenset({1}), frozenset({0, 2})),))
    points = merge([chunk("a", (0, 0, 10), (1, 7, 20), dtype=np.int64)], sequence("list(aim.image)"), visibility)

    assert ([0, 1], {1: frozenset({0, 2})}) == (points.steps.tolist(), points.hidden_items)


@pytest.mark.parametrize(
    ("kind", "dtype"), [("float", np.float64), ("number", np.float64), ("int", np.int64), ("aim.image", np.int64)]
)
def test_a_sequence_without_a_visible_point_has_arrays_all_the_same(kind: str, dtype: Any) -> None:
    """
    Of nothing there are empty arrays in the type of the kind.
    """
    parts = ("int", "float") if kind == "number" else (kind,)
    points = merge([chunk("a")], sequence(*parts), Visibility())

    assert (0, kind, ()) == (len(points), points.kind, points.writer_ids)
    arrays = (points.steps, points.values, points.times_us)
    assert [np.dtype(each) for each in (np.int64, dtype, np.int64)] == [array.dtype for array in arrays]
    assert (0, 0, 0) == (len(points.times_s), len(points.epochs), len(points.writers))


def test_ints_and_floats_together_stay_what_they_are() -> None:
    """
    A sequence of both has Python numbers: no integer becomes a double that is another one.
    """
    points = merge(
        [chunk("a", (0, 0.5, 1)), chunk("a", (1, BIG + 1, 2), dtype=np.int64)], sequence("int", "float"), Visibility()
    )

    assert "[0.5, 9007199254740993]" == repr(points.values.tolist())
    assert ((0, 0.5), (1, BIG + 1)) == (points.first(), points.last())


# exact integers, types


def test_exact_integers_are_one_chunk_for_each_writer() -> None:
    """
    Integers beyond a double are in lines: step, value, time and epoch of each, by the writer that recorded it.
    """
    large = sequence("int")
    large.exact_points = [
        ExactPoint(3, 1.5, None, 2**60 + 1, "b"),
        ExactPoint(1, 2.0000004, 7.0, -(2**60) - 1, "a"),
        ExactPoint(4, 3.0, 0.5, 2**62, "b"),
    ]
    of_b, of_a = exact_chunks(large)

    assert ("b", [3, 4], [2**60 + 1, 2**62]) == (of_b.writer, of_b.steps.tolist(), of_b.values.tolist())
    assert ("[nan, 0.5]", [1_500_000, 3_000_000]) == (repr(of_b.epochs.tolist()), of_b.times_us.tolist())
    assert ("a", [1], [-(2**60) - 1], [2_000_000]) == (
        of_a.writer, of_a.steps.tolist(), of_a.values.tolist(), of_a.times_us.tolist(),
    )  # fmt: skip
    assert [] == exact_chunks(sequence("int"))


@pytest.mark.parametrize(
    ("kind", "expected"), [("float", [1.0, 2.5]), ("int", [1, 2]), ("aim.image", [1, 2]), ("list(aim.image)", [1, 2])]
)
def test_values_have_the_type_of_their_kind(kind: str, expected: list[float]) -> None:
    """
    Recorded doubles become integers for everything but floats.
    """
    values = typed(np.array([1.0, 2.5]), kind)

    assert repr(expected) == repr(values.tolist())


def test_a_value_that_no_integer_holds_is_no_warning() -> None:
    """
    Damage may have left NaN where an integer was.
    """
    assert 1 == len(typed(np.array([math.nan]), "int"))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [([], True), ([5], True), ([1, 2], True), ([1, 1], False), ([2, 1], False), ([1, 2, 2], False)],
)
def test_steps_increase_when_each_is_larger(steps: list[int], expected: bool) -> None:
    """
    Equal steps do not increase.
    """
    assert expected is is_increasing(np.array(steps, np.int64))


# reading when asked


class Reads:
    """The columns of a sealed sequence; it counts how often they are read."""

    def __init__(self, steps: list[int], values: npt.NDArray[Any]) -> None:
        self.count = 0
        self._columns = np.array(steps, np.int64), values

    def __call__(self) -> tuple[IntArray, npt.NDArray[Any]]:
        self.count += 1
        return self._columns


def unread(ends: PointEnds, reads: Reads, kind: str, moments: Callable[[], Any] | None = None) -> Points:
    """Return points of which only the ends are known."""
    reader = ColumnsReader(reads, lambda start, stop: None)
    return Points.unread(ends, reader, moments or (lambda: pytest.fail("nobody asked for times")), "a", kind)


def test_the_ends_cost_no_reading() -> None:
    """
    Length, first and last point are there before the columns are; afterwards they come from the columns.
    """
    reads = Reads([3, 5, 7], np.array([0.5, 0.25, 0.125]))
    points = unread(PointEnds(3, 3, 7, 0.5, 0.125), reads, "float")
    before = (len(points), points.first(), points.last(), points.first_step(), points.last_step(), points.size_bytes)
    assert (0, False) == (reads.count, points.is_read)
    assert [3, 5, 7] == points.steps.tolist()
    assert ([0.5, 0.25, 0.125], 1, True) == (points.values.tolist(), reads.count, points.is_read)

    assert (3, (3, 0.5), (7, 0.125), 3, 7, 3 * BYTES_A_POINT + POINTS_OVERHEAD_BYTES) == before
    assert before == (
        len(points), points.first(), points.last(), points.first_step(), points.last_step(), points.size_bytes,
    )  # fmt: skip


def test_columns_that_turned_out_shorter_count() -> None:
    """
    When pages were damaged, the points that could be read say what there is.
    """
    points = unread(PointEnds(3, 3, 7, 0.5, 0.125), Reads([5], np.array([0.25])), "float")
    assert [5] == points.steps.tolist()

    assert (1, (5, 0.25), (5, 0.25), 5, 5) == (
        len(points), points.first(), points.last(), points.first_step(), points.last_step(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "ends", "values", "expected", "read_count"),
    [
        ("float", (2.0, 3.0), [2.0, 3.0], "(2.0, 3.0)", 0),
        ("int", (2.0, 3.0), [2, 3], "(2, 3)", 0),
        ("int", (-(BIG - 1.0), BIG - 1.0), [-(BIG - 1), BIG - 1], f"({-(BIG - 1)}, {BIG - 1})", 0),
        ("int", (float(BIG), 3.0), [BIG + 1, 3], f"({BIG + 1}, 3)", 1),
        ("int", (2.0, -float(BIG)), [2, -BIG - 1], f"(2, {-BIG - 1})", 1),
        ("aim.image", (math.nan, math.nan), [64, 128], "(64, 128)", 1),
    ],
)
def test_an_end_that_a_double_does_not_hold_is_read(
    kind: str, ends: tuple[float, float], values: list[float], expected: str, read_count: int
) -> None:
    """
    The footer has doubles: from 2^53 on, and of objects, the column says the value.
    """
    reads = Reads([0, 1], np.array(values, np.float64 if kind == "float" else np.int64))
    points = unread(PointEnds(2, 0, 1, *ends), reads, kind)

    assert expected == repr((points.first()[1], points.last()[1]))
    assert read_count == reads.count


def test_times_and_epochs_are_read_once_when_asked() -> None:
    """
    Times are whole microseconds; an epoch is the shortest number that a float of 32 bits holds.
    """
    count = 0

    def moments() -> tuple[IntArray, npt.NDArray[np.float32]]:
        nonlocal count
        count += 1
        return np.array([1_500_001]), np.array([0.1], np.float32)

    points = unread(PointEnds(1, 0, 0, 0.5, 0.5), Reads([0], np.array([0.5])), "float", moments)
    assert 0 == count

    assert ([1_500_001], [1.500001], [0.1]) == (
        points.times_us.tolist(), points.times_s.tolist(), points.epochs.tolist(),
    )  # fmt: skip
    assert 1 == count


@pytest.mark.parametrize(
    ("kind", "is_numeric"),
    [("float", True), ("int", True), ("number", True), ("aim.image", False), ("list(int)", False)],
)
def test_points_of_one_writer_are_all_its(kind: str, is_numeric: bool) -> None:
    """
    Without writers for each point all are of the first one; the kind says whether values are numbers.
    """
    points = Points(
        np.arange(3), np.zeros(3), lambda: (np.zeros(3, np.int64), np.zeros(3, np.float32)), ("a",), kind=kind
    )

    assert ([0, 0, 0], is_numeric, True) == (points.writers.tolist(), points.is_numeric, points.is_read)
    assert np.int32 == points.writers.dtype


@pytest.mark.parametrize("ask", [Points.first, Points.last, Points.first_step, Points.last_step])
def test_nothing_has_no_ends(ask: Callable[[Points], object]) -> None:
    """
    Of no points there is no first and no last one.
    """
    with pytest.raises(IndexError):
        ask(merge([], sequence("float"), Visibility()))


def test_the_values_of_a_metric_are_there_as_doubles() -> None:
    """
    Integers and mixed numbers become doubles; doubles stay the same array, as do those that a journal has of integers.
    """
    doubles, steps = np.array([0.5, 1.5]), np.array([0, 1])

    def read_moments() -> Any:
        return steps, doubles.astype(np.float32)

    def points(values: Any) -> Points:
        return Points(steps, values, read_moments, (), kind="number")

    assert [1.0, 2.5] == floats_of(points(np.array([1, 2.5], object))).tolist()
    assert np.float64 == floats_of(points(np.array([1, 2]))).dtype
    assert doubles is floats_of(points(doubles))
    assert doubles is floats_of(JournalNumbers(steps, np.array([0, 1]), doubles, read_moments, "w", "int"))
