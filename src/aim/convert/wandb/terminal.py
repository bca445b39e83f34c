"""
What a run printed: pieces of text with times, joined to lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from aim.convert.events import LogLines
from aim.convert.timestamps import seconds

LINES_BATCH = 1000


class TerminalLines:
    """
    Joins pieces to lines.

    >>> lines = TerminalLines()
    >>> lines.take({"line": "epoch "}); lines.take({"line": "1" + chr(10)})
    >>> [batch.texts for batch in lines.flushed()]
    [['epoch 1']]
    """

    def __init__(self) -> None:
        self._lines: list[tuple[str, float]] = []
        self._rest = ""

    @property
    def is_full(self) -> bool:
        """Whether there are enough lines to pass them on."""
        return len(self._lines) > LINES_BATCH

    def take(self, output: Mapping[str, Any]) -> None:
        """Take a piece; a newline ends a line."""
        time_s = seconds(output.get("timestamp"))
        parts = (self._rest + output.get("line", "")).split("\n")
        self._rest = parts.pop()
        self._lines += [(part, math.nan if time_s is None else time_s) for part in parts]

    def end(self) -> None:
        """End a line that has no newline."""
        if self._rest:
            self.take({"line": "\n"})

    def flushed(self) -> Iterator[LogLines]:
        """Return the lines, and forget them."""
        lines, self._lines = self._lines, []
        if lines:
            yield LogLines([text for text, _ in lines], [time_s for _, time_s in lines])
