"""
What runs have: params with their types and values, sequences, and the values of a few properties with their counts.

The column picker of a table, the grouping menu of a chart and the query box are filled from it.
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
    types = {_type_of_value(value) for value in values}
    return next(iter(types)) if len(types) == 1 else "json"


def _type_of_value(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    is_list_of_texts = isinstance(value, list) and all(isinstance(element, str) for element in value)
    return "list" if is_list_of_texts else "json"


def params_of(table: RunTable, rows: IntArray) -> list[ParamOverview]:
    """List the leaves of the params that the runs in *rows* have, those of the system left out."""
    overviews = []
    for path in table.leaf_paths(()):
        if path and path[0] != SYSTEM_PARAMS:
            column = table.param(path)
            overview = None if column is None else _param(path, column, rows)
            if overview is not None:
                overviews.append(overview)
    return overviews


def _param(path: Path, column: QueryColumn, rows: IntArray) -> ParamOverview | None:
    codes = column.codes[rows]
    codes = codes[codes >= 0]
    if not len(codes):
        return None
    counts = np.bincount(codes, minlength=len(column.values))
    distinct = np.flatnonzero(counts)
    values = [column.values[code] for code in distinct.tolist()]
    kind = type_of(values)
    if kind == "number":
        examples: list[object] = sorted(values, key=lambda value: (value != value, value))[:EXAMPLES_MAX]
    else:
        order = np.argsort(-counts[distinct], kind="stable")[:EXAMPLES_MAX]
        examples = [values[code] for code in order.tolist()]
    return ParamOverview(path, "json" if kind == "list" else kind, len(codes), len(values), examples)


def sequences_of(table: RunTable, rows: IntArray, matching: tuple[IntArray, IntArray] | None) -> list[SequenceOverview]:
    """
    List the sequences of the runs in *rows*, sorted by name, then context.

    Args:
        matching: only these, as (places of pairs, rows); None: all.
    """
    is_chosen = np.zeros(table.run_count, np.bool_)
    is_chosen[rows] = True
    having: dict[int, npt.NDArray[Any]] = {}
    if matching is not None:
        pairs, matching_rows = matching
        for pair_index in np.unique(pairs).tolist():
            having[pair_index] = matching_rows[pairs == pair_index]
    overviews = []
    for pair_index, pair in enumerate(table.pairs):
        if matching is not None and pair_index not in having:
            continue
        pair_rows = table.rows(pair_index)
        mask = np.isin(pair_rows, having[pair_index]) if matching is not None else is_chosen[pair_rows]
        runs = int(mask.sum())
        if runs:
            counts = table.summary(pair_index, "count")
            points = 0 if counts is None else int(counts[mask].sum())
            kind = _one_kind(table.stored_kinds(np.full(runs, pair_index), pair_rows[mask]))
            overviews.append(SequenceOverview(pair.name, pair.context, kind, runs, points))
    return sorted(overviews, key=lambda overview: (overview.name, contexts.text(overview.context), overview.kind))


def facets_of(table: RunTable, rows: IntArray) -> dict[str, list[tuple[str, int]]]:
    """Count the values of status, experiment and tags, the commonest first."""
    return {name: _facet(table.field(name), rows) for name in FACETS}


def _facet(column: QueryColumn, rows: IntArray) -> list[tuple[str, int]]:
    codes = column.codes[rows]
    counts = np.bincount(codes[codes >= 0], minlength=len(column.values))
    tally: Counter[str] = Counter()
    for code in np.flatnonzero(counts).tolist():
        value = column.values[code]
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                tally[str(item)] += int(counts[code])
    return sorted(tally.items(), key=lambda pair: (-pair[1], pair[0]))[:FACET_VALUES_MAX]


def _one_kind(kinds: Sequence[str]) -> str:
    """Return the kind of sequences that are of several: ints and floats are numbers, else the commonest counts."""
    distinct = set(kinds)
    if len(distinct) > 1 and distinct <= {"int", "float", "number"}:
        return "number"
    return Counter(kinds).most_common(1)[0][0]
