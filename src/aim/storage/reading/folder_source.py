"""
The points and objects of a run from the files of its folder.

    a writer's sealed file   SealedPoints    opened once
    its journal              JournalPoints   what is full is in memory, the rest is read at each look
    its blob files           records of objects, and their bytes

So looking again sees every point whose `track()` has returned, and costs what is new. The journal of an ended writer
is sealed on the way, when it is large or when pyarrow is imported already.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core import contexts, kinds
from aim.core.errors import DamagedFile
from aim.core.params import Restore
from aim.storage.disk import layout, unreadable
from aim.storage.forms import blobs, torn_tail
from aim.storage.forms.history import Rewind
from aim.storage.forms.records import EpochArray, IntArray
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import SequenceKey, SequencePart, SequenceState, WriterInfo
from aim.storage.reading import growing
from aim.storage.reading.chunk_source import WriterPoints
from aim.storage.reading.followed_journal import FollowedJournal
from aim.storage.reading.growing import GrowingPoints
from aim.storage.reading.points import Chunk, ColumnsReader, JournalNumbers, PointEnds, Points, is_increasing, typed
from aim.storage.reading.reader import RunReader
from aim.storage.reading.sole_writer import SoleWriter
from aim.storage.sealing.declarations import unknown_name
from aim.storage.sealing.retrying import retrying
from aim.storage.sealing.sealed import Sealed
from aim.storage.sealing.span import sealed_cells, sealed_span

SEAL_RECORDS_MIN = 32_768  # 1 MiB of journal: reading this again and again costs more than sealing it
SOURCE_BYTES, JOURNAL_POINT_BYTES, SEALED_SEQUENCE_BYTES = 8_192, 72, 600  # of memory, about

log = logging.getLogger("aim")

RecordKey = tuple[str, int, int]
"""Writer, number of the blob file, offset."""
SealLater = Callable[[Path, str], object]
"""Has what an ended writer recorded into a run folder sealed by another process."""


def open_run(
    run_folder: Path,
    restore: Restore | None = None,
    *,
    seal_later: SealLater | None = None,
    log: RunLog | None = None,
    before: Rewind | None = None,
) -> RunReader:
    """
    Return a reader of the run in *run_folder*.

    Args:
        restore: makes the objects among the params.
        seal_later: is told of journals of ended writers that are read and large; nobody is by default.
        log: reads the run's state; one of its own by default.
        before: read the sequences as they stood just before this rewind; None: as they are now.
    """
    log = log or RunLog(run_folder, restore)
    return RunReader(log, FolderSource(run_folder, log, seal_later=seal_later), before=before)


class FolderSource:
    """
    The files of the run in *run_folder*; a `ChunkSource`.

    Args:
        log: reads the run's state when a journal is sealed.
        seal_later: has the journal of an ended writer sealed by another process; see `open_run`.
    """

    def __init__(self, run_folder: Path, log: RunLog, *, seal_later: SealLater | None = None) -> None:
        self.run_hash = run_folder.name
        self.run_key: Hashable = run_folder
        self._folder = run_folder
        self._log = log
        self._seal_later = seal_later
        self._journals: dict[str, FollowedJournal] = {}
        self._sealed: dict[str, SealedPoints] = {}
        self._sole_writer: SoleWriter | None = None
        self._last_record: tuple[RecordKey, dict[str, Any]] | None = None  # the lines of a log share their records

    # points

    def points_of_writer(self, writer: WriterInfo) -> WriterPoints | None:
        """Return what a writer has recorded by now; None when its files cannot be read."""
        try:
            return retrying(lambda: self._look(writer))
        except FileNotFoundError:
            return None
        except OSError as error:
            unreadable.note(layout.sealed_file(self._folder, writer.id), error)
            return None

    def _look(self, writer: WriterInfo) -> WriterPoints:
        if writer.id in self._sealed:
            return self._sealed[writer.id]
        path = f"{self._folder}{os.sep}{writer.id}.points.parquet"
        if os.path.exists(path):
            self._journals.pop(writer.id, None)
            self._sealed[writer.id] = SealedPoints(Sealed.open(Path(path)), writer.id)
            return self._sealed[writer.id]
        journal = self._journals.get(writer.id)
        if journal is None:
            journal = self._journals[writer.id] = FollowedJournal(self._folder, writer.id)
        if not journal.is_complete:
            self._refresh(journal, writer)
        # of a writer that was cut off, the last points may lack their objects (forms.torn_tail)
        is_torn = writer.end is None and not writer.is_alive(time.time())
        return JournalPoints(journal, self._folder if is_torn else None)

    def _refresh(self, journal: FollowedJournal, writer: WriterInfo) -> None:
        try:
            journal.refresh(is_still=writer.end is not None)
        except FileNotFoundError:
            del self._journals[writer.id]
            raise
        if writer.end is not None and not journal.has_gap:
            journal.is_complete = True
            self._tell_sealer(writer, len(journal))

    def _tell_sealer(self, writer: WriterInfo, point_count: int) -> None:
        """Have a large journal sealed, once, and not by this reader: it would wait, and need memory for all points."""
        seal_later, self._seal_later = self._seal_later, None
        if seal_later is not None and point_count < SEAL_RECORDS_MIN:
            self._seal_later = seal_later  # the next writer may have recorded more
        elif seal_later is not None and os.access(self._folder, os.W_OK):
            seal_later(self._folder, writer.id)

    def is_unchanging(self, writer_id: str) -> bool:
        """Return whether a writer's sealed file was opened."""
        return writer_id in self._sealed

    def journal_point_count(self, writer_ids: Collection[str]) -> float:
        """Return how many points are in memory, when all of these writers have ended journals; else infinity."""
        count = 0
        for writer_id in writer_ids:
            journal = self._journals.get(writer_id)
            if journal is None or not journal.is_complete:
                return math.inf
            count += len(journal)
        return count if writer_ids else math.inf

    def held_bytes(self) -> int:
        """Return about how many bytes of memory are held: for points of journals, and for the ends of sealed files."""
        files = [sealed.file for sealed in list(self._sealed.values())]
        if self._sole_writer is not None and self._sole_writer.file is not None:
            files.append(self._sole_writer.file)
        point_count = sum(len(journal) for journal in list(self._journals.values()))
        sequence_count = sum(len(file.table) for file in files)
        return SOURCE_BYTES + point_count * JOURNAL_POINT_BYTES + sequence_count * SEALED_SEQUENCE_BYTES

    def use_sole_writer(self, writer_id: str, stamp: int) -> None:
        """Expect one sealed file with all points, for as long as the folder has the time *stamp*."""
        if self._sole_writer is None or self._sole_writer.stamp != stamp:
            self._sole_writer = SoleWriter(self._folder, writer_id, stamp)

    def sole_parts(self, keys: Collection[SequenceKey]) -> dict[SequenceKey, tuple[WriterPoints, SequencePart]]:
        """Return sequences of the expected sole writer, without those for which the run's lines have to be read."""
        match = None if self._sole_writer is None else self._sole_writer.find(keys)
        if match is None:
            return {}
        file, parts = match
        return {key: (SealedPoints(file, part.writer), part) for key, part in parts.items()}

    # objects

    def record_of_step(self, writer_id: str, position: int, step: int) -> dict[str, Any]:
        """Return the record of the objects of one point. Raises DamagedFile."""
        file_number, offset = blobs.split_position(position)
        path = layout.blob_file(self._folder, writer_id, file_number)
        try:
            record = self.read_record(writer_id, file_number, offset)
        except FileNotFoundError:
            raise DamagedFile(str(path), "byte 0", "the file is gone") from None
        try:
            return blobs.record_of_step(record, step)
        except (ValueError, LookupError):
            raise DamagedFile(str(path), f"byte {offset:,}", "the record of other points") from None

    def read_record(self, writer_id: str, file_number: int, offset: int) -> dict[str, Any]:
        """Return a record as it is stored. Raises FileNotFoundError and DamagedFile."""
        key = (writer_id, file_number, offset)
        last = self._last_record
        if last is not None and last[0] == key:
            return last[1]
        path = layout.blob_file(self._folder, writer_id, file_number)
        with _readable(path, offset):
            record = blobs.read_record(path, offset)
        self._last_record = (key, record)
        return record

    def read_data(self, writer_id: str, file_number: int, offset: int) -> bytes:
        """Return the bytes of one object. Raises FileNotFoundError and DamagedFile."""
        path = layout.blob_file(self._folder, writer_id, file_number)
        with _readable(path, offset):
            return blobs.read_data(path, offset)

    def read_data_part(self, writer_id: str, file_number: int, offset: int, start: int, stop: int) -> bytes:
        """Return some bytes of one object, unchecked; nothing else is read. Raises FileNotFoundError, DamagedFile."""
        path = layout.blob_file(self._folder, writer_id, file_number)
        with _readable(path, offset):
            return blobs.read_data_part(path, offset, start, stop)

    def data_chunks(self, writer_id: str, file_number: int, offset: int, chunk_bytes: int) -> Iterator[bytes]:
        """Go through the bytes of one object in chunks. Raises FileNotFoundError, and DamagedFile before the last."""
        path = layout.blob_file(self._folder, writer_id, file_number)
        with _readable(path, offset):
            yield from blobs.data_chunks(path, offset, chunk_bytes)


