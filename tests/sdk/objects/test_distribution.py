"""
Distributions are what `numpy.histogram` gives, and come back.
"""

from __future__ import annotations

import json
from typing import Any

import hypothesis.extra.numpy as st_numpy
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from aim.core.errors import UntrackableValue
from aim.sdk.objects import once
from aim.sdk.objects.distribution import Distribution
from aim.sdk.objects.registry import restore
from tests.sdk.objects import foreign

NUMBERS = st_numpy.arrays(
    st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.int64, np.uint64, bool]),
    st_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6),
)


def again(distribution: Distribution) -> Distribution:
    """Return what a reader gets for *distribution*, through JSON."""
    stored = distribution.stored()
    restored = restore(stored.kind, json.loads(json.dumps(stored.fields, allow_nan=False)), bytes)
    assert isinstance(restored, Distribution)
    assert stored.data is None
    assert stored == restored.stored()
    return restored


@given(
    st_numpy.arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e6, 1e6).map(lambda value: round(value, 3))),
    st.integers(1, 512),
)
def test_samples_are_counted_as_numpy_does(samples: NDArray[Any], bin_count: int) -> None:
    """
    Weights and edges are those of `numpy.histogram`.
    """
    weights, edges = np.histogram(samples, bins=bin_count)
    distribution = again(Distribution(samples, bin_count))

    assert (weights.tolist(), weights.dtype) == (distribution.weights.tolist(), distribution.weights.dtype)
    assert edges.tolist() == distribution.ranges.tolist()
    assert {"bin_count": bin_count, "range": [edges[0], edges[-1]]} == distribution.json()


@given(NUMBERS, st.sampled_from([1, 3, 64, 512]))
def test_every_finite_sample_is_in_a_bin_and_the_others_are_counted(samples: NDArray[Any], bin_count: int) -> None:
    """
    Whatever the numbers, weights and ignored samples add up, or the range is too wide for a double.
    """
    try:
        distribution = again(Distribution(samples, bin_count))
    except UntrackableValue:
        with np.errstate(over="ignore"):
            assert np.ptp(samples[np.isfinite(samples)].astype(np.float64)) > 1e308
        return

    finite = np.isfinite(samples)
    assert int(finite.sum()) == int(distribution.weights.sum())
    assert int((~finite).sum()) == distribution.ignored_count
    assert np.all(np.diff(distribution.ranges) >= 0)


def test_more_bins_than_aim_3_documents_are_kept() -> None:
    """
    A training with more than 512 bins ran with Aim 3, and does here.
    """
    distribution = again(Distribution(np.arange(5000), 5000))

    assert ([1] * 5000, 5000) == (distribution.weights.tolist(), distribution.bin_count)
    assert 600 == again(Distribution(hist=np.ones(600), bin_range=(0, 1))).bin_count


def test_numbers_that_are_none_are_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """
    NaN and infinities are in no bin, do not stop the training, and their number is kept.
    """
    once.forget()
    distribution = again(Distribution([1.0, np.nan, 2.0, np.inf], bin_count=2))

    assert ([1, 1], [1.0, 2.0], 2) == (distribution.weights.tolist(), distribution.range, distribution.ignored_count)
    assert 0 == Distribution([1.0]).ignored_count
    assert ["2 of 4 samples are NaN"] == [record.message[14:36] for record in caplog.records]


@pytest.mark.parametrize("samples", [[], [np.nan], np.zeros((0, 3))])
def test_no_samples_are_empty_bins_from_0_to_1(samples: Any) -> None:
    """
    Nothing to count gives zeros over [0, 1].
    """
    distribution = Distribution(samples)

    assert ([0] * 64, [0.0, 1.0]) == (distribution.weights.tolist(), distribution.range)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e300, 1.7e308, 5e-324, 2**53])
