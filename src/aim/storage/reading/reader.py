"""
The sequences of one run, live or ended: points as arrays, and objects.

    RunLog       which sequences there are, and what of them is visible      (the run's lines)
    ChunkSource  what each writer recorded of them                           (journals, sealed files, blob files)
    points.merge both together

Points whose source does not change any more stay in memory, up to a bound for all readers of the process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from aim.core import forks
from aim.core.params import Restore
from aim.core.recent import MEMORY, Recent
from aim.storage.forms import blobs
from aim.storage.forms.history import Rewind
from aim.storage.forms.records import IntArray
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState, SequenceKey, SequencePart, SequenceState, WriterInfo
from aim.storage.forms.visible import Visibility
from aim.storage.reading.chunk_source import ChunkSource, WriterPoints
from aim.storage.reading.points import Chunk, Points, exact_chunks, merge
from aim.storage.reading.step_count import distinct_count
from aim.storage.reading.stored_objects import objects_of, visible_items, visible_record

RECENT_BYTES_MAX = 256 << 20

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
PointsByWriter = Mapping[str, WriterPoints | None]

_recent_points: Recent[tuple[Hashable, SequenceKey, float | None], Points] = Recent(
    RECENT_BYTES_MAX, lambda points: points.size_bytes, bound=MEMORY
)


def _locked(
    method: Callable[Concatenate[RunReader, Arguments], Result],
) -> Callable[Concatenate[RunReader, Arguments], Result]:
    @wraps(method)
    def locked(reader: RunReader, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with reader._lock:
            return method(reader, *args, **kwargs)

    return locked


DataPlace = tuple[str, int, int]
"""Where the bytes of an object are: the writer, the number of its blob file, the offset in it."""


class RunReader:
    """
    Reads one run. Any number of threads may use one reader.

    Args:
        log: reads the run's state.
        source: reads what its writers recorded.
        before: read the sequences as they stood just before this rewind; None: as they are now.
    """

    def __init__(self, log: RunLog, source: ChunkSource, *, before: Rewind | None = None) -> None:
        self.run_hash = source.run_hash
        self.log = log
        self._source = source
        self._before_s = None if before is None else before.time_s
        self._lock = forks.ForkedLock()

    @_locked
    def use_sole_writer(self, writer_id: str, stamp: int) -> None:
        """Expect that all points are what one writer has sealed, while the run's folder has the time *stamp*."""
        if self._before_s is None:
            self._source.use_sole_writer(writer_id, stamp)

    def state(self) -> RunState:
        """
        Return the run's state as it is now.

        Raises:
            FileNotFoundError: the run was deleted.
        """
        return self.log.refresh()

    @_locked
    def params(self) -> Any:
        """Return a fresh copy of the params as they are now."""
        self.log.refresh()
        return self.log.params

    @_locked
    def sequences(self) -> dict[SequenceKey, SequenceState]:
        """
        Return all sequences that have points, those whose declaration was lost as `(unknown <n>)`.

        A sequence whose points are all hidden is left out.
        """
        state = self.state()
        sequences = {key: sequence for key, sequence in state.sequences.items() if self._has_points(sequence, state)}
        if state.damage or any(_may_lack_lines(writer) for writer in state.writers.values()):
            for sequence in self._undeclared(state):
                declared = sequences.setdefault(sequence.key, sequence)
                declared.parts += [part for part in sequence.parts if part not in declared.parts]
        return sequences

    def _has_points(self, sequence: SequenceState, state: RunState) -> bool:
        if not sequence.parts:
            return False
        return self._visibility(sequence, state).hides_nothing or len(self.points_of(sequence, state)) > 0

    def _undeclared(self, state: RunState) -> list[SequenceState]:
        sequences: list[SequenceState] = []
        for writer in state.writers.values():
            writer_points = self._source.points_of_writer(writer)
            if writer_points is not None:
                numbers = {number for writer_id, number in state.sequences_by_number if writer_id == writer.id}
                sequences += writer_points.undeclared(numbers)
        return sequences

    # points

    @_locked
    def points(self, key: SequenceKey) -> Points | None:
        """
        Return the points of a sequence as they are now; None when the run has no such sequence.

        Cost: from a sealed file about 1.5 ms for 100,000 points; from a journal about 10 ns a point of the whole run.
        """
        points = self.points_of_sole_writer([key]).get(key)
        if points is not None:
            return points
        state = self.state()
        sequence = state.sequences.get(key)
        if sequence is None or not sequence.parts:
            sequence = self.sequences().get(key)
        return None if sequence is None else self.points_of(sequence, state)

    @_locked
    def points_of_sole_writer(self, keys: Collection[SequenceKey]) -> dict[SequenceKey, Points]:
        """
        Return the points of sequences without reading the run's lines; those for which they have to be read are left
        out.

        Cost: with `use_sole_writer` one `stat`, and 60 us for some hundred points of a sequence, else nothing.
        """
        points_by_key: dict[SequenceKey, Points] = {}
        for key, (writer_points, part) in self._source.sole_parts(keys).items():
            cache_key, stamp = (self._source.run_key, key, None), ((part,), 0, Visibility())
            points = _recent_points.lookup(cache_key, stamp)
            if points is None:
                points = writer_points.ordered_points(part)
                if points is not None:
                    _recent_points.put(cache_key, stamp, points)
            if points is not None:
                points_by_key[key] = points
        return points_by_key

    @_locked
    def points_of_many(self, keys: Iterable[SequenceKey] | None = None) -> dict[SequenceKey, Points]:
        """
        Return the points of several sequences, or of all, as they are now.

        Cost: one look at each file; `points` of a run that records reads the end of its journal each time. With
        `use_sole_writer` that of `points_of_sole_writer`.
        """
        if keys is not None:
            keys = list(keys)
            sole_points = self.points_of_sole_writer(keys)
            if len(sole_points) == len(set(keys)):
                return {key: sole_points[key] for key in keys}
        sequences = self.sequences()
        state = self.state()
        by_writer = {writer.id: self._source.points_of_writer(writer) for writer in state.writers.values()}
        keys = sequences if keys is None else [key for key in keys if key in sequences]
        return {key: self._read_points(sequences[key], state, by_writer) for key in keys}

    @_locked
    def points_of(self, sequence: SequenceState, state: RunState) -> Points:
        """Return the points of *sequence*, which is one of *state*."""
        if not all(self._source.is_unchanging(part.writer) for part in sequence.parts):
            return self._read_points(sequence, state)
        # the parts, not only how many: a new run of the name of a deleted one has other writers
        stamp = (tuple(sequence.parts), len(sequence.exact_points), self._visibility(sequence, state))
        cache_key = (self._source.run_key, sequence.key, self._before_s)
        return _recent_points.get(cache_key, stamp, lambda: self._read_points(sequence, state))

    @_locked
    def journal_point_count(self, state: RunState) -> float:
        """Return how many points of the run are in memory, if all of it is in ended journals; else infinity."""
        return self._source.journal_point_count(state.writers.keys())

    def _visibility(self, sequence: SequenceState, state: RunState) -> Visibility:
        before_s = self._before_s
        rewinds = state.rewinds if state.rewinds and sequence.is_rewound else ()
        if before_s is not None:
            rewinds = tuple(rewind for rewind in rewinds if rewind.time_s < before_s)
        return Visibility(rewinds, sequence.dropped_at_s, tuple(sequence.deletions), before_s)

    def _read_points(self, sequence: SequenceState, state: RunState, by_writer: PointsByWriter | None = None) -> Points:
        if by_writer is None:
            by_writer = _look(self._source, sequence, state)
        visibility = self._visibility(sequence, state)
        if len(sequence.parts) == 1 and not sequence.exact_points and visibility.hides_nothing:
            # the usual case, one writer and steps in order: nothing is merged, and times and epochs can wait
            writer_points = by_writer.get(sequence.parts[0].writer)
            points = None if writer_points is None else writer_points.ordered_points(sequence.parts[0])
            if points is not None:
                return points
        return merge([*_chunks(sequence, by_writer), *exact_chunks(sequence)], sequence, visibility)

    @_locked
    def recorded_chunks(self, sequence: SequenceState, state: RunState) -> list[Chunk]:
        """Return what each writer recorded of *sequence*, one of *state*, whether it is hidden or not."""
        return _chunks(sequence, _look(self._source, sequence, state))

    # objects

    @_locked
    def record(self, points: Points, index: int) -> dict[str, Any]:
        """
        Return the stored record of the objects at *index* of an object sequence, without those that were deleted.

        Raises:
            DamagedFile: the blob file is.
        """
        return visible_record(_record(self._source, points, index), points, index)

    @_locked
    def items(self, points: Points, index: int) -> list[tuple[int, dict[str, Any]]]:
        """Return the objects of `record`, each with its index in the list that was tracked. Raises DamagedFile."""
        return visible_items(_record(self._source, points, index), points, index)

    @_locked
    def objects(self, points: Points, index: int, restore: Restore) -> Any:
        """Return the object, or list of objects, at *index*; their bytes are read when they are asked for."""
        writer_id = points.writer_ids[int(points.writers[index])]
        file_number, _ = blobs.split_position(int(points.values[index]))
        record = self.record(points, index)
        return objects_of(record, lambda offset: self.read_data(writer_id, file_number, offset), restore)

    @_locked
    def read_record(self, writer_id: str, file_number: int, offset: int) -> dict[str, Any]:
        """Return a record as it is stored, with deleted objects too. Raises FileNotFoundError and DamagedFile."""
        return self._source.read_record(writer_id, file_number, offset)

    def read_data(self, writer_id: str, file_number: int, offset: int) -> bytes:
        """Return the bytes of one object. Raises FileNotFoundError and DamagedFile."""
        return self._source.read_data(writer_id, file_number, offset)


