"""
The table `heads`: of each run how much there is, so that one statement tells which runs have changed.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from aim.core.clock import MICROSECONDS
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_project import ClusterProject

LATE_US = 10 * MICROSECONDS  # rows are inserted, and clocks of servers differ, by no more


class Head(NamedTuple):
    """
    How much there is of a run.

    Attributes:
        mark: another number whenever a line, a slot or an edit was added.
        seen_us: when the latest row was inserted, by the clock of a server.
    """

    mark: int
    seen_us: int


def heads_since(project: ClusterProject, seen_us: int) -> dict[str, Head]:
    """
    Return the runs whose heads have changed since *seen_us*. Raises ClusterUnavailable.

    Cost: one statement.
    """
    heads = project.database.rows(
        "SELECT run, sum(writer_mark), max(writer_seen) FROM ("
        "SELECT run, writer, max(lines_end) + max(slots) + max(complete)"
        " + length(groupUniqArrayArray(edits)) AS writer_mark,"
        " toUnixTimestamp64Micro(max(seen)) AS writer_seen "
        f"FROM {project.table('heads')} WHERE project = {{project:String}} GROUP BY run, writer"
        ") GROUP BY run HAVING max(writer_seen) >= {seen:Int64}",
        {"project": project.name, "seen": seen_us},
    )
    return {str(run_hash): Head(int(mark), int(run_seen_us)) for run_hash, mark, run_seen_us in heads}


def edit_head(project: str, run_hash: str, identity: tuple[int, int]) -> bytes:
    """Return the row of `heads` that says that a run has an edit."""
    seen_us = round(time.time() * MICROSECONDS)
    return rows.head_row(project, run_hash, rows.EDITS, (0, 0), edits=[identity], seen_us=seen_us)
