"""
Values, steps, epochs and types of one sequence being recorded (the rules of Aim 3, with exact integers).
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from aim.core.errors import RunClosed, UntrackableValue
from aim.core.values import Stored
from aim.storage.forms.records import scan
from aim.storage.reading.folder_source import open_run
from aim.storage.recording.sequence_writer import EarlierWriters, SequenceWriter
from aim.storage.recording.writer import Writer
from tests.storage.writing import Picture, Tensor, tracked_kind, tracked_points, tracked_values

BIG = 2**53


@dataclass
class Sound:
    """An object of another type."""

    def stored(self) -> Stored:
        """Return the object's stored form."""
        return Stored("test.sound", {"rate": 8000})


class EagerTensor:
    """What TensorFlow's tensor looks like: it has no `item()`."""

    def numpy(self) -> np.float32:
        """Return the tensor as numpy's."""
        return np.float32(0.5)


class Level(enum.IntEnum):
    """Integers with names."""

    HIGH = 3


# values


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (0.1, 0.1),
        (-0.0, -0.0),
        (math.inf, math.inf),
        (-math.inf, -math.inf),
        (5e-324, 5e-324),
        (1.7976931348623157e308, 1.7976931348623157e308),
        (np.float64(0.1), 0.1),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.float16(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.array(0.5), 0.5),
        (np.array([[0.5]], np.float32), 0.5),
        (Tensor(0.5), 0.5),
        (EagerTensor(), 0.5),
    ],
)
def test_a_float_of_any_library_is_kept_to_the_last_bit(
    writer: Writer, loss: SequenceWriter, value: object, stored: float
) -> None:
    """
    Whatever is one float is stored as that double, at the first call and at later ones.
    """
    loss.track(value)
    loss.track(value)
    loss.track(1.5)
    loss.track(value)

    assert [stored, stored, 1.5, stored] == tracked_values(writer)
    assert "float" == tracked_kind(writer)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (0, 0),
        (True, 1),
        (False, 0),
        (-7, -7),
        (BIG, BIG),
        (-BIG, -BIG),
        (BIG + 1, BIG + 1),
        (-BIG - 1, -BIG - 1),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (np.int64(2**62 + 1), 2**62 + 1),
        (np.int8(-3), -3),
        (np.uint64(7), 7),
        (np.bool_(True), 1),
        (np.array([[4]]), 4),
        (np.array(True), 1),
        (Level.HIGH, 3),
        (Tensor(4), 4),
        (Tensor(True), 1),
    ],
)
def test_an_integer_of_any_library_stays_that_integer(
    writer: Writer, loss: SequenceWriter, value: object, stored: int
) -> None:
    """
    Integers stay exact over all 64 bits, also between small ones, and the sequence is one of integers.
    """
    loss.track(value)
    loss.track(1)
    loss.track(value)

    assert [stored, 1, stored] == tracked_values(writer)
    assert all(type(value) is int for value in tracked_values(writer))
    assert "int" == tracked_kind(writer)


def test_nan_is_a_value(writer: Writer, loss: SequenceWriter) -> None:
    """
    NaN is recorded like any float, first or later.
    """
    for value in (math.nan, 0.5, np.float32("nan")):
        loss.track(value)

    assert [True, False, True] == [math.isnan(value) for value in tracked_points(writer).values]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "NoneType is neither a number nor an Aim object"),
        ("0.5", "Track float\\(value\\) or wrap it, as in Text\\(value\\)"),
        (b"0.5", "bytes is neither"),
        (1j, "complex is neither"),
        (np.complex64(1), "complex64 is neither"),
        (Decimal("0.5"), "Decimal is neither"),
        (Fraction(1, 2), "Fraction is neither"),
        (np.str_("a"), "str_ is neither"),
        (np.datetime64("2020-01-01", "ns"), "datetime64 is neither"),
        (np.timedelta64(5, "ns"), "timedelta64 is neither"),
        (np.array([1.0, 2.0]), "ndarray of shape \\(2,\\): it is not one number"),
        (np.array([]), "ndarray of shape \\(0,\\)"),
        (Tensor([1, 2]), "Can't track a Tensor"),
        ({"a": 1}, "dict is neither"),
        (object, "type is neither"),
    ],
)
def test_what_is_not_one_number_is_refused(writer: Writer, loss: SequenceWriter, value: object, message: str) -> None:
    """
    The message says what came and what to do; nothing is recorded, no step is used up.
    """
    with pytest.raises(UntrackableValue, match=message):
        loss.track(value)
    loss.track(0.5)
    with pytest.raises(ValueError, match=message):
        loss.track(value)
    loss.track(0.25)

    assert [0, 1] == tracked_points(writer).steps.tolist()


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, np.uint64(2**64 - 1)])
def test_an_integer_beyond_64_bits_overflows(writer: Writer, loss: SequenceWriter, value: object) -> None:
    """
    An integer beyond 64 bits is an OverflowError, as in Aim 3; the sequence is otherwise intact.
    """
    loss.track(1)
    with pytest.raises(OverflowError, match="does not fit 64 bits"):
        loss.track(value)
    loss.track(2)

    assert [(0, 1), (1, 2)] == list(zip(tracked_points(writer).steps.tolist(), tracked_values(writer), strict=True))


