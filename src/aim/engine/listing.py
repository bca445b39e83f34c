"""
Fields of runs as columns, and runs in the order of them.

    PropertyField("name")                                 a property of the run
    ParamField(("hparams", "lr"))                         a path into its params
    SummaryField("loss", '{"subset":"val"}', "last")      a summary of a metric; the context as its text

`cells` returns a field for some rows: as codes and distinct values, as the table has it, or as numbers.
"""

from __future__ import annotations

import difflib
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core import contexts
from aim.core.errors import UsageError
from aim.core.kinds import METRIC
from aim.core.summaries import COLUMN_SUMMARIES, PAGE_SUMMARIES
from aim.query.columns import CodedColumn, RawColumn
from aim.query.table import Path, QueryColumn
from aim.storage.catalogue.run_table import RunTable

IntArray = npt.NDArray[np.int64]
Rows = npt.NDArray[np.integer[Any]]

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
    "losses",
    "progress",
    "rate",
    "remaining",
)
UNLISTED_FIELDS = ("alerts",)
"""Properties that a question may ask for, and no page offers as a column."""
SUMMARY_COLUMN = re.compile(r"(?P<name>.+?)(?:\[(?P<context>[^\]]*)\])?\.(?P<summary>\w+)")
COLUMN_FORMS = (
    "Columns are properties such as name, params such as hparams.lr, and metrics: loss.last, loss[subset=val].min."
)
STORED_AS = {"created_at": "creation_time"}
NAN_RANK, MISSING_RANK = 1, 2  # after all numbers, in this order


@dataclass(frozen=True)
class PropertyField:
    """A property of the run, one of `RUN_FIELDS`."""

    name: str


@dataclass(frozen=True)
class ParamField:
    """The param at *path*."""

    path: Path


@dataclass(frozen=True)
class SummaryField:
    """The summary called *summary*, one of `PAGE_SUMMARIES`, of the metric of that name and text of its context."""

    metric: str
    context_text: str
    summary: str


Field = PropertyField | ParamField | SummaryField
Cells = CodedColumn | RawColumn
"""One field for some runs; None is missing."""


def cells(table: RunTable, field: Field, rows: Rows) -> Cells:
    """Return a field for the runs in *rows*. A field that no run has is missing everywhere."""
    if isinstance(field, ParamField):
        return _stored(table.param(field.path), rows)
    if isinstance(field, SummaryField):
        return summary_cells(table, field, rows)
    if field.name == "duration":
        return _duration(table, rows)
    if field.name == "remaining":
        done_s = _seconds(table, "done_at", rows, math.nan)
        return RawColumn(np.maximum(done_s - time.time(), 0.0), ~np.isnan(done_s), None)
    column = _stored(table.field(STORED_AS.get(field.name, field.name)), rows)
    if field.name == "notes" and isinstance(column, CodedColumn):
        return CodedColumn(column.codes, [notes_text(value) for value in column.values], None)
    return column


def _stored(column: QueryColumn | None, rows: Rows) -> Cells:
    """Return the rows of a stored column, as numbers if all of them are."""
    if column is None:
        return CodedColumn(np.full(len(rows), -1, np.int64), [], None)
    if column.numbers is not None and column.is_number is not None:
        codes = column.codes[rows]
        is_number = column.is_number[rows]
        if bool((is_number | (codes < 0)).all()) and not any(isinstance(value, bool) for value in column.values):
            return RawColumn(column.numbers[rows], is_number, None)
    return CodedColumn(column.codes[rows].astype(np.int64), column.values, None)


def _duration(table: RunTable, rows: Rows) -> RawColumn:
    begin_s = _seconds(table, "creation_time", rows, math.nan)
    end_s = _seconds(table, "end_time", rows, time.time())
    return RawColumn(np.maximum(end_s - begin_s, 0.0), ~np.isnan(begin_s), None)


def _seconds(table: RunTable, name: str, rows: Rows, missing: float) -> npt.NDArray[np.float64]:
    numbers = _stored(table.field(name), rows).numbers()
    assert numbers is not None
    if numbers.is_number is None:
        return numbers.values
    return np.where(numbers.is_number, numbers.values, missing)


def summary_cells(table: RunTable, field: SummaryField, rows: Rows) -> RawColumn:
    """Return a summary of a metric for the runs in *rows*."""
    numbers = np.zeros(table.run_count)
    is_present = np.zeros(table.run_count, np.bool_)
    pair_index = table.pair_index((field.metric, field.context_text, METRIC))
    values = None if pair_index is None else table.summary(pair_index, PAGE_SUMMARIES[field.summary], rows)
    if pair_index is not None and values is not None:
        pair_rows = table.rows(pair_index)
        numbers[pair_rows] = values
        is_present[pair_rows] = True
    return RawColumn(numbers[rows], is_present[rows], None)


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


