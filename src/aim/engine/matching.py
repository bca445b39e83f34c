"""
Which runs and sequences a text of a query means.

A query of runs, such as that of a query box or `repo.query_runs`, may be about runs, `run.hparams.lr < 1`, or about
sequences, `metric.name == "loss"`. The names in it tell which it is. A run matches a query about sequences when one of
its sequences does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from aim.core.errors import InvalidQuery
from aim.query.names import SUBJECTS
from aim.query.query import Query, compile_query
from aim.query.words import is_search

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from aim.storage.catalogue.run_table import RunTable

    IntArray = npt.NDArray[np.int64]
    Rows = npt.NDArray[np.integer[Any]]

RUN = "run"
_SUBJECT = {subject: re.compile(rf"\b{subject}\b") for subject in SUBJECTS if subject != RUN}


@dataclass(frozen=True)
class Question:
    """A query and what it is about: `run`, `metric`, `images` ..."""

    query: Query

    @property
    def subject(self) -> str:
        """What it is about; `run` when it names no sequence."""
        return self.query.subject

    def with_archived(self) -> Question:
        """Return the same question, asked of archived runs too."""
        return Question(replace(self.query, hides_archived=False))


def runs_asked(question: Question, run_hashes: list[str] | None) -> Query | list[str]:
    """Return what a request asks for, as `LiveCatalogue.ask` takes it: the runs that it names, or else its query."""
    return question.query if run_hashes is None else run_hashes


def as_expression(text: str) -> str:
    """
    Return words that people look for as an expression, and an expression as it is.

    >>> as_expression("adam cifar"), as_expression("run.lr > 1")
    ("run.search('adam cifar')", 'run.lr > 1')
    """
    return f"run.search({text.strip()!r})" if is_search(text) else text


def ask(text: str, *, zone: tzinfo | None = None) -> Question:
    """
    Compile a text that may be about runs or about any kind of sequence.

    Args:
        zone: that of the reader; None means that of this process.

    Raises:
        InvalidQuery: it is neither.

    >>> ask("run.lr > 1").subject, ask("metric.last < 1").subject
    ('run', 'metric')
    """
    try:
        return Question(compile_query(text, RUN, zone=zone))
    except InvalidQuery as error:
        named = [subject for subject, pattern in _SUBJECT.items() if pattern.search(text)]
        if not named:
            raise
        failures = [error]
        for subject in named:
            try:
                return Question(compile_query(text, subject, zone=zone))
            except InvalidQuery as failure:
                failures.append(failure)
        # The subject under which the longest part could be compiled is the one that was meant.
        raise max(failures[1:], key=lambda failure: failure.start) from None


def compiled(text: str, subject: str, zone: tzinfo | None) -> Query:
    """Return a query about *subject*; a query of runs may also be about a kind of sequence. Raises InvalidQuery."""
    if subject == RUN:
        return ask(text, zone=zone).query
    return compile_query(text, subject, zone=zone)


def newest_first(table: RunTable, rows: Rows) -> IntArray:
    """Order rows of runs by their time of creation, newest first."""
    import numpy as np

    is_chosen = np.zeros(table.run_count, np.bool_)
    is_chosen[rows] = True
    order = table.newest_first()
    return np.asarray(order[is_chosen[order]], np.int64)


def sequences_newest_first(table: RunTable, pair_indices: Rows, rows: Rows) -> tuple[IntArray, IntArray]:
    """Order sequences by their runs, newest first, and within a run by context and name."""
    import numpy as np

    age = np.empty(table.run_count, np.int64)
    age[table.newest_first()] = np.arange(table.run_count)
    order = np.lexsort((table.pairs.ranks()[pair_indices], age[rows]))
    return np.asarray(pair_indices[order], np.int64), np.asarray(rows[order], np.int64)


def matching_runs(table: RunTable, question: Question) -> IntArray:
    """
    Return the rows of the runs that match, in no particular order.

    Raises:
        InvalidQuery: the question passes a bound while it is asked.
    """
    import numpy as np

    if question.subject == RUN:
        return np.asarray(question.query.select_runs(table), np.int64)
    return np.unique(question.query.select_sequences(table)[1]).astype(np.int64)


def matching_sequences(table: RunTable, question: Question, kind: str) -> tuple[IntArray, IntArray]:
    """
    Return the sequences of *kind* that match: places of pairs, rows of runs. None match a question about another kind.

    Args:
        kind: one of `aim.core.kinds.QUERY_SUBJECTS`.

    Raises:
        InvalidQuery: the question passes a bound while it is asked.
    """
    import numpy as np

    if question.subject not in (RUN, kind):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    query = question.query
    if question.subject != kind:
        clock = query.clock
        same = compile_query(query.text, kind, zone=clock.zone, now=clock.now_s)
        query = replace(same, hides_archived=query.hides_archived)
    pairs, rows = query.select_sequences(table)
    return np.asarray(pairs, np.int64), np.asarray(rows, np.int64)


def rows_of(table: RunTable, hashes: Iterable[str]) -> IntArray:
    """Return the rows of the runs of these hashes, in their order; those that are not there are left out."""
    import numpy as np

    rows = [table.row_of(run_hash) for run_hash in dict.fromkeys(hashes)]
    return np.array([row for row in rows if row is not None], np.int64)


def hashes_of(table: RunTable, rows: Rows) -> list[str]:
    """Return the hashes of the runs in these rows."""
    hashes = table.hashes()
    return [hashes[row] for row in rows.tolist()]
