"""
Regular expressions that are compiled when they are first used: most of those that a training loads, it never uses.
"""

from __future__ import annotations

import re
from typing import Any, cast


def pattern(text: str) -> re.Pattern[str]:
    """
    Return the regular expression of *text*. Cost: nothing until it is first used.

    >>> pattern("[0-9]+").fullmatch("42") is not None
    True
    """
    return cast("re.Pattern[str]", _Uncompiled(text))


class _Uncompiled:
    def __init__(self, text: str) -> None:
        self._text = text

    def __getattr__(self, name: str) -> Any:
        value = getattr(re.compile(self._text), name)
        setattr(self, name, value)  # the next use does not come here
        return value
