"""
Whole sequences as rows of Arrow, and back: what a server sends when points are asked for. Specified in
docs/formats/wire.md, section 12.

    a row           one sequence; a record batch has one or more of them
    number          its position among the sequences that were asked for
    step, time, value, whole, text, epoch, writer
                    lists with an entry for each point; a list that would say nothing is empty

A list lies in one piece of memory, so it becomes an array of numpy without being copied; short sequences share a record
batch, whose arrays are made once for all of them. The values are in one of the
three columns: `value` doubles, `whole` 64-bit integers, `text` numbers of both kinds as Python writes them.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aim.storage.reading.points import Points, stored_epochs

if TYPE_CHECKING:
    import pyarrow as pa


class SentSequence(NamedTuple):
    """
    One row.

    Attributes:
        number: its position among the sequences that were asked for.
        error: why the points can't be read, in the form of an error of wire.md; None: they can.
        total: how many points the sequence has, when *points* are the last of them; None: they are all.
        first: its first step and the value there, when *points* are the last of them.
    """

    number: int
    points: Points | None
    error: Mapping[str, Any] | None = None
    total: int | None = None
    first: tuple[int, Any] | None = None


@cache
def schema() -> pa.Schema:
    """Return the columns and their types."""
    import pyarrow

    text = pyarrow.string()
    return pyarrow.schema(
        [
            ("number", pyarrow.int32()),
            ("kind", text),
            ("step", pyarrow.list_(pyarrow.int64())),
            ("time", pyarrow.list_(pyarrow.timestamp("us", tz="UTC"))),
            ("value", pyarrow.list_(pyarrow.float64())),
            ("whole", pyarrow.list_(pyarrow.int64())),
            ("text", pyarrow.list_(text)),
            ("epoch", pyarrow.list_(pyarrow.float32())),
            ("writer", pyarrow.list_(pyarrow.int32())),
            ("writers", pyarrow.list_(text)),
            ("hidden", text),
            ("error", text),
            ("total", pyarrow.int64()),
            ("first", text),
        ]
    )


def rows(sequences: Sequence[SentSequence]) -> pa.RecordBatch:
    """Return a record batch with a row for each of *sequences*. Cost: some array calls a column, not a row."""
    import pyarrow

    text = pyarrow.string()
    cells = [_cells(sent.points) for sent in sequences]
    columns = [
        _lists([row[column.name] for row in cells], column.type)
        if column.name in LISTS
        else pyarrow.array([row[column.name] for row in cells], column.type)
        for column in list(schema())[1:-3]
    ]
    numbers = pyarrow.array([sent.number for sent in sequences], pyarrow.int32())
    errors = [None if sent.error is None else json.dumps(sent.error) for sent in sequences]
    totals = pyarrow.array([sent.total for sent in sequences], pyarrow.int64())
    firsts = [None if sent.first is None else json.dumps(sent.first) for sent in sequences]
    return pyarrow.RecordBatch.from_arrays(
        [numbers, *columns, pyarrow.array(errors, text), totals, pyarrow.array(firsts, text)], schema=schema()
    )


LISTS = frozenset(("step", "time", "value", "whole", "text", "epoch", "writer", "writers"))
NOTHING: tuple[Any, ...] = ()


def _cells(points: Points | None) -> dict[str, Any]:
    cells: dict[str, Any] = {**dict.fromkeys(LISTS, NOTHING), "kind": "", "hidden": None}
    if points is None:
        return cells
    values, epochs = points.values, stored_epochs(points)
    column = {"f": "value", "i": "whole"}.get(values.dtype.kind, "text")
    cells["kind"] = points.kind
    cells["step"], cells["time"], cells["writers"] = points.steps, points.times_us, points.writer_ids
    cells[column] = [repr(value) for value in values.tolist()] if column == "text" else values
    if not np.isnan(epochs).all():
        cells["epoch"] = epochs
    if len(points.writer_ids) > 1:
        cells["writer"] = points.writers
    if points.hidden_items:
        cells["hidden"] = json.dumps([[step, sorted(items)] for step, items in points.hidden_items.items()])
    return cells


def _lists(entries: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return the column whose lists are *entries*, each an array or a list of Python's."""
    import pyarrow

    inner = kind.value_type
    offsets = np.zeros(len(entries) + 1, np.int32)
    np.cumsum([len(entry) for entry in entries], out=offsets[1:])
    filled = [entry for entry in entries if len(entry)]
    if filled and all(isinstance(entry, np.ndarray) for entry in filled):
        joined = np.ascontiguousarray(filled[0] if len(filled) == 1 else np.concatenate(filled))
        is_time = pyarrow.types.is_timestamp(inner)
        flat = pyarrow.array(joined, pyarrow.int64()).view(inner) if is_time else pyarrow.array(joined, inner)
    else:
        flat = pyarrow.array(list(itertools.chain.from_iterable(filled)), inner)
    return pyarrow.ListArray.from_arrays(pyarrow.array(offsets), flat)


def sequences_of(batch: pa.RecordBatch) -> Iterator[SentSequence]:
    """Go through the sequences of a record batch. Cost: nothing a point, except for values in both kinds."""
    sent_names = set(batch.schema.names)  # a server of an earlier version sends neither `total` nor `first`
    columns = {name: _column(batch.column(name)) for name in schema().names if name in sent_names}
    for index in range(batch.num_rows):
        cells = {name: column(index) for name, column in columns.items()}
        error, first = cells["error"], cells.get("first")
        points = None if error else _points(cells)
        yield SentSequence(
            cells["number"],
            points,
            json.loads(error) if error else None,
            cells.get("total"),
            tuple(json.loads(first)) if first else None,
        )


def _column(column: pa.Array) -> Callable[[int], Any]:
    """Return what gives the cell of a row: a part of one array, a list of texts, or one value."""
    import pyarrow

    if not pyarrow.types.is_list(column.type):
        values = column.to_pylist()
        return lambda row: values[row]
    offsets, flat = column.offsets.tolist(), column.values
    if pyarrow.types.is_timestamp(flat.type):
        flat = flat.view(pyarrow.int64())
    entries = flat.to_pylist() if pyarrow.types.is_string(flat.type) else flat.to_numpy()
    return lambda row: entries[offsets[row] : offsets[row + 1]]


def _points(cells: Mapping[str, Any]) -> Points:
    steps, times_us, epochs, writers, hidden = (cells[name] for name in ("step", "time", "epoch", "writer", "hidden"))
    if not len(epochs):
        epochs = np.full(len(steps), np.nan, np.float32)
    return Points(
        steps,
        _values(cells),
        lambda: (times_us, epochs),
        tuple(cells["writers"]),
        writers if len(writers) else None,
        kind=cells["kind"],
        hidden_items={step: frozenset(items) for step, items in json.loads(hidden)} if hidden else None,
    )


def _values(cells: Mapping[str, Any]) -> npt.NDArray[Any]:
    for name in ("value", "whole"):
        if len(cells[name]):
            values: npt.NDArray[Any] = cells[name]
            return values
    texts = cells["text"]
    if not texts:
        return np.empty(0, np.float64 if cells["kind"] in ("float", "number") else np.int64)
    numbers = np.empty(len(texts), object)
    numbers[:] = [int(text) if text.lstrip("-").isdigit() else float(text) for text in texts]
    return numbers
