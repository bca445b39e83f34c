"""
The levels of alerts: how much a person should mind.
"""

from __future__ import annotations

INFO, WARNING, ERROR = LEVELS = ("info", "warning", "error")
"""In their order."""


def level_rank(level: str) -> int:
    """
    Return the place of a level among them.

    >>> level_rank("error") > level_rank("info")
    True
    """
    return LEVELS.index(level)
