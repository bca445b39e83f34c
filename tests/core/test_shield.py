"""
Work whose failure must not stop anything else: what is a failure, and what is a request to end.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aim.core.shield import shielded

locks: dict[str, int] = {}


def fail() -> None:
    """Fail."""
    raise ValueError("x")


def leave() -> None:
    """Ask for the end of the process."""
    raise SystemExit(3)


def stop() -> None:
    """Ask for the end of the process as Ctrl-C does."""
    raise KeyboardInterrupt


def leave_through_a_fault() -> None:
    """Leave through a `finally` that fails, as an `import` of Python 3.11 does that a signal handler interrupts."""
    try:
        leave()
    finally:
        locks.pop("import")


def leave_through_two_faults() -> None:
    """Leave through one more of them."""
    try:
        leave_through_a_fault()
    finally:
        locks.pop("thread")


def translate() -> None:
    """Make a failure of a request, as `raise ... from` says."""
    try:
        leave()
    except SystemExit as error:
        raise ValueError("the command left") from error


@pytest.mark.parametrize(
    ("work", "failures"), [(fail, ["ValueError('x')"]), (translate, ["ValueError('the command left')"])]
)
def test_a_failure_is_reported_and_ends_there(work: Callable[[], None], failures: list[str]) -> None:
    """
    An exception goes to the report alone, also one that was made of a request to end on purpose.
    """
    reported: list[Exception] = []

    assert not shielded(work, reported.append)
    assert failures == [repr(error) for error in reported]


def test_work_that_succeeds_is_done() -> None:
    """
    Nothing is reported of work that raises nothing.
    """
    done: list[str] = []
    assert shielded(lambda: done.append("work"), lambda error: done.append(repr(error)))
    assert ["work"] == done


@pytest.mark.parametrize(
    ("work", "request_type"),
    [
        (leave, SystemExit),
        (stop, KeyboardInterrupt),
        (leave_through_a_fault, SystemExit),
        (leave_through_two_faults, SystemExit),
    ],
)
def test_a_request_to_end_passes_through(work: Callable[[], None], request_type: type[BaseException]) -> None:
    """
    `SystemExit` and `KeyboardInterrupt` leave the work, also where a second exception took their place on the way out.
    """
    reported: list[Exception] = []

    with pytest.raises(request_type):
        shielded(work, reported.append)
    assert [] == reported
