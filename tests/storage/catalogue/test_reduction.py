"""
Records of many runs summed up at once: the same as each chunk by itself.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from aim.storage.catalogue import reduction
from aim.storage.catalogue.reduction import summarize_chunks
from aim.storage.catalogue.summaries import partial_summaries
from aim.storage.forms import records
from aim.storage.forms.records import Records


def chunk_of(rows: list[tuple[int, int, float]]) -> Records:
    """Return records of (sequence, step, value)."""
    chunk = np.zeros(len(rows), records.RECORD_DTYPE)
    for index, (number, step, value) in enumerate(rows):
        chunk[index]["sequence"], chunk[index]["step"], chunk[index]["value"] = number, step, value
    return chunk


def each_by_itself(chunks: list[Records]) -> list[str]:
    """Return what the chunks sum up to, one after the other, as text: NaN equals NaN there."""
    return [
        repr(sorted(partial_summaries(chunk["sequence"], chunk["step"], chunk["value"]).items())) for chunk in chunks
    ]


def at_once(chunks: list[Records]) -> list[str]:
    """Return the same by one call."""
    return [repr(sorted(summaries.items())) for summaries in summarize_chunks(chunks)]


@pytest.mark.parametrize("seed", range(6))
def test_chunks_sum_up_together_as_each_does_by_itself(seed: int) -> None:
    """
    Sequences of different writers have the same numbers; none takes a point of another's, empty chunks included.
    """
    chance = random.Random(seed)
    chunks = [
        chunk_of(
            [
                (chance.choice([1, 2, 3, 300]), step, chance.choice([0.5, -1.0, float("nan"), 2.0**60]))
                for step in range(chance.choice([0, 1, 2, 7]))
            ]
        )
        for _ in range(chance.choice([1, 2, 9]))
    ]
    assert each_by_itself(chunks) == at_once(chunks)


def test_no_chunk_and_empty_chunks_have_no_summaries() -> None:
    """There is one answer for each chunk, also where nothing was recorded."""
    assert ([], [{}, {}]) == (summarize_chunks([]), summarize_chunks([chunk_of([]), chunk_of([])]))


@pytest.mark.parametrize("numbers", [[5, 5], [3, 4], [9], [3, 3, 3, 3], [8, 1, 7, 9, 1]])
def test_a_group_has_no_more_numbers_than_two_bytes_hold(numbers: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Chunks are taken together while their numbers fit; one that has more of them is a group of its own.
    """
    monkeypatch.setattr(reduction, "NUMBERS_MAX", 8)
    groups = list(reduction._groups(numbers))
    sums = [sum(numbers[first:stop]) for first, stop in groups]
    alone = [stop - first == 1 for first, stop in groups]
    assert list(range(len(numbers))) == [index for first, stop in groups for index in range(first, stop)]
    assert all(total <= 8 or is_alone for total, is_alone in zip(sums, alone, strict=True))
    assert all(
        sums[index] + numbers[groups[index + 1][0]] > 8 for index in range(len(groups) - 1)
    )  # no group ends early


def test_numbers_around_two_bytes_are_told_apart() -> None:
    """
    65,535 and 65,536 numbers in one chunk, and the same numbers in the next one, stay what they are.
    """
    chunks = [
        chunk_of([(65_534, 0, 1.0), (0, 0, 2.0)]),
        chunk_of([(65_535, 0, 3.0), (0, 1, 4.0)]),
        chunk_of([(1, 0, 5.0), (0, 0, 6.0)]),
    ]
    assert each_by_itself(chunks) == at_once(chunks)
    assert [{0: 2.0, 65_534: 1.0}, {0: 4.0, 65_535: 3.0}, {0: 6.0, 1: 5.0}] == [
        {number: part.summary.last for number, part in sorted(summaries.items())}
        for summaries in summarize_chunks(chunks)
    ]