# types


def test_ints_and_floats_may_mix(writer: Writer, loss: SequenceWriter, caplog: pytest.LogCaptureFixture) -> None:
    """
    A sequence of ints and floats is of kind `number`, each value keeps its type, and nothing is logged about it.
    """
    for value in (1, 0.5, 2, BIG + 1, 1.0):
        loss.track(value)

    assert [1, 0.5, 2, BIG + 1, 1.0] == tracked_values(writer)
    assert [int, float, int, int, float] == [type(value) for value in tracked_values(writer)]
    assert "number" == tracked_kind(writer)
    assert [] == caplog.records


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (0.5, Picture()),
        (1, [Picture()]),
        (Picture(), 0.5),
        (Picture(), 1),
        (Picture(), BIG + 1),
        (Picture(), np.float32(1)),
        (Picture(), Sound()),
        (Picture(), [Picture()]),
        ([Picture()], Picture()),
        ([Picture()], [Sound()]),
        (0.5, []),
        ([], 0.5),
    ],
)
def test_incompatible_types_are_refused(writer: Writer, loss: SequenceWriter, first: object, second: object) -> None:
    """
    Numbers and objects, single objects and lists do not mix, and the message says what the sequence holds.
    """
    loss.track(first)
    with pytest.raises(ValueError, match="Cannot log value '.*' on sequence 'loss'. Incompatible data types. It"):
        loss.track(second)
    loss.track(first)

    assert [0, 1] == tracked_points(writer).steps.tolist()


@pytest.mark.parametrize("order", [[[], [Picture()]], [[Picture()], []], [[], [], [Picture(), Picture()]]])
def test_an_empty_list_goes_with_any_list(writer: Writer, loss: SequenceWriter, order: list[object]) -> None:
    """
    An empty list is compatible with lists of objects, before and after them.
    """
    for value in order:
        loss.track(value)

    assert "list(test.picture)" == tracked_kind(writer)
    assert len(order) == len(tracked_points(writer))


def test_the_first_item_names_the_type_of_a_list(writer: Writer, loss: SequenceWriter) -> None:
    """
    A list of numbers or strings, or of several types of objects, is of the type of its first item.
    """
    loss.track([Picture(), Sound()])
    writer.sequence("numbers").track([1.5, 2])
    writer.sequence("texts").track(("a", "b"))

    assert "list(test.picture)" == tracked_kind(writer)
    assert "list(float)" == tracked_kind(writer, "numbers")
    assert "list(str)" == tracked_kind(writer, "texts")


def test_the_same_name_may_have_other_types_in_other_contexts(writer: Writer) -> None:
    """
    Types are checked within one name and context.
    """
    writer.sequence("x", {"a": 1}).track(0.5)
    writer.sequence("x", {"a": 2}).track(Picture())

    kinds = {sequence.kind for sequence in open_run(writer.files.folder).state().sequences.values()}
    assert {"float", "test.picture"} == kinds


