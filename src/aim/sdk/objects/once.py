"""
Warnings that are said once in a process, however long the training loop.
"""

from __future__ import annotations

import logging

_said: set[str] = set()


def warn_once(subject: str, message: str) -> None:
    """
    Log *message* as a warning of the logger `aim`, unless *subject* was warned of before.

    It is a log line and not a `Warning`, so that `python -W error` does not end a training for it.
    """
    if subject not in _said:
        _said.add(subject)
        logging.getLogger("aim").warning("%s", message)


def forget() -> None:
    """Say everything once more; for tests."""
    _said.clear()
