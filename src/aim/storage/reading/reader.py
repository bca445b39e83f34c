"""
The points of a run as arrays, from journal and sealed form alike, live or ended.

    points of a sequence = union of its parts in all writers' files, ordered by step;
                           of several points at one step the latest counts: by time, then by writer

What is read from a sealed file or an ended journal is kept; a live journal is read again from its first page that was
not full. So asking again sees every point whose `track()` has returned, and costs what is new.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from aim.core import contexts, forks, kinds
from aim.core.clock import MICROSECONDS
from aim.core.errors import DamagedFile
from aim.core.params import OWN_KIND, Restore
from aim.core.recent import Recent
from aim.storage.disk import layout, unreadable
from aim.storage.forms import blobs, records
from aim.storage.forms.history import Rewind
from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState, SequenceKey, SequencePart, SequenceState, WriterInfo
from aim.storage.forms.visible import Visibility
from aim.storage.reading.followed_journal import FollowedJournal
from aim.storage.reading.sole_writer import SoleWriter
from aim.storage.sealing import seal, sealed
from aim.storage.sealing.retrying import retrying

SEAL_RECORDS_MIN = 32_768  # 1 MiB of journal: from here on reading pays for importing pyarrow and sealing
RECENT_BYTES_MAX = 256 << 20
UNKNOWN_NAME = "(unknown {})"

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Points:
    """
    One sequence, ordered by step, each step once.

    Attributes:
        kind: `int`, `float`, `number` for both, or its objects' type, as of `SequenceState`.
        steps: shape (n,), int64, increasing.
        values: shape (n,): int64, float64, or, of both kinds, object (Python numbers). For objects: int64, the places
            of their records.
        times_s: shape (n,), float64, Unix seconds in whole microseconds.
        epochs: shape (n,), float64; NaN: none.
        writers: shape (n,), the index in `writer_ids` of who recorded it.
        hidden_items: by step, the places in the list tracked there of objects that were deleted.

    Times and epochs are decoded when they are first asked for: most readers want steps and values.
    """

    def __init__(
        self,
        steps: IntArray,
        values: npt.NDArray[Any],
        moments: Callable[[], tuple[IntArray, records.EpochArray]],
        writer_ids: tuple[str, ...],
        writers: npt.NDArray[np.int32] | None = None,
        kind: str = "",
    ) -> None:
        self.kind = kind
        self.steps = steps
        self.values = values
        self.writer_ids = writer_ids
        self.hidden_items: Mapping[int, frozenset[int]] = {}
        self._moments = moments
        self._writers = writers

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def is_numeric(self) -> bool:
        """Whether the values are numbers."""
        return kinds.is_numeric_sequence(self.kind)

    @cached_property
    def _times_epochs(self) -> tuple[IntArray, records.EpochArray]:
        return self._moments()

    @property
    def times_us(self) -> IntArray:
        """When each point was tracked, shape (n,), int64, in microseconds."""
        return self._times_epochs[0]

    @cached_property
    def times_s(self) -> FloatArray:
        """When each point was tracked."""
        seconds: FloatArray = self.times_us / MICROSECONDS
        return seconds

    @cached_property
    def epochs(self) -> FloatArray:
        """The epoch of each point."""
        return records.shortest_epochs(self._times_epochs[1].astype(np.float32, copy=False))

    @cached_property
    def writers(self) -> npt.NDArray[np.int32]:
        """Who recorded each point."""
        return np.zeros(len(self.steps), np.int32) if self._writers is None else self._writers

    @property
    def size_bytes(self) -> int:
        """About the memory that the points take when everything is decoded."""
        return 48 * len(self.steps) + 512


Sources = Mapping[str, sealed.Sealed | FollowedJournal | None]  # of the points, by writer


def _locked(
    method: Callable[Concatenate[RunReader, Arguments], Result],
) -> Callable[Concatenate[RunReader, Arguments], Result]:
    @wraps(method)
    def locked(reader: RunReader, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        with reader._lock:
            return method(reader, *args, **kwargs)

    return locked


class RunReader:
    """
    Reads the run in *folder*. Any number of threads may use one reader.

    Args:
        restore: makes objects from kind, fields and a loader of bytes, for params and object sequences.
        may_seal: whether to seal ended writers' journals that are read and large.
        log: reads the run's state; one of its own by default.
        before: read the sequences as they stood just before this rewind.
    """

    def __init__(
        self,
        folder: Path,
        restore: Restore | None = None,
        *,
        may_seal: bool = True,
        log: RunLog | None = None,
        before: Rewind | None = None,
    ) -> None:
        self.folder = folder
        self.run_hash = folder.name
        self._prefix = f"{folder}{os.sep}"
        self.log = log or RunLog(folder, restore)
        self._restore = restore
        self._may_seal = may_seal
        self._before_s = None if before is None else before.time_s
        self._journals: dict[str, FollowedJournal] = {}
        self._sealed: dict[str, sealed.Sealed] = {}
        self._shared: tuple[tuple[str, int, int], dict[str, Any]] | None = None  # lines of a log share their records
        self._sole: SoleWriter | None = None
        self._lock = forks.ForkedLock()

    @_locked
    def use_sole_writer(self, writer: str, stamp: int) -> None:
        """Say that all points are what *writer* has sealed, while the run's folder has the time *stamp*."""
        if self._before_s is None and (self._sole is None or self._sole.stamp != stamp):
            self._sole = SoleWriter(self.folder, writer, stamp)

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
        """
        state = self.state()
        found = {
            key: facts
            for key, facts in state.sequences.items()
            # what was taken back, and not tracked since, has none
            if facts.parts and (self.visibility(facts, state).hides_nothing or len(self.points_of(facts, state)))
        }
        if state.damage or any(_may_lack_lines(writer) for writer in state.writers.values()):
            for facts in self._undeclared(state):
                known = found.setdefault(facts.key, facts)
                known.parts += [part for part in facts.parts if part not in known.parts]
        return found

    def _undeclared(self, state: RunState) -> list[SequenceState]:
        declared = {(part.writer, part.number) for facts in state.sequences.values() for part in facts.parts}
        found = []
        for writer in state.writers.values():
            source = self._source(writer)
            if isinstance(source, sealed.Sealed):
                for item in source.sequences:
                    if (writer.id, item.number) not in declared:
                        found.append(_facts(writer.id, item.number, item.name, item.context, item.kind))
            elif source is not None:
                for number in np.unique(source.all()["sequence"]).tolist():
                    if (writer.id, number) not in declared:
                        found.append(_facts(writer.id, number, UNKNOWN_NAME.format(number), {}, "float"))
        return found

    @_locked
    def points(self, key: SequenceKey) -> Points | None:
        """
        Return the points of a sequence as they are now, or None when the run has no such sequence.

        Cost: from a sealed file about 1.5 ms for 100,000 points; from a journal about 10 ns a point of the whole run.
        """
        found = self.points_of_sole_writer(key)
        if found is not None:
            return found
        state = self.state()
        facts = state.sequences.get(key)
        if facts is None or not facts.parts:
            facts = self.sequences().get(key)
        return None if facts is None else self.points_of(facts, state)

    @_locked
    def points_of_sole_writer(self, key: SequenceKey) -> Points | None:
        """
        Return the points of a sequence without asking the run's lines; None when they have to be asked.

        Cost: with `use_sole_writer` 60 us for some hundred points, else nothing.
        """
        if self._sole is None:
            return None
        found = self._sole.find(key)
        if found is None:
            return None
        file, part = found
        stamp = ((part,), 0, Visibility())
        known = _recent.lookup((self.folder, key, None), stamp)
        if known is not None:
            return known
        points = _one_sealed(file, part)
        return None if points is None else _recent.put((self.folder, key, None), stamp, points)

    @_locked
    def points_of_many(self, keys: Iterable[SequenceKey] | None = None) -> dict[SequenceKey, Points]:
        """
        Return the points of several sequences, or of all, as they are now.

        Cost: one look at each file; `points` of a run that records reads the end of its journal each time.
        """
        found = self.sequences()
        state = self.state()
        sources = {writer.id: self._source(writer) for writer in state.writers.values()}
        wanted = found if keys is None else [key for key in keys if key in found]
        return {key: self._read_points(found[key], state, sources) for key in wanted}

    @_locked
    def points_of(self, facts: SequenceState, state: RunState) -> Points:
        """Return the points of *facts*, a sequence of *state*."""
        if not all(part.writer in self._sealed for part in facts.parts):
            return self._read_points(facts, state)
        # the parts, not only how many: a new run of the name of a deleted one has other writers
        stamp = (tuple(facts.parts), len(facts.exact_points), self.visibility(facts, state))
        key = (self.folder, facts.key, self._before_s)
        return _recent.get(key, stamp, lambda: self._read_points(facts, state))

    @_locked
    def journal_point_count(self, state: RunState) -> float:
        """Return how many points of the run are held, if all of it lies in journals that ended; else infinity."""
        held = [self._journals.get(writer) for writer in state.writers]
        if not held or not all(found is not None and found.is_complete for found in held):
            return math.inf
        return sum(len(found.all()) for found in held if found is not None)

    def visibility(self, facts: SequenceState, state: RunState) -> Visibility:
        """Return what is shown of *facts*, a sequence of *state*."""
        before_s = self._before_s
        rewinds = state.rewinds if state.rewinds and facts.is_rewound else ()
        if before_s is not None:
            rewinds = tuple(rewind for rewind in rewinds if rewind.time_s < before_s)
        return Visibility(rewinds, facts.dropped_at_s, tuple(facts.deletions), before_s)

    def _read_points(self, facts: SequenceState, state: RunState, sources: Sources | None = None) -> Points:
        if sources is None:
            ids = {part.writer for part in facts.parts} & state.writers.keys()
            sources = {writer: self._source(state.writers[writer]) for writer in ids}
        visibility = self.visibility(facts, state)
        if len(facts.parts) == 1 and not facts.exact_points and visibility.hides_nothing:
            # the usual case, one writer and steps in order: nothing is merged, and moments can wait
            source = sources.get(facts.parts[0].writer)
            if source is not None:
                read = _one_sealed if isinstance(source, sealed.Sealed) else _one_recorded
                found = read(source, facts.parts[0])  # type: ignore[arg-type]
                if found is not None:
                    return found
        chunks = self._chunks(facts, sources)
        if facts.exact_points:
            chunks.append(_exact_chunk(facts))
        if not visibility.hides_nothing:
            chunks = [chunk.where(visibility.visible_mask(chunk.steps, chunk.times_us)) for chunk in chunks]
        merged = _merged([chunk for chunk in chunks if len(chunk.steps)], facts)
        if visibility.deletions:
            merged.hidden_items = visibility.hidden_items(merged.steps, merged.times_us)
        return merged

    @_locked
    def recorded_chunks(self, facts: SequenceState, state: RunState) -> list[Chunk]:
        """Return what each writer recorded of *facts*, a sequence of *state*, hidden or not, as it was recorded."""
        sources = {part.writer: self._source(state.writers[part.writer]) for part in facts.parts}
        return self._chunks(facts, sources)

    def _chunks(self, facts: SequenceState, sources: Sources) -> list[Chunk]:
        return [chunk for part in facts.parts if (chunk := self._chunk(part, sources)) is not None]

    def _chunk(self, part: SequencePart, sources: Sources) -> Chunk | None:
        source = sources.get(part.writer)
        if source is None:
            return None
        if isinstance(source, sealed.Sealed):
            columns = source.columns(part.number)
            return Chunk(
                columns.steps, _typed(columns.values, part.kind), columns.times_us, columns.epochs, part.writer
            )
        rows = source.of(part.number)
        return Chunk(
            rows["step"].astype(np.int64),
            _typed(rows["value"], part.kind),
            records.time_us(rows),
            rows["epoch"],
            part.writer,
        )

    def _source(self, writer: WriterInfo) -> sealed.Sealed | FollowedJournal | None:
        try:
            return retrying(lambda: self._look(writer))
        except FileNotFoundError:
            return None
        except OSError as error:
            unreadable.note(layout.sealed_file(self.folder, writer.id), error)
            return None

    def _look(self, writer: WriterInfo) -> sealed.Sealed | FollowedJournal | None:
        if writer.id in self._sealed:
            return self._sealed[writer.id]
        path = f"{self._prefix}{writer.id}.points.parquet"
        if os.path.exists(path):
            self._journals.pop(writer.id, None)
            self._sealed[writer.id] = sealed.Sealed.open(Path(path))
            return self._sealed[writer.id]
        found = self._journals.get(writer.id)
        if found is None:
            found = self._journals[writer.id] = FollowedJournal(self.folder, writer.id)
        elif found.is_complete:
            return found
        try:
            found.refresh(is_still=writer.end is not None)
        except FileNotFoundError:
            del self._journals[writer.id]
            raise
        if writer.end is not None and not found.has_gap:
            found.is_complete = True
            if self._worth_sealing(found):
                self._seal(writer)
        return found

    def _worth_sealing(self, found: FollowedJournal) -> bool:
        size = len(found.all())
        return self._may_seal and size > 0 and (size >= SEAL_RECORDS_MIN or "pyarrow.parquet" in sys.modules)

    def _seal(self, writer: WriterInfo) -> None:
        if not os.access(self.folder, os.W_OK):
            return
        try:
            seal.seal_writer(self.folder, writer.id, self.log.refresh())
        except OSError:  # no room, or read-only: the journal is as good
            self._may_seal = False

    # objects

    @_locked
    def record(self, points: Points, index: int) -> dict[str, Any]:
        """
        Return the stored record of the objects at *index* of an object sequence, without those that were deleted.

        Raises:
            DamagedFile: the blob file is.
        """
        record = self._record(points, index)
        if not points.hidden_items:
            return record
        return {**record, "items": [item for _, item in self._shown(record, points, index)]}

    @_locked
    def items(self, points: Points, index: int) -> list[tuple[int, dict[str, Any]]]:
        """Return the objects of `record`, each with its place in the list that was tracked. Raises as that."""
        return self._shown(self._record(points, index), points, index)

    def _shown(self, record: Mapping[str, Any], points: Points, index: int) -> list[tuple[int, dict[str, Any]]]:
        hidden = points.hidden_items.get(int(points.steps[index]), frozenset()) if points.hidden_items else frozenset()
        return [(place, item) for place, item in enumerate(record["items"]) if place not in hidden]

    def _record(self, points: Points, index: int) -> dict[str, Any]:
        writer = points.writer_ids[int(points.writers[index])]
        number, offset = blobs.split_position(int(points.values[index]))
        path = layout.blob_file(self.folder, writer, number)
        shared = self._shared
        if shared is None or shared[0] != (writer, number, offset):
            try:
                shared = self._shared = ((writer, number, offset), blobs.read_record(path, offset))
            except FileNotFoundError:
                raise DamagedFile(str(path), "byte 0", "the file is gone") from None
            except OSError as error:
                raise DamagedFile(str(path), f"byte {offset:,}", unreadable.note(path, error)) from None
        try:
            return blobs.record_of_step(shared[1], int(points.steps[index]))
        except (ValueError, LookupError):
            raise DamagedFile(str(path), f"byte {offset:,}", "the record of other points") from None

    @_locked
    def objects(self, points: Points, index: int, restore: Restore) -> Any:
        """
        Return the object, or list of objects, at *index*; their bytes are read when they ask for them.
        """
        writer = points.writer_ids[int(points.writers[index])]
        number, _ = blobs.split_position(int(points.values[index]))
        record = self.record(points, index)
        path = layout.blob_file(self.folder, writer, number)
        kind: str = record["kind"]
        items = [_restored(kind, item, path, restore) for item in record["items"]]
        return items if kind.startswith("list") else items[0]

    def read_data(self, writer: str, number: int, offset: int) -> bytes:
        """Return the bytes of a data entry."""
        return _data(layout.blob_file(self.folder, writer, number), offset)


_recent: Recent[tuple[Path, SequenceKey, float | None], Points] = Recent(
    RECENT_BYTES_MAX, lambda points: points.size_bytes
)


def _restored(kind: str, item: dict[str, Any], path: Path, restore: Restore) -> Any:
    fields = dict(item)
    offset = fields.pop("data", None)
    fields.pop(OWN_KIND, None)

    def load() -> bytes:
        return b"" if offset is None else _data(path, offset)

    return restore(blobs.kind_of_item(kind, item), fields, load)


def _data(path: Path, offset: int) -> bytes:
    try:
        return blobs.read_data(path, offset)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DamagedFile(str(path), f"byte {offset:,}", unreadable.note(path, error)) from None


def _facts(writer: str, number: int, name: str, context: dict[str, Any], kind: str) -> SequenceState:
    return SequenceState(name, context, contexts.text(context), [SequencePart(writer, number, kind)])


def _may_lack_lines(writer: WriterInfo) -> bool:
    # killed, or its event file was cut off: a power cut may have taken declarations of points that it left
    return writer.begin is None or (writer.end is None and not writer.is_alive(time.time()))


def _one_sealed(source: sealed.Sealed, part: SequencePart) -> Points | None:
    """Return the points of a part that is the whole sequence; None when its steps are in no order."""
    steps, values = source.steps_values(part.number)
    if not _is_increasing(steps):
        return None

    def moments() -> tuple[IntArray, records.EpochArray]:
        columns = source.columns(part.number)
        return columns.times_us, columns.epochs

    return Points(steps, _typed(values, part.kind), moments, (part.writer,), kind=part.kind)


def _one_recorded(source: FollowedJournal, part: SequencePart) -> Points | None:
    """As `_one_sealed`, from a journal."""
    rows = source.of(part.number)
    steps = rows["step"].astype(np.int64)
    if not _is_increasing(steps):
        return None
    values = _typed(rows["value"], part.kind)
    return Points(steps, values, lambda: (records.time_us(rows), rows["epoch"]), (part.writer,), kind=part.kind)


@dataclass(frozen=True)
class Chunk:
    """What one writer recorded of a sequence in one kind; arrays as in `Points`."""

    steps: IntArray
    values: npt.NDArray[Any]
    times_us: IntArray
    epochs: npt.NDArray[np.floating[Any]]
    writer: str

    def where(self, keep: npt.NDArray[np.bool_]) -> Chunk:
        """Return those points that *keep* says."""
        return Chunk(self.steps[keep], self.values[keep], self.times_us[keep], self.epochs[keep], self.writer)


def _typed(values: npt.NDArray[Any], kind: str) -> npt.NDArray[Any]:
    if kind == "float":
        return np.ascontiguousarray(values, np.float64)
    with np.errstate(invalid="ignore"):
        return values.astype(np.int64)


def _exact_chunk(facts: SequenceState) -> Chunk:
    points = facts.exact_points
    writers = {point.writer for point in points}
    return Chunk(
        np.array([point.step for point in points], np.int64),
        np.array([point.value for point in points], np.int64),
        np.array([round(point.time_s * MICROSECONDS) for point in points], np.int64),
        np.array([np.nan if point.epoch is None else point.epoch for point in points], np.float32),
        min(writers),
    )


def _merged(chunks: Sequence[Chunk], facts: SequenceState) -> Points:
    writer_ids = tuple(sorted({chunk.writer for chunk in chunks}))
    if not chunks:
        kind = np.float64 if facts.kind in ("float", "number") else np.int64
        nothing = np.empty(0, np.int64)
        return Points(
            nothing, nothing.astype(kind), lambda: (nothing, nothing.astype(np.float32)), writer_ids, kind=facts.kind
        )
    one = chunks[0]
    if len(chunks) == 1:
        steps, values, times, epochs = one.steps, one.values, one.times_us, one.epochs
        owners = None
    else:
        steps = np.concatenate([chunk.steps for chunk in chunks])
        times = np.concatenate([chunk.times_us for chunk in chunks])
        epochs = np.concatenate([chunk.epochs for chunk in chunks])
        owners = np.repeat(
            np.array([writer_ids.index(chunk.writer) for chunk in chunks], np.int32),
            [len(chunk.steps) for chunk in chunks],
        )
        values = _joined([chunk.values for chunk in chunks])
    if not _is_increasing(steps):
        ranks = np.zeros(len(steps), np.int32) if owners is None else owners
        order = np.lexsort((np.arange(len(steps)), ranks, times, steps))
        ordered = steps[order]
        order = order[np.append(ordered[1:] != ordered[:-1], True)]
        steps, values, times, epochs = steps[order], values[order], times[order], epochs[order]
        owners = None if owners is None else owners[order]
    return Points(steps, values, lambda: (times, epochs), writer_ids, owners, facts.kind)


def _is_increasing(steps: IntArray) -> bool:
    return len(steps) < 2 or bool((steps[1:] > steps[:-1]).all())


def _joined(values: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    if len({array.dtype for array in values}) == 1:
        return np.concatenate(values)
    joined = np.empty(sum(len(array) for array in values), object)
    joined[:] = [item for array in values for item in array.tolist()]
    return joined
