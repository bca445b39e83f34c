"""
Which sequences a request means, and which curves it asks for. Specified in docs/formats/wire.md, section 5.

    query, runs, keys  ->  sequences that match  ->  those that changed since the cursor  ->  the newest *limit* of them
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core.kinds import METRIC
from aim.core.reserved import SYSTEM_PREFIX
from aim.core.statuses import RUNNING
from aim.engine.curves import CurveRequest
from aim.engine.listing import ParamField, PropertyField, cells
from aim.engine.matching import (
    Question,
    ask,
    hashes_of,
    matching_runs,
    matching_sequences,
    rows_of,
    sequences_newest_first,
)
from aim.engine.param_groups import param_groups
from aim.engine.points import PointStore
from aim.engine.run_groups import run_groups, value_text
from aim.engine.tail import ChangesSince
from aim.server.answers import wire_cell, wire_context, wire_value
from aim.server.bodies import Key
from aim.server.columns import plain, wire_column
from aim.server.open_repository import OpenRepository
from aim.server.requests import SERIES_MAX, EqualParams, GroupChoice, SeriesRequest
from aim.storage.catalogue.run_table import RunTable

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SelectedCurve:
    """
    One curve that a request asks for.

    Attributes:
        request: what the engine is asked to draw.
        run_index, metric_index: the run and the metric in the lists of the selection.
        branch_index: the rewind of the run just before which the curve is drawn; None: the curve as it is now.
    """

    request: CurveRequest
    run_index: int
    metric_index: int
    branch_index: int | None = None


@dataclass(frozen=True)
class RunGroups:
    """
    Runs with equal values of some fields.

    Attributes:
        keys: the values of each group.
        group_indices: for each run the index of its group.
        by, ignored: the fields of *keys*, and the params that do not count, as in an answer; None when the request
            says the fields.
    """

    keys: list[list[Any]]
    group_indices: list[int]
    by: list[list[Any]] | None = None
    ignored: list[dict[str, Any]] | None = None


@dataclass(frozen=True)
class Selection:
    """
    The curves that a request asks for, those of the newest runs first.

    Attributes:
        cursor, version: the state of the repository, as the browser and as the engine name it.
        match_count: how many curves match; at most `limit` of them are in *curves*.
        runs: the hashes of their runs.
        metrics: their names and contexts, as in an answer.
        live_runs: the runs that record now.
        is_whole: whether *curves* are all curves although the request has a `since`, because points were taken back.
        groups: for a request with `aggregate`.
        columns: what the runs have in the `fields` of the request, as columns of an answer.
    """

    cursor: str
    version: int
    match_count: int
    runs: list[str]
    metrics: list[dict[str, Any]]
    curves: list[SelectedCurve]
    live_runs: frozenset[str]
    is_whole: bool = False
    groups: RunGroups | None = None
    columns: tuple[dict[str, Any], ...] = ()


def select(repo: OpenRepository, table: RunTable, request: SeriesRequest) -> Selection:
    """Return the sequences of numbers that a request asks for."""
    question = ask(request.query, zone=request.zone)
    pair_indices, rows = _sequences(table, question, request)
    changes = None if request.since is None else repo.watch.since(request.since)
    is_whole = changes is not None and _needs_all(changes, request.runs)
    if changes is not None and not is_whole:
        is_kept = _is_changed(table, rows, changes, request)
        pair_indices, rows = pair_indices[is_kept], rows[is_kept]
    match_count = len(rows)
    pair_indices, rows = sequences_newest_first(table, pair_indices, rows)
    distinct_rows, run_indices = _numbered(rows[: request.limit])
    distinct_pairs, metric_indices = _numbered(pair_indices[: request.limit])
    counts = _point_counts(table, pair_indices[: request.limit], rows[: request.limit])
    pairs = [table.pairs[index] for index in distinct_pairs.tolist()]
    keys = [(pair.name, pair.context_text) for pair in pairs]
    runs = hashes_of(table, distinct_rows)
    created_at_s = [
        float(time_s or 0.0) for time_s in cells(table, PropertyField("created_at"), distinct_rows).objects()
    ]
    return Selection(
        repo.watch.cursor_of(table),
        table.version,
        match_count,
        runs,
        [{"name": pair.name, "context": wire_context(pair.context)} for pair in pairs],
        [
            SelectedCurve(CurveRequest(runs[run], created_at_s[run], keys[metric], point_count=count), run, metric)
            for run, metric, count in zip(run_indices, metric_indices, counts, strict=True)
        ],
        _live_runs(table, distinct_rows, runs),
        is_whole,
        _groups(table, distinct_rows, request),
        tuple(wire_column(field, cells(table, field, distinct_rows)) for field in request.fields),
    )


def _point_counts(table: RunTable, pair_indices: IntArray, rows: IntArray) -> list[int]:
    """Return how many points each of some sequences has."""
    counts = np.zeros(len(rows), np.int64)
    for pair_index in np.unique(pair_indices).tolist():
        chosen = pair_indices == pair_index
        counts_of_pair = table.summary(pair_index, "count")
        if counts_of_pair is not None:
            counts[chosen] = counts_of_pair[np.searchsorted(table.rows(pair_index), rows[chosen])]
    return counts.tolist()


def _sequences(table: RunTable, question: Question, request: SeriesRequest) -> tuple[IntArray, IntArray]:
    """Return the sequences that a request is about, as `narrowed_sequences` does; of one group those of its runs."""
    pair_indices, rows = narrowed_sequences(table, question, request.runs, request.metrics, METRIC)
    if request.group is None:
        return pair_indices, rows
    is_member = np.isin(rows, rows_of_group(table, np.unique(rows), request.group))
    return pair_indices[is_member], rows[is_member]


def rows_of_group(table: RunTable, rows: IntArray, choice: GroupChoice) -> IntArray:
    """Return those of *rows* that are in one group: none when no run has its values."""
    grouped = run_groups(table, rows, choice.by)
    chosen = [value_text(value) for value in choice.key]
    for index, key in enumerate(grouped.keys):
        if [value_text(wire_value(plain(value))) for value in key] == chosen:
            members: IntArray = rows[grouped.indices == index]
            return members
    return rows[:0]


def with_branches(store: PointStore, curves: Sequence[SelectedCurve], count: int) -> list[SelectedCurve]:
    """Return the curves, each followed by itself as it was before the latest *count* rewinds of its run."""
    if not count:
        return list(curves)
    rewinds = {run_hash: store.rewinds(run_hash) for run_hash in {curve.request.run_hash for curve in curves}}
    branched: list[SelectedCurve] = []
    for curve in curves:
        branched.append(curve)
        for branch_index, rewind in list(enumerate(rewinds[curve.request.run_hash]))[-count:]:
            if len(branched) < SERIES_MAX:
                before = replace(curve.request, before=rewind)
                branched.append(replace(curve, request=before, branch_index=branch_index))
    return branched


def narrowed_sequences(
    table: RunTable, question: Question, runs: Sequence[str] | None, keys: Sequence[Key] | None, subject: str
) -> tuple[IntArray, IntArray]:
    """
    Return the sequences that match a question, narrowed to some runs and keys: indices of pairs, and rows of runs.

    Without keys the metrics of the machine are left out.
    """
    pair_indices, rows = matching_sequences(table, question if runs is None else question.with_archived(), subject)
    if runs is not None:
        is_listed = np.isin(rows, rows_of(table, runs))
        pair_indices, rows = pair_indices[is_listed], rows[is_listed]
    is_named = np.array([_has_key(pair.name, pair.context_text, keys) for pair in table.pairs], np.bool_)
    if len(pair_indices):
        is_kept = is_named[pair_indices]
        pair_indices, rows = pair_indices[is_kept], rows[is_kept]
    return pair_indices, rows


def _has_key(name: str, context_text: str, keys: Sequence[Key] | None) -> bool:
    if keys is None:
        return not name.startswith(SYSTEM_PREFIX)
    return any(name == key_name and key_context in (None, context_text) for key_name, key_context in keys)


def _needs_all(changes: ChangesSince, runs: Sequence[str] | None) -> bool:
    """Return whether all curves have to be sent: the changes are unknown, or points of these runs were taken back."""
    return changes.changed is None or any(runs is None or run_hash in runs for run_hash in changes.taken_back)


def _is_changed(
    table: RunTable, rows: IntArray, changes: ChangesSince, request: SeriesRequest
) -> npt.NDArray[np.bool_]:
    """Return for each sequence whether it is sent again; of groups all are sent again when any run changed."""
    changed = changes.changed or ()
    if request.aggregation is not None:
        return np.full(len(rows), bool(changed))
    return np.isin(rows, rows_of(table, changed))


def _live_runs(table: RunTable, rows: IntArray, runs: Sequence[str]) -> frozenset[str]:
    """Return those of the runs that record now."""
    statuses = cells(table, PropertyField("status"), rows).objects()
    return frozenset(run_hash for run_hash, status in zip(runs, statuses, strict=True) if status == RUNNING)


def _numbered(numbers: IntArray) -> tuple[IntArray, list[int]]:
    """Return the distinct numbers in the order of their first appearance, and the index of each number among them."""
    distinct, first_indices, sorted_indices = np.unique(numbers, return_index=True, return_inverse=True)
    order = np.argsort(first_indices)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return distinct[order], rank[sorted_indices.ravel()].tolist()


def _groups(table: RunTable, rows: IntArray, request: SeriesRequest) -> RunGroups | None:
    """
    Put runs with equal values of all fields, or of all params, into groups, in the order of their first run.

    None: nothing is averaged.
    """
    if request.aggregation is None:
        return None
    by = request.aggregation.by
    if isinstance(by, EqualParams):
        return _groups_of_equal_params(table, rows, request, by)
    columns = [cells(table, field, rows).objects() for field in by]
    index_of: dict[str, int] = {}
    keys: list[list[Any]] = []
    group_indices = []
    for run_index in range(len(rows)):
        key = [wire_cell(column[run_index]) for column in columns]
        group_index = index_of.setdefault(json.dumps(key), len(keys))
        if group_index == len(keys):
            keys.append(key)
        group_indices.append(group_index)
    return RunGroups(keys, group_indices)


def _groups_of_equal_params(table: RunTable, rows: IntArray, request: SeriesRequest, by: EqualParams) -> RunGroups:
    # the rule looks at all runs of the request, so that it ignores the same for every metric
    if request.runs is None:
        asked_rows = matching_runs(table, ask(request.query, zone=request.zone))
    else:
        asked_rows = rows_of(table, request.runs)
    groups = param_groups(table, rows, np.union1d(asked_rows, rows), by.ignored)
    _, first_indices = np.unique(groups.group_indices, return_index=True)
    columns = [cells(table, ParamField(path), rows[first_indices]).objects() for path in groups.varying]
    return RunGroups(
        [[wire_cell(column[index]) for column in columns] for index in range(len(first_indices))],
        groups.group_indices,
        [["param", *path] for path in groups.varying],
        [{"path": list(param.path), "why": param.why} for param in groups.ignored],
    )
