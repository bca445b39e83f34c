"""
Curves as a frame. Specified in docs/formats/wire.md, section 5.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from starlette.requests import Request
from starlette.responses import Response

from aim.core.reserved import SYSTEM_PREFIX
from aim.core.statuses import RUNNING
from aim.engine.curves import ClientState, CurveRequest, Piece, draw, draw_groups
from aim.engine.listing import cells
from aim.engine.matching import ask, hashes_of, matching_sequences, rows_of, sequences_newest_first
from aim.server.answers import wire_cell, wire_context
from aim.server.bodies import Key, read_body
from aim.server.frame import frame
from aim.server.open_repository import OpenRepository
from aim.server.requests import SERIES_MAX, SeriesRequest
from aim.server.server_state import in_long_thread, in_thread, repo_of
from aim.storage.catalogue.run_table import RunTable

IntArray = npt.NDArray[np.int64]
QUICK_SERIES_MAX = 500  # so many are drawn before a person waits; more may take seconds when they are cold
FRAME_TYPE = "application/octet-stream"


@dataclass
class Selected:
    """
    The curves that a request asks for.

    Attributes:
        wanted: newest runs first.
        runs, metrics: what the indices of `run_of`, `metric_of` mean.
        group_of: for each run the index of its group in *groups*, their keys.
        total: how many match, of which `limit` came.
        is_whole: it has all series, though a `since` was given: something was taken back after that.
        branch_of: for each of *wanted* the index of the rewind before which it stood so; None: as it is now.
    """

    cursor: str
    number: int
    total: int
    runs: list[str]
    metrics: list[dict[str, Any]]
    wanted: list[CurveRequest]
    run_of: list[int]
    metric_of: list[int]
    live: frozenset[str] = frozenset()
    group_of: list[int] = field(default_factory=list)
    groups: list[list[Any]] = field(default_factory=list)
    is_whole: bool = False
    branch_of: list[int | None] = field(default_factory=list)


async def series(request: Request) -> Response:
    """Answer `POST …/series`."""
    wanted = SeriesRequest.read(await read_body(request))
    beside = in_thread if wanted.limit <= QUICK_SERIES_MAX else in_long_thread
    return await beside(request, _series, repo_of(request), wanted)


def _series(repo: OpenRepository, request: SeriesRequest) -> Response:
    begun_s = time.perf_counter()
    selected = repo.ask(lambda table: select(repo, table, request))
    header: dict[str, Any] = {
        "cursor": selected.cursor,
        "total": selected.total,
        "runs": selected.runs,
        "metrics": selected.metrics,
    }
    if selected.is_whole:
        header["whole"] = True
    if len(selected.wanted) < selected.total:
        header["sent"] = len(selected.wanted)
    if request.aggregation is None:
        since = None if selected.is_whole else repo.watch.number_of(request.since)
        if since is None:
            _add_branches(repo, selected, request.branches)
        known = ClientState(since, selected.number, selected.live)
        pieces = draw(repo.points, selected.wanted, request.view, known)
        header["elapsed_ms"] = round((time.perf_counter() - begun_s) * 1e3, 2)
        runs = [selected.run_of[piece.source] for piece in pieces]
        metrics = [selected.metric_of[piece.source] for piece in pieces]
        branches = [selected.branch_of[piece.source] for piece in pieces] if request.branches else None
        return Response(frame(header, pieces, runs, metrics, branches=branches), media_type=FRAME_TYPE)
    pieces, keys = _grouped(repo, selected, request)
    header["groups"] = [
        {"key": key, "runs": [run for run, own in enumerate(selected.group_of) if own == place]}
        for place, key in enumerate(selected.groups)
    ]
    groups = [keys[piece.source][0] for piece in pieces]
    metrics = [keys[piece.source][1] for piece in pieces]
    return Response(frame(header, pieces, [-1] * len(pieces), metrics, groups), media_type=FRAME_TYPE)


def _add_branches(repo: OpenRepository, selected: Selected, count: int) -> None:
    """Add, after each series, what it was before the latest *count* rewinds of its run."""
    rewinds = {run: repo.points.rewinds(run) for run in selected.runs} if count else {}
    found = zip(selected.wanted, selected.run_of, selected.metric_of, strict=True)
    selected.wanted, selected.run_of, selected.metric_of, selected.branch_of = [], [], [], []
    for one, run, metric in found:
        of_run = rewinds.get(one.run_hash, ())
        latest = list(enumerate(of_run))[-count:] if count else []
        for branch, rewind in [(None, None), *latest]:
            if branch is None or len(selected.wanted) < SERIES_MAX:
                selected.wanted.append(replace(one, before=rewind))
                selected.run_of.append(run)
                selected.metric_of.append(metric)
                selected.branch_of.append(branch)


def _grouped(
    repo: OpenRepository, selected: Selected, request: SeriesRequest
) -> tuple[list[Piece], list[tuple[int, int]]]:
    assert request.aggregation is not None
    members: dict[tuple[int, int], list[CurveRequest]] = {}
    for one, run, metric in zip(selected.wanted, selected.run_of, selected.metric_of, strict=True):
        members.setdefault((selected.group_of[run], metric), []).append(one)
    keys = list(members)
    aggregation = request.aggregation
    pieces = draw_groups(repo.points, list(members.values()), request.view, aggregation.value, aggregation.band)
    return pieces, keys


def select(repo: OpenRepository, table: RunTable, request: SeriesRequest, kind: str = "metric") -> Selected:
    """Find the sequences of numbers that a request asks for."""
    places, rows = matching(table, request.query, request.runs, request.metrics, kind)
    since = repo.watch.since(request.since) if request.since is not None else None
    is_whole = since is not None and (
        since.changed is None or any(request.runs is None or run in request.runs for run in since.taken_back)
    )
    since = None if is_whole else since
    if since is not None and since.changed is not None and request.aggregation is None:
        keep = np.isin(rows, rows_of(table, since.changed))
        places, rows = places[keep], rows[keep]
    elif since is not None and since.changed == []:
        places, rows = places[:0], rows[:0]
    total = len(places)
    places, rows = sequences_newest_first(table, places, rows)
    places, rows = places[: request.limit], rows[: request.limit]
    run_rows, run_of = _numbered(rows)
    metric_places, metric_of = _numbered(places)
    pairs = [table.pairs[place] for place in metric_places.tolist()]
    runs = hashes_of(table, run_rows)
    created = cells(table, ("run", "created_at"), run_rows).tolist()
    status = cells(table, ("run", "status"), run_rows).tolist()
    wanted = [
        CurveRequest(runs[run], float(created[run] or 0.0), (pairs[metric].name, pairs[metric].context_text))
        for run, metric in zip(run_of, metric_of, strict=True)
    ]
    selected = Selected(
        repo.watch.cursor_of(table),
        table.version,
        total,
        runs,
        [{"name": pair.name, "context": wire_context(pair.context)} for pair in pairs],
        wanted,
        run_of,
        metric_of,
        frozenset(run for run, state in zip(runs, status, strict=True) if state == RUNNING),
        is_whole=is_whole,
        branch_of=[None] * len(wanted),
    )
    if request.aggregation is not None:
        columns = [cells(table, one, run_rows).tolist() for one in request.aggregation.by]
        selected.group_of, selected.groups = _groups(columns, len(runs))
    return selected


def matching(
    table: RunTable, query: str, runs: Sequence[str] | None, keys: Sequence[Key] | None, kind: str
) -> tuple[IntArray, IntArray]:
    """
    Find sequences by a query, narrowed to some runs and keys; without keys those of the system are left out.
    """
    question = ask(query)
    places, rows = matching_sequences(table, question if runs is None else question.with_archived(), kind)
    if runs is not None:
        keep = np.isin(rows, rows_of(table, runs))
        places, rows = places[keep], rows[keep]
    allowed = np.array([_is_asked(pair.name, pair.context_text, keys) for pair in table.pairs], np.bool_)
    if len(places):
        keep = allowed[places]
        places, rows = places[keep], rows[keep]
    return places, rows


def _is_asked(name: str, text: str, keys: Sequence[Key] | None) -> bool:
    if keys is None:
        return not name.startswith(SYSTEM_PREFIX)
    return any(name == wanted and context in (None, text) for wanted, context in keys)


def _numbered(items: IntArray) -> tuple[IntArray, list[int]]:
    """Return the distinct items in the order of their first appearance, and each item's place among them."""
    distinct, firsts, places = np.unique(items, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return distinct[order], rank[places.ravel()].tolist()


def _groups(columns: Sequence[Sequence[Any]], count: int) -> tuple[list[int], list[list[Any]]]:
    """Put runs with equal values of all columns into groups, numbered in the order of their first run."""
    keys: dict[str, int] = {}
    groups: list[list[Any]] = []
    group_of = []
    for run in range(count):
        key = [wire_cell(column[run]) for column in columns]
        place = keys.setdefault(json.dumps(key), len(groups))
        if place == len(groups):
            groups.append(key)
        group_of.append(place)
    return group_of, groups
