"""
The runs of `aim runs ls` as rows of cells, and hints on queries that match nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aim.cli import output
from aim.core.zones import local_time, read_zone
from aim.engine import matching
from aim.engine.door import Door, RunTablePage

LOSSES = "losses"
TIME_COLUMNS = frozenset({"created_at", "end_time"})


def list_runs(
    repository: Door,
    query: str,
    columns: Sequence[str],
    *,
    sort: str,
    limit: int | None,
    only_corrupted: bool = False,
) -> RunTablePage:
    """
    Return the runs that match *query* as rows of cells; see `Questions.table`. Times are datetimes of the local zone.
    Each row has its `hash` and its `losses` as well.

    Args:
        only_corrupted: leave out runs whose event lines are all intact.

    Raises:
        InvalidQuery: the query can't be understood.
        UsageError: there is no such column.
    """
    questions = repository.questions()
    asked = list(dict.fromkeys([*columns, "hash", LOSSES]))
    if only_corrupted:
        page = questions.table(asked, query, sort=sort)
        damaged = {state.run_hash for state in repository.states(row["hash"] for row in page.rows) if state.damage}
        rows = [row for row in page.rows if row["hash"] in damaged]
        page = RunTablePage(rows[:limit], len(rows))
    else:
        page = questions.table(asked, query, sort=sort, limit=limit)
    return RunTablePage([{name: _cell(name, row[name]) for name in asked} for row in page.rows], page.total)


def _cell(column: str, value: Any) -> Any:
    if value is None or column.removeprefix("run.") not in TIME_COLUMNS:
        return value
    return moment(value)


def moment(seconds: float) -> datetime:
    """Return a time in Unix seconds as whole seconds on the reader's clock, with its zone."""
    zone = read_zone(None)
    return local_time(seconds // 1, zone).replace(tzinfo=zone)


def tell_hints(repository: Door, query: str) -> None:
    """Print what a query names that no run has, and what may have been meant."""
    for hint in repository.questions().hints(query, matching.ask(query).subject):
        output.tell(hint.text)
