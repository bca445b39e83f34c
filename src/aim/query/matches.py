"""
The rows of a table that a compiled query leaves, over numpy; `Query` is their face.

    run_rows     the clauses that need only the run, over all runs
    sequences    those of the pairs, and then what is left, over the sequences in batches
    explained    each clause by itself
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from aim.query.arrays import BoolArray, IntArray
from aim.query.columns import PairColumns, RunColumns
from aim.query.limits import Budget
from aim.query.plan import Clause
from aim.query.reports import NOT_ARCHIVED, ClauseReport, Explanation
from aim.query.select import BATCH_ROWS, Domain, PairPart, PairRows, RunRows, SequenceBatch, SharedAnswers, holds
from aim.query.table import QueryTable

if TYPE_CHECKING:
    from aim.query.query import Query


def runs_of(table: QueryTable, query: Query) -> RunRows:
    """Return all runs of a table, with the inputs of a query as columns."""
    return RunRows(RunColumns(table, query.clock))


def run_rows(query: Query, runs: RunRows, budget: Budget) -> IntArray:
    """Return the rows of the runs for which all clauses hold that need only the run."""
    clauses = [clause for clause in query.all_clauses() if clause.needs <= {"run"}]
    domain = _narrowed(Domain(runs), clauses, budget)
    return np.arange(runs.size, dtype=np.int32) if domain.index is None else domain.index.astype(np.int32)


def _pair_indexes(query: Query, table: QueryTable) -> IntArray:
    """Return the pairs of the kind that the query is about."""
    indexes = [index for index, pair in enumerate(table.pairs) if pair.kind == query.subject]
    return np.array(indexes, dtype=np.int32)


def sequences(query: Query, table: QueryTable, budget: Budget) -> tuple[IntArray, IntArray]:
    """Return the sequences that match, as `Query.select_sequences` does."""
    runs, pairs = runs_of(table, query), PairRows(PairColumns(table))
    rows = run_rows(query, runs, budget)
    pair_clauses = [clause for clause in query.all_clauses() if clause.needs == {"pair"}]
    pair_index = _narrowed(Domain(pairs, _pair_indexes(query, table)), pair_clauses, budget).index
    assert pair_index is not None
    shared = SharedAnswers(runs, rows, pairs, pair_index, budget)
    clauses = [clause for clause in query.all_clauses() if not (clause.needs <= {"run"} or clause.needs == {"pair"})]
    matching_pairs: list[IntArray] = [np.zeros(0, dtype=np.int32)]
    matching_rows: list[IntArray] = [np.zeros(0, dtype=np.int32)]
    for batch in _batches(table, shared):
        domain = _narrowed(Domain(batch), clauses, budget)
        if domain.size:
            matching_pairs.append(batch.pair_indexes if domain.index is None else batch.pair_indexes[domain.index])
            matching_rows.append(batch.rows if domain.index is None else batch.rows[domain.index])
        budget.look()
    return np.concatenate(matching_pairs), np.concatenate(matching_rows).astype(np.int32, copy=False)


def explained(query: Query, table: QueryTable, budget: Budget) -> Explanation:
    """Return what each clause leaves, as `Query.explain` does."""
    clauses = sorted(query.all_clauses(), key=lambda clause: "value" in clause.needs)
    total = 0
    matches, leaves = [0] * len(clauses), [0] * len(clauses)
    for domain in _all_domains(query, table, budget):
        total += domain.size
        left = np.ones(domain.size, dtype=bool)
        for number, clause in enumerate(clauses):
            if "value" in clause.needs:
                left[left] = holds(clause.test, domain.narrowed(left), budget)
            else:
                mask = holds(clause.test, domain, budget)
                matches[number] += int(mask.sum())
                left &= mask
            leaves[number] += int(left.sum())
    reports = (
        ClauseReport(
            query.text[clause.start : clause.end] or NOT_ARCHIVED,
            clause.start,
            clause.end,
            clause.needs_text,
            None if "value" in clause.needs else matches[number],
            leaves[number],
        )
        for number, clause in enumerate(clauses)
    )
    return Explanation(total, tuple(reports))


def _all_domains(query: Query, table: QueryTable, budget: Budget) -> Iterator[Domain]:
    """Yield all runs, or all sequences of the subject, in batches."""
    runs = runs_of(table, query)
    if query.subject == "run":
        yield Domain(runs)
        return
    rows = np.arange(table.run_count, dtype=np.int32)
    shared = SharedAnswers(runs, rows, PairRows(PairColumns(table)), _pair_indexes(query, table), budget)
    yield from map(Domain, _batches(table, shared))


def _narrowed(domain: Domain, clauses: Sequence[Clause], budget: Budget) -> Domain:
    """Return the rows of *domain* for which all *clauses* hold; the cheapest clauses are evaluated first."""
    for clause in sorted(clauses, key=lambda clause: clause.cost):
        mask = holds(clause.test, domain, budget)
        if not mask.all():
            domain = domain.narrowed(mask)
    return domain


def _batches(table: QueryTable, shared: SharedAnswers) -> Iterator[SequenceBatch]:
    """Yield the sequences of the pairs and runs of *shared*, many at a time."""
    rows, pair_indexes = shared.runs.index, shared.pairs.index
    assert rows is not None
    assert pair_indexes is not None
    is_run = np.zeros(table.run_count, dtype=bool)
    is_run[rows] = True
    parts: list[PairPart] = []
    count = 0
    for pair_index in pair_indexes.tolist() if len(rows) else ():
        part = _pair_part(pair_index, table.rows(pair_index), rows, is_run)
        if not len(part.rows):
            continue
        parts.append(part)
        count += len(part.rows)
        if count >= BATCH_ROWS // 2:
            yield SequenceBatch(table, shared, parts)
            parts, count = [], 0
    if parts:
        yield SequenceBatch(table, shared, parts)


def _pair_part(pair_index: int, rows_of_pair: IntArray, rows: IntArray, is_run: BoolArray) -> PairPart:
    """Return the sequences of a pair whose runs are *rows*, which are the true ones of *is_run*."""
    if len(rows) == len(is_run):
        return PairPart(pair_index, rows_of_pair, None)
    if len(rows_of_pair) == len(is_run):  # every run has the pair, so slots are rows
        return PairPart(pair_index, rows, rows)
    slots = np.flatnonzero(is_run[rows_of_pair])
    return PairPart(pair_index, rows_of_pair[slots], slots)
