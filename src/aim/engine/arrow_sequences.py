"""
Whole sequences as rows of Arrow, and back: what a server sends when points are asked for. Specified in
docs/formats/wire.md, section 12.

    a row           one sequence, in a record batch of its own
    number          its position among the sequences that were asked for
    step, time, value, whole, text, epoch, writer
                    lists with an entry for each point; a list that would say nothing is empty

A list lies in one piece of memory, so it becomes an array of numpy without being copied. The values are in one of the
three columns: `value` doubles, `whole` 64-bit integers, `text` numbers of both kinds as Python writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
    """

    number: int
    points: Points | None
    error: Mapping[str, Any] | None = None


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
        ]
    )


def row(sent: SentSequence) -> pa.RecordBatch:
    """Return the row of one sequence."""
    import pyarrow

    columns = _cells(sent.points)
    cells = [
        pyarrow.array([sent.number], pyarrow.int32()),
        *(
            _list(columns[name.name], name.type) if name.name in LISTS else pyarrow.array([columns[name.name]])
            for name in schema()
            if name.name not in ("number", "error")
        ),
        pyarrow.array([None if sent.error is None else json.dumps(sent.error)], pyarrow.string()),
    ]
    cells[-2] = cells[-2].cast(pyarrow.string())
    return pyarrow.RecordBatch.from_arrays(cells, schema=schema())


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


def _list(entries: Any, kind: pa.DataType) -> pa.Array:
    import pyarrow

    inner = kind.value_type
    if isinstance(entries, np.ndarray) and pyarrow.types.is_timestamp(inner):
        flat = pyarrow.array(np.ascontiguousarray(entries), pyarrow.int64()).view(inner)
    else:
        contiguous = np.ascontiguousarray(entries) if isinstance(entries, np.ndarray) else list(entries)
        flat = pyarrow.array(contiguous, inner)
    return pyarrow.ListArray.from_arrays(pyarrow.array([0, len(flat)], pyarrow.int32()), flat)


def sequences_of(batch: pa.RecordBatch) -> Iterator[SentSequence]:
    """Go through the sequences of a record batch. Cost: nothing a point, except for values in both kinds."""
    for row_index in range(batch.num_rows):
        cells = {name: batch.column(name)[row_index] for name in batch.schema.names}
        error = cells["error"].as_py()
        number = cells["number"].as_py()
        yield SentSequence(number, None, json.loads(error)) if error else SentSequence(number, _points(cells))


def _points(cells: Mapping[str, Any]) -> Points:
    kind = cells["kind"].as_py()
    steps = _array(cells["step"])
    times_us, epochs = _array(cells["time"]), _array(cells["epoch"])
    if not len(epochs):
        epochs = np.full(len(steps), np.nan, np.float32)
    writers = _array(cells["writer"])
    hidden = cells["hidden"].as_py()
    return Points(
        steps,
        _values(cells, kind),
        lambda: (times_us, epochs),
        tuple(cells["writers"].as_py()),
        writers if len(writers) else None,
        kind=kind,
        hidden_items={step: frozenset(items) for step, items in json.loads(hidden)} if hidden else None,
    )


def _values(cells: Mapping[str, Any], kind: str) -> npt.NDArray[Any]:
    for name in ("value", "whole"):
        values = _array(cells[name])
        if len(values):
            return values
    texts = cells["text"].as_py()
    if not texts:
        return np.empty(0, np.float64 if kind in ("float", "number") else np.int64)
    values = np.empty(len(texts), object)
    values[:] = [int(text) if text.lstrip("-").isdigit() else float(text) for text in texts]
    return values


def _array(cell: Any) -> npt.NDArray[Any]:
    import pyarrow

    flat = cell.values
    if pyarrow.types.is_timestamp(flat.type):
        flat = flat.view(pyarrow.int64())
    array: npt.NDArray[Any] = flat.to_numpy()
    return array
