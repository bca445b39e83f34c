"""
The levels of alerts and of log records: how much a person should mind.
"""

from __future__ import annotations

INFO, WARNING, ERROR = LEVELS = ("info", "warning", "error")
"""In their order."""
LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR = 10, 20, 30, 40
"""The levels of log records, as `logging` numbers them."""


def level_rank(level: str) -> int:
    """
    Return the place of a level among them.

    >>> level_rank("error") > level_rank("info")
    True
    """
    return LEVELS.index(level)
