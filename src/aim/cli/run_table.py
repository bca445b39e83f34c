"""
The runs of `aim runs ls` as rows of cells. `engine.listing.find_field` says which columns there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aim.cli import output
from aim.engine import matching
from aim.engine.repository import Repository

TIMES = frozenset({"created_at", "end_time"})


def list_runs(
    repository: Repository,
    query: str,
    columns: Sequence[str],
    *,
    sort: str,
    limit: int | None,
    only_corrupted: bool = False,
) -> tuple[list[dict[str, Any]], int]:
    """
    Return the runs that match *query* as rows of cells, and how many match.

    Args:
        columns: see above.
        sort: a column; with `-` in front the largest comes first.
        limit: the largest number of rows.

    Raises:
        InvalidQuery: the query can't be understood.
        UsageError: there is no such column.
    """
    questions = repository.questions()
    if only_corrupted:
        page = questions.table([*columns, "hash"], query, sort=sort)
        states = repository.states(row["hash"] for row in page.rows)
        damaged = {state.run_hash for state in states if state.damage}
        rows = [row for row in page.rows if row["hash"] in damaged]
        run_count, rows = len(rows), rows[:limit]
    else:
        page = questions.table(columns, query, sort=sort, limit=limit)
        run_count, rows = page.total, page.rows
    return [{column: _cell(column, row[column]) for column in columns} for row in rows], run_count


def _cell(column: str, value: Any) -> Any:
    return datetime.fromtimestamp(int(value)).astimezone() if column in TIMES and value is not None else value


def tell_hints(repository: Repository, query: str) -> None:
    """Say what a query speaks of that is not there, and what may have been meant."""
    for hint in repository.questions().hints(query, matching.ask(query).subject):
        output.tell(hint.text)
