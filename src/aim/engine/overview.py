"""
What the matching runs have: params with their types and values, sequences, and the values of a few facts with their
counts.

It is what a table's column picker, a chart's grouping menu and the query box are filled from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core import contexts
from aim.core.reserved import SYSTEM_PARAMS
from aim.query.table import Path, QueryColumn
from aim.storage.catalogue.run_table import RunTable

IntArray = npt.NDArray[np.int64]

EXAMPLES_MAX = 8
FACETS = ("status", "experiment", "tags")
FACET_VALUES_MAX = 500


@dataclass(frozen=True)
class ParamOverview:
    """One leaf of the params: how many runs have it, and with which values."""

    path: Path
    type: str
    runs: int
    distinct: int
    examples: list[object]


@dataclass(frozen=True)
class SequenceOverview:
    """The sequences of one name, context and kind: how many runs have it, with how many points in all."""

    name: str
    context: Mapping[str, object]
    kind: str
    runs: int
    points: int


def type_of(values: Sequence[object]) -> str:
    """
    Return the type of a column: `number`, `string`, `bool`, `list` (of strings), else `json`.

    >>> type_of([1, 0.5]), type_of([1, "a"]), type_of([["a"], []])
    ('number', 'json', 'list')
    """
    if not values:
        return "json"
    if all(isinstance(value, bool) for value in values):
        return "bool"
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return "number"
    if all(isinstance(value, str) for value in values):
        return "string"
    if all(isinstance(value, list) and all(isinstance(item, str) for item in value) for value in values):
        return "list"
    return "json"


def params_of(table: RunTable, rows: IntArray) -> list[ParamOverview]:
    """List the leaves of the params that the runs in *rows* have, those of the system left out."""
    found = []
    for path in table.leaf_paths(()):
        if path and path[0] != SYSTEM_PARAMS:
            column = table.param(path)
            overview = None if column is None else _param(path, column, rows)
            if overview is not None:
                found.append(overview)
    return found


def _param(path: Path, column: QueryColumn, rows: IntArray) -> ParamOverview | None:
    codes = column.codes[rows]
    codes = codes[codes >= 0]
    if not len(codes):
        return None
    counts = np.bincount(codes, minlength=len(column.values))
    distinct = np.flatnonzero(counts)
    values = [column.values[place] for place in distinct.tolist()]
    kind = type_of(values)
    if kind == "number":
        examples: list[object] = sorted(values, key=lambda value: (value != value, value))[:EXAMPLES_MAX]
    else:
        order = np.argsort(-counts[distinct], kind="stable")[:EXAMPLES_MAX]
        examples = [values[place] for place in order.tolist()]
    return ParamOverview(path, "json" if kind == "list" else kind, len(codes), len(values), examples)


def sequences_of(table: RunTable, rows: IntArray, matching: tuple[IntArray, IntArray] | None) -> list[SequenceOverview]:
    """
    List the sequences of the runs in *rows*, sorted by name, then context.

    Args:
        matching: only these, as (places of pairs, rows); None: all.
    """
    wanted = np.zeros(table.run_count, np.bool_)
    wanted[rows] = True
    having: dict[int, npt.NDArray[Any]] = {}
    if matching is not None:
        pairs, of = matching
        for place in np.unique(pairs).tolist():
            having[place] = of[pairs == place]
    found = []
    for place, pair in enumerate(table.pairs):
        if matching is not None and place not in having:
            continue
        of_pair = table.rows(place)
        mask = np.isin(of_pair, having[place]) if matching is not None else wanted[of_pair]
        runs = int(mask.sum())
        if runs:
            counts = table.summary(place, "count")
            points = 0 if counts is None else int(counts[mask].sum())
            kind = _one_kind(table.stored_kinds(np.full(runs, place), of_pair[mask]))
            found.append(SequenceOverview(pair.name, pair.context, kind, runs, points))
    return sorted(found, key=lambda one: (one.name, contexts.text(one.context), one.kind))


def facets_of(table: RunTable, rows: IntArray) -> dict[str, list[tuple[str, int]]]:
    """Count the values of status, experiment and tags, the commonest first."""
    return {name: _facet(table.field(name), rows) for name in FACETS}


def _facet(column: QueryColumn, rows: IntArray) -> list[tuple[str, int]]:
    codes = column.codes[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(column.values))
    tally: Counter[str] = Counter()
    for place in np.flatnonzero(counts).tolist():
        value = column.values[place]
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                tally[str(item)] += int(counts[place])
    return sorted(tally.items(), key=lambda pair: (-pair[1], pair[0]))[:FACET_VALUES_MAX]


def _one_kind(kinds: Sequence[str]) -> str:
    """Return the kind of sequences that are of several: ints and floats are numbers, else the commonest counts."""
    distinct = set(kinds)
    if len(distinct) > 1 and distinct <= {"int", "float", "number"}:
        return "number"
    return Counter(kinds).most_common(1)[0][0]
