"""
What is read of many runs at once, before one after the other is asked for: heads, lines and points by some statements.

    with together(runs)   heads, then lines and points at once   of runs that are as they were at their end
                          heads, lines, heads, points            of the others
                          the thread then has them from memory
    else                  the same statements for the one run that is asked for

What was read ahead is at most `FRESH_S` old when a thread gets it. Lines are read before points, so the points of a
writer whose end was read are all of its points. Points that were read stay with the run while a reader holds it, and
then only new slots are asked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from aim.storage.cluster import rows
from aim.storage.cluster.cluster_facts import AMONG
from aim.storage.cluster.cluster_points import POINTS_AT_ONCE, AskedWriter, WriterColumns, read_columns
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_sealed import SEALED
from aim.storage.cluster.database import at_once

FRESH_S = 2.0
RUNS_AT_ONCE = 500


class WriterHead(NamedTuple):
    """
    What the table `heads` says of one writer: whether it is complete, when it was alive, how many slots it has.

    Attributes:
        mark: its part of the mark of the run.
    """

    writer: int
    complete: int
    alive_s: float
    slots_end: int
    mark: int


class RunPoints:
    """
    The points of a run that were read.

    Attributes:
        writers: by the number of the writer.
        heads: what the heads of the run said last.
        is_read: whether the points were read since.
        lock: is held while points are taken in.
        is_after_lines: whether these heads were read after all lines that readers have.
    """

    def __init__(self) -> None:
        self.writers: dict[int, WriterColumns] = {}
        self.heads: list[WriterHead] = []
        self.is_read = self.is_after_lines = False
        self.lock = threading.Lock()

    def take_heads(self, heads: list[WriterHead]) -> None:
        """Take what the heads of the run say now."""
        has_grown = {head.writer: head.slots_end for head in heads} != {
            head.writer: head.slots_end for head in self.heads
        }
        self.heads = heads
        self.is_read = self.is_read and not has_grown
        self.is_after_lines = False

    def size_bytes(self) -> int:
        """Return how much memory the points take."""
        return sum(columns.size_bytes() for columns in self.writers.values())


class _Ahead(NamedTuple):
    until_s: float
    heads: list[WriterHead]
    lines: list[tuple[Any, ...]]
    points: RunPoints  # which nobody else may hold


class ReadAhead:
    """Reads runs of *project*, those together that a thread says it will read. Any thread may use it."""

    def __init__(self, project: ClusterProject) -> None:
        self._project = project
        self._lock = threading.Lock()
        self._points: WeakValueDictionary[str, RunPoints] = WeakValueDictionary()
        self._of_thread = threading.local()
        self._ended_mark: Callable[[str], int | None] = lambda run_hash: None

    def ask_marks(self, ended_mark: Callable[[str], int | None]) -> None:
        """From now on ask *ended_mark* for the mark of a run when its end was read; it returns None of others."""
        self._ended_mark = ended_mark

    @contextmanager
    def together(self, run_hashes: Sequence[str]) -> Iterator[None]:
        """
        Read what there is of runs, and what is new of those that were read before; this thread has it within the `with`
        block. Raises ClusterUnavailable.

        Cost: for 500 runs two statements one after the other when a catalogue has seen their ends, else four, while
        these have no more than some million points together.
        """
        try:
            self._of_thread.runs = {}
            for start in range(0, len(run_hashes), RUNS_AT_ONCE):
                self._of_thread.runs.update(self._read(run_hashes[start : start + RUNS_AT_ONCE]))
            yield
        finally:
            self._of_thread.runs = {}

    def _read(self, run_hashes: Sequence[str]) -> dict[str, _Ahead]:
        heads = self._read_heads(run_hashes)
        chosen = [(run_hash, self.points_of(run_hash)) for run_hash in heads]
        ended = {run_hash for run_hash in heads if self._has_ended(run_hash, heads[run_hash])}
        whole = [(run_hash, points) for run_hash, points in chosen if run_hash in ended]
        growing = [(run_hash, points) for run_hash, points in chosen if run_hash not in ended]
        _take_heads(whole, heads)
        lines, _ = at_once(lambda: self._read_lines(heads), lambda: self._read_points(whole))
        if growing:
            heads |= self._read_heads([run_hash for run_hash, _ in growing])
            _take_heads(growing, heads)
            self._read_points(growing)
        for run_hash, points in chosen:
            points.is_after_lines = points.heads is heads[run_hash]
        until_s = time.monotonic() + FRESH_S
        return {
            run_hash: _Ahead(until_s, heads[run_hash], lines.get(run_hash, []), points) for run_hash, points in chosen
        }

    def _has_ended(self, run_hash: str, heads: Iterable[WriterHead]) -> bool:
        """Return whether a run is as it was when its end was read: all its points were there before these heads."""
        mark = self._ended_mark(run_hash)
        return mark is not None and mark == sum(head.mark for head in heads) % rows.MARKS

    def _ahead(self, run_hash: str) -> _Ahead | None:
        ahead: _Ahead | None = getattr(self._of_thread, "runs", {}).get(run_hash)
        return ahead if ahead is not None and ahead.until_s >= time.monotonic() else None

    # one run

    def has_run(self, run_hash: str) -> bool:
        """Return whether this thread has read a run ahead, so that it is there."""
        return self._ahead(run_hash) is not None

    def heads_and_lines(self, run_hash: str) -> tuple[list[WriterHead], list[tuple[Any, ...]] | None]:
        """
        Return the heads of a run, none when there is no such run; and the rows of all of its lines, None when they were
        not read ahead. Raises ClusterUnavailable.
        """
        ahead = self._ahead(run_hash)
        if ahead is not None:
            return ahead.heads, ahead.lines
        heads = self._read_heads([run_hash]).get(run_hash, [])
        self.points_of(run_hash).take_heads(heads)
        return heads, None

    def points_of(self, run_hash: str) -> RunPoints:
        """Return what holds the points of a run, the same object while somebody has it."""
        with self._lock:
            points = self._points.get(run_hash)
            if points is None:
                points = self._points[run_hash] = RunPoints()
            return points

    def read_points(self, run_hash: str, *, after_lines: bool = False) -> RunPoints:
        """
        Return the points of a run as they were when its lines were read, or later. Raises ClusterUnavailable.

        Args:
            after_lines: not as the heads were before the lines were read.

        Cost: one statement when there are more, whatever the number of sequences.
        """
        points = self.points_of(run_hash)
        if after_lines and not points.is_after_lines:
            points.take_heads(self._read_heads([run_hash]).get(run_hash, []))
            points.is_read, points.is_after_lines = False, True
        if not points.is_read:
            self._read_points([(run_hash, points)])
        return points

    # statements

    def _read_heads(self, run_hashes: Sequence[str]) -> dict[str, list[WriterHead]]:
        answer = self._project.database.rows(
            "SELECT any(run), writer, max(complete), toUnixTimestamp64Milli(max(alive)), max(slots), "
            f"{rows.WRITER_MARK} "
            f"FROM {self._project.table('heads')} WHERE project = {{project:String}} {AMONG} GROUP BY rid, writer",
            {"project": self._project.name, "rids": self._rids(run_hashes)},
        )
        heads: dict[str, list[WriterHead]] = {}
        for run_hash, writer, complete, alive_ms, slots_end, mark in answer:
            heads.setdefault(run_hash, []).append(WriterHead(writer, complete, alive_ms / 1000, slots_end, mark))
        return heads

    def _read_lines(self, run_hashes: Iterable[str]) -> dict[str, list[tuple[Any, ...]]]:
        by_rid = {self._project.rid(run_hash): run_hash for run_hash in run_hashes}
        answer = self._project.database.rows(
            "SELECT hex(rid), writer, start, nonce, base64Encode(line), toUnixTimestamp64Micro(seen) "
            f"FROM {self._project.table('lines')} FINAL WHERE 1 {AMONG}",
            {"rids": self._rids(by_rid.values())},
        )
        lines: dict[str, list[tuple[Any, ...]]] = {}
        for rid, *line in answer:
            lines.setdefault(by_rid[bytes.fromhex(rid)], []).append(tuple(line))
        return lines

    def _read_points(self, runs: Sequence[tuple[str, RunPoints]]) -> None:
        asked: list[AskedWriter] = []
        targets: dict[tuple[bytes, int], RunPoints] = {}
        heads = [points.heads for _, points in runs]
        for (run_hash, points), heads_of_run in zip(runs, heads, strict=True):
            rid = self._project.rid(run_hash)
            for head in heads_of_run:
                if head.writer == rows.EDITS or not is_read_whole(head.slots_end):
                    continue
                columns = points.writers.setdefault(head.writer, WriterColumns())
                first_slot = columns.first_slot(head.slots_end)
                if first_slot < head.slots_end:
                    asked.append(AskedWriter(rid, head.writer, first_slot, head.slots_end))
                    targets[rid, head.writer] = points
        for each, by_number in read_columns(self._project, asked):
            points = targets[each.rid, each.writer]
            with points.lock:
                points.writers[each.writer].take(by_number, each.first_slot)
        for (_, points), heads_of_run in zip(runs, heads, strict=True):
            points.is_read = points.heads is heads_of_run  # else another thread has asked meanwhile

    def _rids(self, run_hashes: Iterable[str]) -> str:
        return "".join(self._project.rid(run_hash).hex() for run_hash in run_hashes)


def _take_heads(runs: Sequence[tuple[str, RunPoints]], heads: Mapping[str, list[WriterHead]]) -> None:
    for run_hash, points in runs:
        points.take_heads(heads[run_hash])


def is_read_whole(slots_end: int) -> bool:
    """Return whether the points of a writer are read at once; a larger one is read by sequences."""
    return slots_end - (SEALED if slots_end >= SEALED else 0) <= POINTS_AT_ONCE
