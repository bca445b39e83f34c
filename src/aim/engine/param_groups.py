"""
Groups of runs whose params are equal but for some: the runs of one setting with several seeds.

Params that differ although the setting is the same are ignored:

    seed      its last key names a seed: `seed`, `random_state`, `data_seed`
    machine   its last key names the machine, the process, the time or the output: `host`, `pid`, `job_id`, `log_dir`
    unique    a text or an integer that each run has for itself. Fractions are not ignored so: a search over learning
              rates has one of its own in each run. Nor is anything when a seed was recorded and is the same in all
              runs: then what differs is the setting

The list can be replaced by another one. Which params were ignored is part of the answer, because no rule is right for
all projects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aim.core.params import Path
from aim.core.reserved import IMPORTED_PARAMS, SYSTEM_PARAMS
from aim.engine.run_groups import value_text
from aim.query.table import QueryColumn
from aim.storage.catalogue.run_table import RunTable

IntArray = npt.NDArray[np.int64]

SEED, MACHINE, UNIQUE, CHOSEN = "seed", "machine", "unique", "chosen"
"""Why a param is ignored; `CHOSEN`: the list was given."""
SEED_KEY = re.compile(r"(^|_)(seeds?|random_state|rng)$", re.IGNORECASE)
MACHINE_KEY = re.compile(
    r"(^|_)(host|hostname|node|nodename|nodelist|rank|pid|job_?id|run_?id|uuid|time|timestamp|date|datetime"
    r"|(out|output|log|logging|save|work|checkpoint|ckpt|cache)_?(dir|directory|folder|path|root|file))$",
    re.IGNORECASE,
)


ORIGIN_PARAMS = (SYSTEM_PARAMS, IMPORTED_PARAMS)
"""Params that say where a run comes from, and nothing of its setting: they never count."""


@dataclass(frozen=True)
class IgnoredParam:
    """A param that does not count, and why."""

    path: Path
    why: str


@dataclass(frozen=True)
class ParamGroups:
    """
    Runs in groups.

    Attributes:
        ignored: the params that do not count, in the order of their first use; of the rule only those that differ.
        varying: the params that count and differ between runs; all others are the same in all groups.
        group_indices: for each run the index of its group; groups are numbered in the order of their first run.
    """

    ignored: list[IgnoredParam]
    varying: list[Path]
    group_indices: list[int]


@dataclass(frozen=True, eq=False)
class _ParamCodes:
    """The values of a param as numbers, equal for equal values, and what they are."""

    path: Path
    codes: IntArray
    values: Sequence[object]


def param_groups(table: RunTable, rows: IntArray, all_rows: IntArray, ignored: Iterable[Path] | None) -> ParamGroups:
    """
    Put the runs in *rows* into groups of equal params.

    Args:
        all_rows: the runs by which the rule decides what is ignored, *rows* among them: so the curves of a metric that
            only some runs have are in the same groups as others.
        ignored: the params that do not count; None: decide by the rule.

    Cost: 2 us for each param and run.
    """
    recorded = _recorded(table, all_rows)
    params = [param for param in recorded if len(np.unique(param.codes)) > 1]
    if ignored is None:
        without = _ignored_by_rule(params, may_be_unique=not _has_constant_seed(recorded, params))
    else:
        without = [IgnoredParam(path, CHOSEN) for path in ignored]
    ignored_paths = {param.path for param in without}
    counting = [param for param in params if param.path not in ignored_paths]
    group_indices = _numbered(counting, _positions(all_rows, rows))
    return ParamGroups(without, [param.path for param in counting], group_indices)


def _recorded(table: RunTable, rows: IntArray) -> list[_ParamCodes]:
    paths = [path for path in table.leaf_paths(()) if path and path[0] not in ORIGIN_PARAMS]
    columns = [(path, table.param(path)) for path in paths]
    return [_codes(path, column, rows) for path, column in columns if column is not None]


def _has_constant_seed(recorded: Sequence[_ParamCodes], varying: Sequence[_ParamCodes]) -> bool:
    seeds = [param for param in recorded if SEED_KEY.search(str(param.path[-1])) and param.values]
    return bool(seeds) and not any(param in varying for param in seeds)


def _codes(path: Path, column: QueryColumn, rows: IntArray) -> _ParamCodes:
    numbers: dict[str, int] = {}
    canonical = np.full(len(column.values) + 1, -1, np.int64)  # the last one is that of code -1
    codes = np.asarray(column.codes, np.int64)[rows]
    values: list[object] = []
    for code in np.unique(codes).tolist():
        if code >= 0:
            value = column.values[code]
            number = numbers.setdefault(value_text(value), len(numbers))
            canonical[code] = number
            if number == len(values):
                values.append(value)
    return _ParamCodes(path, canonical[codes], values)


def _ignored_by_rule(params: Sequence[_ParamCodes], *, may_be_unique: bool) -> list[IgnoredParam]:
    ignored: list[IgnoredParam] = []
    for param in params:
        name = str(param.path[-1])
        if SEED_KEY.search(name):
            ignored.append(IgnoredParam(param.path, SEED))
        elif MACHINE_KEY.search(name):
            ignored.append(IgnoredParam(param.path, MACHINE))
        elif may_be_unique and _is_unique(param):
            ignored.append(IgnoredParam(param.path, UNIQUE))
    return ignored


def _is_unique(param: _ParamCodes) -> bool:
    """Return whether most runs have the param, and each its own text or integer."""
    present_count = int((param.codes >= 0).sum())
    if len(param.values) < present_count or 2 * present_count <= len(param.codes):
        return False
    return all(isinstance(value, str) or type(value) is int for value in param.values)


def _positions(all_rows: IntArray, rows: IntArray) -> IntArray:
    """Return the index of each of *rows* in *all_rows*."""
    order = np.argsort(all_rows)
    return order[np.searchsorted(all_rows, rows, sorter=order)]


def _numbered(params: Sequence[_ParamCodes], positions: IntArray) -> list[int]:
    if not params or not len(positions):
        return [0] * len(positions)
    codes = np.stack([param.codes[positions] for param in params], axis=1)
    _, first_indices, numbers = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first_indices), np.int64)
    rank[np.argsort(first_indices)] = np.arange(len(first_indices))
    return [int(index) for index in rank[numbers.ravel()]]
