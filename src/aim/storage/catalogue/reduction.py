"""
The records of many runs summed up at once: one call of numpy is worth hundreds of runs.

    chunk 0   sequence 1 1 2        numbers of its own          ->   1 1 2
    chunk 1   sequence 1 3 3                                         4 6 6        moved behind those of chunk 0

Each chunk holds records of one writer, in the order of recording. Its numbers of sequences are moved to a stretch of
their own, so that `partial_summaries` can tell the sequences of all chunks apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from aim.storage.catalogue.summaries import PartialSummary, partial_summaries
from aim.storage.forms import records
from aim.storage.forms.records import Records

NUMBERS_MAX = (
    1 << 16
)  # sequences summed up together: numbers of two bytes are sorted by counting, in a tenth of the time


def summarize_chunks(chunks: Sequence[Records]) -> list[dict[int, PartialSummary]]:
    """Return for each chunk of records the summary of each of its sequences, by number."""
    filled = [chunk for chunk in chunks if len(chunk)]
    lengths = [len(chunk) for chunk in chunks]
    return summarize_table(records.joined(filled), lengths) if filled else [{} for _ in chunks]


def summarize_table(table: Records, chunk_lengths: Sequence[int]) -> list[dict[int, PartialSummary]]:
    """
    Return the same for chunks that lie in *table* one after the other.

    Cost: see `partial_summaries`.
    """
    summaries: list[dict[int, PartialSummary]] = [{} for _ in chunk_lengths]
    filled = [index for index, length in enumerate(chunk_lengths) if length]
    if not filled:
        return summaries
    lengths = np.array([chunk_lengths[index] for index in filled])
    ends = np.cumsum(lengths)
    starts = ends - lengths
    number_counts = np.maximum.reduceat(table["sequence"], starts).astype(np.int64) + 1
    for first, stop in _groups(number_counts.tolist()):
        bases = np.cumsum(np.append(0, number_counts[first:stop]))
        rows = slice(starts[first], ends[stop - 1])
        dtype: type[np.integer[Any]] = np.uint16 if bases[-1] <= NUMBERS_MAX else np.int64
        moved = table["sequence"][rows].astype(dtype) + np.repeat(bases[:-1].astype(dtype), lengths[first:stop])
        reduced = partial_summaries(moved, table["step"][rows], table["value"][rows])
        owners = np.searchsorted(bases, np.fromiter(reduced, np.int64, len(reduced)), "right") - 1
        first_numbers = bases.tolist()
        for owner, (number, summary) in zip(owners.tolist(), reduced.items(), strict=True):
            summaries[filled[first + owner]][number - first_numbers[owner]] = summary
    return summaries


def _groups(number_counts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Go through groups of chunks, as (first, stop), that have at most NUMBERS_MAX numbers or are one chunk."""
    first = total = 0
    for index, count in enumerate(number_counts):
        if index > first and total + count > NUMBERS_MAX:
            yield first, index
            first, total = index, 0
        total += count
    yield first, len(number_counts)
