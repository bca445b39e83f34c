"""
One line of what a run printed.
"""

from __future__ import annotations

from typing import ClassVar

from aim.sdk.objects.text import Text

KIND = "aim.log_line"


class LogLine(Text):
    """
    One line, colour codes in it; `data` is its text.

    >>> LogLine("epoch 1").data
    'epoch 1'
    """

    AIM_NAME: ClassVar[str] = KIND
