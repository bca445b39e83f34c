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

from aim.core.summaries import UNKNOWN_LENGTH, Summary
from aim.storage.catalogue.reduction import summarize_chunks
from aim.storage.catalogue.summaries import (
    PartialSummary,
    merged,
    partial_of_sealed,
    partial_summaries,
    summary_of_parts,
    unknown_values,
)
from aim.storage.forms import records
from aim.storage.sealing.footer import SealedSequence
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


# parts of sealed files and of objects


def sealed(summary: Summary | None, *, rows: int = 3, stride: int | None = 2) -> SealedSequence:
    """Return what a footer says of a sequence."""
    return SealedSequence(1, "loss", {}, "float", 0, rows, 0, 5, stride, summary)


@pytest.mark.parametrize(
    ("points", "is_sole", "expected"),
    [
        ([1.0, 2.0, 6.0], True, (3, 9.0)),
        ([1.0, 2.0, 6.0], False, (3, 9.0)),
        ([1.0, math.nan, 6.0], True, (2, 7.0)),
        ([1.0, math.nan, 6.0], False, None),
        ([math.nan, math.nan], True, (0, 0.0)),
        ([math.nan, math.nan], False, None),
    ],
)
def test_a_sealed_part_is_what_its_footer_says(
    points: list[float], is_sole: bool, expected: tuple[int, float] | None
) -> None:
    """
    How many values are NaN matters only where another part follows: then the points have to be read.
    """
    summary = summarize(np.arange(len(points)), np.array(points))
    part = partial_of_sealed(sealed(summary), is_numeric=True, is_sole=is_sole)

    assert (expected is None) == (part is None)
    if part is not None:
        assert (True, summary) == (part.is_regular, part.summary)
        assert bool(expected and expected[0]) == bool(part.number_count)


@pytest.mark.parametrize(
    ("rows", "stride", "last_step"),
    [(3, 2, 9), (1, 0, 5), (1, 7, 5), (3, 0, None), (3, -2, None), (3, None, None), (0, 1, None)],
)
def test_objects_with_even_steps_need_no_reading(rows: int, stride: int | None, last_step: int | None) -> None:
    """
    First step, stride and count say all; else the steps have to be read, as of numbers without a summary.
    """
    part = partial_of_sealed(sealed(None, rows=rows, stride=stride), is_numeric=False, is_sole=True)

    assert (last_step is None) == (part is None)
    assert part is None or (rows, 5, last_step) == (
        part.summary.point_count, part.summary.first_step, part.summary.last_step,
    )  # fmt: skip
    assert partial_of_sealed(sealed(None, rows=rows, stride=stride), is_numeric=True, is_sole=True) is None


def test_parts_in_any_order_are_one_sequence() -> None:
    """
    Parts are merged by their steps, whoever comes first; lists have no known length.
    """
    parts = [part_of([3.0, 4.0], 10), part_of([1.0, 2.0], 0), part_of([9.0], 5)]
    whole = summary_of_parts(parts, is_numeric=True, is_list=False)
    assert whole is not None
    assert (5, 0, 11, 1.0, 4.0, 9.0) == (
        whole.point_count, whole.first_step, whole.last_step, whole.first, whole.last, whole.max,
    )  # fmt: skip
    for is_list, length in ((True, UNKNOWN_LENGTH), (False, 1)):
        objects = summary_of_parts(parts, is_numeric=False, is_list=is_list)
        assert objects is not None
        assert (5, 0, 11, length) == (
            objects.point_count, objects.first_step, objects.last_step, objects.record_max_length,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "is_regular"), [((0, 2), (2, 2), True), ((0, 3), (2, 2), False), ((2, 2), (0, 2), False)]
)
def test_parts_whose_steps_overlap_are_not_regular(
    first: tuple[int, int], second: tuple[int, int], is_regular: bool
) -> None:
    """
    The later part has to begin after the last step of the earlier one.
    """
    parts = [part_of([1.0] * count, step) for step, count in (first, second)]

    assert is_regular is merged(*parts).is_regular
    assert is_regular is merged(merged(*parts), part_of([1.0], 99)).is_regular


def test_a_deviation_is_known_where_it_is_the_same_for_both() -> None:
    """
    Equal values have none, parts without numbers add none, and infinite values leave it unknown for good.
    """
    nan = part_of([math.nan])
    assert 0.0 == merged(part_of([2.0]), part_of([2.0, 2.0], 1)).summary.std
    assert part_of([1.0, 3.0]).summary.std == merged(part_of([1.0, 3.0]), nan).summary.std
    assert part_of([1.0, 3.0]).summary.std == merged(nan, part_of([1.0, 3.0], 1)).summary.std
    assert math.isnan(merged(part_of([math.inf]), part_of([1.0], 1)).summary.std)
    both = merged(nan, part_of([math.nan], 1))

    assert (True, 0, True, True) == (
        math.isnan(both.summary.mean), both.number_count, both.summary.has_nan, math.isnan(both.summary.min),
    )  # fmt: skip


def test_the_length_of_lists_is_unknown_below_zero() -> None:
    """
    Each number below zero says that nobody has read the records yet.
    """
    lengths = np.array([UNKNOWN_LENGTH, UNKNOWN_LENGTH - 5, 0, 1, 7])

    assert [True, True, False, False, False] == unknown_values("record_max_length", lambda name: lengths).tolist()
