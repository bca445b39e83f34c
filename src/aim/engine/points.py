"""
Points for curves: read once for each change of a run, and kept while there is room.

    store.read(run, keys)  ->  the engine's reader  ->  `Curve`: steps, values as floats, times when asked for

What was read is good until the run changes, which `tail.Watch` knows. So drawing the same thousand curves again,
zooming in and smoothing cost no reading. What a run was before a rewind is good until something of it is taken back.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from aim.core.errors import NotFound
from aim.core.recent import Recent
from aim.engine.repository import Repository
from aim.engine.tail import Watch
from aim.storage.forms.history import Rewind
from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.forms.state import RunState, SequenceKey, SequenceState
from aim.storage.reading.points import Points
from aim.storage.reading.reader import RunReader

KEPT_BYTES_MAX = 256 << 20
LOCKS = 64
BYTES_A_POINT = 32
TOGETHER_MAX = 8_192  # points of a run that ended and is not sealed: up to here all its curves are read at once
MARKED_MAX = 20_000  # curves whose states are remembered
MARKS_MAX = 8  # states of one curve that are remembered, for those who have one of them and ask for the rest


@dataclass
class Curve:
    """
    The points of one sequence of numbers, ordered by step.

    Attributes:
        steps: shape (n,), int64, increasing.
        values: shape (n,), float64; integers beyond 2**53 are rounded.
    """

    steps: IntArray
    values: FloatArray
    _points: Points = field(repr=False)

    @property
    def times_s(self) -> FloatArray:
        """Shape (n,), Unix seconds."""
        return self._points.times_s

    @property
    def epochs(self) -> FloatArray:
        """Shape (n,); NaN: none."""
        return self._points.epochs

    def __len__(self) -> int:
        return len(self.steps)


@dataclass
class _RunCurves:
    curves: dict[SequenceKey, Curve | None]
    points: int = 0


class PointStore:
    """Gives the curves of the runs of one repository. Any thread may ask."""

    def __init__(self, repository: Repository, watch: Watch) -> None:
        self._repository = repository
        self._watch = watch
        self._kept: Recent[tuple[str, Rewind | None], _RunCurves] = Recent(
            KEPT_BYTES_MAX, lambda kept: kept.points * BYTES_A_POINT
        )
        self._lock = threading.Lock()
        self._run_locks = [threading.Lock() for _ in range(LOCKS)]
        self._marks: dict[tuple[str, SequenceKey], dict[int, tuple[int, int]]] = {}

    def lock_of(self, run_hash: str) -> threading.Lock:
        """Return the lock to hold while the run's reader, which serves one thread at a time, is used."""
        return self._run_locks[hash(run_hash) % LOCKS]

    def taken_back_at(self, run_hash: str) -> int:
        """Return the number of the state in which points of a run were last hidden or shown again; 0: never."""
        return self._watch.taken_back_at(run_hash)

    def rewinds(self, run_hash: str) -> tuple[Rewind, ...]:
        """Return the rewinds of a run, oldest first; none when it is gone."""
        try:
            return self._repository.readers.log(run_hash).refresh().rewinds
        except (FileNotFoundError, NotFound):
            return ()

    def read(
        self, run_hash: str, keys: Iterable[SequenceKey], before: Rewind | None = None
    ) -> dict[SequenceKey, Curve]:
        """
        Return the curves of a run by key; those that it does not have are left out, all of them when it is gone.

        Args:
            before: as they stood just before this rewind of the run; None: now.

        Cost: a dict look-up for what is kept; else that of `RunReader.points_of`.
        """
        wanted = list(keys)
        watch = self._watch
        changed_at = watch.changed_at(run_hash) if before is None else watch.taken_back_at(run_hash)
        with self.lock_of(run_hash):
            kept = self._kept.lookup((run_hash, before), changed_at) or _RunCurves({})
            unread = [key for key in wanted if key not in kept.curves]
            if unread:
                try:
                    found = self._read(run_hash, unread, before)
                except (FileNotFoundError, NotFound):
                    return {}
                kept.curves.update(found)
                kept.points += sum(len(curve) for curve in found.values() if curve is not None)
                self._kept.put((run_hash, before), changed_at, kept)
            return {key: curve for key in wanted if (curve := kept.curves[key]) is not None}

    def _read(self, run_hash: str, keys: list[SequenceKey], before: Rewind | None) -> dict[SequenceKey, Curve | None]:
        repository = self._repository
        reader = (
            repository.readers.reader(run_hash)
            if before is None
            else repository.readers.reader_before(run_hash, before)
        )
        found: dict[SequenceKey, Curve | None] = {}
        for key in keys:
            sole = reader.points_of_sole_writer(key)
            if sole is not None and sole.is_numeric:
                found[key] = Curve(sole.steps, as_floats(sole.values), sole) if len(sole) else None
        keys = [key for key in keys if key not in found]
        if not keys:
            return found
        state = reader.state()
        for key in keys:
            facts = state.sequences.get(key)
            if facts is None or not facts.parts:
                facts = reader.sequences().get(key)
            if facts is None or not facts.is_numeric:
                found[key] = None
                continue
            found[key] = _curve(reader, facts, state)
        if before is None and reader.journal_point_count(state) <= TOGETHER_MAX:
            # the whole journal was read for these: its other curves cost little now, and a reading of it later
            for key, facts in state.sequences.items():
                if key not in found and facts.parts and facts.is_numeric:
                    found[key] = _curve(reader, facts, state)
        return found

    def mark(self, run_hash: str, key: SequenceKey, state_number: int, curve: Curve) -> None:
        """Remember how far a curve of a live run was read in a state, for `shared_length`."""
        with self._lock:
            marks = self._marks.setdefault((run_hash, key), {})
            while len(self._marks) > MARKED_MAX:
                del self._marks[next(iter(self._marks))]
        if state_number not in marks:  # of several readings in one state the shortest counts: it is in all of them
            marks[state_number] = (len(curve), _digest(curve, len(curve)))
            while len(marks) > MARKS_MAX:
                del marks[min(marks)]

    def shared_length(self, run_hash: str, key: SequenceKey, state_number: int, curve: Curve) -> int | None:
        """
        Return how many of the curve's points somebody has who last asked in that state; None when that can't be told.
        """
        marks = self._marks.get((run_hash, key), {})
        number = max((number for number in marks if number <= state_number), default=None)
        if number is None:
            return None
        length, digest = marks[number]
        return length if length <= len(curve) and _digest(curve, length) == digest else None


def _curve(reader: RunReader, facts: SequenceState, state: RunState) -> Curve | None:
    points = reader.points_of(facts, state)
    return Curve(points.steps, as_floats(points.values), points) if len(points) else None


def as_floats(values: npt.NDArray[np.generic]) -> FloatArray:
    """
    Return values of any kind of metric as doubles.

    >>> as_floats(np.array([1, 2.5], object))
    array([1. , 2.5])
    """
    return np.ascontiguousarray(values, np.float64)


def _digest(curve: Curve, length: int) -> int:
    return zlib.crc32(curve.values[:length].tobytes(), zlib.crc32(curve.steps[:length].tobytes()))