# order


def sort_rows(table: RunTable, rows: IntArray, keys: Sequence[tuple[Field, bool]]) -> IntArray:
    """
    Order rows by fields, each ascending or, with True, descending; NaN and then missing values come last both ways.

    Rows that are equal in all fields keep their order.
    """
    for field, is_descending in reversed(keys):
        values, last_ranks = _sort_keys(cells(table, field, rows))
        order = np.lexsort((-values if is_descending else values, last_ranks))
        rows = rows[order]
    return rows


def _sort_keys(column: Cells) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """Return what cells are sorted by, ascending, and for each 0, `NAN_RANK` or `MISSING_RANK`."""
    if isinstance(column, RawColumn):
        values = column.raw.astype(np.float64, copy=False)
        last_ranks = np.where(np.isnan(values), NAN_RANK, 0)
        if column.present is not None:
            last_ranks = np.where(column.present, last_ranks, MISSING_RANK)
        return np.where(last_ranks == 0, values, 0.0), last_ranks.astype(np.int8)
    order = sorted(range(len(column.values)), key=lambda code: _order_key(column.values[code]))
    value_ranks = np.zeros(len(order) + 1)
    value_ranks[order] = np.arange(len(order))
    last_rank_of = np.array([*map(_last_rank, column.values), MISSING_RANK], np.int8)
    value_ranks[last_rank_of != 0] = 0.0
    return value_ranks[column.codes], last_rank_of[column.codes]


def _last_rank(value: object) -> int:
    if value is None:
        return MISSING_RANK
    return NAN_RANK if isinstance(value, float) and math.isnan(value) else 0


def _order_key(value: object) -> tuple[int, Any]:
    """Return what distinct values of any type are ordered by: numbers, texts, then all else by its text."""
    if isinstance(value, (bool, int, float)):
        return (0, 0.0 if value != value else value)
    if isinstance(value, str):
        return (1, value.casefold())
    return (2, repr(value))


# names of columns


def find_field(table: RunTable, column: str) -> Field:
    """
    Return the field that a column's name means in *table*.

        name, run.name                     a property of the run
        hparams.lr                         a param
        loss.last, loss[subset=val].min    a summary of a metric, by its name in queries or on pages; its context may be
                                           left out when it has only one, or an empty one

    Raises:
        UsageError: there is no such column; the message has a name that is near.
    """
    name = column.removeprefix("run.")
    if name in RUN_FIELDS or name in UNLISTED_FIELDS:
        return PropertyField(name)
    for path in table.leaf_paths(()):
        if ".".join(map(str, path)) == name:
            return ParamField(path)
    match = SUMMARY_COLUMN.fullmatch(column.removeprefix("metric."))
    if match and match["summary"] in COLUMN_SUMMARIES:
        context_text = _context_text(table, match["name"], match["context"])
        if context_text is not None:
            return SummaryField(match["name"], context_text, COLUMN_SUMMARIES[match["summary"]])
    raise _unknown_column(table, column, match["summary"] if match else "")


def _unknown_column(table: RunTable, column: str, summary: str) -> UsageError:
    ending = summary if summary in COLUMN_SUMMARIES else "last"
    columns = [*RUN_FIELDS, *(".".join(map(str, path)) for path in table.leaf_paths(()))]
    columns += sorted({f"{pair.name}.{ending}" for pair in table.pairs if pair.kind == METRIC})
    nearest = difflib.get_close_matches(column, columns, 1)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else f" {COLUMN_FORMS}"
    return UsageError(f"No run has a column {column!r}.{hint}")


def _context_text(table: RunTable, name: str, context: str | None) -> str | None:
    """Return the text of the one context of a metric that *context* means; None when there is none."""
    pairs = [pair for pair in table.pairs if pair.kind == METRIC and pair.name == name and not pair.is_empty()]
    labels = {contexts.text(pair.context): context_label(pair.context) for pair in pairs}
    if context is not None:
        labels = {text: label for text, label in labels.items() if _label_parts(label) == _label_parts(context)}
    if "{}" in labels:
        return "{}"
    if len(labels) > 1:
        choices = ", ".join(f"{name}[{label}]" for label in labels.values())
        raise UsageError(f"{name} has several contexts; say which one: {choices}.")
    return next(iter(labels), None)


def context_label(context: Mapping[str, Any]) -> str:
    """
    Return a context as it stands in the name of a column.

    >>> context_label({"subset": "val", "fold": 1})
    'subset=val,fold=1'
    """
    return ",".join(f"{key}={value}" for key, value in context.items())


def _label_parts(label: str) -> set[str]:
    return {part for part in label.split(",") if "=" in part}
