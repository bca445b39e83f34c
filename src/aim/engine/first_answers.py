"""
The first question of a process, answered without numpy where the catalogue's file is enough.

A script that asks a repository once spends most of its time on imports. So the first question about runs, or about last
values, is asked of the stored file alone; any other one, and all that come later, are asked of the `Scan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from aim.core import contexts
from aim.core.errors import InvalidQuery
from aim.core.kinds import METRIC

if TYPE_CHECKING:
    from aim.query import tree
    from aim.storage.catalogue.stored_runs import StoredRuns

STORED_FIELDS = frozenset({"hash", "name", "description", "experiment", "tags", "archived", "notes", "status"})
"""The fields that a query reads as they are stored. Others are made from times."""


def last_values(runs: StoredRuns, name: str, context: Mapping[str, Any] | None) -> dict[str, float]:
    """Return what `Door.last_values` does."""
    return runs.last_values(name, contexts.text(context), METRIC)


def matching_runs(
    runs: StoredRuns, query_text: str, *, limit: int | None, offset_hash: str | None, zone: tzinfo | None
) -> list[str] | None:
    """
    Return what `Questions.runs` does; None when the query needs more than stored fields and params of runs.

    Raises:
        InvalidQuery: the query can't be understood.
    """
    from aim.engine import matching
    from aim.query.operators import MISSING
    from aim.query.rows import matching_rows
    from aim.query.tree import RunField, RunParam

    query = matching.ask(query_text, zone=zone).query
    if query.subject != matching.RUN:
        return None

    def inputs(source: tree.Source) -> Sequence[Any] | None:
        if isinstance(source, RunField):
            return runs.field(source.name) if source.name in STORED_FIELDS else None
        return runs.param(source.path, MISSING) if isinstance(source, RunParam) and source.path else None

    try:
        rows = matching_rows(query, len(runs.hashes), inputs)
    except InvalidQuery:  # a bound that evaluation over columns may keep
        return None
    if rows is None:
        return None
    is_chosen = set(rows)
    newest = runs.newest_first()
    if offset_hash in runs.hashes:
        newest = newest[newest.index(runs.hashes.index(offset_hash)) + 1 :]
    return [runs.hashes[row] for row in newest if row in is_chosen][:limit]
