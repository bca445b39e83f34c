"""
Points of many sequences as one Arrow table: what `collection.arrow()` and `.polars()` give.

    run, name, context    dictionary of strings; the context as JSON with sorted keys
    step                  int64
    time                  timestamp[us], UTC
    value                 float64
    epoch                 float32, null: none
    exact                 int64: the value where it is an integer beyond 2^53, which no double holds; else null

The columns that are the same for a whole sequence are dictionary codes repeated by numpy: no Python object a point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from aim.core import contexts
from aim.core.clock import MICROSECONDS
from aim.engine.long_integers import long_integers
from aim.storage.reading.points import Points

if TYPE_CHECKING:
    import pyarrow as pa


class Labels(Protocol):
    """What a sequence is called."""

    @property
    def run_hash(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def context(self) -> Any: ...


class LabelledPoints(Protocol):
    """A sequence and its points."""

    @property
    def sequence(self) -> Labels: ...
    @property
    def points(self) -> Points: ...


def schema() -> pa.Schema:
    """Return the columns and their types."""
    import pyarrow

    label = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    return pyarrow.schema(
        [
            ("run", label),
            ("name", label),
            ("context", label),
            ("step", pyarrow.int64()),
            ("time", pyarrow.timestamp("us", tz="UTC")),
            ("value", pyarrow.float64()),
            ("epoch", pyarrow.float32()),
            ("exact", pyarrow.int64()),
        ]
    )


def batch(series: Sequence[LabelledPoints]) -> pa.RecordBatch:
    """Return the points of *series*, in their order, as one record batch."""
    import pyarrow

    counts = [len(member.points) for member in series]
    epochs = np.concatenate([member.points.epochs for member in series]).astype(np.float32)
    times_us = np.rint(np.concatenate([member.points.times_s for member in series]) * MICROSECONDS).astype(np.int64)
    labels = (
        [member.sequence.run_hash for member in series],
        [member.sequence.name for member in series],
        [contexts.text(member.sequence.context) for member in series],
    )
    columns = [
        *(_repeated(names, counts) for names in labels),
        pyarrow.array(np.concatenate([member.points.steps for member in series])),
        pyarrow.array(times_us).cast(pyarrow.timestamp("us", tz="UTC")),
        pyarrow.array(np.concatenate([member.points.values.astype(np.float64) for member in series])),
        pyarrow.array(epochs, mask=np.isnan(epochs)),
        _exact([member.points.values for member in series]),
    ]
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema())


def batches(series: Iterable[LabelledPoints], batch_points: int) -> Iterator[pa.RecordBatch]:
    """Go through *series* as record batches, each of whole sequences with *batch_points* or more, but for the last."""
    held: list[LabelledPoints] = []
    count = 0
    for member in series:
        held.append(member)
        count += len(member.points)
        if count >= batch_points:
            yield batch(held)
            held, count = [], 0
    if held:
        yield batch(held)


def _exact(values: Sequence[Any]) -> Any:
    import pyarrow

    exact = [np.zeros(len(part), np.int64) if part.dtype.kind == "f" else long_integers(part) for part in values]
    joined = np.concatenate(exact)
    return pyarrow.array(joined, mask=joined == 0)


def _repeated(names: Sequence[str], counts: Sequence[int]) -> Any:
    import pyarrow

    distinct = {name: code for code, name in enumerate(dict.fromkeys(names))}
    texts = [name.encode("utf-8", "replace").decode() for name in distinct]  # half of a surrogate pair becomes `?`
    codes = np.repeat(np.array([distinct[name] for name in names], np.int32), counts)
    return pyarrow.DictionaryArray.from_arrays(pyarrow.array(codes), pyarrow.array(texts, pyarrow.string()))
