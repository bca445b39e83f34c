"""
Check-ins: when the next one is due, and whether it is late.
"""

from __future__ import annotations

import time

import pytest

from aim.storage.forms.check_ins import CheckIn


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({}, CheckIn(10.0, 0.0, False)),
        ({"expect_next_in": 60}, CheckIn(10.0, 60.0, False)),
        ({"finished": True}, CheckIn(10.0, 0.0, True)),
        ({"expect_next_in": "2.5", "finished": 0}, CheckIn(10.0, 2.5, False)),
    ],
)
def test_an_event_holds_a_promise_or_an_end(event: dict[str, object], expected: CheckIn) -> None:
    """
    What an event leaves out was not promised.
    """
    assert expected == CheckIn.from_event(10.0, event)


@pytest.mark.parametrize(
    ("check_in", "due_at_s", "overdue"),
    [
        (CheckIn(10.0, 5.0), 15.0, [False, False, True]),
        (CheckIn(10.0), None, [False, False, False]),
        (CheckIn(10.0, -1.0), None, [False, False, False]),
        (CheckIn(10.0, 5.0, True), None, [False, False, False]),
    ],
)
def test_a_promise_is_broken_after_the_moment_it_names(
    check_in: CheckIn, due_at_s: float | None, overdue: list[bool]
) -> None:
    """
    At the moment itself it is not yet late; without a promise, or after the end, nothing is late.
    """
    assert due_at_s == check_in.due_at_s
    assert overdue == [check_in.is_overdue(now_s) for now_s in (14.9, 15.0, 15.1)]


def test_without_a_moment_it_is_now() -> None:
    """
    `is_overdue()` asks the clock.
    """
    assert CheckIn(1.0, 1.0).is_overdue()
    assert not CheckIn(time.time(), 1e6).is_overdue()
