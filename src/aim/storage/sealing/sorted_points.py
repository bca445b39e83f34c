"""
The points of an ended writer in the order of a sealed file: by sequence, then step, then recording.

    up to MEMORY_POINTS      read whole, and sorted in memory
    more                     the segments are read one after the other, and each record is written to its sequence's
                             place in a nameless scratch file of the same size beside them

So sealing takes the same memory however long a run is: a batch of segments, or the part that is being written. Only a
long sequence whose steps are out of order needs more, 16 bytes a point.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from aim.storage.disk import layout
from aim.storage.forms import journal, records
from aim.storage.forms.records import RECORD_DTYPE, IntArray, Records

MEMORY_POINTS = 1 << 18
BATCH_POINTS = 1 << 17  # of segments that are partitioned at once


class SortedPoints(Protocol):
    """Points in the order of a sealed file. Row numbers are those of the file."""

    def counts(self) -> Mapping[int, int]:
        """Return how many points each sequence has, in the order of their numbers."""

    def rows(self, start: int, stop: int) -> Records:
        """Return the points of some rows."""

    def close(self) -> None:
        """Let go of what is held."""


class PointsInMemory:
    """
    Points that are sorted in memory.

    Args:
        recorded: in the order of recording.
    """

    def __init__(self, recorded: Records) -> None:
        self._table: Records = recorded[np.lexsort((recorded["step"], recorded["sequence"]))]

    def counts(self) -> Mapping[int, int]:
        """Return how many points each sequence has."""
        numbers, counts = np.unique(self._table["sequence"], return_counts=True)
        return dict(zip(numbers.tolist(), counts.tolist()))

    def rows(self, start: int, stop: int) -> Records:
        """Return the points of some rows."""
        part: Records = self._table[start:stop]
        return part

    def close(self) -> None:
        """Do nothing: the points go with this object."""


class PointsOnDisk:
    """
    Points that are sorted in a scratch file, which has no name and goes with `close`, or with the process.

    Args:
        folder: of the run, whose disk has room for the sealed file too.
        counts: how many points each sequence has.

    Raises:
        OSError: the disk is full.
    """

    def __init__(self, folder: Path, counts: Mapping[int, int]) -> None:
        self._counts = dict(sorted(counts.items()))
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder, prefix=".sorting-")  # noqa: SIM115
        self._folder = folder

    def counts(self) -> Mapping[int, int]:
        """Return how many points each sequence has."""
        return self._counts

    def rows(self, start: int, stop: int) -> Records:
        """Return the points of some rows."""
        size_bytes = journal.RECORD_BYTES
        content = os.pread(self._file.fileno(), (stop - start) * size_bytes, start * size_bytes)
        return np.frombuffer(content, RECORD_DTYPE)

    def sequence_rows(self) -> Iterator[tuple[int, int, int]]:
        """Yield each sequence with its first row and the row after its last."""
        row = 0
        for number, count in self._counts.items():
            yield number, row, row + count
            row += count

    def fill(self, batches: Iterable[Records]) -> None:
        """Take all points, in the order of recording; then put each sequence in the order of its steps."""
        next_rows = {number: start for number, start, _ in self.sequence_rows()}
        last_steps: dict[int, int] = {}
        unordered: set[int] = set()
        for batch in batches:
            numbers = batch["sequence"]
            is_small = not len(numbers) or int(numbers.max()) < 1 << 16  # numpy sorts these by radix
            order = np.argsort(numbers.astype(np.uint16) if is_small else numbers, kind="stable")
            sorted_batch = batch[order]
            sequences, starts = np.unique(sorted_batch["sequence"], return_index=True)
            stops = np.append(starts[1:], len(sorted_batch))
            is_later = np.append(True, sorted_batch["step"][1:] >= sorted_batch["step"][:-1])
            is_later[starts] = True
            in_order = np.logical_and.reduceat(is_later, starts) if len(starts) else is_later
            first_steps, end_steps = sorted_batch["step"][starts], sorted_batch["step"][stops - 1]
            for index, number in enumerate(sequences.tolist()):
                self._write(sorted_batch[starts[index] : stops[index]], next_rows[number])
                next_rows[number] += int(stops[index] - starts[index])
                if not in_order[index] or int(first_steps[index]) < last_steps.get(number, int(first_steps[index])):
                    unordered.add(number)
                last_steps[number] = int(end_steps[index])
        for number, start, stop in self.sequence_rows():
            if number in unordered:
                self._sort(start, stop)

    def close(self) -> None:
        """Remove the scratch file."""
        self._file.close()

    def _write(self, part: Records, row: int) -> None:
        view = memoryview(part.tobytes())
        offset = row * journal.RECORD_BYTES
        while view:
            count = os.pwrite(self._file.fileno(), view, offset)
            view, offset = view[count:], offset + count

    def _sort(self, start: int, stop: int) -> None:
        if stop - start <= MEMORY_POINTS:
            part = self.rows(start, stop)
            self._write(part[np.argsort(part["step"], kind="stable")], start)
            return
        order = np.argsort(self._steps(start, stop), kind="stable")
        with tempfile.TemporaryFile(dir=self._folder, prefix=".sorting-") as copy:
            for row in range(start, stop, BATCH_POINTS):
                copy.write(self.rows(row, min(stop, row + BATCH_POINTS)).tobytes())
            copy.flush()
            unsorted = np.memmap(copy, RECORD_DTYPE, mode="r", shape=(stop - start,))
            for row in range(0, stop - start, BATCH_POINTS):
                self._write(unsorted[order[row : row + BATCH_POINTS]], start + row)

    def _steps(self, start: int, stop: int) -> IntArray:
        steps = np.empty(stop - start, np.int64)
        for row in range(start, stop, BATCH_POINTS):
            part = self.rows(row, min(stop, row + BATCH_POINTS))
            steps[row - start : row - start + len(part)] = part["step"]
        return steps


def recorded_in(folder: Path, writer: str, segments: Iterable[int]) -> Iterator[Records]:
    """
    Yield the records of some segments of an ended writer, in the order of recording, some segments at a time.

    Raises:
        FileNotFoundError: a segment vanished: it was sealed meanwhile.
    """
    parts: list[Records] = []
    for number in segments:
        slots = records.slots_of(records.read_live_segment(layout.segment_file(folder, writer, number)))
        parts.append(records.filled(slots))
        if sum(map(len, parts)) >= BATCH_POINTS:
            yield records.joined(parts)
            parts = []
    if parts:
        yield records.joined(parts)
