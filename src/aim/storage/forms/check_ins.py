"""
Check-ins: a training reports that it makes progress, and when the next report is due.

    {"check_in": {"expect_next_in": 60.0}}      the next one is due in 60 s; 0: none is promised
    {"check_in": {"finished": true}}            the work is done, whatever the process does next

A heartbeat shows that a process exists (events.md, Status), a check-in that its work goes on. The latest check-in of a
run counts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple


class CheckIn(NamedTuple):
    """
    The latest check-in of a run.

    Attributes:
        at_s: when it was made, in Unix seconds.
        expect_next_in_s: the next one was promised within this time; 0: none was promised.
        is_finished: whether the work is done.
    """

    at_s: float
    expect_next_in_s: float = 0.0
    is_finished: bool = False

    @classmethod
    def from_event(cls, at_s: float, event: Mapping[str, Any]) -> CheckIn:
        """
        Return the check-in of an event line.

        >>> CheckIn.from_event(10.0, {"expect_next_in": 60.0})
        CheckIn(at_s=10.0, expect_next_in_s=60.0, is_finished=False)
        """
        return cls(at_s, float(event.get("expect_next_in", 0.0)), bool(event.get("finished", False)))

    @property
    def due_at_s(self) -> float | None:
        """When the next one is due, in Unix seconds; None: none was promised."""
        is_promised = not self.is_finished and self.expect_next_in_s > 0
        return self.at_s + self.expect_next_in_s if is_promised else None

    def is_overdue(self, now_s: float | None = None) -> bool:
        """Return whether the promised next one has not come in time."""
        moment_s = time.time() if now_s is None else now_s
        return self.due_at_s is not None and moment_s > self.due_at_s
