"""
Pairs in the catalogue's file: their arrays lie in *blocks*. A large pair has a block of its own; small pairs share
one, one after the other.

    block 0    slots  0 1 2 3 4 5 ...     last  0.4 0.3 ...        the 90,000 runs that have `loss`
    block 1    slots  7 7 9 7 8 9 ...     last  1.0 0.2 ...        `grad, layer 0` has the first row, `layer 1` two ...

So 10,000 pairs of few runs, such as a metric for each layer, are some arrays instead of 160,000.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core import contexts, params
from aim.storage.catalogue.catalogue_row import PairKey
from aim.storage.catalogue.pair_arrays import ARRAY_DTYPES, SLOTS_NAME, LoadArray
from aim.storage.catalogue.pairs import Pair, RowSummary
from aim.storage.catalogue.snapshot import Reference, Snapshot, SnapshotWriter

SHARED_ROWS_MAX = 1024  # a pair of more runs has a block of its own
BLOCK_ROWS = 32_768

Arrays = Mapping[str, npt.NDArray[Any]]


def write(writer: SnapshotWriter, pairs: Iterable[Pair]) -> dict[str, Any]:
    """Write the pairs that some run has; return their part of the directory."""
    blocks: list[dict[str, Reference]] = []
    entries: list[dict[str, Any]] = []
    shared: list[dict[str, Any]] = []
    rows: list[int] = []
    summaries: list[RowSummary] = []

    def end_block() -> None:
        if rows:
            for entry in shared:
                entry["block"] = len(blocks)
            blocks.append(_written(writer, _arrays(rows, summaries)))
            shared.clear()
            rows.clear()
            summaries.clear()

    for pair in pairs:
        if pair.is_empty():
            continue
        context = params.encode(dict(pair.context))
        entry: dict[str, Any] = {"name": pair.name, "context": context, "kind": pair.kind}
        entries.append(entry)
        count = len(pair.rows())
        if count > SHARED_ROWS_MAX:
            entry |= {"block": len(blocks), "start": 0, "count": count}
            blocks.append(_written(writer, pair.compact()))
            continue
        entry |= {"start": len(rows), "count": count}
        shared.append(entry)
        pair_rows, pair_summaries = pair.compact_rows()
        rows += pair_rows
        summaries += pair_summaries
        if len(rows) >= BLOCK_ROWS:
            end_block()
    end_block()
    return {"blocks": blocks, "pairs": entries}


def _arrays(rows: Sequence[int], summaries: Sequence[RowSummary]) -> Arrays:
    values, stored_kinds = zip(*summaries, strict=True)
    columns = (*zip(*values, strict=True), stored_kinds)
    arrays = {
        name: np.array(column, dtype) for (name, dtype), column in zip(ARRAY_DTYPES.items(), columns, strict=True)
    }
    return {SLOTS_NAME: np.array(rows, np.int64), **arrays}


def _written(writer: SnapshotWriter, arrays: Arrays) -> dict[str, Reference]:
    return {name: writer.array(array) for name, array in arrays.items()}


def read(file: Snapshot) -> Iterator[tuple[PairKey, Mapping[str, Any], LoadArray, int]]:
    """
    Go through the pairs of a file, as (key, context, function that loads an array, number of runs).

    Raises:
        DamagedSnapshot, KeyError, TypeError, ValueError: the file is not what was written.
    """
    blocks = [_Block(file, references) for references in file.directory["blocks"]]
    for entry in file.directory["pairs"]:
        context = params.decode_in_order(entry["context"])
        key = (entry["name"], contexts.text(context), entry["kind"])
        start, count = entry["start"], entry["count"]
        yield key, context, blocks[entry["block"]].load(start, start + count), count


class _Block:
    """The arrays of one block; arrays that several pairs share are kept once they are read."""

    def __init__(self, file: Snapshot, references: Mapping[str, Reference]) -> None:
        self._file = file
        self._references = references
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    def load(self, start: int, stop: int) -> LoadArray:
        def load(name: str) -> npt.NDArray[Any]:
            if stop - start > SHARED_ROWS_MAX:
                return self._file.array(self._references[name])
            array = self._arrays.get(name)
            if array is None:
                array = self._arrays[name] = self._file.array(self._references[name])
            return array[start:stop].copy()

        return load