def test_the_types_of_a_resumed_run_count(tmp_path: Path) -> None:
    """
    What other writers recorded decides what a sequence accepts.
    """
    history = {("loss", "{}"): EarlierWriters(frozenset({"test.picture"}), 3)}
    writer = Writer(tmp_path, "run", read_earlier=lambda: history)
    with pytest.raises(UntrackableValue, match="It holds test.picture"):
        writer.sequence("loss").track(0.5)
    writer.sequence("loss").track(Picture())

    assert [3] == tracked_points(writer).steps.tolist()
    writer.close()


# epochs


@pytest.mark.parametrize("value", [0.5, 1, BIG + 1, Picture()])
@pytest.mark.parametrize(
    ("epoch", "stored"),
    [(3, 3.0), (0.1, 0.1), (np.float32(0.1), 0.1), (np.int64(4), 4.0), (True, 1.0), (Tensor(2), 2.0), (-1, -1.0),
     (np.array([5]), 5.0), (1e38, 1e38), (2**24 + 2, 16777218.0)],
)  # fmt: skip
def test_an_epoch_is_any_number(
    writer: Writer, loss: SequenceWriter, value: object, epoch: object, stored: float
) -> None:
    """
    An epoch is kept to 7 digits and read back as the shortest decimal, so 0.1 stays 0.1.
    """
    for _ in range(2):
        loss.track(value, epoch=epoch)

    assert [stored, stored] == tracked_points(writer).epochs.tolist()


@pytest.mark.parametrize("value", [0.5, 1, BIG + 1, Picture(), np.array(0.5)])
@pytest.mark.parametrize("epoch", ["1", b"1", 10**400, [1], object(), 1j, np.array([1, 2])])
def test_what_is_no_epoch_is_refused_and_uses_up_no_step(
    writer: Writer, loss: SequenceWriter, value: object, epoch: object
) -> None:
    """
    An epoch that is no number is refused; the next value gets the step.
    """
    loss.track(value)
    with pytest.raises((UntrackableValue, OverflowError)):
        loss.track(value, epoch=epoch)
    loss.track(value)

    assert [0, 1] == tracked_points(writer).steps.tolist()


def test_an_epoch_beyond_32_bits_is_infinite(writer: Writer, loss: SequenceWriter) -> None:
    """
    An epoch too large for a 32-bit float is recorded as infinite, and no point is lost for it.
    """
    for value in (0.5, 0.5, 1, 1):
        loss.track(value, epoch=1e39)
    loss.track(BIG + 1, epoch=math.inf)

    assert [math.inf] * 4 == tracked_points(writer).epochs[:4].tolist()
    assert math.isnan(tracked_points(writer).epochs[4])


def test_no_epoch_reads_as_nan(writer: Writer, loss: SequenceWriter) -> None:
    """
    Without an epoch there is none, for floats, ints and exact ints; NaN says the same.
    """
    for value in (0.5, 1, BIG + 1):
        loss.track(value)
        loss.track(value, epoch=math.nan)

    assert np.all(np.isnan(tracked_points(writer).epochs))


# slots and ends


def test_a_refused_value_leaves_no_hole(writer: Writer, loss: SequenceWriter) -> None:
    """
    The slot of a refused value is void, not empty: its page still gets a CRC.
    """
    for step in range(200):
        loss.track(0.5, step)
        with pytest.raises(UntrackableValue):
            loss.track(0.5, epoch="x")
    writer.close()

    content = next(writer.files.folder.glob("*.points-0000")).read_bytes()
    table = np.frombuffer(content, "<u4", 3, 64)
    assert 200 == len(tracked_points(writer))
    assert np.all(table != 0)
    assert [] == scan(writer.files.folder, writer.id).damage


@pytest.mark.parametrize("value", [0.5, 1, BIG + 1, Picture(), [Picture()], np.float32(1), "refused"])
def test_tracking_after_the_end_is_an_error(writer: Writer, loss: SequenceWriter, value: object) -> None:
    """
    Tracking after `close()` is an error that says how to resume, on every path.
    """
    if value != "refused":
        loss.track(value)
    writer.close()
    for _ in range(2):
        with pytest.raises(RunClosed, match="Resume it with Run\\('run'\\)"):
            loss.track(value)
        with pytest.raises(RunClosed):
            loss.track(value, 5, 1)
    with pytest.raises(RunClosed):
        writer.sequence("new")


