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
    blocks = [PairBlock(file, references) for references in file.directory["blocks"]]
    for entry in file.directory["pairs"]:
        context = params.decode_in_order(entry["context"])
        key = (entry["name"], contexts.text(context), entry["kind"])
        start, count = entry["start"], entry["count"]
        yield key, context, BlockPart(blocks[entry["block"]], start, start + count), count


class PairBlock:
    """
    The arrays of one block; arrays that several pairs share are kept once they are read.

    Attributes:
        read_count: how many arrays were read from the file.
        part_count: how many times a single pair's part of an array was copied.
    """

    def __init__(self, file: Snapshot, references: Mapping[str, Reference]) -> None:
        self.read_count = self.part_count = 0
        self._file = file
        self._references = references
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    def array(self, name: str) -> npt.NDArray[Any]:
        """Return one array of all pairs of the block, which is kept. Raises DamagedSnapshot."""
        array = self._arrays.get(name)
        if array is None:
            array = self._arrays[name] = self.read(name)
        return array

    def read(self, name: str) -> npt.NDArray[Any]:
        """Return one array, which is not kept. Raises DamagedSnapshot."""
        self.read_count += 1
        return self._file.array(self._references[name])

    def part(self, name: str, start: int, stop: int) -> npt.NDArray[Any]:
        """Return a copy of some rows of one array. Raises DamagedSnapshot."""
        self.part_count += 1
        return self.array(name)[start:stop].copy()


class BlockPart:
    """
    The arrays of one pair, which lie in its block from *start* to *stop*; a `LoadArray`.

    Attributes:
        is_shared: whether other pairs have the same block.
    """

    def __init__(self, block: PairBlock, start: int, stop: int) -> None:
        self.block = block
        self.start = start
        self.stop = stop
        self.is_shared = stop - start <= SHARED_ROWS_MAX

    def __call__(self, name: str) -> npt.NDArray[Any]:
        """Read one array. Raises DamagedSnapshot."""
        return self.block.part(name, self.start, self.stop) if self.is_shared else self.block.read(name)
