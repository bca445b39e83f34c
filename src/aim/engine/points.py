"""
Points for curves: read once for each change of a run, and cached while there is room.

    store.read(run, keys)  ->  the run's reader  ->  `Curve`: steps, values as floats, times when asked for

Curves are valid until the run changes, which `tail.Watch` tells. So drawing the same thousand curves again, zooming in
and smoothing cost no reading. Curves from before a rewind are valid until points of the run are hidden or shown again.
"""

from __future__ import annotations

import threading
import weakref
import zlib
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aim.core.errors import NotFound
from aim.core.recent import MEMORY, Recent
from aim.core.values import EXACT_INT_MAX
from aim.engine.backend_repository import BackendRepository
from aim.engine.long_integers import long_integers
from aim.engine.pyramid import Pyramid
from aim.engine.sampling import Window
from aim.engine.stored_reduction import StoredCurve, reduce_stored
from aim.engine.tail import Watch
from aim.storage.forms.history import Rewind
from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.forms.state import RunState, SequenceKey, SequenceState
from aim.storage.reading.growing import is_growing
from aim.storage.reading.points import Points, floats_of, span_of, stored_cells
from aim.storage.reading.reader import RunReader
from aim.storage.sealing.cells import Cells

CACHE_BYTES_MAX = 256 << 20
READ_POINTS_MAX = 5_000_000  # of one picture; beyond, curves are reduced where they are stored, if they can be
STORED_BYTES_MAX = 64 << 20
LOCKS = 64
BYTES_A_POINT = 32
TOGETHER_MAX = 8_192  # points of a run that ended and is not sealed: up to here all its curves are read at once
MARKED_MAX = 20_000  # curves whose states are remembered
GrowingMemory = tuple["weakref.ref[npt.NDArray[Any]]", "weakref.ref[npt.NDArray[Any]]"]
PYRAMID_BYTES_MAX = 512 << 20  # with the values of their curves, that they hold
MARKS_MAX = 8  # states of one curve that are remembered, for clients that have one of them and ask for the end


class Curve:
    """
    The points of one sequence of numbers, ordered by step. Those of a long sealed sequence are read when they are asked
    for.

    Attributes:
        read_count: how many points were read by `span`.
    """

    def __init__(self, points: Points) -> None:
        self._points = points
        self.read_count = 0

    @property
    def steps(self) -> IntArray:
        """Shape (n,), int64, increasing."""
        return self._points.steps

    @cached_property
    def values(self) -> FloatArray:
        """Shape (n,), float64; integers beyond 2**53 are rounded."""
        return floats_of(self._points)

    @property
    def times_s(self) -> FloatArray:
        """Shape (n,), Unix seconds."""
        return self._points.times_s

    @property
    def epochs(self) -> FloatArray:
        """Shape (n,); NaN: none."""
        return self._points.epochs

    def __len__(self) -> int:
        return len(self._points)

    @property
    def cells(self) -> Cells | None:
        """The stored cells of a curve that is not in memory; None: it is, or has none."""
        return None if self._points.is_read else self._stored_cells

    @cached_property
    def _stored_cells(self) -> Cells | None:
        return stored_cells(self._points)

    @property
    def is_of_floats(self) -> bool:
        """Whether it was recorded as floats."""
        return self._points.kind == "float"

    @property
    def first_step(self) -> int:
        """The first step."""
        return self._points.first_step()

    @property
    def last_step(self) -> int:
        """The last step."""
        return self._points.last_step()

    def span(self, start: int, stop: int) -> tuple[IntArray, FloatArray]:
        """Return steps and values of the points from *start* to before *stop*. Cost: reads their pages only."""
        steps, values = span_of(self._points, start, stop)
        return steps, np.ascontiguousarray(values, np.float64)

    def long_integers(self, indices: IntArray) -> dict[int, int]:
        """
        Return, by their position in *indices*, the values there that are integers which no double may hold.

        Cost: O(indices); next to nothing where all values are small.
        """
        values = self.values[indices]
        if self._points.values.dtype.kind == "f" or not bool((np.abs(values) >= EXACT_INT_MAX).any()):
            return {}
        exact = long_integers(self._points.values[indices])
        return {position: int(exact[position]) for position in np.flatnonzero(exact).tolist()}


@dataclass
class _RunCurves:
    """The curves of a run that were read; None: the run has no numbers of that key."""

    curves: dict[SequenceKey, Curve | None]
    point_count: int = 0

    def add(self, curves: dict[SequenceKey, Curve | None]) -> None:
        """Add curves that were read."""
        self.curves.update(curves)
        self.point_count += sum(len(curve) for curve in curves.values() if curve is not None)


