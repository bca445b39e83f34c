"""
What a run printed, and what it logged.

    captured output    the sequence `logs` of kind `aim.log_line`; step = number of the line, `text` = the line
    log records        the sequence `__log_records` of kind `aim.log_record`; with message, level, args, file, line

A line that was never written is empty. Colour codes are kept.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from aim.core import params
from aim.storage.reader import Points, RunReader
from aim.storage.state import RunState, SequenceFacts

LINE_KIND = "aim.log_line"
RECORD_KIND = "aim.log_record"
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
MATCHES_MAX = 1_000


@dataclass(frozen=True)
class LogRecord:
    """One record of `run.log_info(...)` and the like."""

    time_s: float
    level: str
    message: str
    args: dict[str, Any] | None
    file: str | None
    line: int | None


def _of_kind(state: RunState, kind: str) -> list[SequenceFacts]:
    found = [facts for facts in state.sequences.values() if facts.parts and facts.kind in (kind, f"list({kind})")]
    # of several processes that print at once the first has no context; its output is the run's
    return sorted(found, key=lambda facts: (bool(facts.context), facts.text))


class RunLogs:
    """
    The logs of the run that *reader* reads.

    Cost: some 10 us a line that is given; lines that were printed within a second lie together and are read at once.
    """

    def __init__(self, reader: RunReader) -> None:
        self._reader = reader
        self._state = reader.state()

    def _points(self, kind: str) -> Points | None:
        found = _of_kind(self._state, kind)
        return self._reader.points_of(found[0], self._state) if found else None

    def line_count(self) -> int:
        """Give the number of the last line, and one."""
        points = self._points(LINE_KIND)
        return int(points.steps[-1]) + 1 if points is not None and len(points) else 0

    def record_count(self) -> int:
        """Count the log records."""
        points = self._points(RECORD_KIND)
        return 0 if points is None else len(points)

    def lines(self, start: int, limit: int) -> tuple[int, int, list[str]]:
        """
        Give lines from *start* on, at most *limit*; a negative start counts from the end.

        Returns:
            (number of the first line, how many there are in all, the lines)
        """
        total = self.line_count()
        start = max(0, total + start) if start < 0 else start
        texts = [""] * max(0, min(limit, total - start))
        points = self._points(LINE_KIND)
        if points is not None and texts:
            first, stop = np.searchsorted(points.steps, (start, start + len(texts))).tolist()
            for place in range(first, stop):
                texts[int(points.steps[place]) - start] = self._text(points, place)
        return start, total, texts

    def _text(self, points: Points, place: int) -> str:
        items = self._reader.record(points, place)["items"]
        return str(items[0].get("text", "")) if items else ""

    def find(self, text: str) -> list[int]:
        """Give the numbers of the lines that contain *text*, of upper or lower case, colours ignored; at most 1,000."""
        points = self._points(LINE_KIND)
        wanted = text.casefold()
        found: list[int] = []
        for place in range(0 if points is None else len(points)):
            assert points is not None
            if wanted in ANSI.sub("", self._text(points, place)).casefold():
                found.append(int(points.steps[place]))
                if len(found) == MATCHES_MAX:
                    break
        return found

    def records(self, start: int, limit: int, level: str | None) -> tuple[int, list[LogRecord]]:
        """Give log records of *level* and above, from *start* on, and how many there are."""
        lowest = level_number(level) if level else 0
        chosen = [record for record in self._records() if level_number(record.level) >= lowest]
        return len(chosen), chosen[start : start + limit]

    def _records(self) -> Iterator[LogRecord]:
        points = self._points(RECORD_KIND)
        for place in range(0 if points is None else len(points)):
            assert points is not None
            for item in self._reader.record(points, place)["items"]:
                args = params.decode(item.get("args"))
                yield LogRecord(
                    float(points.times_s[place]),
                    level_name(item.get("level", logging.INFO)),
                    str(item.get("message", "")),
                    args if isinstance(args, dict) and args else None,
                    str(item["file"]) if item.get("file") else None,
                    int(item["line"]) if isinstance(item.get("line"), int) else None,
                )


def level_name(level: object) -> str:
    """
    Give a level by its name.

    >>> level_name(40), level_name("warning")
    ('ERROR', 'WARNING')
    """
    return logging.getLevelName(level) if isinstance(level, int) else str(level).upper()


def level_number(level: str) -> int:
    """
    Give the number of a level's name; 0 for an unknown one.

    >>> level_number("ERROR"), level_number("LOUD")
    (40, 0)
    """
    number = logging.getLevelName(level.upper())
    return number if isinstance(number, int) else 0
