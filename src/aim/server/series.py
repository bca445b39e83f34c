"""
Curves as a frame. Specified in docs/formats/wire.md, section 5.
"""

from __future__ import annotations

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.engine.curves import ClientState, CurveRequest, draw, draw_groups
from aim.engine.matching import ask, runs_asked
from aim.server.bodies import read_body
from aim.server.frame import frame
from aim.server.open_repository import OpenRepository
from aim.server.requests import Aggregation, SeriesRequest
from aim.server.selection import RunGroups, Selection, select, with_branches
from aim.server.server_state import in_long_thread, in_thread, repo_of
from aim.storage.catalogue.run_table import RunTable

QUICK_SERIES_MAX = 500  # so many are drawn at once; more may take seconds when nothing of them is in memory
FRAME_TYPE = "application/octet-stream"


async def series(request: Request) -> Response:
    """Answer `POST …/series`."""
    series_request = SeriesRequest.read(await read_body(request))
    run_in_thread = in_thread if series_request.limit <= QUICK_SERIES_MAX else in_long_thread
    return await run_in_thread(request, _series, repo_of(request), series_request)


def _series(repo: OpenRepository, request: SeriesRequest) -> Response:
    begun_s = time.perf_counter()
    memory = _FrameMemory(repo, request)

    def selected(table: RunTable) -> Selection | bytes:
        return select(repo, table, request)

    about = runs_asked(ask(request.query, zone=request.zone), request.runs)
    found = repo.ask(selected, about=about, known=memory.find)
    if isinstance(found, Selection):
        found = memory.keep(found.cursor, _drawn(repo, request, found, begun_s))
    return Response(found, media_type=FRAME_TYPE)


class _FrameMemory:
    """The frame that answers a request, which is kept for the state that it shows: many pages ask the same."""

    def __init__(self, repo: OpenRepository, request: SeriesRequest) -> None:
        self._repo = repo
        self._text = repr(request)

    def find(self, table: RunTable) -> bytes | None:
        """Return the frame of the state that *table* shows; None when it has to be drawn."""
        cursor = self._repo.watch.cursor_of(table)
        return None if self._repo.catalogue.indexing else self._repo.frames.lookup(self._text, cursor)

    def keep(self, cursor: str, content: bytes) -> bytes:
        """Keep a frame of the state *cursor*, and return it."""
        if self._repo.catalogue.indexing is None:  # while runs are read, a table grows without a new state
            self._repo.frames.put(self._text, cursor, content)
        return content


def _drawn(repo: OpenRepository, request: SeriesRequest, selection: Selection, begun_s: float) -> bytes:
    """Return the frame of a request that shows a selection."""
    header: dict[str, Any] = {
        "cursor": selection.cursor,
        "total": selection.match_count,
        "runs": selection.runs,
        "metrics": selection.metrics,
    }
    if selection.columns:
        header["columns"] = list(selection.columns)
    if selection.is_whole:
        header["whole"] = True
    if len(selection.curves) < selection.match_count:
        header["sent"] = len(selection.curves)
    if request.aggregation is not None and selection.groups is not None:
        return _group_frame(repo, selection, selection.groups, request, request.aggregation, header)
    return _curve_frame(repo, selection, request, header, begun_s)


def _curve_frame(
    repo: OpenRepository, selection: Selection, request: SeriesRequest, header: dict[str, Any], begun_s: float
) -> bytes:
    since = None if selection.is_whole else repo.watch.number_of(request.since)
    # branches never change: a browser with a state that is known has them
    curves = with_branches(repo.points, selection.curves, request.branches if since is None else 0)
    client_state = ClientState(since, selection.version, selection.live_runs)
    pieces = draw(repo.points, [curve.request for curve in curves], request.view, client_state)
    header["elapsed_ms"] = round((time.perf_counter() - begun_s) * 1e3, 2)
    drawn = [curves[piece.source] for piece in pieces]
    labels: dict[str, list[Any]] = {"run": [curve.run_index for curve in drawn]}
    if request.branches:
        labels["branch"] = [curve.branch_index for curve in drawn]
    labels["metric"] = [curve.metric_index for curve in drawn]
    return frame(header, pieces, labels)


def _group_frame(
    repo: OpenRepository,
    selection: Selection,
    groups: RunGroups,
    request: SeriesRequest,
    aggregation: Aggregation,
    header: dict[str, Any],
) -> bytes:
    members: dict[tuple[int, int], list[CurveRequest]] = {}
    for curve in selection.curves:
        line = (groups.group_indices[curve.run_index], curve.metric_index)
        members.setdefault(line, []).append(curve.request)
    pieces = draw_groups(repo.points, list(members.values()), request.view, aggregation.value, aggregation.band)
    header["groups"] = [
        {"key": key, "runs": [run for run, index in enumerate(groups.group_indices) if index == group_index]}
        for group_index, key in enumerate(groups.keys)
    ]
    if groups.by is not None:
        header |= {"by": groups.by, "ignored": groups.ignored}
    lines = list(members)
    drawn = [lines[piece.source] for piece in pieces]
    labels = {
        "run": [-1] * len(pieces),
        "group": [group_index for group_index, _ in drawn],
        "metric": [metric_index for _, metric_index in drawn],
    }
    return frame(header, pieces, labels)
