"""
Check-ins: a training reports that it makes progress, and when the next report is due.

    {"check_in": {"expect_next_in": 60.0}}      the next one is due in 60 s; 0: none is promised
    {"check_in": {"finished": true}}            the work is done, whatever the process does next
    {"check_in": {"done": 300.0, "total": 1000.0, "unit": "steps"}}      how far it is; it stays until the next report

A heartbeat shows that a process exists (events.md, Status), a check-in that its work goes on. The latest check-in of a
run counts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from aim.core.tuples import NamedTuple


class WorkProgress(NamedTuple):
    """
    How far a training is.

    Attributes:
        done, total: in *unit*, such as `steps`.
        at_s: when it was reported, in Unix seconds.
        begun_done, begun_at_s: of the first report of this total, from which the rate is.
    """

    done: float
    total: float
    unit: str
    at_s: float
    begun_done: float
    begun_at_s: float

    @property
    def percent(self) -> float:
        """How much of the work is done, 0 to 100."""
        return min(100.0, max(0.0, 100.0 * self.done / self.total)) if self.total > 0 else 0.0

    @property
    def rate_per_s(self) -> float | None:
        """Units a second since the first report; None: there is one report only."""
        passed_s = self.at_s - self.begun_at_s
        return (self.done - self.begun_done) / passed_s if passed_s > 0 and self.done > self.begun_done else None

    @property
    def done_at_s(self) -> float | None:
        """When the work will be done at this rate, in Unix seconds; None: unknown."""
        left_s = self.left_s(self.at_s)
        return None if left_s is None else self.at_s + left_s

    def left_s(self, now_s: float | None = None) -> float | None:
        """
        Return how many seconds the rest takes at this rate; None: unknown.

        >>> WorkProgress(30.0, 100.0, "steps", 20.0, 10.0, 10.0).left_s(20.0)
        35.0
        """
        rate = self.rate_per_s
        if rate is None:
            return None
        moment_s = time.time() if now_s is None else now_s
        return max(0.0, (self.total - self.done) / rate - (moment_s - self.at_s))

    @classmethod
    def from_event(cls, at_s: float, event: Mapping[str, Any], earlier: WorkProgress | None) -> WorkProgress | None:
        """Return the progress of an event line; of one that says nothing of it the *earlier* one."""
        if "total" not in event:
            return earlier
        done, total, unit = float(event.get("done", 0.0)), float(event["total"]), str(event.get("unit", "steps"))
        if earlier is None or (earlier.total, earlier.unit) != (total, unit) or done < earlier.done:
            return cls(done, total, unit, at_s, done, at_s)
        return cls(done, total, unit, at_s, earlier.begun_done, earlier.begun_at_s)


class CheckIn(NamedTuple):
    """
    The latest check-in of a run.

    Attributes:
        at_s: when it was made, in Unix seconds.
        expect_next_in_s: the next one was promised within this time; 0: none was promised.
        is_finished: whether the work is done.
        progress: how far it is, if a report said so.
    """

    at_s: float
    expect_next_in_s: float = 0.0
    is_finished: bool = False
    progress: WorkProgress | None = None

    @classmethod
    def from_event(cls, at_s: float, event: Mapping[str, Any], earlier: CheckIn | None = None) -> CheckIn:
        """
        Return the check-in of an event line; *earlier*: the one before it in the run.

        >>> CheckIn.from_event(10.0, {"expect_next_in": 60.0})
        CheckIn(at_s=10.0, expect_next_in_s=60.0, is_finished=False, progress=None)
        """
        progress = WorkProgress.from_event(at_s, event, None if earlier is None else earlier.progress)
        return cls(at_s, float(event.get("expect_next_in", 0.0)), bool(event.get("finished", False)), progress)

    @property
    def due_at_s(self) -> float | None:
        """When the next one is due, in Unix seconds; None: none was promised."""
        is_promised = not self.is_finished and self.expect_next_in_s > 0
        return self.at_s + self.expect_next_in_s if is_promised else None

    def is_overdue(self, now_s: float | None = None) -> bool:
        """Return whether the promised next one has not come in time."""
        moment_s = time.time() if now_s is None else now_s
        return self.due_at_s is not None and moment_s > self.due_at_s
