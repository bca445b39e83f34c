"""
Summaries from records and from parts, against those of the points.
"""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.core.summaries import Summary
from aim.storage.catalogue.reduction import summarize_chunks
from aim.storage.catalogue.summaries import PartialSummary, merged, partial_summaries, summary_of_parts, unknown_values
from aim.storage.forms import records
from aim.storage.sealing.point_summary import summarize

numbers = st.floats(-1e6, 1e6)
values = st.lists(st.one_of(numbers, st.just(math.nan), st.sampled_from((0.1, 1e9, math.inf))), min_size=1, max_size=20)


def part_of(points: list[float], first_step: int = 0) -> PartialSummary:
    """Return the part of one sequence whose values are *points*."""
    steps = np.arange(first_step, first_step + len(points))
    return partial_summaries(np.ones(len(points), np.int64), steps, np.array(points))[1]


def assert_equal(expected: Summary, summary: Summary) -> None:
    """Compare two summaries but for the last digits, and the median, which parts leave unknown."""
    expected_values, values = (np.array(each._replace(median=0.0), float) for each in (expected, summary))
    np.testing.assert_allclose(values, expected_values, rtol=1e-9, atol=1e-6)


@given(values)
def test_records_have_the_summary_of_their_points(points: list[float]) -> None:
    """
    What one writer recorded in order is summed up as the points are.
    """
    assert_equal(summarize(np.arange(len(points)), np.array(points)), part_of(points).summary)


@given(st.lists(values, min_size=2, max_size=5))
def test_merged_parts_have_the_summary_of_all_points(parts: list[list[float]]) -> None:
    """
    However points are spread over parts, the whole is summed up as all of them.
    """
    whole = part_of(parts[0])
    step = len(parts[0])
    for points in parts[1:]:
        whole = merged(whole, part_of(points, step))
        step += len(points)
    everything = [value for points in parts for value in points]

    assert_equal(summarize(np.arange(step), np.array(everything)), whole.summary)


def test_a_deviation_far_from_zero_is_exact() -> None:
    """
    Values around 1e9 that differ by 1 have the deviation that they have around 0.
    """
    whole = merged(part_of([1e9, 1e9 + 1] * 500), part_of([1e9 + 2, 1e9 + 3] * 500, 1000))

    assert pytest.approx(math.sqrt(1.25), rel=1e-9) == whole.summary.std


def test_parts_that_overlap_have_no_summary() -> None:
    """
    Where the steps of two parts overlap the points have to be merged.
    """
    assert summary_of_parts([part_of([1.0, 2.0]), part_of([3.0], 1)], is_numeric=True, is_list=False) is None


def test_a_median_of_parts_is_unknown() -> None:
    """
    The median of parts is unknown, and that of no numbers is known to be NaN.
    """
    summaries = [part_of([1.0, 2.0]).summary, part_of([math.nan]).summary]
    columns = {name: np.array([getattr(summary, name) for summary in summaries]) for name in Summary._fields}

    assert [True, False] == unknown_values("median", columns.__getitem__).tolist()
    assert [False, False] == unknown_values("std", columns.__getitem__).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_chunks_are_summed_up_apart(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Chunks together give what each gives by itself, however few numbers are sorted at once.
    """
    chance = random.Random(seed)
    monkeypatch.setattr("aim.storage.catalogue.reduction.NUMBERS_MAX", chance.choice((1, 5, 1 << 16)))
    chunks = []
    for _ in range(8):
        chunk = np.zeros(chance.choice((0, 1, 20)), records.RECORD_DTYPE)
        chunk["sequence"] = [chance.randint(1, 4) for _ in chunk]
        chunk["step"] = range(len(chunk))
        chunk["value"] = [chance.random() for _ in chunk]
        chunks.append(chunk)
    alone = [partial_summaries(chunk["sequence"].astype(np.int64), chunk["step"], chunk["value"]) for chunk in chunks]

    assert repr(alone) == repr(summarize_chunks(chunks))
