"""
The points and objects of one run from a cluster; a `ChunkSource`.

    points     the table `points`, by writer and number of the sequence, in the order of recording
    objects    the bytes of blob files, from the parts that cover them
"""

from __future__ import annotations

import io
import math
from collections.abc import Collection, Hashable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from aim.core.errors import DamagedFile
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_files import READ_AHEAD_BYTES, PartsFile, blob_parts
from aim.storage.cluster.cluster_points import NOTHING, PointColumns
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_sealed import points_of_writer
from aim.storage.cluster.read_ahead import ReadAhead
from aim.storage.forms import blobs, journal
from aim.storage.forms.records import EpochArray, IntArray
from aim.storage.forms.state import SequenceKey, SequencePart, SequenceState, WriterInfo
from aim.storage.reading.chunk_source import WriterPoints
from aim.storage.reading.points import Chunk, Points, is_increasing, typed
from aim.storage.sealing.declarations import unknown_name

COLUMNS = np.dtype([("step", "<i8"), ("value", "<f8"), ("time", "<i8"), ("epoch", "<f4")])
MOMENTS = np.dtype([("slot", "<u8"), ("time", "<i8"), ("epoch", "<f4")])
SOURCE_BYTES = 8_192


class ClusterSource:
    """The run *run_hash*. One thread at a time."""

    def __init__(self, project: ClusterProject, run_hash: str, ahead: ReadAhead) -> None:
        self._ahead = ahead
        self._points = ahead.points_of(run_hash)  # held, so that what was read stays
        self.run_hash = run_hash
        self.run_key: Hashable = (project.database.name, project.name, run_hash)
        self._project = project
        self._rid = project.rid(run_hash)
        self._ended: dict[str, ClusterPoints] = {}

    # points

    def points_of_writer(self, writer: WriterInfo) -> WriterPoints | None:
        """Return what a writer has recorded by now. Raises ClusterUnavailable when it is asked for."""
        ended = self._ended.get(writer.id)
        if ended is not None:
            return ended
        has_ended = writer.end is not None
        of_run = self._ahead.read_points(self.run_hash, after_lines=has_ended)
        columns = of_run.writers.get(rows.writer_number(writer.id))
        by_number = None if columns is None else dict(columns.by_number)
        points = ClusterPoints(self._project, self._rid, writer.id, by_number)
        if has_ended:
            self._ended[writer.id] = points
        return points

    def is_unchanging(self, writer_id: str) -> bool:
        """Return whether a writer has ended: all of its points are there before its end is."""
        return writer_id in self._ended

    def journal_point_count(self, writer_ids: Collection[str]) -> float:
        """Return infinity: no journal is in memory."""
        return math.inf

    def held_bytes(self) -> int:
        """Return about how many bytes of memory are held."""
        return SOURCE_BYTES + self._points.size_bytes()

    def use_sole_writer(self, writer_id: str, stamp: int) -> None:
        """Do nothing: the state of a run is asked in any case."""

    def sole_parts(self, keys: Collection[SequenceKey]) -> dict[SequenceKey, tuple[WriterPoints, SequencePart]]:
        """Return nothing: see `use_sole_writer`."""
        return {}

    # objects

    def record_of_step(self, writer_id: str, position: int, step: int) -> dict[str, Any]:
        """Return the record of the objects of one point. Raises DamagedFile."""
        file_number, offset = blobs.split_position(position)
        name = self._name(writer_id, file_number)
        try:
            record = self.read_record(writer_id, file_number, offset)
        except FileNotFoundError:
            raise DamagedFile(name, f"byte {offset:,}", "its bytes are gone") from None
        try:
            return blobs.record_of_step(record, step)
        except (ValueError, LookupError):
            raise DamagedFile(name, f"byte {offset:,}", "the record of other points") from None

    def read_record(self, writer_id: str, file_number: int, offset: int) -> dict[str, Any]:
        """Return a record as it is stored. Raises FileNotFoundError and DamagedFile."""
        with self._opened(writer_id, file_number) as file:
            return blobs.record_in(file, self._name(writer_id, file_number), offset)

    def read_data(self, writer_id: str, file_number: int, offset: int) -> bytes:
        """Return the bytes of one object. Raises FileNotFoundError and DamagedFile."""
        with self._opened(writer_id, file_number) as file:
            return blobs.data_in(file, self._name(writer_id, file_number), offset)

    def read_data_part(self, writer_id: str, file_number: int, offset: int, start: int, stop: int) -> bytes:
        """Return some bytes of one object, unchecked; nothing else is read. Raises FileNotFoundError, DamagedFile."""
        with self._opened(writer_id, file_number) as file:
            return blobs.data_part_in(file, self._name(writer_id, file_number), offset, start, stop)

    def data_chunks(self, writer_id: str, file_number: int, offset: int, chunk_bytes: int) -> Iterator[bytes]:
        """Go through the bytes of one object in chunks. Raises FileNotFoundError, and DamagedFile before the last."""
        with self._opened(writer_id, file_number) as file:
            yield from blobs.chunks_in(file, self._name(writer_id, file_number), offset, chunk_bytes)

    def _name(self, writer_id: str, file_number: int) -> str:
        return f"{self.run_hash}/{writer_id}.blobs-{file_number:04d}.zip"

    def _opened(self, writer_id: str, file_number: int) -> io.BufferedReader:
        number = rows.writer_number(writer_id)
        listed = partial(blob_parts, self._project, self._rid, number, file_number)
        parts = listed()
        if not parts:
            raise FileNotFoundError(self._name(writer_id, file_number))
        return io.BufferedReader(PartsFile(self._project.objects, parts, listed), READ_AHEAD_BYTES)


