"""
What the footer of a sealed file says: the journal that it replaced, and a table of its sequences.

The table has a column for each field of `SealedSequence` and of the summary. Many files are opened for the points of
one sequence only, so `rows` takes no more than reading them needs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from aim.core import contexts, params
from aim.core.summaries import NAN, SUMMARY_VALUES, Summary

SUMMARY_KEYS = {value.name: value.field for value in SUMMARY_VALUES if value.of_metrics and value.name != "first_step"}
"""The columns of summaries in the table, and the field of `Summary` that each holds."""

ROW_KEYS = ("row", "rows", "group", "first_step", "stride")
"""The columns of the table that say where the points are: fields of `SequenceRows`, in their order."""

SEQUENCE_KEYS = ("number", "name", "context", "kind", *ROW_KEYS)
"""The other columns of the table: fields of `SealedSequence`, in their order."""

CELLS_KEY = "cells"
"""The column of the table that says where the cells of long sequences are; small files have none."""


class JournalOrigin(NamedTuple):
    """
    The journal that a sealed file replaced.

    Attributes:
        slot_count: slots of its segments up to the last one that was filled in each.
        events_bytes: how long the writer's event file was when it was sealed.
    """

    run_hash: str
    writer_id: str
    segment_count: int
    slot_count: int
    events_bytes: int

    def to_json(self) -> dict[str, object]:
        """Return the keys of the footer that say it."""
        return {
            "run": self.run_hash,
            "writer": self.writer_id,
            "segments": self.segment_count,
            "slots": self.slot_count,
            "events_bytes": self.events_bytes,
        }

    @classmethod
    def from_json(cls, footer: Mapping[str, Any]) -> JournalOrigin:
        """Return what a footer says, with 0 or nothing where it does not."""
        return cls(
            footer.get("run", ""),
            footer.get("writer", ""),
            footer.get("segments", 0),
            footer.get("slots", 0),
            footer.get("events_bytes", 0),
        )


class SequenceRows(NamedTuple):
    """Where the points of a sequence are; fields as of `SealedSequence`."""

    first_row: int
    row_count: int
    group: int
    first_step: int
    stride: int | None


class SealedSequence(NamedTuple):
    """
    One sequence of a sealed file.

    Attributes:
        number: the writer's number of it.
        kind: `int`, `float` or the type of its objects; `float` when the footer is damaged: the run's state has it.
        first_row, row_count: its rows in the file.
        group: its row group.
        first_step, stride: when its steps are regular: row i has step first_step + i * stride; else stride is None.
        summary: of numbers; None for objects, and when the footer is damaged.
    """

    number: int
    name: str
    context: dict[str, Any]
    kind: str
    first_row: int
    row_count: int
    group: int
    first_step: int
    stride: int | None
    summary: Summary | None

    @property
    def rows(self) -> SequenceRows:
        """Where its points are."""
        return SequenceRows(self.first_row, self.row_count, self.group, self.first_step, self.stride)


class SequenceTable:
    """The table of sequences in a footer, as its JSON form."""

    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self._columns = columns
        self._by_context: dict[str, dict[str, list[int]]] = {}

    def __len__(self) -> int:
        return len(self._columns["number"])

    @cached_property
    def sequences(self) -> list[SealedSequence]:
        """The sequences, in the order of their numbers."""
        return _sequences(self._columns)

    @cached_property
    def group_rows(self) -> Mapping[int, int]:
        """The first row of each row group."""
        # in reverse, so that the first sequence of a group is the one that stays
        return dict(zip(reversed(self._columns["group"]), reversed(self._columns["row"])))

    def _index(self, number: int) -> int | None:
        numbers = self._columns["number"]
        index = bisect_left(numbers, number)
        return index if index < len(numbers) and numbers[index] == number else None

    def rows(self, number: int) -> SequenceRows | None:
        """Return where the points of a sequence are; None when there is none of that number."""
        index = self._index(number)
        return None if index is None else SequenceRows(*(self._columns[key][index] for key in ROW_KEYS))

    def ends(self, number: int) -> tuple[int, int, int, float, float] | None:
        """
        Return how many points a sequence of numbers has, its first and last step, and its first and last value.

        None when the table does not say so: its steps are not evenly spaced, or it holds objects.
        """
        index = self._index(number)
        if index is None or "first" not in self._columns or self._columns["has_nan"][index] is None:
            return None
        rows = SequenceRows(*(self._columns[key][index] for key in ROW_KEYS))
        if not rows.row_count or (rows.row_count > 1 and (rows.stride is None or rows.stride <= 0)):
            return None
        last_step = rows.first_step + (rows.stride or 0) * (rows.row_count - 1)
        first, last = (params.decode(self._columns[key][index]) for key in ("first", "last"))
        return rows.row_count, rows.first_step, last_step, first, last

    def cells(self, number: int) -> tuple[int, int, int] | None:
        """Return offset, length and CRC of the stored cells of a sequence; None when it has none."""
        index = self._index(number)
        entry = None if index is None or CELLS_KEY not in self._columns else self._columns[CELLS_KEY][index]
        return None if entry is None else (entry[0], entry[1], entry[2])

    def find(self, number: int) -> SealedSequence | None:
        """Return the sequence of a number; None when there is none."""
        index = self._index(number)
        return None if index is None else self.sequences[index]

    def summaries(self) -> dict[int, Summary | None]:
        """Return the summary of each sequence by number, without making the sequences; None for objects."""
        return dict(zip(self._columns["number"], _summaries(self._columns), strict=True))

    def numbers_and_kinds(self, name: str, context_text: str) -> list[tuple[int, str]]:
        """Return number and kind of the sequences of that name and context."""
        columns = self._columns
        return [
            (columns["number"][index], columns["kind"][index])
            for index in self._indexes_by_context(name).get(context_text, ())
        ]

    def _indexes_by_context(self, name: str) -> dict[str, list[int]]:
        # a metric of thousands of contexts is asked for one by one, so the contexts of a name are read once
        indexes = self._by_context.get(name)
        if indexes is None:
            indexes = self._by_context[name] = {}
            for index in self._by_name.get(name, ()):
                text = contexts.text(params.decode(self._columns["context"][index] or {}))
                indexes.setdefault(text, []).append(index)
        return indexes

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        by_name: dict[str, list[int]] = {}
        for index, name in enumerate(self._columns["name"]):
            by_name.setdefault(name, []).append(index)
        return by_name

    def kinds(self) -> dict[int, str]:
        """Return the kind of each sequence by number."""
        return dict(zip(self._columns["number"], self._columns["kind"], strict=True))

    def missing_fields(self) -> list[str]:
        """Return the fields of summaries that are not in the file: they were added after it was sealed."""
        return [field for key, field in SUMMARY_KEYS.items() if key not in self._columns]


class SalvagedTable(SequenceTable):
    """
    The sequences of a file whose table is damaged.

    Args:
        group_rows: the first row of each row group.
    """

    def __init__(self, sequences: list[SealedSequence], group_rows: Mapping[int, int]) -> None:
        super().__init__({})
        self.sequences = sequences
        self.group_rows = group_rows

    def __len__(self) -> int:
        return len(self.sequences)

    def rows(self, number: int) -> SequenceRows | None:
        sequence = self.find(number)
        return None if sequence is None else sequence.rows

    def find(self, number: int) -> SealedSequence | None:
        return next((sequence for sequence in self.sequences if sequence.number == number), None)

    def ends(self, number: int) -> tuple[int, int, int, float, float] | None:
        return None

    def cells(self, number: int) -> tuple[int, int, int] | None:
        return None

    def summaries(self) -> dict[int, Summary | None]:
        return {sequence.number: sequence.summary for sequence in self.sequences}

    def numbers_and_kinds(self, name: str, context_text: str) -> list[tuple[int, str]]:
        return []

    def kinds(self) -> dict[int, str]:
        return {sequence.number: sequence.kind for sequence in self.sequences}


def _sequences(columns: Mapping[str, Sequence[Any]]) -> list[SealedSequence]:
    plain_contexts = [params.decode_in_order(context) if context else {} for context in columns["context"]]
    fields = (plain_contexts if key == "context" else columns[key] for key in SEQUENCE_KEYS)
    return [SealedSequence(*row) for row in zip(*fields, _summaries(columns), strict=True)]


def _summaries(columns: Mapping[str, Sequence[Any]]) -> list[Summary | None]:
    count = len(columns["number"])
    fields: dict[str, Sequence[Any]] = {"first_step": columns["first_step"], "record_max_length": [0] * count}
    for key, field in SUMMARY_KEYS.items():
        # files that were sealed before a value was added do not have it
        values = columns.get(key) or [NAN] * count
        if dict in map(type, values):
            values = [params.decode(value) if value.__class__ is dict else value for value in values]
        fields[field] = values
    return [None if summary.has_nan is None else summary for summary in Summary.rows(fields)]
