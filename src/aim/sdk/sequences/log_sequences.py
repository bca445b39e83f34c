"""
Sequences of what a run printed, and of what it logged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from aim.sdk.objects.damaged import DamagedObject, or_damaged
from aim.sdk.objects.log_record import LogRecord
from aim.sdk.sequence import Sequence


class Logs(Sequence):
    """
    What a run printed; the step of a line is its number. `logs.values.tolist()` is a list of `LogLine`s.
    """

    _subject: ClassVar[str] = "logs"

    def text(self) -> str:
        """Return all lines as one text, with colour codes; a line that was never written, or is damaged, is empty."""
        lines = {row: line for row, line in self.values.items() if not isinstance(line, DamagedObject)}
        return "\n".join(str(lines[row].data) if row in lines else "" for row in range(max(lines, default=-1) + 1))


class LogRecords(Sequence):
    """What a run logged; iterating goes through the `LogRecord`s, each with its time."""

    _subject: ClassVar[str] = "log_records"

    def __iter__(self) -> Iterator[LogRecord]:
        points = self._points()
        for position in range(len(points)):
            record: LogRecord = or_damaged(self.run._read_objects, points, position)
            yield record
