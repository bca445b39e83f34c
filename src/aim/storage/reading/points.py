"""
The points of one sequence as arrays, merged from what its writers recorded.

    points of a sequence = union of the chunks of all its writers, ordered by step;
                           of several points at one step in one chunk the last recorded counts, whatever the clock did;
                           of those of several chunks the latest: by time, then by writer
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aim.core import kinds
from aim.core.clock import MICROSECONDS
from aim.storage.forms import records
from aim.storage.forms.records import EpochArray, FloatArray, IntArray
from aim.storage.forms.state import SequenceState
from aim.storage.forms.visible import Visibility
from aim.storage.sealing.cells import Cells

if TYPE_CHECKING:
    from aim.storage.reading.asked_points import AskedPoints

BYTES_A_POINT = 48
POINTS_OVERHEAD_BYTES = 512
EXACT_INTEGER_MAX = 2**53  # a double holds every whole number below it


class PointEnds(NamedTuple):
    """
    How many points a sequence has, and its first and last point; there is one or more. Of objects the values are NaN.
    """

    point_count: int
    first_step: int
    last_step: int
    first_value: float
    last_value: float


class ColumnsReader(NamedTuple):
    """
    Reads steps and values when they are asked for.

    Attributes:
        all: returns those of all points.
        span: returns those of the points from an index to before another; None: all have to be read to know.
        cells: returns the stored cells of all points; None: there are none.
    """

    all: Callable[[], tuple[IntArray, npt.NDArray[Any]]]
    span: Callable[[int, int], tuple[IntArray, npt.NDArray[Any]] | None]
    cells: Callable[[], Cells | None] = lambda: None


class Points:
    """
    One sequence, ordered by step, each step once. Times and epochs are decoded when they are first asked for, because
    most readers want steps and values only. Of a sealed sequence with evenly spaced steps, steps and values too are
    read when they are first asked for: `len`, `first` and `last` cost nothing.

    Attributes:
        kind: `int`, `float`, `number` for both, or the type of its objects, as of `SequenceState`.
        writer_ids: the writers that recorded points of this sequence.
        hidden_items: by step, the indices of objects in the list tracked there that were deleted.
    """

    def __init__(
        self,
        steps: IntArray,
        values: npt.NDArray[Any],
        read_moments: Callable[[], tuple[IntArray, EpochArray]],
        writer_ids: tuple[str, ...],
        writers: npt.NDArray[np.int32] | None = None,
        *,
        kind: str = "",
        hidden_items: Mapping[int, frozenset[int]] | None = None,
    ) -> None:
        self.kind = kind
        self.writer_ids = writer_ids
        self.hidden_items: Mapping[int, frozenset[int]] = hidden_items or {}
        self._ends: PointEnds | None = None
        self._reader = ColumnsReader(lambda: (steps, values), lambda start, stop: None)
        self._read_moments = read_moments
        self._writers = writers

    @classmethod
    def unread(
        cls,
        ends: PointEnds,
        reader: ColumnsReader,
        read_moments: Callable[[], tuple[IntArray, EpochArray]],
        writer_id: str,
        kind: str,
    ) -> Points:
        """Return points of one writer whose ends are known; *reader* returns their steps and values."""
        points = _no_points(kind, read_moments, (writer_id,))
        points._ends, points._reader = ends, reader
        return points

    def __len__(self) -> int:
        return len(self.steps) if self._ends is None or self.is_read else self._ends.point_count

    @cached_property
    def _columns(self) -> tuple[IntArray, npt.NDArray[Any]]:
        return self._reader.all()

    @property
    def is_read(self) -> bool:
        """Whether steps and values are in memory."""
        return self._ends is None or "_columns" in self.__dict__

    @property
    def steps(self) -> IntArray:
        """The steps: shape (n,), int64, increasing."""
        return self._columns[0]

    @property
    def values(self) -> npt.NDArray[Any]:
        """
        The values, shape (n,): int64, float64, or, when there are both, object (Python numbers). Of objects: int64, the
        positions of their records.
        """
        return self._columns[1]

    def first(self) -> tuple[int, Any]:
        """Return the first step and its value, as a Python number. Raises IndexError when there is none."""
        if self._ends is None or self.is_read:
            return int(self.steps[0]), _number(self.values[0])
        return self._ends.first_step, _typed_end(self, self._ends.first_value, 0)

    def last(self) -> tuple[int, Any]:
        """Return the last step and its value, as a Python number. Raises IndexError when there is none."""
        if self._ends is None or self.is_read:
            return int(self.steps[-1]), _number(self.values[-1])
        return self._ends.last_step, _typed_end(self, self._ends.last_value, -1)

    def first_step(self) -> int:
        """Return the first step. Raises IndexError when there is none."""
        return int(self.steps[0]) if self._ends is None or self.is_read else self._ends.first_step

    def last_step(self) -> int:
        """Return the last step. Raises IndexError when there is none."""
        return int(self.steps[-1]) if self._ends is None or self.is_read else self._ends.last_step

    @property
    def is_numeric(self) -> bool:
        """Whether the values are numbers."""
        return kinds.is_numeric_sequence(self.kind)

    @cached_property
    def _times_and_epochs(self) -> tuple[IntArray, EpochArray]:
        return self._read_moments()

    @property
    def times_us(self) -> IntArray:
        """When each point was tracked: shape (n,), int64, Unix microseconds."""
        return self._times_and_epochs[0]

    @cached_property
    def times_s(self) -> FloatArray:
        """When each point was tracked: shape (n,), float64, Unix seconds in whole microseconds."""
        seconds: FloatArray = self.times_us / MICROSECONDS
        return seconds

    @cached_property
    def epochs(self) -> FloatArray:
        """The epoch of each point: shape (n,), float64; NaN: none."""
        return records.shortest_epochs(stored_epochs(self))

    @cached_property
    def writers(self) -> npt.NDArray[np.int32]:
        """The writer of each point: shape (n,), the index in `writer_ids`."""
        return np.zeros(len(self), np.int32) if self._writers is None else self._writers

    @property
    def size_bytes(self) -> int:
        """About the memory that the points take when everything is decoded."""
        return BYTES_A_POINT * len(self) + POINTS_OVERHEAD_BYTES


class JournalNumbers(Points):
    """
    Numbers of a journal, which holds integers as doubles, too.

    Attributes:
        floats: the values as doubles.
    """

    def __init__(
        self,
        steps: IntArray,
        values: npt.NDArray[Any],
        floats: FloatArray,
        read_moments: Callable[[], tuple[IntArray, EpochArray]],
        writer_id: str,
        kind: str,
    ) -> None:
        super().__init__(steps, values, read_moments, (writer_id,), kind=kind)
        self.floats = floats


def floats_of(points: Points) -> FloatArray:
    """
    Return the values of a metric as doubles, shape (n,); integers beyond 2**53 are rounded. Cost: a copy, unless the
    values are floats, or numbers of a journal.
    """
    return points.floats if isinstance(points, JournalNumbers) else np.ascontiguousarray(points.values, np.float64)


def stored_epochs(points: Points) -> npt.NDArray[np.float32]:
    """Return the epoch of each point as it is stored: shape (n,), float32; NaN: none."""
    return points._times_and_epochs[1].astype(np.float32, copy=False)


@dataclass(frozen=True)
class Chunk:
    """What one writer recorded of a sequence in one kind, in the order of recording; arrays as in `Points`."""

    steps: IntArray
    values: npt.NDArray[Any]
    times_us: IntArray
    epochs: npt.NDArray[np.floating[Any]]
    writer: str

    def masked(self, mask: npt.NDArray[np.bool_]) -> Chunk:
        """Return the points for which *mask* is true."""
        return Chunk(self.steps[mask], self.values[mask], self.times_us[mask], self.epochs[mask], self.writer)


def typed(values: npt.NDArray[Any], kind: str) -> npt.NDArray[Any]:
    """Return recorded values, which are doubles, in the type of *kind*: float64, or int64 for ints and objects."""
    if kind == "float":
        return np.ascontiguousarray(values, np.float64)
    with np.errstate(invalid="ignore"):
        return values.astype(np.int64)


def is_increasing(steps: IntArray) -> bool:
    """Return whether each step is larger than the one before it."""
    return len(steps) < 2 or bool((steps[1:] > steps[:-1]).all())


def exact_chunks(sequence: SequenceState) -> list[Chunk]:
    """Return the integers that no double holds, which are recorded as lines: one chunk for each writer."""
    chunks = []
    for writer in dict.fromkeys(point.writer for point in sequence.exact_points):
        points = [point for point in sequence.exact_points if point.writer == writer]
        chunks.append(
            Chunk(
                np.array([point.step for point in points], np.int64),
                np.array([point.value for point in points], np.int64),
                np.array([round(point.time_s * MICROSECONDS) for point in points], np.int64),
                np.array([np.nan if point.epoch is None else point.epoch for point in points], np.float32),
                writer,
            )
        )
    return chunks


def merge(chunks: Sequence[Chunk], sequence: SequenceState, visibility: Visibility) -> Points:
    """Return the visible points of *chunks*, all that was recorded of *sequence*."""
    chunks = _visible(chunks, visibility)
    if not chunks:
        return _no_points(sequence.kind, lambda: (np.empty(0, np.int64), np.empty(0, np.float32)), ())
    writer_ids = tuple(sorted({chunk.writer for chunk in chunks}))
    steps = _concatenated([chunk.steps for chunk in chunks])
    values = _joined([chunk.values for chunk in chunks])
    times_us = _concatenated([chunk.times_us for chunk in chunks])
    epochs = _concatenated([chunk.epochs for chunk in chunks])
    writers = _writer_indices(chunks, writer_ids)
    if not is_increasing(steps):
        order = _latest_by_step(steps, times_us, writers, [len(chunk.steps) for chunk in chunks])
        steps, values, times_us, epochs = steps[order], values[order], times_us[order], epochs[order]
        writers = writers[order]
    return Points(
        steps,
        values,
        lambda: (times_us, epochs),
        writer_ids,
        writers,
        kind=sequence.kind,
        hidden_items=visibility.hidden_items(steps, times_us) if visibility.deletions else None,
    )


def _visible(chunks: Sequence[Chunk], visibility: Visibility) -> list[Chunk]:
    if not visibility.hides_nothing:
        chunks = [chunk.masked(visibility.visible_mask(chunk.steps, chunk.times_us)) for chunk in chunks]
    return [chunk for chunk in chunks if len(chunk.steps)]


def _writer_indices(chunks: Sequence[Chunk], writer_ids: tuple[str, ...]) -> npt.NDArray[np.int32]:
    indices = np.array([writer_ids.index(chunk.writer) for chunk in chunks], np.int32)
    return np.repeat(indices, [len(chunk.steps) for chunk in chunks])


def _no_points(
    kind: str, read_moments: Callable[[], tuple[IntArray, EpochArray]], writer_ids: tuple[str, ...]
) -> Points:
    nothing = np.empty(0, np.int64)
    values = nothing.astype(np.float64 if kind in ("float", "number") else np.int64)
    return Points(nothing, values, read_moments, writer_ids, kind=kind)


def _typed_end(points: Points, value: float, index: int) -> Any:
    if points.kind == "float":
        return value
    # no double holds each large integer
    is_exact = points.kind == "int" and abs(value) < EXACT_INTEGER_MAX
    return int(value) if is_exact else _number(points.values[index])


def _number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _latest_by_step(
    steps: IntArray, times_us: IntArray, writers: npt.NDArray[np.int32], chunk_lengths: Sequence[int]
) -> IntArray:
    """Return the rows of the points that count, ordered by step; each chunk is in the order of recording."""
    chunks = np.repeat(np.arange(len(chunk_lengths)), chunk_lengths)
    order = np.lexsort((chunks, steps))  # a stable sort: what is equal stays in the order of recording
    latest: IntArray = order[_changes(steps[order]) | _changes(chunks[order])]
    if len(chunk_lengths) > 1:
        latest = latest[np.lexsort((writers[latest], times_us[latest], steps[latest]))]
        latest = latest[_changes(steps[latest])]
    return latest


def _changes(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.append(values[1:] != values[:-1], True)


def _concatenated(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _joined(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    if len({array.dtype for array in arrays}) == 1:
        return _concatenated(arrays)
    joined = np.empty(sum(len(array) for array in arrays), object)
    joined[:] = [value for array in arrays for value in array.tolist()]
    return joined


def stored_cells(points: Points) -> Cells | None:
    """
    Return what pictures need of a sealed sequence of many points with evenly spaced steps; None: there is none.

    Cost: reads them.
    """
    return points._reader.cells()


def last_points(points: Points, count: int) -> Points:
    """Return the last *count* points, or all where there are fewer."""
    return part_of(points, max(0, len(points) - count), len(points))


def part_of(points: Points, start: int, stop: int) -> Points:
    """Return the points from index *start* to before *stop*."""
    steps, values = span_of(points, start, stop)
    moments = points.times_us[start:stop], stored_epochs(points)[start:stop]
    hidden_items = {step: points.hidden_items[step] for step in steps.tolist() if step in points.hidden_items}
    return Points(
        steps,
        values,
        lambda: moments,
        points.writer_ids,
        points.writers[start:stop],
        kind=points.kind,
        hidden_items=hidden_items,
    )


def tail_of(points: Points | AskedPoints, count: int) -> tuple[IntArray, npt.NDArray[Any]]:
    """Return the steps and values of the last *count* points, or of all where there are fewer."""
    return span_of(points, max(0, len(points) - count), len(points))


def span_of(points: Points | AskedPoints, start: int, stop: int) -> tuple[IntArray, npt.NDArray[Any]]:
    """
    Return the steps and values of the points from index *start* to before *stop*.

    Cost: reads their pages where all points are not in memory, and only these are asked for.
    """
    span = None if points.is_read else points._reader.span(start, stop)
    return (points.steps[start:stop], points.values[start:stop]) if span is None else span