def test_points_go_on_from_segment_to_segment(writer: Writer, loss: SequenceWriter) -> None:
    """
    Points beyond a segment's end go into the next one; segments have the sizes that points.md says.
    """
    count = 384 + 1920 + 8064 + 100
    for step in range(count):
        loss.track(step * 1.1)
    writer.close()

    sizes = [path.stat().st_size for path in sorted(writer.files.folder.glob("*.points-*"))]
    assert [16 << 10, 64 << 10, 256 << 10, 1 << 20] == sizes
    assert [step * 1.1 for step in range(count)] == tracked_values(writer)
    assert [] == scan(writer.files.folder, writer.id).damage


# at the end of a segment, and on the slow path


@pytest.mark.parametrize("filled", [3, 384])
@pytest.mark.parametrize(("value", "epoch"), [(0.5, "one"), (0.5, [1]), (1.5, object())])
def test_a_step_that_was_refused_is_the_next_ones(
    writer: Writer, loss: SequenceWriter, filled: int, value: float, epoch: object
) -> None:
    """
    A value with an epoch that can't be one costs no step, also when it would have been the first of a segment.
    """
    for _ in range(filled):
        loss.track(0.5)
    with pytest.raises(UntrackableValue):
        loss.track(value, epoch=epoch)
    loss.track(0.25)

    assert list(range(filled + 1)) == tracked_points(writer).steps.tolist()
    assert 0.25 == tracked_values(writer)[-1]


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1])
@pytest.mark.parametrize("value", [0.5, 1, 2**60, "picture"])
def test_a_step_beyond_64_bits_is_refused_for_each_kind(
    writer: Writer, loss: SequenceWriter, step: int, value: object
) -> None:
    """
    Floats, ints and objects say the same, before and after their first value; nothing is recorded.
    """
    tracked = Picture() if value == "picture" else value
    for count in range(2):
        with pytest.raises(OverflowError, match="does not fit 64 bits"):
            loss.track(tracked, step)
        assert count == loss.next_step()
        loss.track(tracked)

    assert [0, 1] == tracked_points(writer).steps.tolist()


def test_small_objects_of_many_steps_move_the_next_one(writer: Writer) -> None:
    """
    What is recorded at given steps counts as given steps do; without objects nothing happens.
    """
    words = writer.sequence("words")
    words.track_shared([], [])
    assert 0 == words.next_step()
    words.track_shared([Stored("aim.text", {"text": letter}) for letter in "abc"], [4, 9, 7])

    assert 10 == words.next_step()
    assert [4, 7, 9] == tracked_points(writer, "words").steps.tolist()


def test_what_is_checked_is_put_later(writer: Writer, loss: SequenceWriter) -> None:
    """
    `check` records and declares nothing; `put` takes the step when it is called.
    """
    first, second = loss.check(1, None, 2), loss.check(0.5, 7)
    assert (0, []) == (loss.next_step(), writer.sequences.next_steps())
    loss.put(second)
    loss.put(first)

    assert [(7, 0.5), (8, 1)] == list(zip(tracked_points(writer).steps.tolist(), tracked_values(writer)))
    assert [9, 9] == writer.sequences.next_steps()


def test_what_was_checked_before_the_end_is_refused_after_it(writer: Writer, loss: SequenceWriter) -> None:
    """
    A checked value of a run that has ended is an error, as any other one.
    """
    checked = loss.check(0.5)
    writer.close()
    with pytest.raises(RunClosed):
        loss.put(checked)


@pytest.mark.parametrize(
    ("tracked", "expected"),
    [([], 0), ([(1.0, None)], 1), ([(1.0, 5), (1.0, 2)], 6), ([(1.0, -7)], 0), ([(1, 3), (2, None)], 5)],
)
def test_the_next_step_is_the_one_that_a_value_gets(
    writer: Writer, loss: SequenceWriter, tracked: list[tuple[float, int | None]], expected: int
) -> None:
    """
    Asking changes nothing, and the next value without a step has the answer.
    """
    for value, step in tracked:
        loss.track(value, step)
    assert [expected] * 3 == [loss.next_step() for _ in range(3)]
    loss.track(1.0)

    assert expected == tracked_points(writer).steps.max()
