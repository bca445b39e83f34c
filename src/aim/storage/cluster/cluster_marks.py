"""
Which runs of a project were deleted: the table `marks`, asked at most once a second.

A deletion is a mark, and so is what takes it back; the latest counts. Rows of runs that stay deleted are removed later,
so a mark is all that a reader and a shipper need to know.
"""

from __future__ import annotations

import threading
import time

from aim.core.clock import MICROSECONDS
from aim.storage.cluster import rows
from aim.storage.cluster.database import Database

AGE_S = 1.0


class ClusterMarks:
    """The deletions of *project*. Any thread may ask."""

    def __init__(self, database: Database, project: str) -> None:
        self._database = database
        self._project = project
        self._lock = threading.Lock()
        self._deleted_at_s: dict[str, float] = {}
        self._asked_s: float | None = None

    def deleted_at_s(self) -> dict[str, float]:
        """Return when each run that is deleted now was deleted. Raises ClusterUnavailable."""
        with self._lock:
            if self._asked_s is None or time.monotonic() - self._asked_s > AGE_S:
                latest = self._database.rows(
                    "SELECT run, toUnixTimestamp64Micro(max(deleted_at)), argMax(restored, deleted_at) "
                    f"FROM {self._database.table('marks')} WHERE project = {{project:String}} GROUP BY run",
                    {"project": self._project},
                )
                self._deleted_at_s = {run: at_us / MICROSECONDS for run, at_us, restored in latest if not restored}
                self._asked_s = time.monotonic()
            return self._deleted_at_s

    def deleted(self) -> set[str]:
        """Return the hashes of the runs that are deleted now. Raises ClusterUnavailable."""
        return set(self.deleted_at_s())

    def write(self, run_hash: str, *, restored: bool = False) -> None:
        """Note that a run is deleted, or is there again. Raises ClusterUnavailable."""
        row = rows.mark_row(self._project, run_hash, time.time(), restored=restored)
        self._database.insert("marks", rows.MARK_COLUMNS, row)
        with self._lock:
            self._asked_s = None