class ClusterPoints:
    """What one writer recorded; a `WriterPoints`."""

    def __init__(
        self, project: ClusterProject, rid: bytes, writer_id: str, columns: Mapping[int, PointColumns] | None = None
    ) -> None:
        self._columns = columns
        self._database = project.database
        self._writer_id = writer_id
        self._from = f"FROM {project.table('points')} FINAL WHERE {points_of_writer(project)}"
        self._values = {"project": project.name, "rid": rid, "writer": rows.writer_number(writer_id)}

    def chunk(self, part: SequencePart) -> Chunk:
        """Return all points of a part. Raises ClusterUnavailable."""
        recorded = self._database.array(
            f"SELECT step, value, time, epoch {self._from} AND number = {{number:UInt32}} ORDER BY slot",
            COLUMNS,
            {**self._values, "number": part.number},
        )
        steps, values, times_us, epochs = (np.ascontiguousarray(recorded[name]) for name in COLUMNS.names or ())
        return Chunk(steps, typed(values, part.kind), times_us, epochs, part.writer)

    def ordered_points(self, part: SequencePart) -> Points | None:
        """Return the points of a part that is its whole sequence; None when its steps do not increase."""
        if self._columns is not None:
            columns = self._columns.get(part.number, NOTHING)
            if not is_increasing(columns.steps):
                return None
            return Points(
                columns.steps,
                typed(columns.values, part.kind),
                lambda: self._moments(part, columns),
                (part.writer,),
                kind=part.kind,
            )
        chunk = self.chunk(part)
        if not is_increasing(chunk.steps):
            return None
        moments = chunk.times_us, np.asarray(chunk.epochs, np.float32)
        return Points(chunk.steps, chunk.values, lambda: moments, (part.writer,), kind=part.kind)

    def _moments(self, part: SequencePart, columns: PointColumns) -> tuple[IntArray, EpochArray]:
        """Return the times and epochs of points that were read. Raises ClusterUnavailable."""
        recorded = self._database.array(
            f"SELECT slot, time, epoch {self._from} AND number = {{number:UInt32}} ORDER BY slot",
            MOMENTS,
            {**self._values, "number": part.number},
        )
        chosen = recorded[np.searchsorted(recorded["slot"], columns.slots)]
        return np.ascontiguousarray(chosen["time"]), np.ascontiguousarray(chosen["epoch"])

    def undeclared(self, declared_numbers: Collection[int]) -> list[SequenceState]:
        """Return the sequences of other numbers, named after them."""
        numbers = self._database.rows(
            f"SELECT DISTINCT number {self._from} AND number < {{void:UInt32}} ORDER BY number",
            {**self._values, "void": journal.VOID},
        )
        return [
            SequenceState(unknown_name(number), {}, "{}", [SequencePart(self._writer_id, number, "float")])
            for (number,) in numbers
            if number not in declared_numbers
        ]
