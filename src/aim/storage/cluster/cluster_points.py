"""
The points of writers from the table `points`: of many writers by one statement, and only what is new since the last.

    asked: run, writer, first slot   ->   of each sequence three arrays: steps, values, slots

The slots of a writer are read once up to the first gap: rows may come in any order, so what lies behind a gap is asked
for again. When the points of a writer were shipped as a sealed file, its rows replace those of the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aim.storage.cluster.cluster_facts import AMONG, RID
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_sealed import SEALED
from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.sealing.pages import varint

SlotArray = npt.NDArray[np.uint64]
WRITERS_AT_ONCE = 500  # of one statement
POINTS_AT_ONCE = 2_000_000  # of one statement, about
HEAD_BYTES = 24  # of a row of the answer: run, writer and sequence


class AskedWriter(NamedTuple):
    """
    A writer whose points are asked for.

    Attributes:
        first_slot: those before it were read.
        slots_end: how many slots it has by its head, about.
    """

    rid: bytes
    writer: int
    first_slot: int
    slots_end: int

    @property
    def point_count(self) -> int:
        """How many points the answer will have, about."""
        return self.slots_end - self.first_slot


class PointColumns(NamedTuple):
    """Points of one sequence of one writer, in the order of recording; arrays of equal length."""

    steps: IntArray
    values: FloatArray
    slots: SlotArray

    def followed_by(self, later: PointColumns, first_slot: int) -> PointColumns:
        """Return the points before *first_slot*, and then the *later* ones."""
        earlier = self.before(first_slot)
        return PointColumns(
            np.concatenate((earlier.steps, later.steps)),
            np.concatenate((earlier.values, later.values)),
            np.concatenate((earlier.slots, later.slots)),
        )

    def before(self, slot: int) -> PointColumns:
        """Return the points before a slot."""
        return self.chosen(slice(int(np.searchsorted(self.slots, np.uint64(slot)))))

    def chosen(self, which: slice | npt.NDArray[np.intp]) -> PointColumns:
        """Return some of the points."""
        return PointColumns(self.steps[which], self.values[which], self.slots[which])


NOTHING = PointColumns(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint64))


class WriterColumns:
    """
    What was read of the points of one writer.

    Attributes:
        by_number: by the number of the sequence.
        next_slot: all slots before it were read.
    """

    def __init__(self) -> None:
        self.by_number: dict[int, PointColumns] = {}
        self.next_slot = 0

    def first_slot(self, slots_end: int) -> int:
        """Return from which slot on to ask, when the head of the writer says that so many are there."""
        return max(self.next_slot, SEALED if slots_end >= SEALED else 0)

    def take(self, columns: dict[int, PointColumns], first_slot: int) -> None:
        """Take in what was asked from *first_slot* on."""
        if first_slot == SEALED and self.next_slot < SEALED:
            self.by_number = {}
        if first_slot < SEALED:  # a sealed file counts when the head says that it is whole
            columns = {number: later.before(SEALED) for number, later in columns.items()}
        for number, later in columns.items():
            self.by_number[number] = self.by_number.get(number, NOTHING).followed_by(later, first_slot)
        slots = np.sort(np.concatenate([NOTHING.slots, *(later.slots for later in columns.values())]))
        expected = np.uint64(first_slot) + np.arange(len(slots), dtype=np.uint64)
        gaps = np.flatnonzero(slots != expected)
        self.next_slot = first_slot + (int(gaps[0]) if len(gaps) else len(slots))

    def size_bytes(self) -> int:
        """Return how much memory the arrays take."""
        return sum(array.nbytes for columns in self.by_number.values() for array in columns)


def read_columns(
    project: ClusterProject, asked: Sequence[AskedWriter]
) -> Iterator[tuple[AskedWriter, dict[int, PointColumns]]]:
    """
    Go through writers with their points by the number of the sequence. Raises ClusterUnavailable.

    Cost: a statement for 500 writers or some million points, and about 0.2 us a point.
    """
    for group in _groups(asked):
        content = project.database.binary(
            "SELECT rid, writer, number, groupArray(step), groupArray(value), groupArray(slot) "
            f"FROM {project.table('points')} AS points FINAL GLOBAL INNER JOIN (SELECT {RID} AS rid, "
            "{writers:Array(UInt32)}[number + 1] AS writer, {slots:Array(UInt64)}[number + 1] AS first_slot "
            "FROM numbers(length({writers:Array(UInt32)}))) AS asked "
            "ON points.rid = asked.rid AND points.writer = asked.writer "
            f"WHERE slot >= first_slot {AMONG} AND writer IN ({{writers:Array(UInt32)}}) GROUP BY rid, writer, number",
            {
                "rids": "".join(each.rid.hex() for each in group),
                "writers": [each.writer for each in group],
                "slots": [each.first_slot for each in group],
            },
        )
        answered: dict[tuple[bytes, int], dict[int, PointColumns]] = {}
        for rid, writer, number, columns in _parsed(content):
            answered.setdefault((rid, writer), {})[number] = columns
        for each in group:
            yield each, answered.get((each.rid, each.writer), {})


def _groups(asked: Sequence[AskedWriter]) -> Iterator[list[AskedWriter]]:
    group: list[AskedWriter] = []
    points = 0
    for each in asked:
        if group and (len(group) == WRITERS_AT_ONCE or points + each.point_count > POINTS_AT_ONCE):
            yield group
            group, points = [], 0
        group.append(each)
        points += each.point_count
    if group:
        yield group


def _parsed(content: bytes) -> Iterator[tuple[bytes, int, int, PointColumns]]:
    """Go through the rows of an answer in the form RowBinary."""
    position = 0
    while position < len(content):
        rid = content[position : position + 16]
        writer, number = np.frombuffer(content, "<u4", 2, position + 16).tolist()
        position += HEAD_BYTES
        arrays = []
        for dtype in ("<i8", "<f8", "<u8"):
            count, position = varint(content, position)
            arrays.append(np.frombuffer(content, dtype, count, position))
            position += 8 * count
        yield rid, writer, number, _in_order(PointColumns(*arrays))


def _in_order(columns: PointColumns) -> PointColumns:
    """Return points in the order of recording, in memory of their own: the answer has those of many sequences."""
    slots = columns.slots
    if len(slots) < 2 or bool((slots[1:] > slots[:-1]).all()):
        return PointColumns(columns.steps.copy(), columns.values.copy(), slots.copy())
    return columns.chosen(np.argsort(slots, kind="stable"))
