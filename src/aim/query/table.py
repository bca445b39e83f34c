"""
The table of runs and sequences that a query reads.

A *QueryTable* has `run_count` runs, in rows 0 .. run_count - 1. Their order is any, and fixed while a query runs.
A *QueryColumn* has one value for each run. It is dictionary-encoded: a code for each row, and the distinct values.

    row     0       1      2      3                       run.hparams.optimizer
    codes   0       1     -1      0                       int32; -1: this run has none
    values  "adam"  "sgd"                                 each distinct value once, as plain Python

A column of numbers with many distinct values may hold them a second time, as arrays: `numbers` and `is_number`.

A *pair* is a distinct (name, context, kind) of sequences. Its rows are those of the runs that have such a sequence;
each summary value (`last`, `min` ...) is one array parallel to these rows.

Rule 1: a query changes nothing here, and nothing that a table returns may change while a query runs.
Rule 2: two values are the same distinct value only if they are equal *and* of one type at every depth: 1, 1.0 and
        True are three values, since `isinstance` and `str` tell them apart.
Rule 3: everything is cheap to read but `document` and `points`, which a query reads last and row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from aim.query.arrays import BoolArray, FloatArray, IntArray, NumberArray

Key = str | int
"""The key of a dict in params."""

Path = tuple[Key, ...]
"""The keys that lead to a param: `("hparams", "lr")`. A dot in a key is part of the key."""

FIELDS = (
    "hash",  # str
    "name",  # str or None
    "description",  # str or None
    "experiment",  # str or None
    "tags",  # list of str
    "archived",  # bool
    "notes",  # list of dicts
    "creation_time",  # float, seconds since 1970 UTC
    "update_time",  # float, likewise
    "end_time",  # float, or none while the run is not ended
    "status",  # "running", "finished", "failed" or "lost"
    "alerts",  # list of dicts with title, text, level and at (Unix seconds), or none
    "progress",  # float, percent of the work that is done, or none
    "rate",  # float, units of that work a second, or none
    "done_at",  # float, when that work will be done at this rate, in seconds since 1970 UTC; none for an ended run
    "forked_from",  # str, the hash of the run that it was forked from, or none
)
"""The fields of a run that a table has. `created_at`, `remaining`, `active` ... are made from these: see `columns`."""

POINTS = ("values", "steps", "epochs", "timestamps")
"""The names that `QueryTable.points` takes."""


class QueryColumn(Protocol):
    """
    One value for each run.

    Attributes:
        codes: shape (run_count,), int32: the index of the row's value in *values*, or -1 where the run has none.
        values: the distinct values: None, bool, int, float, str, bytes, and lists and dicts of them.
        numbers: None, or shape (run_count,), float64: the number in each row. It has to equal the value exactly, so
            a column with an int beyond 2**53 has none. A bool counts as 0 or 1. Undefined where *is_number* is False.
        is_number: None exactly when *numbers* is, or shape (run_count,), bool: which rows hold a number.
    """

    @property
    def codes(self) -> IntArray: ...
    @property
    def values(self) -> Sequence[object]: ...
    @property
    def numbers(self) -> FloatArray | None: ...
    @property
    def is_number(self) -> BoolArray | None: ...


class QueryPair(Protocol):
    """A distinct (name, context, kind) of sequences; *kind* is one of `core.kinds.QUERY_SUBJECTS`."""

    @property
    def name(self) -> str: ...
    @property
    def context(self) -> Mapping[str, object]: ...
    @property
    def kind(self) -> str: ...


class QueryTable(Protocol):
    """Runs and their sequences as columns: the storage catalogue, or the table of the tests."""

    @property
    def run_count(self) -> int:
        """The number of runs."""

    @property
    def pairs(self) -> Sequence[QueryPair]:
        """The distinct (name, context, kind) of all sequences; other methods take the index of a pair in it."""

    def field(self, name: str) -> QueryColumn:
        """Return the column of one of `FIELDS`."""

    def param(self, path: Path) -> QueryColumn | None:
        """
        Return the column of the *leaves* at *path*; None when no run has a leaf there.

        Every value is a leaf but a dict that is not empty: a list is a leaf, and so is `{}`. Runs with a dict that is
        not empty at *path* have the code -1 here; their leaves lie below.
        """

    def leaf_paths(self, path: Path) -> Sequence[Path]:
        """Return the full paths of the leaves of all runs strictly below *path*; `()` is above all leaves."""

    def document(self, row: int) -> Mapping[Key, object]:
        """Return all params of one run, nested; for queries that columns can't answer."""

    def rows(self, pair: int) -> IntArray:
        """Return the rows of the runs that have a sequence of this pair, increasing."""

    def summary(self, pair: int, name: str) -> NumberArray | None:
        """Return one of `SUMMARY_VALUES` for each of `rows(pair)`, in that order; None if this kind has none."""

    def stored_kinds(self, pair_indices: IntArray, rows: IntArray) -> list[str]:
        """Return the stored kind of each sequence: `int`, `float`, `number` (both), `list(aim.image)` ..."""

    def points(self, pair: int, row: int, name: str) -> Sequence[float | int | None] | None:
        """Return one of `POINTS` of one sequence, in the order of steps; None if this kind has no such value."""
