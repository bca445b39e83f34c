"""
The lines that a run printed, through its door: the last ones, those after a line, and those that contain a text.

`engine.logs` does the same for the pages, with a log for each process; this module reads all of them as one text, in
the order of the time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from aim.core.errors import DamagedFile, UsageError
from aim.core.kinds import list_of
from aim.engine.door import RunDoor
from aim.engine.logs import ANSI, DAMAGED, LINE_KIND
from aim.storage.reading.points import Points

LINES_MAX = 100_000  # of one search


@dataclass(frozen=True)
class PrintedLine:
    """
    One line.

    Attributes:
        number: of the line in the log of its process, from 0.
        time_s: when it was printed, in Unix seconds.
        text: without codes of colours.
        process: the label of the process's log; "": the only one.
    """

    number: int
    time_s: float
    text: str
    process: str = ""


class LogReader:
    """
    The lines of one run. A second question reads only what is new.

    Args:
        run: the run.
    """

    def __init__(self, run: RunDoor) -> None:
        self._run = run
        self._texts: dict[tuple[str, int], str] = {}

    def _logs(self) -> list[tuple[str, Points]]:
        state = self._run.state()
        kinds = (LINE_KIND, list_of(LINE_KIND))
        keys = [key for key, sequence in state.sequences.items() if sequence.parts and sequence.kind in kinds]
        logs = []
        for key in sorted(keys):
            points = self._run.points(key)
            if points is not None and len(points):
                logs.append((f"{key[0]} {key[1]}" if len(keys) > 1 else "", points))
        return logs

    def _line(self, process: str, points: Points, index: int) -> PrintedLine:
        number = int(points.steps[index])
        text = self._texts.get((process, number))
        if text is None:
            try:
                items = self._run.record(points, index)["items"]
                text = ANSI.sub("", str(items[0].get("text", ""))) if items else ""
            except DamagedFile:
                text = DAMAGED
            self._texts[(process, number)] = text
        return PrintedLine(number, float(points.times_s[index]), text, process)

    def _positions(self) -> Iterator[tuple[str, Points, int]]:
        """Go through all lines, by time; each as its log and its index in it."""
        logs = self._logs()
        if not logs:
            return
        times_s = np.concatenate([points.times_s for _, points in logs])
        owners = np.repeat(np.arange(len(logs)), [len(points) for _, points in logs])
        indices = np.concatenate([np.arange(len(points)) for _, points in logs])
        order = np.lexsort((indices, owners, times_s))
        for owner, index in zip(owners[order].tolist(), indices[order].tolist(), strict=True):
            yield logs[owner][0], logs[owner][1], index

    def count(self) -> int:
        """Count the lines."""
        return sum(len(points) for _, points in self._logs())

    def last(self, count: int) -> list[PrintedLine]:
        """Return the last *count* lines."""
        positions = list(self._positions())
        return [self._line(*position) for position in positions[max(0, len(positions) - count) :]]

    def after(self, count: int) -> list[PrintedLine]:
        """Return the lines behind the first *count*."""
        return [self._line(*position) for position in list(self._positions())[count:]]

    def matching(self, pattern: str, limit: int, *, is_regex: bool = False) -> tuple[list[PrintedLine], int]:
        """
        Return the last *limit* lines that contain *pattern*, in either case, and how many there are.

        Args:
            is_regex: *pattern* is a regular expression of Python's `re`.

        Raises:
            UsageError: it is none.
        """
        try:
            expression = re.compile(pattern if is_regex else re.escape(pattern), re.IGNORECASE)
        except re.error as error:
            raise UsageError(f"{pattern!r} is no regular expression: {error}.") from None
        lines = (self._line(*position) for position in list(self._positions())[-LINES_MAX:])
        matches = [line for line in lines if expression.search(line.text[:10_000])]
        return matches[-limit:] if limit else [], len(matches)
