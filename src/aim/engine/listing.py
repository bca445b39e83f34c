"""
Fields of runs as columns, and runs put in order by them.

A *field* names one value of a run:

    ("run", "name")                                       a fact about the run
    ("param", "hparams", "lr")                            a path into its params
    ("metric", "loss", '{"subset":"val"}', "last")        a summary of a metric; the context as its text

`cells` gives a field for some rows as codes and distinct values, as the table keeps it, or as numbers.
"""

from __future__ import annotations

import difflib
import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core import contexts
from aim.core.errors import UsageError
from aim.core.kinds import METRIC
from aim.query.table import QueryColumn
from aim.storage.catalogue.run_table import RunTable

IntArray = npt.NDArray[np.int64]
Field = tuple[Any, ...]
RUN_FIELDS = (
    "hash",
    "name",
    "description",
    "experiment",
    "created_at",
    "end_time",
    "duration",
    "status",
    "archived",
    "tags",
    "notes",
    "error",
)
SUMMARIES = {
    **{name: name for name in ("first", "last", "min", "max", "mean", "count", "first_step", "last_step")},
    "min_step": "argmin",
    "max_step": "argmax",
}
"""Summaries of a metric, and what a table calls them."""
SUMMARY_COLUMN = re.compile(r"(?P<name>.+?)(?:\[(?P<context>[^\]]*)\])?\.(?P<summary>\w+)")
STORED_AS = {"created_at": "creation_time"}
NAN_RANK, MISSING_RANK = 1, 2  # behind all numbers, in this order


@dataclass(frozen=True)
class Cells:
    """
    One field for some runs.

    Attributes:
        codes: shape (n,): the place of each cell's value in *values*; -1: missing.
        values: the distinct values.
        numbers, present: instead of these two, numbers and where there is one.
    """

    codes: npt.NDArray[np.int64] | None = None
    values: Sequence[object] = ()
    numbers: npt.NDArray[np.float64] | None = None
    present: npt.NDArray[np.bool_] | None = None

    def tolist(self) -> list[Any]:
        """Return the cells as plain values; None is missing."""
        if self.codes is not None:
            values = [*self.values, None]
            return [values[code] for code in self.codes.tolist()]
        assert self.numbers is not None
        assert self.present is not None
        return [
            number if there else None
            for number, there in zip(self.numbers.tolist(), self.present.tolist(), strict=True)
        ]

    def ranks(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
        """
        Return what the cells are sorted by, ascending, and which of them are NaN or missing, that come last both ways.
        """
        if self.codes is None:
            assert self.numbers is not None
            assert self.present is not None
            last = np.where(self.present, np.where(np.isnan(self.numbers), NAN_RANK, 0), MISSING_RANK)
            return np.where(last == 0, self.numbers, 0.0), last.astype(np.int8)
        ordered = sorted(range(len(self.values)), key=lambda place: _order(self.values[place]))
        rank = np.zeros(len(ordered) + 1)
        rank[ordered] = np.arange(len(ordered))
        odd = [NAN_RANK if isinstance(value, float) and math.isnan(value) else 0 for value in self.values]
        odd = [MISSING_RANK if value is None else kind for value, kind in zip(self.values, odd, strict=True)]
        return rank[self.codes], np.array([*odd, MISSING_RANK], np.int8)[self.codes]


def _order(value: object) -> tuple[int, Any]:
    """Return what distinct values of any type are ordered by: numbers, texts, then all else by its text."""
    if isinstance(value, (bool, int, float)):
        return (0, 0.0 if value != value else value)
    if isinstance(value, str):
        return (1, value.casefold())
    return (2, repr(value))


def cells(table: RunTable, field: Field, rows: npt.NDArray[np.integer[Any]]) -> Cells:
    """Return a field for the runs in *rows*. A field that no run has is missing everywhere."""
    kind = field[0]
    if kind == "param":
        return _coded(table.param(tuple(field[1:])), rows)
    if kind == "metric":
        return metric_cells(table, field[1], field[2], SUMMARIES[field[3]], rows)
    name = str(field[1])
    if name == "duration":
        return _duration(table, rows)
    found = _coded(table.field(STORED_AS.get(name, name)), rows)
    if name == "notes" and found.codes is not None:
        return Cells(found.codes, [notes_text(value) for value in found.values])
    return found


def find_field(table: RunTable, column: str) -> Field:
    """
    Return the field that a column's name means in *table*.

        name, run.name                     a property of the run
        hparams.lr                         a param
        loss.last, loss[subset=val].min    a summary of a metric; its context may be left out when it has only one, or
                                           an empty one

    Raises:
        UsageError: there is none of that name; names one that is near.
    """
    name = column.removeprefix("run.")
    if name in RUN_FIELDS:
        return ("run", name)
    for path in table.leaf_paths(()):
        if ".".join(map(str, path)) == name:
            return ("param", *path)
    match = SUMMARY_COLUMN.fullmatch(column.removeprefix("metric."))
    if match and match["summary"] in SUMMARIES:
        context_text = _context_of(table, match["name"], match["context"])
        if context_text is not None:
            return ("metric", match["name"], context_text, match["summary"])
    columns = [*RUN_FIELDS, *(".".join(map(str, path)) for path in table.leaf_paths(()))]
    columns += sorted({f"{pair.name}.last" for pair in table.pairs if pair.kind == METRIC})
    near = difflib.get_close_matches(column, columns, 1)
    hint = f" Did you mean {near[0]!r}?" if near else " Columns are facts such as name, params, and metrics: loss.last."
    raise UsageError(f"No run has a column {column!r}.{hint}")


def _context_of(table: RunTable, name: str, context: str | None) -> str | None:
    pairs = [pair for pair in table.pairs if pair.kind == METRIC and pair.name == name and not pair.is_empty()]
    if context is not None:
        expected = dict(part.split("=", 1) for part in context.split(",") if "=" in part)
        pairs = [pair for pair in pairs if {key: str(value) for key, value in pair.context.items()} == expected]
    texts = {contexts.text(pair.context) for pair in pairs}
    if len(texts) > 1 and "{}" not in texts:
        choices = ", ".join(f"{name}[{','.join(f'{k}={v}' for k, v in pair.context.items())}]" for pair in pairs)
        raise UsageError(f"{name} has several contexts; say which one: {choices}.")
    return "{}" if "{}" in texts else next(iter(texts), None)


def notes_text(value: object) -> str | None:
    """
    Return the notes of a run, however they were written, as one Markdown text.

    >>> notes_text([{"content": "It diverged."}, {"content": "Again."}])
    'It diverged.\\n\\nAgain.'
    """
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, list):
        parts = [
            str(note.get("content", note.get("text", ""))) if isinstance(note, dict) else str(note) for note in value
        ]
        return "\n\n".join(part for part in parts if part) or None
    return str(value)