class PointStore:
    """The curves of the runs of one repository. Any thread may ask."""

    def __init__(self, repository: BackendRepository, watch: Watch) -> None:
        self._readers = repository.readers
        self._watch = watch
        self._cache: Recent[tuple[str, Rewind | None], _RunCurves] = Recent(
            CACHE_BYTES_MAX, lambda run_curves: run_curves.point_count * BYTES_A_POINT, bound=MEMORY
        )
        self._lock = threading.Lock()
        self._run_locks = [threading.Lock() for _ in range(LOCKS)]  # so that two threads do not read the same curves
        self._pyramids: Recent[tuple[str, SequenceKey, Rewind | None], Pyramid] = Recent(
            PYRAMID_BYTES_MAX, lambda pyramid: pyramid.size_bytes, bound=MEMORY
        )
        self._stored: Recent[tuple[str, SequenceKey, int, Window | None], StoredCurve] = Recent(
            STORED_BYTES_MAX, lambda curve: 16 * len(curve.steps) + 512, bound=MEMORY
        )
        self._marks: dict[tuple[str, SequenceKey], dict[int, _Mark]] = {}

    def taken_back_at(self, run_hash: str) -> int:
        """Return the number of the state in which points of a run were last hidden or shown again; 0: never."""
        return self._watch.taken_back_at(run_hash)

    def rewinds(self, run_hash: str) -> tuple[Rewind, ...]:
        """Return the rewinds of a run, oldest first; none when it is gone."""
        try:
            return self._readers.log(run_hash).refresh().rewinds
        except (FileNotFoundError, NotFound):
            return ()

    def read(
        self, run_hash: str, keys: Iterable[SequenceKey], before: Rewind | None = None
    ) -> dict[SequenceKey, Curve]:
        """
        Return the curves of a run by key. Keys that it does not have are left out, all of them when the run is gone.

        Args:
            before: as the curves stood just before this rewind of the run; None: as they are now.

        Cost: a dict look-up for a curve that was read before; else that of `RunReader.points_of`.
        """
        keys = list(keys)
        watch = self._watch
        changed_at = watch.changed_at(run_hash) if before is None else watch.taken_back_at(run_hash)
        with self._run_locks[hash(run_hash) % LOCKS]:
            cached = self._cache.lookup((run_hash, before), changed_at) or _RunCurves({})
            unread = [key for key in keys if key not in cached.curves]
            if unread:
                try:
                    cached.add(self._read(run_hash, unread, before))
                except (FileNotFoundError, NotFound):
                    return {}
                self._cache.put((run_hash, before), changed_at, cached)
            return {key: curve for key in keys if (curve := cached.curves[key]) is not None}

    def together(
        self, wanted: Mapping[tuple[str, Rewind | None], Collection[SequenceKey]]
    ) -> AbstractContextManager[None]:
        """Say which curves are read within a `with` block, by their runs; runs that were not read are read together."""
        unread = [run_hash for (run_hash, before), keys in wanted.items() if self._lacks(run_hash, before, keys)]
        return self._readers.backend.together(list(dict.fromkeys(unread)))

    def _lacks(self, run_hash: str, before: Rewind | None, keys: Collection[SequenceKey]) -> bool:
        watch = self._watch
        changed_at = watch.changed_at(run_hash) if before is None else watch.taken_back_at(run_hash)
        cached = self._cache.lookup((run_hash, before), changed_at)
        return cached is None or any(key not in cached.curves for key in keys)

    def _read(self, run_hash: str, keys: list[SequenceKey], before: Rewind | None) -> dict[SequenceKey, Curve | None]:
        readers = self._readers
        reader = readers.reader(run_hash) if before is None else readers.reader_before(run_hash, before)
        curves = _sealed_curves(reader, keys)
        keys = [key for key in keys if key not in curves]
        if not keys:
            return curves
        state = reader.state()
        for key in keys:
            sequence = state.sequences.get(key)
            if sequence is None or not sequence.parts:
                sequence = reader.sequences().get(key)
            is_numeric = sequence is not None and sequence.is_numeric
            curves[key] = _curve(reader, sequence, state) if sequence is not None and is_numeric else None
        if before is None:
            curves.update(_cheap_curves(reader, state, curves))
        return curves

    def long_curves(
        self, lengths: Mapping[tuple[str, SequenceKey], int], buckets: int, window: Window | None
    ) -> dict[tuple[str, SequenceKey], StoredCurve]:
        """
        Return the longest of some curves over their steps as a picture shows them, reduced where they are stored, so
        that of the others no more points have to be read than `READ_POINTS_MAX`. Curves that have to be read, and those
        that were, are left out.

        Args:
            lengths: how many points each curve has, about.

        Cost: that of `reduce_stored`, for a curve that has changed or is drawn otherwise.
        """
        unread = {curve: length for curve, length in lengths.items() if self._lacks(curve[0], None, [curve[1]])}
        left = sum(unread.values())
        drawn: dict[tuple[str, SequenceKey], StoredCurve] = {}
        for (run_hash, key), length in sorted(unread.items(), key=lambda item: -item[1]):
            if left <= READ_POINTS_MAX:
                break
            stored = self._reduced(run_hash, key, buckets, window)
            if stored is not None:
                drawn[run_hash, key] = stored
                left -= length
        return drawn

    def _reduced(self, run_hash: str, key: SequenceKey, buckets: int, window: Window | None) -> StoredCurve | None:
        changed_at = self._watch.changed_at(run_hash)
        picture = (run_hash, key, buckets, window)
        drawn = self._stored.lookup(picture, changed_at)
        if drawn is None:
            sequence = self._readers.backend.stored_sequence(run_hash, key)
            drawn = None if sequence is None else reduce_stored(sequence, buckets, window)
            if drawn is not None:
                self._stored.put(picture, changed_at, drawn)
        return drawn

    def pyramid(self, run_hash: str, key: SequenceKey, before: Rewind | None, curve: Curve) -> Pyramid:
        """
        Return the pyramid of a curve.

        Cost: about 10 ns a point that is new since the last call; nothing for a curve that is the same.
        """
        curve_key = (run_hash, key, before)
        with self._run_locks[hash(run_hash) % LOCKS]:
            pyramid = self._pyramids.lookup(curve_key)
            if pyramid is None or not pyramid.is_beginning_of(curve.values):
                pyramid = Pyramid()
            pyramid.grow(curve.values)
            return self._pyramids.put(curve_key, None, pyramid)

    def mark(self, run_hash: str, key: SequenceKey, state_number: int, curve: Curve) -> None:
        """Remember how far a curve of a live run was read in a state, for `shared_length`."""
        with self._lock:
            marks = self._marks.setdefault((run_hash, key), {})
            while len(self._marks) > MARKED_MAX:
                del self._marks[next(iter(self._marks))]
        if state_number not in marks:  # of several readings in one state the shortest counts: it is in all of them
            marks[state_number] = _Mark.of(curve)
            while len(marks) > MARKS_MAX:
                del marks[min(marks)]

    def shared_length(self, run_hash: str, key: SequenceKey, state_number: int, curve: Curve) -> int | None:
        """
        Return how many of the curve's points a client has that last asked in that state; None: unknown.
        """
        marks = self._marks.get((run_hash, key), {})
        number = max((number for number in marks if number <= state_number), default=None)
        if number is None:
            return None
        mark = marks[number]
        return mark.length if mark.begins(curve) else None


