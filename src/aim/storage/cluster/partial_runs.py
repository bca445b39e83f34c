"""
The table of a project that has too many runs for memory: which of them it has, and how others come into it.

It has the runs that still record or have grown, the newest others, and those that questions were about. A query is
evaluated over this table as over any other: beforehand all runs that it can match are brought in.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import TYPE_CHECKING

from aim.storage.cluster import cluster_facts
from aim.storage.cluster.cluster_heads import Head
from aim.storage.cluster.cluster_project import ClusterProject

if TYPE_CHECKING:
    from aim.storage.cluster.cluster_catalogue import ClusterCatalogue

MATCHING_MAX = 50_000  # runs that are brought in for one question


class PartialRuns:
    """
    The runs in the table of *catalogue*; a `PartialTable`.

    Args:
        total: about how many runs the project has.
        runs_max: how many may be in memory.
    """

    def __init__(self, project: ClusterProject, catalogue: ClusterCatalogue, total: int, runs_max: int) -> None:
        self._project = project
        self._catalogue = catalogue
        self._total = total
        self._runs_max = runs_max

    @property
    def total(self) -> int:
        """About how many runs there are."""
        return self._total

    def newest(self) -> list[str]:
        """Return the runs that the table begins with."""
        return cluster_facts.newest_runs(self._project, self._runs_max // 2)

    def without_current(self, heads: dict[str, Head], in_table: Container[str]) -> dict[str, Head]:
        """Return *heads* without the runs that are not in the table and of which facts hold: nobody asked for them."""
        others = [run_hash for run_hash in heads if run_hash not in in_table]
        marks = cluster_facts.marks_of(self._project, others) if others else {}
        return {run_hash: head for run_hash, head in heads.items() if marks.get(run_hash) != head.mark}

    def narrow(self, condition: tuple[str, str, Mapping[str, str]]) -> bool:
        """
        Bring all runs that pass *condition* (`aim.query.sql.Statement`) into the table.

        Return whether these were not too many; if they were, none is brought in.

        Cost: two statements, and 0.7 ms for each run that was not in the table.
        """
        matching = cluster_facts.runs_matching(self._project, condition, MATCHING_MAX + 1)
        if len(matching) > MATCHING_MAX:
            return False
        if self._catalogue.table.run_count + len(matching) > 2 * self._runs_max:
            self._catalogue.rebuild()
            self._catalogue.refresh()
        self._catalogue.include(matching)
        return True

    def include(self, run_hashes: Iterable[str]) -> None:
        """Bring runs into the table, those that there are. Cost: a statement for 2,000 runs, if any is missing."""
        self._catalogue.include(run_hashes)
