"""
The runs of `aim runs ls` as rows: which column a name means, and the cells.

    hash, name, status ...          a fact about the run
    hparams.lr                      a param
    loss.last, loss[subset=val].min a summary of a metric; its context may be left out when it has only one, or an
    empty one
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from aim.cli import output
from aim.core import contexts
from aim.core.errors import UsageError
from aim.engine import listing, matching
from aim.engine.listing import Field
from aim.engine.repository import Repository
from aim.storage.catalogue.run_table import RunTable

SUMMARY = re.compile(r"(?P<name>.+?)(?:\[(?P<context>[^\]]*)\])?\.(?P<summary>\w+)")
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
    question = matching.ask(query)

    def ask(table: RunTable) -> tuple[list[dict[str, Any]], int]:
        rows = matching.newest_first(table, matching.matching_runs(table, question))
        if only_corrupted:
            hashes = table.hashes()
            rows = np.array([row for row in rows.tolist() if repository.state(hashes[row]).damage], np.int64)
        name = sort.lstrip("-")
        shown = listing.sort_rows(table, rows, [(field_of(table, name), sort.startswith("-"))])[:limit]
        cells = [_shown(column, listing.cells(table, field_of(table, column), shown).tolist()) for column in columns]
        return [dict(zip(columns, line, strict=True)) for line in zip(*cells, strict=True)], len(rows)

    return repository.catalogue.ask(ask)


def _shown(column: str, cells: list[Any]) -> list[Any]:
    if column not in TIMES:
        return cells
    return [None if cell is None else datetime.fromtimestamp(int(cell)).astimezone() for cell in cells]


def field_of(table: RunTable, column: str) -> Field:
    """
    Say what a column's name means in *table*.

    Raises:
        UsageError: nothing; names what is near.
    """
    name = column.removeprefix("run.")
    if name in listing.RUN_FIELDS:
        return ("run", name)
    for path in table.leaf_paths(()):
        if ".".join(map(str, path)) == name:
            return ("param", *path)
    match = SUMMARY.fullmatch(column.removeprefix("metric."))
    if match and match["summary"] in listing.SUMMARIES:
        found = _metric(table, match["name"], match["context"])
        if found is not None:
            return ("metric", match["name"], found, match["summary"])
    known = [*listing.RUN_FIELDS, *(".".join(map(str, path)) for path in table.leaf_paths(()))]
    known += sorted({f"{pair.name}.last" for pair in table.pairs if pair.kind == "metric"})
    near = difflib.get_close_matches(column, known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else " Columns are facts such as name, params, and metrics: loss.last."
    raise UsageError(f"No run has a column {column!r}.{hint}")


def _metric(table: RunTable, name: str, context: str | None) -> str | None:
    pairs = [pair for pair in table.pairs if pair.kind == "metric" and pair.name == name and not pair.is_empty()]
    if context is not None:
        wanted = dict(part.split("=", 1) for part in context.split(",") if "=" in part)
        pairs = [pair for pair in pairs if {key: str(value) for key, value in pair.context.items()} == wanted]
    texts = {contexts.text(pair.context) for pair in pairs}
    if len(texts) > 1 and "{}" not in texts:
        choices = ", ".join(f"{name}[{','.join(f'{k}={v}' for k, v in pair.context.items())}]" for pair in pairs)
        raise UsageError(f"{name} has several contexts; say which one: {choices}.")
    return "{}" if "{}" in texts else next(iter(texts), None)


def tell_hints(repository: Repository, query: str) -> None:
    """Say what a query speaks of that is not there, and what may have been meant."""
    for hint in repository.questions().hints(query, matching.ask(query).subject):
        output.tell(hint.text)