def test_samples_of_one_value_have_room(value: float) -> None:
    """
    Samples that are all alike lie in bins whose edges differ.
    """
    distribution = Distribution([value, value])
    low, high = distribution.range

    assert low < high
    assert low <= value <= high
    assert 2 == distribution.weights.sum()
    assert abs(value) > 1e9 or [value - 0.5, value + 0.5] == [low, high]


@pytest.mark.parametrize(
    "samples",
    [
        foreign.Tensor(np.array([[1.0, 2.0], [2.0, 4.0]])),
        foreign.Tensor(np.array([1.0, 2.0, 2.0, 4.0]), "bfloat16"),
        foreign.EagerTensor(np.array([1, 2, 2, 4])),
        [[1, 2], [2, 4]],
    ],
)
def test_samples_of_each_library(samples: Any) -> None:
    """
    Tensors of any shape and nested lists are counted.
    """
    assert [1, 2, 1] == Distribution.from_samples(samples, bin_count=3).weights.tolist()


@given(
    st_numpy.arrays(
        st.sampled_from([np.int64, np.float32, np.float64]), st.integers(1, 512), elements=st.integers(0, 2**20)
    ),
    st.tuples(st.floats(-1e9, 0), st.floats(0, 1e9)),
)
def test_a_ready_histogram_comes_back(hist: NDArray[Any], bin_range: tuple[float, float]) -> None:
    """
    Bins, their type and their range are kept as they were given.
    """
    distribution = again(Distribution.from_histogram(hist, bin_range))

    assert (hist.tolist(), hist.dtype) == (distribution.weights.tolist(), distribution.weights.dtype)
    assert (list(bin_range), len(hist)) == (distribution.range, distribution.bin_count)
    assert len(hist) + 1 == len(distribution.ranges)
    assert distribution.to_np_histogram()[0].tolist() == hist.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either samples or hist"),
        ({"samples": [1], "hist": [1]}, "not both"),
        ({"hist": [1]}, "needs bin_range"),
        ({"samples": [1], "bin_count": 0}, "a whole number, 1 or more"),
        ({"samples": [1], "bin_count": -1}, "a whole number, 1 or more"),
        ({"samples": [1], "bin_count": "a"}, "a whole number, 1 or more"),
        ({"samples": [1], "bin_count": 2.5}, "a whole number, 1 or more"),
        ({"hist": [], "bin_range": (0, 1)}, "bins in a row, 1 or more"),
        ({"hist": [[1]], "bin_range": (0, 1)}, "bins in a row, 1 or more"),
        ({"hist": [np.nan], "bin_range": (0, 1)}, "NaN or infinite"),
        ({"hist": [1], "bin_range": (1, 0)}, "the lower first"),
        ({"hist": [1], "bin_range": (0, np.inf)}, "the lower first"),
        ({"hist": [1], "bin_range": (0, 1, 2)}, "the lower first"),
        ({"samples": "abc"}, "expected numbers"),
        ({"samples": [1j]}, "expected numbers"),
        ({"samples": [[1], [1, 2]]}, "no array of numbers"),
        ({"samples": [-1.7e308, 1.7e308]}, "too far apart"),
        ({"samples": [0, 1.7e308]}, "too far apart"),
        ({"hist": [1, 2], "bin_range": (-1.7e308, 1.7e308)}, "the lower first"),
    ],
)
def test_wrong_arguments_are_value_errors(arguments: dict[str, Any], message: str) -> None:
    """
    Each message says what was expected.
    """
    with pytest.raises(ValueError, match=message):
        Distribution(**arguments)


def test_notebooks_show_bars() -> None:
    """
    A notebook gets one bar a bin.
    """
    distribution = Distribution([1, 2, 2, 4], bin_count=3)

    assert 3 == distribution._repr_html_().count("<rect")
    assert "<span>1</span><span>4</span>" in distribution._repr_html_()
    assert 'height="0.5"' in distribution._repr_html_()
    assert "<Distribution of 3 bins over [1, 4]>" == repr(distribution)
    assert 0 == Distribution([], bin_count=1)._repr_html_().count("<rect")
