"""
What a query asks of the place where runs are: a table of columns.

A *QueryTable* has `run_count` runs, in rows 0 .. run_count - 1, in any order that it keeps for as long as it is asked.
A *QueryColumn* says one thing about each run. It is dictionary-encoded: a code for each row, and the distinct values.

    row     0       1      2      3                       run.hparams.optimizer
    codes   0       1     -1      0                       int32; -1: this run has none
    values  "adam"  "sgd"                                 each distinct value once, as plain Python

A column of numbers with many distinct values may carry them a second time, ready for numpy: `numbers` and `is_number`.

A *pair* is a distinct (name, context, kind) of sequences. Its sequences are the rows of the runs that have it, and
each summary value (`last`, `min` ...) is one array beside these rows.

Rule 1: nothing here is changed by a query, and nothing that a table hands out may change while a query runs.
Rule 2: two values are the same distinct value only if they are equal *and* of one type at every depth: 1, 1.0 and
        True are three values, since `isinstance` and `str` tell them apart.
Rule 3: everything is cheap to ask for, but `document` and `points`, which a query uses last and row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Key = str | int
"""One step into params: the key of a dict."""

Path = tuple[Key, ...]
"""The way to a param: `("hparams", "lr")`. A dot in a key is part of the key."""

IntArray = npt.NDArray[np.integer[Any]]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
NumberArray = npt.NDArray[Any]
"""float64, int64 or bool."""

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
    "forked_from",  # str, the hash of the run that it goes on from, or none
)
"""The facts that a table stores. Others (`created_at`, `duration`, `active` ...) are made from these: see `names`."""

SUMMARIES = (
    "first",
    "last",
    "min",
    "max",
    "mean",
    "count",
    "first_step",
    "last_step",
    "argmin",  # the step of the smallest value
    "argmax",
    "has_nan",
    "record_max_length",  # of objects: the longest list tracked at one step
)
"""The summary values that a table may have for a pair."""

POINTS = ("values", "steps", "epochs", "timestamps")
"""What `QueryTable.points` can be asked for."""


class QueryColumn(Protocol):
    """
    One fact about each run.

    codes: shape (run_count,), int32: the place of the row's value in *values*, or -1 where the run has none.
    values: the distinct values: None, bool, int, float, str, bytes, list, dict and what they hold.
    numbers: None, or shape (run_count,), float64: the number in each row. It has to equal the value exactly, so
        a column with an int beyond 2**53 can't have it. A bool counts as 0 or 1. Anything where *is_number* is False.
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
    """Runs and their sequences as columns; the storage catalogue is one, and so is the one of the tests."""

    @property
    def run_count(self) -> int:
        """The number of runs."""

    @property
    def pairs(self) -> Sequence[QueryPair]:
        """The distinct (name, context, kind) of all sequences; a pair is asked about by its place here."""

    def field(self, name: str) -> QueryColumn:
        """Return the column of one of `FIELDS`."""

    def param(self, path: Path) -> QueryColumn | None:
        """
        Return the column of the *leaves* at *path*; None when no run has a leaf there.

        A leaf is any value but a dict that holds something: a list is a leaf, and so is `{}`. Runs with a dict
        that is not empty at *path* have the code -1 here; their leaves lie below.
        """

    def leaf_paths(self, path: Path) -> Sequence[Path]:
        """Return the full paths of all leaves, of any run, strictly below *path*; `()` asks for all there are."""

    def document(self, row: int) -> Mapping[Key, object]:
        """Return all params of one run, nested. Used row by row, for what columns can't answer."""

    def rows(self, pair: int) -> IntArray:
        """Return the rows of the runs that have this sequence, increasing."""

    def summary(self, pair: int, name: str) -> NumberArray | None:
        """Return one of `SUMMARIES` for each of `rows(pair)`, in that order; None where this kind has no such value."""

    def points(self, pair: int, row: int, name: str) -> Sequence[float | int | None] | None:
        """Return one of `POINTS` of one sequence, in the order of steps; None where this kind has no such value."""
