"""
The table `heads`: of each run how much there is, so that one statement tells which runs have changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
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


Digest = tuple[int, int]
"""Changes when heads do."""


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


def digest_since(project: ClusterProject, seen_us: int) -> Digest:
    """
    Return two numbers which change when the heads of a run have changed since *seen_us*. Raises ClusterUnavailable.

    Cost: one statement, a third of `heads_since`. They change also when ClickHouse merges rows.
    """
    ((count, digest),) = project.database.rows(
        "SELECT count(), sum(cityHash64(rid, writer, lines_end, slots, complete, edits, seen)) "
        f"FROM {project.table('heads')} WHERE {OF_PROJECT} AND {SINCE}",
        {"project": project.name, "seen": seen_us},
    )
    return int(count), int(digest)


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


class HeadWatch:
    """
    Finds the runs of *project* whose heads have changed since it last looked.

    Attributes:
        seen_us: when the latest row that it has seen was inserted; 0: none was.
    """

    def __init__(self, project: ClusterProject) -> None:
        self._project = project
        self._hidden: frozenset[str] = frozenset()  # runs that were deleted: one that is restored has only old rows
        self._digests: tuple[Digest | None, Digest | None] = (None, None)  # at the last look, and now
        self.seen_us = 0

    def begin(self) -> None:
        """Leave out all rows that there are. Raises ClusterUnavailable."""
        self.seen_us = latest_seen_us(self._project)

    def look(self) -> Digest:
        """Ask whether heads have changed, for the next call of `changed`. Raises ClusterUnavailable."""
        digest = digest_since(self._project, self.seen_us - LATE_US)
        self._digests = (self._digests[0], digest)
        return digest

    def changed(
        self,
        deleted: set[str],
        *,
        full: bool,
        narrow: Callable[[dict[str, Head]], dict[str, Head]] | None,
    ) -> dict[str, Head]:
        """
        Return the heads of the runs that may have changed. Raises ClusterUnavailable.

        Args:
            deleted: the runs that are hidden now.
            full: all runs, unless there is *narrow*, which leaves out runs that are not to be in memory.
        """
        if full and narrow is None:
            heads = heads_since(self._project, 0)
        else:
            before, digest = self._digests
            if digest is None:
                digest = self.look()
            heads = {} if digest == before else heads_since(self._project, self.seen_us - LATE_US)
            heads = heads if narrow is None else narrow(heads)
        return heads | heads_of(self._project, self._hidden - deleted)

    def take(self, heads: Mapping[str, Head], deleted: set[str]) -> None:
        """Note that the catalogue knows of *heads*."""
        seen_us = max([self.seen_us, *(head.seen_us for head in heads.values())])
        self._digests = (self._digests[1] if seen_us == self.seen_us else None, None)  # a later moment has another one
        self.seen_us, self._hidden = seen_us, frozenset(deleted)


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
        f"SELECT run, writer, {rows.WRITER_MARK} AS writer_mark,"
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
