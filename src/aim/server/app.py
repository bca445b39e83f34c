"""
The app: which function answers which address, and what runs beside the answers. Specified in docs/formats/wire.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from aim.core.errors import AimError
from aim.server import (
    aim3_clients,
    alerting,
    alerts,
    assets,
    blobs,
    client_changes,
    comparison,
    demo,
    edits,
    export,
    groups,
    health,
    info,
    live,
    neighbours,
    objects,
    points,
    query_box,
    questions,
    run_page,
    runs,
    series,
    ship,
    states,
    tables,
    token_requests,
)
from aim.server.answers import missing
from aim.server.bodies import read_body
from aim.server.boundary import Boundary
from aim.server.open_repository import OpenFolder, OpenRepositories, OpenRepository, Progress, Repositories
from aim.server.projects import Projects
from aim.server.request_log import RequestLog
from aim.server.roles import RECORD, REPOSITORY, SHIPPING, needed_right
from aim.server.security import Guard
from aim.server.server_state import ServerState, check_right, open_project, server_of
from aim.server.settings import Settings, repo_ids

TRASH_INTERVAL_S = 5.0

log = logging.getLogger("aim.server")
Endpoint = Callable[[Request], Awaitable[Response]]
REPOSITORY_ROUTES = [
    Route("/ship", ship.ship, methods=["POST"]),  # the first: each training asks it each second
    Route("/runs", runs.table, methods=["POST"]),
    Route("/fields", runs.fields, methods=["POST"]),
    Route("/groups", groups.groups, methods=["POST"]),
    Route("/runs/{run}", run_page.run),
    Route("/runs/{run}/log", run_page.log),
    Route("/runs/{run}/records", run_page.records),
    Route("/runs/{run}/artifacts/{name:path}", run_page.artifact),
    Route("/alerts", alerts.alerts),
    Route("/alerting", alerting.alerting),
    Route("/alerting/rules", alerting.add_rule, methods=["POST"]),
    Route("/alerting/rules/{id}", alerting.remove_rule, methods=["DELETE"]),
    Route("/alerting/channels/{name}", alerting.put_channel, methods=["PUT"]),
    Route("/alerting/channels/{name}", alerting.remove_channel, methods=["DELETE"]),
    Route("/alerting/channels/{name}/test", alerting.test_channel, methods=["POST"]),
    Route("/series", series.series, methods=["POST"]),
    Route("/compare-groups", comparison.compare, methods=["POST"]),
    Route("/objects", objects.objects, methods=["POST"]),
    Route("/blobs/{blob}", blobs.blob),
    Route("/thumbs/{blob}", blobs.thumb),
    Route("/tables", tables.rows, methods=["POST"]),
    Route("/tables/{blob}", tables.table),
    Route("/events", live.events),
    Route("/edits", edits.edit, methods=["POST"]),
    Route("/edits", edits.edits),
    Route("/edits/{undo}", edits.one_edit),
    Route("/undo", edits.undo, methods=["POST"]),
    Route("/demo", demo.demo, methods=["POST"]),
    Route("/importable", neighbours.neighbours),
    Route("/documents", edits.documents),
    Route("/documents/{kind}/{id}", edits.put_document, methods=["PUT"]),
    Route("/documents/{kind}/{id}", edits.delete_document, methods=["DELETE"]),
    Route("/complete", query_box.completions, methods=["POST"]),
    Route("/check", query_box.check, methods=["POST"]),
    Route("/subject", questions.subject, methods=["POST"]),
    Route("/query", questions.query, methods=["POST"]),
    Route("/explain", questions.explain, methods=["POST"]),
    Route("/hints", questions.hints, methods=["POST"]),
    Route("/names", questions.names, methods=["POST"]),
    Route("/table", questions.table, methods=["POST"]),
    Route("/summaries", questions.summaries, methods=["POST"]),
    Route("/hashes", states.hashes, methods=["POST"]),
    Route("/states", states.states, methods=["POST"]),
    Route("/sequences", states.sequences, methods=["POST"]),
    Route("/past", states.past, methods=["POST"]),
    Route("/records", states.records, methods=["POST"]),
    Route("/data", states.data, methods=["POST"]),
    Route("/points", points.points, methods=["POST"]),
    Route("/edit", client_changes.edit, methods=["POST"]),
    Route("/fork", client_changes.fork, methods=["POST"]),
    Route("/tags", client_changes.tags),
    Route("/tags", client_changes.change_tag, methods=["POST"]),
    Route("/runs/{run}/archive", client_changes.archive),
    Route("/export/{subject}.{format}", export.export),
]
"""The addresses below `api/repos/<repo>`; server/roles.py says what each of them needs."""


def create_app(settings: Settings, progress: Progress | None = None) -> tuple[ASGIApp, ServerState]:
    """
    Make the app that serves *settings*. Also return its state, whose `stopping` ends the streams of live updates.

    Args:
        progress: called while a large repository is read for the first time.

    Raises:
        RepoNotFound, UnsupportedFormat: one of the repositories can't be opened.
    """
    repos = _repositories(settings)
    if progress is not None:
        for repo in repos:
            repo.report_progress(progress)
    server = ServerState(settings, repos, Guard(settings), requests=RequestLog(settings.access_log))
    app = Starlette(routes=routes(has_pages=settings.has_pages), lifespan=_lifespan)
    app.router.redirect_slashes = False  # an address is what it is; behind a proxy a redirect would lead elsewhere
    app.state.server = server
    app.state.thumbnails = blobs.Thumbnails()
    app.state.tables = tables.TablesInMemory()
    app.state.tickers = {}
    app.state.receivers = ship.Receivers()
    return Boundary(app, server.guard, settings.base_path, server.requests), server


def _repositories(settings: Settings) -> Repositories:
    if settings.cluster is not None:
        from aim.server.cluster_projects import ClusterProjects  # only here: it needs the packages of a cluster

        return ClusterProjects(settings.cluster)
    if settings.project_root is not None:
        return Projects(settings.project_root, bytes_max=settings.project_bytes_max)
    return OpenRepositories(OpenFolder(repo_id, root) for repo_id, root in repo_ids(settings.roots).items())


def routes(*, has_pages: bool = True) -> list[BaseRoute]:
    """List the addresses, each of which checks the right that it needs."""
    mount = Mount(REPOSITORY, routes=guarded(REPOSITORY_ROUTES, REPOSITORY))
    before, after = guarded(_api_routes()), guarded(_page_routes() if has_pages else [Route("/{path:path}", _no_pages)])
    return [mount, *before, *guarded(aim3_clients.ROUTES), *after]


def guarded(listed: Iterable[Route], base: str = "") -> list[Route]:
    """
    Return routes that check the right of a request before they answer it.

    Raises:
        LookupError: server/roles.py has no row for one of them.
    """
    return [
        Route(
            route.path,
            CheckedEndpoint(
                route.endpoint,
                {method: needed_right(method, base + route.path) for method in route.methods or ()},
                makes_project=base + route.path == SHIPPING,
            ),
            methods=sorted(route.methods or ()),
        )
        for route in listed
    ]


class CheckedEndpoint:
    """
    An endpoint that is asked when the right of a request was checked.

    To Starlette it is an app, not a function: a function is wrapped so that errors become answers, which the boundary
    does here, and which costs a twentieth of what a small request takes.

    Args:
        rights: the right that it needs, by the method of the request.
        makes_project: whether it makes the project of its address if there is none.
    """

    def __init__(self, endpoint: Endpoint, rights: dict[str, str], *, makes_project: bool) -> None:
        self._endpoint = endpoint
        self._rights = rights
        self._makes_project = makes_project

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive, send)
        right = self._rights[request.method]
        check_right(request, right)
        await open_project(request, create=self._makes_project, grows=right == RECORD)
        answer = await self._endpoint(request)
        await answer(scope, receive, send)


def _api_routes() -> list[Route]:
    return [
        Route("/api/info", info.info),
        Route("/api/login", _login, methods=["POST"]),
        Route("/api/logout", _logout, methods=["POST"]),
        Route("/api/oidc/begin", _begin_oidc),
        Route("/api/oidc/done", _finish_oidc),
        Route("/api/plotly.js", assets.plotly),
        Route("/api/metrics", health.metrics),
        Route("/healthz", health.healthz),
        Route("/metrics", health.metrics_or_page),
        Route("/api/tokens", token_requests.tokens),
        Route("/api/tokens", token_requests.create, methods=["POST"]),
        Route("/api/tokens/{id}", token_requests.revoke, methods=["DELETE"]),
    ]


def _page_routes() -> list[Route]:
    return [
        Route("/assets/{name}", assets.asset),
        Route("/figure", assets.figure),
        Route("/run/{run}", assets.page),
        Route("/runs/{run}", assets.old_run),
        Route("/runs/{run}/{tab}", assets.old_run),
        *(Route(f"/{name}", assets.page) for name in assets.PAGES if name != "metrics"),
        Route("/reports/{report}", assets.page),
        Route("/{path:path}", assets.no_page),
    ]


async def _login(request: Request) -> Response:
    return await server_of(request).guard.login(request)


async def _no_pages(request: Request) -> Response:
    raise missing("This server has no pages: it was started with --no-pages. `aim up` serves them.")


async def _begin_oidc(request: Request) -> Response:
    return await server_of(request).guard.begin_oidc(request)


async def _finish_oidc(request: Request) -> Response:
    return await server_of(request).guard.finish_oidc(request)


async def _logout(request: Request) -> Response:
    await read_body(request)  # a form of another page can't send JSON
    return server_of(request).guard.logout(request)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    server: ServerState = app.state.server
    server.repos.warm()
    tasks = [
        asyncio.create_task(work)
        for work in (_sweep(server, app.state.tickers), live.end_streams(server, app.state.tickers))
    ]
    try:
        yield
    finally:
        server.stopping.set()
        for task in tasks:
            task.cancel()
        app.state.receivers.close()
        server.pool.close()
        server.repos.close()
        server.requests.close()


async def _sweep(server: ServerState, tickers: dict[str, live.Ticker]) -> None:
    """Remove deleted runs for good when the time to undo the deletion is over; close what is idle."""
    while True:
        await asyncio.sleep(TRASH_INTERVAL_S)
        for remove in (*(repo.changes.empty_trash for repo in server.repos), server.repos.sweep):
            try:
                await server.pool.run(remove)
            except (AimError, OSError) as error:  # what is left is removed later
                log.warning("Aim can't remove deleted runs for good now: %s", error)
        for name in await server.pool.run(server.repos.close_idle, lambda repo: _is_followed(tickers, repo)):
            tickers.pop(name, None)


def _is_followed(tickers: dict[str, live.Ticker], repo: OpenRepository) -> bool:
    ticker = tickers.get(repo.id)
    return ticker is not None and ticker.repo is repo and bool(ticker.listeners)
