"""
Whether a call into the package interrupts another one of the same thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from aim.core.reentry import is_within_own_call
from aim.core.shield import shielded


def asked_within_the_package() -> list[bool]:
    """Ask by a function of the package, which foreign code calls."""
    answers: list[bool] = []
    shielded(lambda: answers.append(is_within_own_call()), _raise)
    return answers


def _raise(error: BaseException) -> None:
    raise error


def within_another_call(work: Callable[[], object]) -> None:
    """Do *work* as a signal handler within a call of the package would."""
    shielded(work, _raise)


def test_a_call_of_a_program_is_no_reentry() -> None:
    """
    A program that calls the package is within no call of it, in any thread.
    """
    answers: list[bool] = [is_within_own_call()]
    thread = threading.Thread(target=lambda: answers.append(is_within_own_call()))
    thread.start()
    thread.join()

    assert [False, False] == answers


def test_a_call_of_a_handler_is_one() -> None:
    """
    A handler that runs within a call of the package, and calls it, is within that call.
    """
    answers: list[bool] = []
    within_another_call(lambda: answers.append(is_within_own_call()))

    assert [True] == answers
