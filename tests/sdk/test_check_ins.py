"""
Check-ins: a training says that it makes progress, and everybody can see it.
"""

from __future__ import annotations

import pytest

from aim import Repo, Run
from aim.core.errors import UsageError
from aim.sdk.reporter import CheckIn


def test_a_run_that_never_checked_in_has_no_check_in(run: Run) -> None:
    """
    Where nothing was said there is nothing to give.
    """
    assert run.check_in is None


def test_progress_is_seen_from_elsewhere(repo: Repo, run: Run) -> None:
    """
    The latest check-in is read from the files, with its moment and its promise.
    """
    run.report_progress()
    run.report_progress(expect_next_in=60)
    seen = repo.get_run(run.hash).check_in

    assert seen is not None
    assert (60.0, False) == (seen.expect_next_in_s, seen.is_finished)
    assert run.creation_time <= seen.at_s


def test_a_promise_that_is_not_kept_is_overdue() -> None:
    """
    A check-in is overdue after its promise; one without a promise, or after the end, never is.
    """
    promised, open_end, done = CheckIn(100.0, 60.0), CheckIn(100.0), CheckIn(100.0, 60.0, is_finished=True)

    assert [False, True] == [promised.is_overdue(160.0), promised.is_overdue(160.1)]
    assert [False, False] == [open_end.is_overdue(1e9), done.is_overdue(1e9)]


def test_the_work_may_be_done_before_the_process(run: Run) -> None:
    """
    After `report_successful_finish` nobody waits for a next check-in.
    """
    run.report_progress(expect_next_in=0.001)
    run.report_successful_finish()

    assert run.check_in.is_finished
    assert not run.check_in.is_overdue()


def test_block_returns_when_it_is_on_the_disk(run: Run) -> None:
    """
    A blocking check-in is seen at once, as any other.
    """
    run.report_progress(expect_next_in=5, block=True)

    assert 5.0 == run.check_in.expect_next_in_s


def test_a_reading_run_cannot_report(repo: Repo, run: Run) -> None:
    """
    A run open for reading raises a ValueError, as in Aim 3; a closed one goes on.
    """
    reading = repo.get_run(run.hash)
    for call in (reading.report_progress, reading.report_successful_finish):
        with pytest.raises(ValueError, match="for reading"):
            call()
    run.close()
    run.report_progress()
    assert run.active


@pytest.mark.parametrize("promise", [-1, float("nan"), float("inf"), "soon"])
def test_a_promise_is_a_number_of_seconds(run: Run, promise: float) -> None:
    """
    What is no number of seconds is refused.
    """
    with pytest.raises(UsageError, match="expect_next_in"):
        run.report_progress(expect_next_in=promise)
