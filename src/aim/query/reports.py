"""
What `Query.explain` says: how many runs or sequences each clause of a query leaves.
"""

from __future__ import annotations

from dataclasses import dataclass

NOT_ARCHIVED = "not run.archived"
"""The clause that is added to every query that does not read `run.archived` itself."""


@dataclass(frozen=True)
class ClauseReport:
    """
    The effect of one clause of a query, in `Query.explain`.

    Attributes:
        text: the clause as the user wrote it, or `NOT_ARCHIVED`.
        start, end: its span in the text of the query; both 0 for `NOT_ARCHIVED`.
        needs: what it reads: run, pair, summary, value, several of them, or nothing.
        matches: for how many of all runs or sequences it holds; None for a clause that needs values, since such a
            clause is evaluated only on the rows that the others leave.
        leaves: for how many it holds together with all clauses before it.
    """

    text: str
    start: int
    end: int
    needs: str
    matches: int | None
    leaves: int


@dataclass(frozen=True)
class Explanation:
    """The number of all runs or sequences, and how many of them each clause leaves."""

    total: int
    clauses: tuple[ClauseReport, ...]

    @property
    def emptied_by(self) -> ClauseReport | None:
        """The first clause after which no run or sequence is left; None if some are."""
        return next((clause for clause in self.clauses if clause.leaves == 0), None) if self.total else None
