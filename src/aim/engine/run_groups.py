"""
Runs with equal values of some fields, as groups: how many runs each has, and what its runs have in other fields.

    keys        the values of the fields, a tuple for each group, in the order of its first run
    indices     for each run the group that it is in
    digests     of another field: the spread of its numbers in each group, and its distinct values

So a page of very many runs shows its groups before it has fetched a single one of their runs. Values are equal when
they are the same number (1 and 1.0) or the same JSON; a missing value is equal to a missing one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aim.engine.listing import Cells, Field, cells
from aim.query.columns import RawColumn
from aim.storage.catalogue.run_table import RunTable

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

VALUES_MAX = 8


@dataclass(frozen=True)
class GroupedRuns:
    """
    Groups of runs with equal values of some fields.

    Attributes:
        keys: the values of each group; None is missing.
        indices: for each run, in the order of the rows that were asked about, the index of its group.
    """

    keys: list[tuple[object, ...]]
    indices: IntArray

    def counts(self) -> list[int]:
        """Return how many runs each group has."""
        return [int(count) for count in np.bincount(self.indices, minlength=len(self.keys))]


@dataclass(frozen=True)
class FieldDigest:
    """
    What the runs of a group have in a field.

    Attributes:
        spread: count, lowest, highest, mean and standard deviation (of a sample) of the finite numbers; None: there are
            none.
        is_numeric: whether all values are numbers, or missing.
        distinct_count: how many distinct values there are, a missing one included.
        values: the first of them, at most `VALUES_MAX`.
    """

    spread: tuple[int, float, float, float, float] | None
    is_numeric: bool
    distinct_count: int
    values: list[object]


def run_groups(table: RunTable, rows: IntArray, fields: Sequence[Field]) -> GroupedRuns:
    """Return the groups of the runs in *rows* by the values of *fields*. Cost: 1 us for each run and field."""
    coded = [value_codes(cells(table, field, rows)) for field in fields]
    if not coded or not len(rows):
        return GroupedRuns([()] if len(rows) else [], np.zeros(len(rows), np.int64))
    stacked = np.stack([codes for codes, _ in coded], axis=1)
    distinct, first_indices, inverse = np.unique(stacked, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first_indices)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    keys = [
        tuple(values[code] for (_, values), code in zip(coded, distinct[index].tolist(), strict=True))
        for index in order.tolist()
    ]
    return GroupedRuns(keys, rank[inverse.ravel()])


def digests(table: RunTable, rows: IntArray, groups: GroupedRuns, field: Field) -> list[FieldDigest]:
    """Return what each group of the runs in *rows* has in *field*."""
    column = cells(table, field, rows)
    codes, values = value_codes(column)
    numbers = column.numbers()
    numeric = np.array([value is None or _is_number(value) for value in values], np.bool_)
    finite = np.full(len(rows), np.nan)
    if numbers is not None:
        is_number = np.ones(len(rows), np.bool_) if numbers.is_number is None else numbers.is_number
        finite = np.where(is_number, numbers.values.astype(np.float64), np.nan)
    order = np.argsort(groups.indices, kind="stable")
    starts = np.searchsorted(groups.indices[order], np.arange(len(groups.keys) + 1))
    made = []
    for start, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        members = order[start:stop]
        distinct, first_indices = np.unique(codes[members], return_index=True)
        in_order = distinct[np.argsort(first_indices)]
        is_numeric = bool(numeric[distinct].all())
        spread = _spread(finite[members]) if is_numeric else None
        made.append(FieldDigest(spread, is_numeric, len(distinct), [values[code] for code in in_order[:VALUES_MAX]]))
    return made


def value_codes(column: Cells) -> tuple[IntArray, list[object]]:
    """Return cells as codes that are equal for equal values, and the value of each code; None is missing."""
    if isinstance(column, RawColumn):
        raw, codes = np.unique(column.raw, return_inverse=True)
        values: list[object] = raw.tolist()
        codes = codes.ravel().astype(np.int64)
        if column.present is not None:
            codes = np.where(column.present, codes, len(values))
        return codes, [*values, None]
    numbers: dict[str, int] = {}
    distinct: list[object] = []
    canonical = np.empty(len(column.values) + 1, np.int64)  # the last one is that of code -1
    for place, value in enumerate([*column.values, None]):
        code = canonical[place] = numbers.setdefault(value_text(value), len(numbers))
        if code == len(distinct):
            distinct.append(value)
    return canonical[column.codes], distinct


def _spread(numbers: FloatArray) -> tuple[int, float, float, float, float] | None:
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return None
    deviation = float(finite.std(ddof=1)) if len(finite) > 1 else 0.0
    return len(finite), float(finite.min()), float(finite.max()), float(finite.mean()), deviation


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def value_text(value: object) -> str:
    """
    Return a text that is equal for equal values: 1 and 1.0, but not 1 and True.

    >>> value_text([1.0, "a"]), value_text(1) == value_text(True)
    ('[1, "a"]', False)
    """
    return json.dumps(_canonical(value), sort_keys=True, default=repr)


def _canonical(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    return value
