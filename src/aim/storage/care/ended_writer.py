"""
A writer that ended before it was written: its lines, its sealed points and its objects, made from arrays.

    declare, add, append ...   ->   write   ->   <writer>.blobs-0000.zip, <writer>.points.parquet, <writer>.events.jsonl

What runs get at once takes this way: a fork, an import. Nothing goes through the journal, 32 bytes at a time; the files
are those of a writer that was sealed (docs/formats/sealed.md), so no reader tells them apart.

The event file is written last: before it there is no writer, only files that belong to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aim.core import clock, contexts, params
from aim.core.values import EXACT_INT_MAX, Stored
from aim.storage.disk import layout
from aim.storage.disk.files import DISK, Disk
from aim.storage.forms import events, records
from aim.storage.forms.blobs import BlobFile
from aim.storage.forms.records import FloatArray, IntArray, Records
from aim.storage.sealing import seal
from aim.storage.sealing.declarations import SequenceDeclaration
from aim.storage.sealing.footer import JournalOrigin

BoolArray = NDArray[np.bool_]


class EndedWriter:
    """
    One writer of a run, being made in memory, but for its objects, which go to *folder* at once.

    Attributes:
        id: of the writer.
        point_count: how many points are in memory.
        lines: the event lines, each with `at`, in the order of `at`.

    Args:
        begin: what the first line says (docs/formats/events.md).
        begun_at_s: the time of the first line; None: now.
    """

    def __init__(
        self,
        folder: Path,
        writer_id: str,
        begin: Mapping[str, Any],
        *,
        run_hash: str,
        begun_at_s: float | None = None,
        disk: Disk = DISK,
    ) -> None:
        self.id = writer_id
        self.point_count = 0
        self.lines: list[dict[str, Any]] = []
        self._folder = folder
        self._run_hash = run_hash
        self._disk = disk
        self._blobs = BlobFile(folder, writer_id, disk)
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._declared: dict[int, SequenceDeclaration] = {}
        self._next_steps: list[int] = []
        self._tables: list[Records] = []
        self.say({"begin": {**begin, "run": run_hash, "writer": writer_id}}, begun_at_s)

    def say(self, event: Mapping[str, Any], at_s: float | None = None) -> float:
        """
        Append a line, and return its time.

        Args:
            at_s: its time; one microsecond after the line before it, if that is later. None: now.
        """
        before_s = self.lines[-1]["at"] if self.lines else 0.0
        moment_s = clock.after(before_s) if at_s is None else max(round(at_s, 6), next_moment(before_s))
        self.lines.append({"at": moment_s, **event})
        return moment_s

    def declare(self, name: str, context: Mapping[str, Any], kind: str, at_s: float | None = None) -> int:
        """Return the number of a sequence of one kind; a line declares it the first time."""
        key = (name, contexts.text(dict(context)), kind)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._declared) + 1
            self._declared[number] = SequenceDeclaration(name, dict(context), kind)
            encoded = params.encode(dict(context))
            self.say({"sequence": number, "name": name, "context": encoded, "kind": kind}, at_s)
            self._next_steps.append(0)
        return number

    def add(self, number: int, steps: IntArray, values: Any, times_s: Any, epochs: Any) -> None:
        """Add points of a declared sequence, in the order of recording: arrays of one length, or a number for all."""
        table = np.zeros(len(steps), records.RECORD_DTYPE)
        table["step"], table["value"], table["sequence"] = steps, values, number
        table["time"], table["epoch"] = times_s, epochs
        self._tables.append(table)
        self.point_count += len(table)
        if len(steps):
            self.expect_step(number, min(int(np.max(steps)), 2**63 - 2) + 1)

    def expect_step(self, number: int, step: int) -> None:
        """Give automatic steps of a sequence not below *step*."""
        self._next_steps[number - 1] = max(self._next_steps[number - 1], step)

    def add_ints(self, number: int, steps: IntArray, ints: IntArray, times_s: FloatArray, epochs: FloatArray) -> None:
        """Add points with int64 values; those that no double holds become lines."""
        fits = (ints >= -EXACT_INT_MAX) & (ints <= EXACT_INT_MAX)
        self.add(number, steps[fits], ints[fits].astype(np.float64), times_s[fits], epochs[fits])
        for row in np.flatnonzero(~fits).tolist():
            epoch, moment_s = float(epochs[row]), float(times_s[row])
            line = {"point": number, "step": int(steps[row]), "epoch": None if epoch != epoch else epoch}
            time_s = round(moment_s, 6) if moment_s == moment_s else 0.0
            self.say({**line, "value": int(ints[row]), "time": time_s}, self.lines[-1]["at"])
            self.expect_step(number, min(int(steps[row]), 2**63 - 2) + 1)

    def append_objects(self, name: str, steps: Sequence[int], items: Sequence[Stored], kind: str) -> int:
        """
        Write the objects of one step, or one without data for each of several steps; return the value of their points.

        Raises:
            OSError: the disk refuses.
            UntrackableValue: the objects are over 2 GiB together.
        """
        return self._blobs.append(name, steps, items, kind)

    def write(self, *, state: str = "finished", error: str | None = None, ended_at_s: float | None = None) -> None:
        """
        Write the points, then the lines with an end, and wait until both are on the disk.

        Args:
            state, error: what the end says (docs/formats/events.md).
            ended_at_s: its time; None: now.

        Raises:
            OSError: the disk refuses.

        Cost: 0.3 us a point.
        """
        self._blobs.close()
        table = records.joined(self._tables) if self._tables else np.empty(0, records.RECORD_DTYPE)
        self._tables = []
        end = {"state": state, "error": error, "segments": 0, "points": len(table)}
        self.say({"end": {**end, "blobs": self._blobs.file_count, "next": self._next_steps}}, ended_at_s)
        content = b"".join(map(events.encode, self.lines))
        if len(table):
            origin = JournalOrigin(self._run_hash, self.id, 0, len(table), len(content))
            sealed_path = layout.sealed_file(self._folder, self.id)
            self._disk.write_new(sealed_path, seal.encode(table, self._declared, origin))
        self._disk.write_new(layout.events_file(self._folder, self.id), content)

    def abandon(self) -> None:
        """Close the file of objects without writing."""
        self._blobs.abandon()


def next_moment(before_s: float) -> float:
    """
    Return the time of the next line at the earliest: one microsecond after *before_s*.

    >>> next_moment(1.5)
    1.500001
    """
    return round(before_s + clock.MICROSECOND_S, 6)


def int_rows(values: Iterable[object]) -> BoolArray:
    """
    Return which of *values*, Python numbers, are ints.

    >>> int_rows([1, 0.5]).tolist()
    [True, False]
    """
    return np.array([isinstance(value, int) for value in values], bool)
