"""
What a run printed, and what it logged.

    captured output    sequences of kind `aim.log_line`, `logs` by name; step = number of the line, `text` = the line
    log records        the sequence `__log_records` of kind `aim.log_record`; with message, level, args, file, line

A line that was never written is empty; a line whose record is damaged says so. Colour codes are left in.

Several processes that print at once, such as the ranks of a job, have a log each: the sequence of the first has no
context, those of the others have `{"writer": <id>}`. The id of a log is made of its sequence's name and context.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aim.core import params
from aim.core.errors import DamagedFile, NotFound
from aim.core.kinds import LINES_NAME, list_of
from aim.storage.forms.state import RunState, SequenceState, WriterInfo
from aim.storage.reading.points import Points
from aim.storage.reading.reader import RunReader

LINE_KIND = "aim.log_line"
RECORD_KIND = "aim.log_record"
WRITER_KEY = "writer"  # of the context of a log beside the first
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
MATCHES_MAX = 1_000
DAMAGED = "(damaged here: `aim fsck` says what)"  # stands for a line that can't be read


@dataclass(frozen=True)
class LogMessage:
    """One record of `run.log_info(...)` and the like."""

    time_s: float
    level: str
    message: str
    args: dict[str, Any] | None
    file: str | None
    line: int | None


@dataclass(frozen=True)
class LogInfo:
    """
    One log: what one process printed, or what was tracked as one sequence of lines.

    Attributes:
        id: names it, as long as the run exists.
        label: for people; unique in the run.
        context: of its sequence.
        writers: the ids of the processes that wrote it, the latest last; several when the run was resumed.
        lines: how many there are.
    """

    id: str
    label: str
    context: Mapping[str, Any]
    writers: tuple[str, ...]
    lines: int


def _logs_of_kind(state: RunState, kind: str) -> list[SequenceState]:
    kinds = (kind, list_of(kind))
    logs = [sequence for sequence in state.sequences.values() if sequence.parts and sequence.kind in kinds]
    # of several processes that print at once the first has no context; the others follow in the order of their begin
    return sorted(logs, key=lambda log: (log.name != LINES_NAME, bool(log.context), _begin(log, state)))


def _begin(log: SequenceState, state: RunState) -> tuple[float, str, str]:
    begin_times_s = [writer.begun_at_s or 0.0 for writer in _writers(log, state)]
    return (min(begin_times_s, default=0.0), log.name, log.text)


def _writers(log: SequenceState, state: RunState) -> list[WriterInfo]:
    writer_ids = dict.fromkeys(part.writer for part in log.parts)
    writers = [state.writers[writer_id] for writer_id in writer_ids if writer_id in state.writers]
    return sorted(writers, key=lambda writer: writer.begun_at_s or 0.0)


def _id(log: SequenceState) -> str:
    return hashlib.blake2b(f"{log.name}\0{log.text}".encode("utf-8", "replace"), digest_size=6).hexdigest()


def log_label(name: str, context: Mapping[str, Any], writer: WriterInfo | None) -> str:
    """
    Return the label of a log: its context, and the process that wrote it as far as it is known.

    >>> log_label("logs", {"rank": 1}, None), log_label("logs", {}, None)
    ('rank=1', 'output')
    """
    context_parts = [f"{key}={value}" for key, value in context.items() if key != WRITER_KEY]
    parts = [*([] if name == LINES_NAME else [name]), *([", ".join(context_parts)] if context_parts else [])]
    begin = (writer.begin if writer is not None else None) or {}
    if begin.get("pid") is not None:
        parts.append(f"{begin.get('host') or 'host unknown'}, process {begin['pid']}")
    elif WRITER_KEY in context:
        parts.append(f"writer {context[WRITER_KEY]}")
    return " \u00b7 ".join(parts) or "output"


class RunLogs:
    """
    The logs of the run that *reader* reads.

    Args:
        log_id: which log of lines is meant; None: the first.

    Raises:
        NotFound: the run has no log of that id.

    Cost: some 10 us a line; lines that were printed within a second are stored together and read at once.
    """

    def __init__(self, reader: RunReader, log_id: str | None = None) -> None:
        self._reader = reader
        self._state = reader.state()
        self._logs = _logs_of_kind(self._state, LINE_KIND)
        if log_id is not None:
            self._logs = [log for log in self._logs if _id(log) == log_id]
            if not self._logs:
                raise NotFound(f"The run has no log {log_id[:40]!r}.")

    def all(self) -> list[LogInfo]:
        """List the logs of lines: the first process's, then the others' as they began."""
        infos: dict[str, LogInfo] = {}
        for log in self._logs:
            writers = _writers(log, self._state)
            label = log_label(log.name, log.context, writers[-1] if writers else None)
            if label in infos:
                label = f"{label} \u00b7 {log.context.get(WRITER_KEY) or _id(log)}"
            count = self._count(self._reader.points_of(log, self._state))
            infos[label] = LogInfo(_id(log), label, log.context, tuple(writer.id for writer in writers), count)
        return list(infos.values())

    @staticmethod
    def _count(points: Points | None) -> int:
        return int(points.steps[-1]) + 1 if points is not None and len(points) else 0

    def _points(self) -> Points | None:
        return self._reader.points_of(self._logs[0], self._state) if self._logs else None

    def line_count(self) -> int:
        """Return the number of the last line, and one."""
        return self._count(self._points())

    def record_count(self) -> int:
        """Count the log records, those of all processes."""
        return sum(map(len, self._record_points()))

    def _record_points(self) -> list[Points]:
        # processes that log at once number their records alike: each one's are read by themselves, or one would hide
        # the other's; the text is that of no other sequence, so that the reader keeps their points apart too
        return [
            self._reader.points_of(log.replaced(text=f"{log.text} {part.writer}", parts=[part]), self._state)
            for log in _logs_of_kind(self._state, RECORD_KIND)
            for part in log.parts
        ]

    def lines(self, start: int, limit: int) -> tuple[int, int, list[str]]:
        """
        Return lines from *start* on, at most *limit*; a negative start counts from the end.

        Returns:
            (number of the first line, how many there are in all, the lines)
        """
        total = self.line_count()
        start = max(0, total + start) if start < 0 else start
        texts = [""] * max(0, min(limit, total - start))
        points = self._points()
        if points is not None and texts:
            first, stop = np.searchsorted(points.steps, (start, start + len(texts))).tolist()
            for index in range(first, stop):
                texts[int(points.steps[index]) - start] = self._text(points, index)
        return start, total, texts

    def _text(self, points: Points, index: int) -> str:
        try:
            items = self._reader.record(points, index)["items"]
        except DamagedFile:
            return DAMAGED
        return str(items[0].get("text", "")) if items else ""

    def find(self, text: str) -> list[int]:
        """Return the numbers of the lines that contain *text*, in either case, colours ignored; at most 1,000."""
        points = self._points()
        folded_text = text.casefold()
        line_numbers: list[int] = []
        for index in range(0 if points is None else len(points)):
            assert points is not None
            if folded_text in ANSI.sub("", self._text(points, index)).casefold():
                line_numbers.append(int(points.steps[index]))
                if len(line_numbers) == MATCHES_MAX:
                    break
        return line_numbers

    def records(self, start: int, limit: int, level: str | None) -> tuple[int, list[LogMessage]]:
        """Return log records of *level* and above, from *start* on, and how many there are."""
        lowest = level_number(level) if level else 0
        chosen = [record for record in self._records() if level_number(record.level) >= lowest]
        return len(chosen), chosen[start : start + limit]

    def _items(self, points: Points, index: int) -> list[dict[str, Any]]:
        try:
            items: list[dict[str, Any]] = self._reader.record(points, index)["items"]
            return items
        except DamagedFile:
            return [{"level": logging.ERROR, "message": DAMAGED}]

    def _records(self) -> Iterator[LogMessage]:
        """Go through all records, in the order in which they were logged."""
        positions = [
            (float(at_s), source, index, points)
            for source, points in enumerate(self._record_points())
            for index, at_s in enumerate(points.times_s.tolist())
        ]
        for at_s, _, index, points in sorted(positions, key=lambda position: position[:3]):
            for item in self._items(points, index):
                args = params.decode(item.get("args"))
                yield LogMessage(
                    at_s,
                    level_name(item.get("level", logging.INFO)),
                    str(item.get("message", "")),
                    args if isinstance(args, dict) and args else None,
                    str(item["file"]) if item.get("file") else None,
                    int(item["line"]) if isinstance(item.get("line"), int) else None,
                )


def level_name(level: object) -> str:
    """
    Return a level by its name.

    >>> level_name(40), level_name("warning")
    ('ERROR', 'WARNING')
    """
    return logging.getLevelName(level) if isinstance(level, int) else str(level).upper()


def level_number(level: str) -> int:
    """
    Return the number of a level's name; 0 for an unknown one.

    >>> level_number("ERROR"), level_number("LOUD")
    (40, 0)
    """
    number = logging.getLevelName(level.upper())
    return number if isinstance(number, int) else 0
