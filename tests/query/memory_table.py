"""
A table of plain runs in memory, for tests: the plainest implementation of `aim.query.table.QueryTable`.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aim.query.arrays import BoolArray, FloatArray, IntArray, NumberArray
from aim.query.table import Key, Path

EXACT_MAX = 2**53


@dataclass
class Series:
    """One sequence of a run, with its points in the order of steps."""

    name: str
    context: dict[str, Any]
    kind: str = "metric"
    values: Sequence[float] = ()
    steps: Sequence[int] = ()
    record_max_length: int | None = None
    dtype: str = ""

    @property
    def stored_kind(self) -> str:
        """The type of the values."""
        if self.dtype or self.kind == "metric":
            return self.dtype or "float"
        return f"aim.{self.kind}" if self.record_max_length is None else f"list(aim.{self.kind})"

    def summary(self, name: str) -> float | int | bool | None:
        """Return a summary value; None if this kind has none of that name."""
        if name == "count":
            return len(self.steps)
        if name in ("first_step", "last_step"):
            return self.steps[0 if name == "first_step" else -1]
        if name == "record_max_length":
            return None if self.kind == "metric" else self.record_max_length or 1
        if self.kind != "metric":
            return None
        values = list(self.values)
        if name in ("argmin", "argmax"):
            wanted = min(values) if name == "argmin" else max(values)
            return self.steps[values.index(wanted)]
        made: dict[str, float | bool] = {
            "first": values[0],
            "last": values[-1],
            "min": min(values),
            "max": max(values),
            "mean": sum(values) / len(values),
            "std": float(np.std(values)),
            "median": statistics.median(values),
            "has_nan": any(value != value for value in values),
        }
        return made[name]


@dataclass
class PlainRun:
    """One run: its fields, params and sequences."""

    params: dict[Any, Any] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)

    def fact(self, name: str) -> Any:
        """Return one of the fields that a table has; None if this run has none."""
        usual = {
            "hash": "0" * 24,
            "tags": [],
            "archived": False,
            "notes": [],
            "status": "finished",
            "experiment": "default",
        }
        return self.fields.get(name, usual.get(name))


@dataclass
class MemoryColumn:
    codes: IntArray
    values: list[object]
    numbers: FloatArray | None = None
    is_number: BoolArray | None = None


@dataclass(frozen=True)
class MemoryPair:
    name: str
    context: Mapping[str, object]
    kind: str


def typed(value: object) -> object:
    """Return what is equal only for values that are equal and of one type at every depth."""
    if isinstance(value, dict):
        return ("dict", tuple((typed(key), typed(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", tuple(map(typed, value)))
    return (type(value).__name__, repr(value))


def column(given: Sequence[object], absent: object, with_numbers: bool) -> MemoryColumn:
    """Make a column of one value for each run; *absent* stands for none."""
    codes = np.full(len(given), -1, dtype=np.int32)
    known: dict[object, int] = {}
    values: list[object] = []
    for row, value in enumerate(given):
        if value is not absent:
            code = known.setdefault(typed(value), len(known))
            if code == len(values):
                values.append(value)
            codes[row] = code
    made = MemoryColumn(codes, values)
    exact = all(not isinstance(value, int) or abs(value) <= EXACT_MAX for value in values)
    if with_numbers and exact and any(isinstance(value, (int, float)) for value in values):
        made.is_number = np.array([isinstance(value, (int, float)) for value in given], dtype=bool)
        made.numbers = np.array(
            [value if isinstance(value, (int, float)) else 0.0 for value in given], dtype=np.float64
        )
    return made


class MemoryTable:
    """Runs in memory as a table; *with_numbers*: columns of numbers have `numbers` as well."""

    def __init__(self, runs: Sequence[PlainRun], *, with_numbers: bool = True) -> None:
        self.runs = runs
        self.with_numbers = with_numbers
        self.pairs: list[MemoryPair] = []
        self._members: list[list[tuple[int, Series]]] = []
        known: dict[object, int] = {}
        for row, run in enumerate(runs):
            for series in run.series:
                key = (series.name, typed(dict(sorted(series.context.items()))), series.kind)
                place = known.setdefault(key, len(known))
                if place == len(self.pairs):
                    self.pairs.append(MemoryPair(series.name, series.context, series.kind))
                    self._members.append([])
                self._members[place].append((row, series))
        self._leaves: dict[Path, list[object]] = {}
        for row, run in enumerate(runs):
            for path, value in leaves_of(run.params):
                self._leaves.setdefault(path, [ABSENT] * len(runs))[row] = value

    @property
    def run_count(self) -> int:
        return len(self.runs)

    def field(self, name: str) -> MemoryColumn:
        return column([run.fact(name) for run in self.runs], None, self.with_numbers)

    def param(self, path: Path) -> MemoryColumn | None:
        given = self._leaves.get(path)
        return None if given is None else column(given, ABSENT, self.with_numbers)

    def leaf_paths(self, path: Path) -> Sequence[Path]:
        below = [leaf for leaf in self._leaves if len(leaf) > len(path) and leaf[: len(path)] == path]
        return sorted(
            below, key=lambda leaf: [(isinstance(key, int), str(key) if isinstance(key, str) else key) for key in leaf]
        )

    def document(self, row: int) -> Mapping[Key, object]:
        return self.runs[row].params

    def rows(self, pair: int) -> IntArray:
        return np.array([row for row, _ in self._members[pair]], dtype=np.int32)

    def summary(self, pair: int, name: str) -> NumberArray | None:
        given = [series.summary(name) for _, series in self._members[pair]]
        return None if None in given else np.array(given)

    def stored_kinds(self, pair_indices: IntArray, rows: IntArray) -> list[str]:
        return [dict(self._members[pair])[row].stored_kind for pair, row in zip(pair_indices.tolist(), rows.tolist())]

    def points(self, pair: int, row: int, name: str) -> Sequence[float | int | None] | None:
        for of_row, series in self._members[pair]:
            if of_row == row:
                return points_of(series, name)
        return None


ABSENT = object()


def points_of(series: Series, name: str) -> list[Any] | None:
    """Return the points of a sequence; None if this kind has none of that name."""
    if name == "steps":
        return list(series.steps)
    if series.kind != "metric":
        return None
    if name == "values":
        return list(series.values)
    return [float(step) for step in series.steps] if name == "timestamps" else [None] * len(series.steps)


def leaves_of(params: Mapping[Key, Any], path: Path = ()) -> list[tuple[Path, Any]]:
    """Return the leaves of nested params with their paths."""
    found: list[tuple[Path, Any]] = []
    for key, value in params.items():
        if isinstance(value, dict) and value:
            found.extend(leaves_of(value, (*path, key)))
        else:
            found.append(((*path, key), value))
    return found
