"""
How far a training is, where its framework knows how long it will be.

    report(session, 300, 1000)      percent, rate and time left: `aim top`, tables, the page of the run

A report is a line in the run, so that few are made: the first, the last, and between them one in 5 s at most; of a
training that takes longer than 1,000 s one in 0.5 % of its time. A training that reports its progress by itself
(`run.report_progress`) is the only one that does: nothing is deduced any more.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aim.sdk.adapters.session.run_session import RunSession

INTERVAL_S = 5.0
INTERVAL_SHARE = 0.005


class ReportPace:
    """When the progress of a training is reported again."""

    def __init__(self) -> None:
        self._total = 0.0
        self._done = -1.0
        self._begun_s = self._last_s = 0.0

    def is_due(self, done: float, total: float) -> bool:
        """Return whether *done* of *total* is to be reported now; if so, it counts as reported."""
        now_s = time.monotonic()
        if total != self._total or done < self._done:
            self._begun_s = now_s
        elif done == self._done or (
            done < total and now_s - self._last_s < max(INTERVAL_S, INTERVAL_SHARE * (now_s - self._begun_s))
        ):
            return False
        self._total, self._done, self._last_s = total, done, now_s
        return True


def report(session: RunSession, done: float | None, total: float | None, unit: str = "steps") -> None:
    """
    Report that *done* of *total* are done, if it is due; nothing where one of them is unknown, or where the process
    makes no run of its own.

    Args:
        unit: what they count.
    """
    if not total or done is None or not 0 <= done <= total or not session.pace.is_due(done, total):
        return
    run = session.open_run()
    if run is not None and session.rank == 0:
        progress = {"done": float(done), "total": float(total), "unit": unit}
        session.failures.guarded(lambda: run._recording.deduce_progress(progress), "progress")
