"""
The runs that a catalogue of a cluster has still to read, in the order in which it does.

    others with facts     by `rid`, as these lie in the table: ClickHouse reads each part of it once
    the newest with facts so that pages have something to show
    those without facts   the newest first: they record, or have just ended             <- the next one is the last
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice, takewhile

from aim.storage.cluster.cluster_facts import FactsMark
from aim.storage.cluster.cluster_heads import Head
from aim.storage.cluster.cluster_project import ClusterProject

FACTS_AT_ONCE = 500  # runs that were read before
FIRST_RUNS = 500  # the newest, which are read before the others


class ReadingQueue:
    """
    Runs of *project*, with their heads.

    Attributes:
        with_facts: those of which facts hold, and which these are.
    """

    def __init__(self, project: ClusterProject) -> None:
        self._project = project
        self._heads: dict[str, Head] = {}
        self.with_facts: dict[str, FactsMark] = {}

    def __len__(self) -> int:
        return len(self._heads)

    def __contains__(self, run_hash: object) -> bool:
        return run_hash in self._heads

    def add(self, heads: Mapping[str, Head]) -> None:
        """Add runs, or what their heads say now."""
        self._heads.update(sorted(heads.items(), key=self._turn(heads)))

    def _turn(self, heads: Mapping[str, Head]) -> Callable[[tuple[str, Head]], tuple[int, int, bytes]]:
        newest = sorted((head.seen_us for head in heads.values()), reverse=True)[:FIRST_RUNS]

        def turn(item: tuple[str, Head]) -> tuple[int, int, bytes]:
            run_hash, head = item
            if run_hash not in self.with_facts:
                return 2, head.seen_us, b""
            return (1, head.seen_us, b"") if head.seen_us >= newest[-1] else (0, 0, self._project.rid(run_hash))

        return turn

    def upcoming(self, at_once: int) -> dict[str, int]:
        """
        Return the runs that are read next, with their marks: either of which facts hold, or at most *at_once* others.
        """
        has_facts = next(reversed(self._heads)) in self.with_facts
        alike = takewhile(lambda item: (item[0] in self.with_facts) == has_facts, reversed(self._heads.items()))
        return {run_hash: head.mark for run_hash, head in islice(alike, FACTS_AT_ONCE if has_facts else at_once)}

    def holding(self, marks: Mapping[str, int]) -> list[str]:
        """Return those of some runs of which facts hold that have these marks."""
        marked = ((run_hash, self.with_facts.get(run_hash)) for run_hash in marks)
        return [run_hash for run_hash, at in marked if at is not None and at.mark == marks[run_hash]]

    def forget_facts(self, run_hashes: Iterable[str]) -> None:
        """Read runs from their lines and points, whatever facts they have."""
        for run_hash in run_hashes:
            self.with_facts.pop(run_hash, None)

    def remove(self, run_hash: str) -> None:
        """Remove a run, if it is there: it was read, or is gone."""
        self._heads.pop(run_hash, None)
        self.with_facts.pop(run_hash, None)
