"""
What runs have: params with their types and values, sequences, and the values of a few properties with their counts.

The column picker of a table, the grouping menu of a chart and the query box are filled from it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core.reserved import SYSTEM_PARAMS
from aim.query.table import Path, QueryColumn
from aim.storage.catalogue.pair_arrays import STORED_KIND
from aim.storage.catalogue.pair_columns import small_pairs
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


_TYPE_NAMES = {bool: "bool", int: "number", float: "number", str: "string"}


def type_of(values: Sequence[object]) -> str:
    """
    Return the type of a column: `number`, `string`, `bool`, `list` (of strings), else `json`.

    >>> type_of([1, 0.5]), type_of([1, "a"]), type_of([["a"], []])
    ('number', 'json', 'list')
    """
    types = {_TYPE_NAMES.get(kind, "") for kind in set(map(type, values))}
    if "" in types:
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
    all_values = column.values  # each time that a column is asked for them it takes its lock
    counts = np.bincount(codes, minlength=len(all_values))
    distinct = np.flatnonzero(counts)
    values = [all_values[code] for code in distinct.tolist()]
    kind = type_of(values)
    if kind == "number":
        examples: list[object] = heapq.nsmallest(EXAMPLES_MAX, values, key=lambda value: (value != value, value))
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
    chosen, pairs = _Chosen(table, rows, matching), table.pairs
    counted = [*_counts_of_columns(table, chosen), *_counts_of_pairs(table, chosen, small_pairs(table).others)]
    counted.sort(key=lambda count: (pairs[count[0]].name, pairs[count[0]].context_text, count[1]))
    return [
        SequenceOverview(pairs[index].name, pairs[index].context, kind, runs, points)
        for index, kind, runs, points in counted
    ]


class _Chosen:
    """The sequences that are listed: those of the runs in *rows*, or only those of *matching*."""

    def __init__(self, table: RunTable, rows: IntArray, matching: tuple[IntArray, IntArray] | None) -> None:
        self._slots = table.runs.slots.slots()
        self._is_chosen = np.zeros(table.runs.slots.count, np.bool_)
        self._is_chosen[self._slots[rows]] = True
        self._keys: IntArray | None = None
        if matching is not None:
            self._keys = self._key(matching[0], self._slots[matching[1]])

    def _key(self, pair_indices: Any, slots: IntArray) -> IntArray:
        keys: IntArray = pair_indices * len(self._is_chosen) + slots
        return keys

    def of_rows(self, pair_index: int, rows: IntArray) -> npt.NDArray[np.bool_]:
        """Return which of the sequences of one pair, by the rows of their runs, are listed."""
        return self.of_slots(pair_index, self._slots[rows])

    def of_slots(self, pair_indices: Any, slots: IntArray) -> npt.NDArray[np.bool_]:
        """Return which sequences, given by pair and slot of the run, are listed."""
        return self._is_chosen[slots] if self._keys is None else np.isin(self._key(pair_indices, slots), self._keys)


def _counts_of_columns(table: RunTable, chosen: _Chosen) -> Iterator[tuple[int, str, int, int]]:
    """Go through pair, kind, number of runs and of points of the small pairs that have sequences that are listed."""
    pair_count, names = len(table.pairs), table.kinds.names
    run_counts, point_counts = np.zeros(pair_count, np.int64), np.zeros(pair_count, np.int64)
    lowest, highest = np.full(pair_count, len(names), np.int64), np.full(pair_count, -1, np.int64)
    for part in small_pairs(table).parts:
        mask = chosen.of_slots(part.pair_indices, part.slots)
        indices = part.pair_indices[mask]
        if not len(indices):
            continue
        starts = np.flatnonzero(np.append(True, indices[1:] != indices[:-1]))
        kinds, distinct = part.column(STORED_KIND, mask), indices[starts]
        run_counts[distinct] += np.diff(np.append(starts, len(indices)))
        point_counts[distinct] += np.add.reduceat(part.column("point_count", mask), starts)
        lowest[distinct] = np.minimum(lowest[distinct], np.minimum.reduceat(kinds, starts))
        highest[distinct] = np.maximum(highest[distinct], np.maximum.reduceat(kinds, starts))
    is_mixed = lowest < highest
    yield from _counts_of_pairs(table, chosen, np.flatnonzero(is_mixed).tolist())
    plain = np.flatnonzero((run_counts > 0) & ~is_mixed)
    columns = (plain, lowest[plain], run_counts[plain], point_counts[plain])
    for index, number, runs, points in zip(*(column.tolist() for column in columns), strict=True):
        yield index, names[number], runs, points


def _counts_of_pairs(
    table: RunTable, chosen: _Chosen, pair_indices: Sequence[int]
) -> Iterator[tuple[int, str, int, int]]:
    """Do as `_counts_of_columns` for some pairs, one by one."""
    for pair_index in pair_indices:
        pair_rows = table.rows(pair_index)
        mask = chosen.of_rows(pair_index, pair_rows)
        runs = int(mask.sum())
        if runs:
            counts = table.summary(pair_index, "count")
            points = 0 if counts is None else int(counts[mask].sum())
            yield pair_index, _one_kind(table.stored_kinds(np.full(runs, pair_index), pair_rows[mask])), runs, points


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