def recorded_parts(reader: RunReader, state: RunState) -> Iterator[tuple[SequenceState, Chunk]]:
    """
    Go through all that was recorded in a run, hidden or not, one writer's share of a sequence after the other. No other
    thread may use the reader meanwhile.

    Cost: memory for one share. Ints that no double holds come as shares of their own.
    """
    for sequence in state.sequences.values():
        for part in sequence.parts:
            chunk = _recorded(reader, part, state)
            if chunk is not None:
                yield sequence, chunk
        for chunk in exact_chunks(sequence):
            yield sequence, chunk


def _recorded(reader: RunReader, part: SequencePart, state: RunState) -> Chunk | None:
    """Return one writer's share of a sequence; None: the writer is not there, or has no points."""
    writer = state.writers.get(part.writer)
    points = None if writer is None else reader._source.points_of_writer(writer)
    return None if points is None else points.chunk(part)


def visible_count(reader: RunReader, sequence: SequenceState, state: RunState) -> int:
    """
    Return how many points of *sequence*, one of *state*, are visible. No other thread may use the reader meanwhile.

    Cost: reads all of them; memory for the largest share of one writer, and some 100 MiB (step_count.py).
    """
    visibility = reader._visibility(sequence, state)

    def steps_of(read: Callable[[], Chunk | None]) -> IntArray:
        chunk = read()
        if chunk is None:
            return np.empty(0, np.int64)
        is_whole = visibility.hides_nothing
        return chunk.steps if is_whole else chunk.steps[visibility.visible_mask(chunk.steps, chunk.times_us)]

    reads: list[Callable[[], Chunk | None]] = [partial(_recorded, reader, part, state) for part in sequence.parts]
    reads += [partial(lambda chunk: chunk, chunk) for chunk in exact_chunks(sequence)]
    return distinct_count([partial(steps_of, read) for read in reads])


