"""
What was said of deletions in a project: the table `marks`, asked at most once a second.

    deleted   the run is hidden, and its rows wait; shippers are told so
    restored  the deletion was taken back, or the run is to be sent again
    sweeping  a server removes the rows
    swept     the rows are gone. What is begun under the hash from then on is shown
    making    a server copies the run, a fork: it is hidden until it is whole

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
WAIT_S = 60.0  # a deletion can be taken back for so long
WORK_S_MAX = 600.0  # a server that removes or copies a run, and has not said so again for longer, is gone
DELETED, RESTORED, SWEEPING, SWEPT, MAKING = range(5)


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
        at_s: when it was deleted; 0: it is being made.
        state, state_at_s: the latest mark, and when it was made.
    """

    at_s: float
    state: int
    state_at_s: float

    @property
    def hides(self) -> bool:
        """Whether readers leave the run out."""
        return self.state != SWEPT

    def is_due(self, now_s: float) -> bool:
        """Return whether the run is to be removed: it can't be taken back any more, or its server is gone."""
        age_s = now_s - self.state_at_s
        return self.hides and (age_s > WAIT_S if self.state == DELETED else is_given_up(age_s))


def is_given_up(age_s: float) -> bool:
    """Return whether the server that has made a mark this long ago, and none since, is held to be gone."""
    return age_s > WORK_S_MAX


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
            if self.is_old():
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

    def is_old(self) -> bool:
        """Return whether the next question for deletions is one to the database."""
        return self._asked_s is None or time.monotonic() - self._asked_s > AGE_S

    def deleted(self) -> set[str]:
        """Return the hashes of the runs that are hidden now. Raises ClusterUnavailable."""
        return {run_hash for run_hash, deletion in self.deletions().items() if deletion.hides}

    def write(self, run_hash: str, state: int = DELETED) -> float:
        """Make a mark; return its time. Raises ClusterUnavailable."""
        at_s = time.time()
        self._database.insert("marks", rows.MARK_COLUMNS, rows.mark_row(self._project, run_hash, at_s, state))
        with self._lock:
            self._asked_s = None
        return at_s

    def before(self, run_hash: str, at_s: float) -> tuple[int, float] | None:
        """Return the latest mark of a run that is earlier than *at_s*, and its time. Raises ClusterUnavailable."""
        marks = self._database.rows(
            f"SELECT state, toUnixTimestamp64Micro(deleted_at) AS at_us FROM {self._database.table('marks')} "
            "WHERE project = {project:String} AND run = {run:String} AND at_us < {at:Int64} "
            "ORDER BY at_us DESC LIMIT 1",
            {"project": self._project, "run": run_hash, "at": round(at_s * MICROSECONDS)},
        )
        return (int(marks[0][0]), marks[0][1] / MICROSECONDS) if marks else None


def projects_to_sweep(database: Database) -> list[str]:
    """
    Return the projects that have runs to be removed: see `RunDeletion.is_due`. Raises ClusterUnavailable.

    Cost: one statement, which reads all marks.
    """
    now_us = round(time.time() * MICROSECONDS)
    projects = database.rows(
        "SELECT DISTINCT project FROM (SELECT project, argMax(state, deleted_at) AS latest,"
        f" argMaxIf(state, deleted_at, state <= {RESTORED}) AS word,"
        " {now:Int64} - toUnixTimestamp64Micro(max(deleted_at)) AS age_us "
        f"FROM {database.table('marks')} GROUP BY project, run) WHERE word = {DELETED} AND latest != {SWEPT} "
        f"AND age_us > if(latest = {DELETED}, {WAIT_S * MICROSECONDS:.0f}, {WORK_S_MAX * MICROSECONDS:.0f})",
        {"now": now_us},
    )
    return [str(project) for (project,) in projects]
