"""
What is odd about one curve.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aim.engine.anomalies import divergence, first_bad, may_have_diverged, should_fall, usual_pause_s
from bench.divergence import DIVERGED, SOUND, share_called


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("loss", True),
        ("train/loss", True),
        ("valLoss", True),
        ("loss_box", True),
        ("clsloss", True),
        ("val_mse", True),
        ("RMSE", True),
        ("accuracy", False),
        ("loss_scale", False),
        ("actor_loss", False),
        ("G_loss", False),
        ("lossless", False),
        ("terror", False),
        ("", False),
        ("日本", False),
    ],
)
def test_losses_are_known_by_their_names(name: str, expected: bool) -> None:
    """
    The words of a name's last part say whether training makes a metric smaller.
    """
    assert expected == should_fall(name)


@settings(max_examples=200)
@given(st.lists(st.one_of(st.floats(), st.just(float("nan")))))
def test_bad_values_count_from_the_last_good_one(values: list[float]) -> None:
    """
    From the place that is given on no value is a number, and the one before it is.
    """
    index = first_bad(np.array(values, np.float64))
    finite = [bool(np.isfinite(value)) for value in values]

    expected = None if not values or finite[-1] else len(values) - finite[::-1].index(True) if any(finite) else 0
    assert expected == index


@pytest.mark.parametrize("kind", SOUND)
def test_noise_is_no_divergence(kind: str) -> None:
    """
    Of curves that do not diverge fewer than one in a hundred is called so, whatever their noise.
    """
    assert share_called(SOUND[kind], 100) < 0.01


@pytest.mark.parametrize("kind", DIVERGED)
def test_divergence_is_seen(kind: str) -> None:
    """
    Of curves that diverge at most one in twenty is missed.
    """
    assert share_called(DIVERGED[kind], 100) >= 0.95


def test_the_place_is_where_the_curve_left() -> None:
    """
    The step of a divergence is the first one of the part that stays away.
    """
    values = np.concatenate([np.linspace(3, 1, 400), np.full(100, 9.0)])
    values[200] = 50.0
    diverged = divergence(np.arange(500) * 10, values)

    assert diverged is not None
    assert (4000, 400, 9.0) == (diverged.step, diverged.index, diverged.now)
    assert diverged.times > 1


def test_short_curves_and_nan_tell_nothing() -> None:
    """
    Fewer than 20 numbers are no curve to judge.
    """
    assert divergence(np.arange(19), np.geomspace(1, 1e9, 19)) is None
    assert divergence(np.arange(100), np.full(100, np.nan)) is None


@pytest.mark.parametrize("kind", DIVERGED)
def test_the_summary_finds_who_diverged(kind: str) -> None:
    """
    A curve that diverges is a suspect by its first, last and lowest value alone.
    """
    random = np.random.default_rng(3)
    curves = [DIVERGED[kind](random, 400) for _ in range(100)]
    diverged = [curve for curve in curves if divergence(np.arange(400), curve) is not None]
    first, last, low = (np.array([pick(curve) for curve in diverged]) for pick in (_first, _last, np.min))

    assert len(diverged) > 90
    assert may_have_diverged(first, last, low).mean() > 0.97


def _first(curve: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(curve[0])


def _last(curve: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return float(curve[-1])


def test_a_long_pause_that_comes_again_is_usual() -> None:
    """
    A validation that is silent for ten minutes after each epoch makes half an hour the limit.
    """
    epoch_s = np.concatenate([np.arange(100.0), np.arange(700.0, 800.0), np.arange(1400.0, 1500.0)])

    assert 3 * 601.0 == usual_pause_s(epoch_s)
    assert 120.0 == usual_pause_s(np.arange(100.0))
    assert usual_pause_s(np.full(100, 5.0)) is None