def is_sole_part(reader: RunReader, sequence: SequenceState, state: RunState) -> bool:
    """Return whether the points of *sequence*, one of *state*, are what one writer has recorded of it, all visible."""
    is_sole = len(sequence.parts) == 1 and not sequence.exact_points
    return is_sole and reader._visibility(sequence, state).hides_nothing


def held_bytes(reader: RunReader) -> int:
    """Return about how many bytes of memory a reader holds."""
    return reader._source.held_bytes()


def record_of_step(reader: RunReader, writer_id: str, position: int, step: int) -> dict[str, Any]:
    """Return the record of a point, with deleted objects too. Raises ValueError, FileNotFoundError, DamagedFile."""
    with reader._lock:
        return reader._source.record_of_step(writer_id, position, step)


def data_part(reader: RunReader, place: DataPlace, start: int, stop: int) -> bytes:
    """Return some bytes of one object, unchecked; nothing else is read. Raises FileNotFoundError, DamagedFile."""
    return reader._source.read_data_part(*place, start, stop)


def data_chunks(reader: RunReader, place: DataPlace, chunk_bytes: int) -> Iterator[bytes]:
    """Go through the bytes of one object in chunks. Raises FileNotFoundError, and DamagedFile before the last."""
    return reader._source.data_chunks(*place, chunk_bytes)


def _look(source: ChunkSource, sequence: SequenceState, state: RunState) -> PointsByWriter:
    writer_ids = {part.writer for part in sequence.parts} & state.writers.keys()
    return {writer_id: source.points_of_writer(state.writers[writer_id]) for writer_id in writer_ids}


def _chunks(sequence: SequenceState, by_writer: PointsByWriter) -> list[Chunk]:
    return [
        writer_points.chunk(part)
        for part in sequence.parts
        if (writer_points := by_writer.get(part.writer)) is not None
    ]


def _record(source: ChunkSource, points: Points, index: int) -> dict[str, Any]:
    writer_id = points.writer_ids[int(points.writers[index])]
    return source.record_of_step(writer_id, int(points.values[index]), int(points.steps[index]))


def _may_lack_lines(writer: WriterInfo) -> bool:
    # killed, or its event file was cut off: a power cut may have taken declarations of points that it left
    return writer.begin is None or (writer.end is None and not writer.is_alive(time.time()))
