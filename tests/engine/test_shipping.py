"""
What the thread that ships runs does beside the training.
"""

from __future__ import annotations

import random

import pytest

from aim.engine.shipping import BACKOFF_S, BACKOFF_S_MAX, Backoff


def test_pauses_grow_up_to_a_bound_and_begin_anew_after_a_success() -> None:
    """
    Each pause is between half and all of twice the one before.
    """
    backoff = Backoff()
    limit_s = BACKOFF_S
    for _ in range(12):
        assert limit_s / 2 <= backoff.fail(None) <= limit_s
        limit_s = min(2 * limit_s, BACKOFF_S_MAX)
    backoff.succeed()
    assert backoff.fail(None) <= BACKOFF_S


@pytest.mark.parametrize("retry_after_s", [1.0, 90.0])
def test_a_pause_is_no_shorter_than_what_the_server_asks_for(retry_after_s: float) -> None:
    """
    `Retry-After` counts, also beyond the bound.
    """
    assert retry_after_s == Backoff().fail(retry_after_s)


def test_the_random_numbers_of_a_training_are_left_alone() -> None:
    """
    A training that seeds `random` draws the same numbers, whether its runs are shipped or not.
    """
    random.seed(7)
    expected = [random.random() for _ in range(3)]
    random.seed(7)
    Backoff().fail(None)

    assert expected == [random.random() for _ in range(3)]
