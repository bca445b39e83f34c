"""
What was said of deletions in a project: the table `marks`, asked at most once a second.

    deleted   the run is hidden, and its rows wait; shippers are told so
    restored  the deletion was taken back, or the run is to be sent again
    sweeping  a server removes the rows
    swept     the rows are gone. What is begun under the hash from then on is shown

The latest mark of a run counts. For a shipper a swept run stays deleted: what was begun before that is not taken.
"""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from aim.core.clock import MICROSECONDS
from aim.storage.cluster import rows
from aim.storage.cluster.database import Database

AGE_S = 1.0
DELETED, RESTORED, SWEEPING, SWEPT = range(4)


def hidden_runs(database: Database) -> str:
    """Return a statement for the project and the hash of each run of all projects that readers leave out."""
    return (
        f"SELECT project, run FROM {database.table('marks')} GROUP BY project, run "
        f"HAVING argMaxIf(state, deleted_at, state <= {RESTORED}) = {DELETED} "
        f"AND argMax(state, deleted_at) != {SWEPT}"
    )


class RunDeletion(NamedTuple):
    """
    That a run was deleted.

    Attributes:
        at_s: when it was deleted.
        state, state_at_s: the latest mark, and when it was made.
    """

    at_s: float
    state: int
    state_at_s: float

    @property
    def hides(self) -> bool:
        """Whether readers leave the run out."""
        return self.state != SWEPT


class ClusterMarks:
    """The deletions of *project*. Any thread may ask."""

    def __init__(self, database: Database, project: str) -> None:
        self._database = database
        self._project = project
        self._lock = threading.Lock()
        self._deletions: dict[str, RunDeletion] = {}
        self._asked_s: float | None = None

    def deletions(self) -> dict[str, RunDeletion]:
        """Return the runs that were deleted, and not restored since. Raises ClusterUnavailable."""
        with self._lock:
            if self._asked_s is None or time.monotonic() - self._asked_s > AGE_S:
                latest = self._database.rows(
                    f"SELECT run, toUnixTimestamp64Micro(maxIf(deleted_at, state = {DELETED})),"
                    f" argMaxIf(state, deleted_at, state <= {RESTORED}), argMax(state, deleted_at),"
                    " toUnixTimestamp64Micro(max(deleted_at)) "
                    f"FROM {self._database.table('marks')} WHERE project = {{project:String}} GROUP BY run",
                    {"project": self._project},
                )
                self._deletions = {
                    run: RunDeletion(at_us / MICROSECONDS, state, state_at_us / MICROSECONDS)
                    for run, at_us, word, state, state_at_us in latest
                    if word == DELETED
                }
                self._asked_s = time.monotonic()
            return self._deletions

    def deleted(self) -> set[str]:
        """Return the hashes of the runs that are hidden now. Raises ClusterUnavailable."""
        return {run_hash for run_hash, deletion in self.deletions().items() if deletion.hides}

    def write(self, run_hash: str, state: int = DELETED) -> None:
        """Make a mark. Raises ClusterUnavailable."""
        row = rows.mark_row(self._project, run_hash, time.time(), state)
        self._database.insert("marks", rows.MARK_COLUMNS, row)
        with self._lock:
            self._asked_s = None