def _coded(column: QueryColumn | None, rows: npt.NDArray[np.integer[Any]]) -> Cells:
    if column is None:
        return Cells(np.full(len(rows), -1, np.int64), [])
    if column.numbers is not None and column.is_number is not None:
        codes = column.codes[rows]
        is_number = column.is_number[rows]
        if bool((is_number | (codes < 0)).all()) and not any(isinstance(value, bool) for value in column.values):
            return Cells(numbers=column.numbers[rows], present=is_number)
    return Cells(column.codes[rows].astype(np.int64), column.values)


def _duration(table: RunTable, rows: npt.NDArray[np.integer[Any]]) -> Cells:
    begun = _numbers(_coded(table.field("creation_time"), rows), math.nan)
    ended = _numbers(_coded(table.field("end_time"), rows), time.time())
    return Cells(numbers=np.maximum(ended - begun, 0.0), present=~np.isnan(begun))


def _numbers(found: Cells, missing: float) -> npt.NDArray[np.float64]:
    if found.numbers is not None and found.present is not None:
        return np.where(found.present, found.numbers, missing)
    values = [float(value) if isinstance(value, (int, float)) else missing for value in found.values]
    return np.array([*values, missing], np.float64)[found.codes]


def metric_cells(
    table: RunTable, name: str, context_text: str, summary: str, rows: npt.NDArray[np.integer[Any]]
) -> Cells:
    """Return a summary of a metric for the runs in *rows*."""
    numbers = np.zeros(table.run_count)
    present = np.zeros(table.run_count, np.bool_)
    place = table.pair_index((name, context_text, "metric"))
    values = None if place is None else table.summary(place, summary)
    if place is not None and values is not None:
        having = table.rows(place)
        numbers[having] = values
        present[having] = True
    return Cells(numbers=numbers[rows], present=present[rows])


def sort_rows(table: RunTable, rows: IntArray, keys: Sequence[tuple[Field, bool]]) -> IntArray:
    """
    Order rows by fields, each ascending or, with True, descending; NaN and then missing values come last both ways.

    Rows that are equal in all fields keep their order.
    """
    for field, is_descending in reversed(keys):
        values, last = cells(table, field, rows).ranks()
        order = np.lexsort((-values if is_descending else values, last))
        rows = rows[order]
    return rows
