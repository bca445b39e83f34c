"""
The table `heads`: of each run how much there is, so that one statement tells which runs have changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aim.core.clock import MICROSECONDS
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_facts import AMONG, FactsMark, among, facts_marks
from aim.storage.cluster.cluster_marks import hidden_runs
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.database import Database

LATE_US = 10 * MICROSECONDS  # rows are inserted, and clocks of servers differ, by no more

OF_PROJECT = "project = {project:String}"
SINCE = "seen >= fromUnixTimestamp64Micro({seen:Int64})"


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

    Cost: one statement, which reads one column of all heads of the project.
    """
    changed = f"SELECT rid FROM {project.table('heads')} WHERE {OF_PROJECT} AND {SINCE}"
    return _heads(project, f"AND rid GLOBAL IN ({changed})" if seen_us > 0 else "", "", seen_us)


def heads_of(project: ClusterProject, run_hashes: Iterable[str]) -> dict[str, Head]:
    """Return the heads of runs, of those that there are. Raises ClusterUnavailable."""
    heads: dict[str, Head] = {}
    for rids in among(project, run_hashes):
        heads |= _heads(project, AMONG, "", 0, rids)
    return heads


def heads_without_facts(project: ClusterProject) -> dict[str, Head]:
    """Return the runs of which no facts hold: they still record, or have grown since. Raises ClusterUnavailable."""
    current = f"SELECT run, max(mark) FROM {project.table('facts')} WHERE {OF_PROJECT} GROUP BY run"
    return _heads(project, "", f"HAVING (run, run_mark) GLOBAL NOT IN ({current})", 0)


def current_facts(project: ClusterProject, heads: Mapping[str, Head]) -> dict[str, FactsMark]:
    """Return of the runs in *heads* of which facts hold which these are. Raises ClusterUnavailable."""
    return {
        run_hash: at
        for run_hash, at in facts_marks(project).items()
        if run_hash in heads and heads[run_hash].mark == at.mark
    }


def latest_seen_us(project: ClusterProject) -> int:
    """Return when the latest row of the project was inserted. Raises ClusterUnavailable."""
    ((seen_us,),) = project.database.rows(
        f"SELECT toUnixTimestamp64Micro(max(seen)) FROM {project.table('heads')} WHERE {OF_PROJECT}",
        {"project": project.name},
    )
    return int(seen_us)


def run_count(project: ClusterProject) -> int:
    """Return about how many runs a project has. Raises ClusterUnavailable."""
    ((count,),) = project.database.rows(
        f"SELECT uniq(rid) FROM {project.table('heads')} WHERE {OF_PROJECT}", {"project": project.name}
    )
    return int(count)


def run_counts(database: Database) -> dict[str, int]:
    """
    Return how many runs each project has that were not deleted. Raises ClusterUnavailable.

    Cost: one statement, which reads two columns of all heads.
    """
    counts = database.rows(
        f"SELECT project, uniqExactIf(rid, (project, run) GLOBAL NOT IN ({hidden_runs(database)})) "
        f"FROM {database.table('heads')} GROUP BY project ORDER BY project"
    )
    return {str(project): int(count) for project, count in counts}


def _heads(
    project: ClusterProject, where: str, having: str, seen_us: int, rids: Mapping[str, str] | None = None
) -> dict[str, Head]:
    names, marks, seen = project.database.columns(
        "SELECT run, sum(writer_mark) AS run_mark, max(writer_seen) FROM ("
        "SELECT run, writer, max(lines_end) + max(slots) + max(complete)"
        " + length(groupUniqArrayArray(edits)) AS writer_mark,"
        " toUnixTimestamp64Micro(max(seen)) AS writer_seen "
        f"FROM {project.table('heads')} WHERE {OF_PROJECT} {where} GROUP BY run, writer) GROUP BY run {having}",
        {"project": project.name, "seen": seen_us, **(rids or {})},
        count=3,
    )
    return dict(zip(names, map(Head, marks, seen), strict=True))


def edit_head(project: str, run_hash: str, identity: tuple[int, int]) -> bytes:
    """Return the row of `heads` that says that a run has an edit."""
    seen_us = round(time.time() * MICROSECONDS)
    return rows.head_row(project, run_hash, rows.EDITS, (0, 0), edits=[identity], seen_us=seen_us)