@contextmanager
def _readable(path: Path, offset: int) -> Iterator[None]:
    """Raise DamagedFile in place of an OSError, but for FileNotFoundError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DamagedFile(str(path), f"byte {offset:,}", unreadable.note(path, error)) from None


class SealedPoints:
    """The sealed *file* of one writer; a `WriterPoints`."""

    def __init__(self, file: Sealed, writer_id: str) -> None:
        self.file = file
        self._writer_id = writer_id

    def chunk(self, part: SequencePart) -> Chunk:
        """Return all points of a part."""
        columns = self.file.columns(part.number)
        return Chunk(columns.steps, typed(columns.values, part.kind), columns.times_us, columns.epochs, part.writer)

    def ordered_points(self, part: SequencePart) -> Points | None:
        """
        Return the points of a part that is its whole sequence; None when its steps do not increase.

        Cost: that of reading steps and values; nothing is read where the file's footer says the ends of the sequence.
        """

        def read_moments() -> tuple[IntArray, EpochArray]:
            columns = self.file.columns(part.number)
            return columns.times_us, columns.epochs

        def read_columns() -> tuple[IntArray, npt.NDArray[Any]]:
            steps, values = self.file.steps_values(part.number)
            return steps, typed(values, part.kind)

        def read_span(start: int, stop: int) -> tuple[IntArray, npt.NDArray[Any]] | None:
            span = sealed_span(self.file, part.number, start, stop)
            return None if span is None else (span[0], typed(span[1], part.kind))

        ends = None if self.file.damage else self.file.table.ends(part.number)
        if ends is not None:
            reader = ColumnsReader(read_columns, read_span, lambda: sealed_cells(self.file, part.number))
            return Points.unread(PointEnds(*ends), reader, read_moments, part.writer, part.kind)
        steps, values = self.file.steps_values(part.number)
        if not is_increasing(steps):
            return None
        return Points(steps, typed(values, part.kind), read_moments, (part.writer,), kind=part.kind)

    def undeclared(self, declared_numbers: Collection[int]) -> list[SequenceState]:
        """Return the sequences of other numbers, as the file describes them."""
        return [
            _sequence(self._writer_id, sequence.number, sequence.name, sequence.context, sequence.kind)
            for sequence in self.file.sequences
            if sequence.number not in declared_numbers
        ]


class JournalPoints:
    """
    The journal of one writer; a `WriterPoints`.

    Args:
        torn_folder: the folder of the run, when the writer was cut off; None: it has ended, or still records.
    """

    def __init__(self, journal: FollowedJournal, torn_folder: Path | None = None) -> None:
        self._journal = journal
        self._torn_folder = torn_folder

    def chunk(self, part: SequencePart) -> Chunk:
        """Return all points of a part."""
        points = self._journal.of_sequence(part.number)
        times_us = growing.times_us(points.column("time"))
        steps, values, epochs = points.column("step"), _values(points, part.kind), points.column("epoch")
        if self._torn_folder is not None and not kinds.is_number(part.kind):
            is_stored = torn_tail.stored_objects(self._torn_folder, part.writer, values, times_us)
            steps, values, times_us, epochs = (array[is_stored] for array in (steps, values, times_us, epochs))
        return Chunk(steps, values, times_us, epochs, part.writer)

    def ordered_points(self, part: SequencePart) -> Points | None:
        """
        Return the points of a part that is its whole sequence; None when its steps do not increase.

        Cost: nothing is copied, so that of the records that are new.
        """
        points = self._journal.of_sequence(part.number)
        is_torn = self._torn_folder is not None and not kinds.is_number(part.kind)
        if is_torn or not points.is_increasing:
            return None
        times_s, epochs = points.column("time"), points.column("epoch")
        steps, values = points.column("step"), _values(points, part.kind)

        def read_moments() -> tuple[IntArray, EpochArray]:
            return growing.times_us(times_s), epochs

        if kinds.is_number(part.kind):
            return JournalNumbers(steps, values, points.column("value"), read_moments, part.writer, part.kind)
        return Points(steps, values, read_moments, (part.writer,), kind=part.kind)

    def undeclared(self, declared_numbers: Collection[int]) -> list[SequenceState]:
        """Return the sequences of other numbers, named after them: a journal has no names."""
        undeclared = [number for number in self._journal.numbers() if number not in declared_numbers]
        lost = self._lost_declarations(self._torn_folder, declared_numbers) if undeclared and self._torn_folder else ()
        return [
            _sequence(self._journal.writer, number, unknown_name(number), {}, "float")
            for number in undeclared
            if number not in lost
        ]

    def _lost_declarations(self, folder: Path, declared_numbers: Collection[int]) -> set[int]:
        numbers = self._journal.numbers()
        times_us = [growing.times_us(self._journal.of_sequence(number).column("time")) for number in numbers]
        counts = [len(times) for times in times_us]
        number_of_point = np.repeat(np.array(numbers, np.int64), counts)
        return torn_tail.lost_declarations(
            folder, self._journal.writer, number_of_point, np.concatenate(times_us), declared_numbers
        )


def _values(points: GrowingPoints, kind: str) -> npt.NDArray[Any]:
    return points.column("value") if kind == "float" else points.integers()


def _sequence(writer_id: str, number: int, name: str, context: dict[str, Any], kind: str) -> SequenceState:
    return SequenceState(name, context, contexts.text(context), [SequencePart(writer_id, number, kind)])