def _sealed_curves(reader: RunReader, keys: list[SequenceKey]) -> dict[SequenceKey, Curve | None]:
    """Return the curves that are found without the lines of the run."""
    return {key: _curve_of(points) for key, points in reader.points_of_sole_writer(keys).items() if points.is_numeric}


def _cheap_curves(
    reader: RunReader, state: RunState, curves: Mapping[SequenceKey, Curve | None]
) -> dict[SequenceKey, Curve | None]:
    """Return the other curves of a small run that is in journals: these were read for *curves* as a whole."""
    if reader.journal_point_count(state) > TOGETHER_MAX:
        return {}
    return {
        key: _curve(reader, sequence, state)
        for key, sequence in state.sequences.items()
        if key not in curves and sequence.parts and sequence.is_numeric
    }


def _curve(reader: RunReader, sequence: SequenceState, state: RunState) -> Curve | None:
    return _curve_of(reader.points_of(sequence, state))


def _curve_of(points: Points) -> Curve | None:
    if not len(points):
        return None
    curve = Curve(points)
    if curve.cells is None:
        curve.values  # noqa: B018 -- read here, where one thread reads a run
    return curve


def _digest(curve: Curve, length: int) -> int:
    return zlib.crc32(curve.values[:length].tobytes(), zlib.crc32(curve.steps[:length].tobytes()))


class _Mark(NamedTuple):
    """
    How far a curve was read.

    Attributes:
        memory: of its points, when that only grows at its end; None for others.
        digest: of the points, when there is no such memory.
    """

    length: int
    memory: GrowingMemory | None
    digest: int

    @classmethod
    def of(cls, curve: Curve) -> _Mark:
        """Return the mark of a curve as it is now. Cost: none for a curve of a live journal, else that of its CRC."""
        memory = growing_memory(curve)
        return cls(len(curve), memory, 0 if memory is not None else _digest(curve, len(curve)))

    def begins(self, curve: Curve) -> bool:
        """Return whether the curve that was read is the beginning of *curve*."""
        if self.length > len(curve):
            return False
        if self.memory is not None:
            memory = growing_memory(curve)
            return memory is not None and all(
                mine() is other() for mine, other in zip(self.memory, memory, strict=True)
            )
        return _digest(curve, self.length) == self.digest


def growing_memory(curve: Curve) -> GrowingMemory | None:
    """
    Return what identifies the memory of a curve of a live journal, which grows at its end and never changes before it.

    It holds the memory weakly. Two curves with the same one have the same points, as far as both go.
    """
    steps, values = curve.steps.base, curve.values.base
    if steps is None or values is None or not (is_growing(curve.steps) and is_growing(curve.values)):
        return None
    return weakref.ref(steps), weakref.ref(values)
