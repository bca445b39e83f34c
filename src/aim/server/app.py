"""
The app: which address is answered by what, and what runs as long as it does. Specified in docs/formats/wire.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from aim.__about__ import VERSION
from aim.server import alerts, assets, blobs, demo, edits, export, live, objects, query_box, run_page, runs, series
from aim.server.answers import json_answer
from aim.server.boundary import Boundary
from aim.server.desk import Desk, desk_of
from aim.server.security import Guard
from aim.server.served import Progress, Served, Shelf
from aim.server.settings import Settings, repo_ids

WIRE = 1
TRASH_INTERVAL_S = 5.0


def create_app(settings: Settings, progress: Progress | None = None) -> tuple[ASGIApp, Desk]:
    """
    Make the app that serves *settings*, and the desk by which it is told to stop.

    Args:
        progress: told how far the first reading of a large repository is.

    Raises:
        RepoNotFound, UnsupportedFormat: one of the repositories can't be opened.
    """
    shelf = Shelf(Served(repo_id, root) for repo_id, root in repo_ids(settings.roots).items())
    if progress is not None:
        for one in shelf:
            one.tell(progress)
    desk = Desk(settings, shelf, Guard(settings))
    app = Starlette(routes=routes(), lifespan=_lifespan)
    app.router.redirect_slashes = False  # an address is what it is; behind a proxy a redirect would lead elsewhere
    app.state.desk = desk
    app.state.thumbnails = blobs.Thumbnails()
    app.state.tickers = {}
    return Boundary(app, desk.guard, settings.base_path), desk


def routes() -> list[BaseRoute]:
    """List the addresses."""
    of_repo = [
        Route("/runs", runs.table, methods=["POST"]),
        Route("/fields", runs.fields, methods=["POST"]),
        Route("/runs/{run}", run_page.run),
        Route("/runs/{run}/log", run_page.log),
        Route("/runs/{run}/records", run_page.records),
        Route("/runs/{run}/artifacts/{name:path}", run_page.artifact),
        Route("/alerts", alerts.alerts),
        Route("/series", series.series, methods=["POST"]),
        Route("/objects", objects.objects, methods=["POST"]),
        Route("/blobs/{blob}", blobs.blob),
        Route("/thumbs/{blob}", blobs.thumb),
        Route("/tables/{blob}", objects.table),
        Route("/events", live.events),
        Route("/edits", edits.edit, methods=["POST"]),
        Route("/undo", edits.undo, methods=["POST"]),
        Route("/demo", demo.demo, methods=["POST"]),
        Route("/documents", edits.documents),
        Route("/documents/{kind}/{id}", edits.put_document, methods=["PUT"]),
        Route("/documents/{kind}/{id}", edits.delete_document, methods=["DELETE"]),
        Route("/complete", query_box.completions, methods=["POST"]),
        Route("/check", query_box.check, methods=["POST"]),
        Route("/export/{subject}.{format}", export.export),
    ]
    pages = [Route(f"/{name}", assets.page) for name in assets.PAGES]
    return [
        Route("/api/info", info),
        Route("/api/login", _login, methods=["POST"]),
        Route("/api/plotly.js", assets.plotly),
        Mount("/api/repos/{repo}", routes=of_repo),
        Route("/assets/{name}", assets.asset),
        Route("/figure", assets.figure),
        Route("/run/{run}", assets.page),
        Route("/runs/{run}", assets.old_run),
        Route("/runs/{run}/{tab}", assets.old_run),
        *pages,
        Route("/reports/{report}", assets.page),
        Route("/{path:path}", assets.no_page),
    ]


async def info(request: Request) -> Response:
    """Answer `GET api/info`."""
    desk = desk_of(request)
    return json_answer(
        {
            "wire": WIRE,
            "version": str(VERSION),
            "read_only": desk.settings.read_only,
            "token": desk.settings.token is not None,
            "plotly": assets.plotly_file() is not None,
            "repos": [
                {
                    "id": one.id,
                    "name": one.root.resolve().name,
                    "path": str(one.repository.path),
                    "runs": count,
                    "indexing": one.scan.indexing,
                }
                for one in desk.shelf
                for count in [len(await desk.pool.run(one.repository.store.run_hashes))]
            ],
        }
    )


async def _login(request: Request) -> Response:
    return await desk_of(request).guard.login(request)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    desk: Desk = app.state.desk
    desk.shelf.warm()
    sweeping = asyncio.create_task(_sweep(desk))
    try:
        yield
    finally:
        desk.stopping.set()
        sweeping.cancel()
        desk.pool.close()
        for one in desk.shelf:
            one.close()


async def _sweep(desk: Desk) -> None:
    """Empty the trash of what nobody wanted back."""
    while True:
        await asyncio.sleep(TRASH_INTERVAL_S)
        for one in desk.shelf:
            await desk.pool.run(one.changes.empty_trash)
