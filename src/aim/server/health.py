"""
What monitors ask: whether the server works, and its numbers.

    GET healthz        200 while the repositories can be read, else 503; needs no token, and says nothing else
    GET api/metrics    the numbers of request_log.py, for Prometheus; needs a token where the server asks for one
    GET metrics        the same for a monitor, which accepts plain text; for a browser the page of that name
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aim.server import assets
from aim.server.answers import Refusal, json_answer
from aim.server.request_log import MEDIA_TYPE
from aim.server.roles import READ
from aim.server.server_state import ServerState, check_right, in_thread, server_of

HTML = "text/html"
MONITORS = ("text/plain", "application/openmetrics-text")


async def healthz(request: Request) -> Response:
    """Answer `GET healthz`."""
    if not await in_thread(request, _is_readable, server_of(request)):
        raise Refusal(503, "busy", "The folder of the repositories can't be read.")
    return json_answer({"status": "ok"})


def _is_readable(server: ServerState) -> bool:
    root = server.settings.project_root
    return root.is_dir() if root is not None else any(repo.repository.backend.is_available() for repo in server.repos)


async def metrics(request: Request) -> Response:
    """Answer `GET api/metrics`."""
    server = server_of(request)
    tickers = request.app.state.tickers.values()
    full_count = sum(repo.room.lack() is not None for repo in server.repos)
    gauges = [
        ("aim_open_repositories", "Repositories that are open.", float(sum(1 for _ in server.repos))),
        (
            "aim_full_repositories",
            "Those that have no room.",
            float(full_count),
        ),
        ("aim_streams", "Pages that listen for changes.", float(sum(len(ticker.listeners) for ticker in tickers))),
        ("aim_waiting_requests", "Requests that wait for a thread, or have one.", float(server.pool.pending)),
    ]
    return Response(server.requests.text(gauges), media_type=MEDIA_TYPE)


async def metrics_or_page(request: Request) -> Response:
    """Answer `GET metrics`: a monitor with numbers, a browser with the page."""
    accepted = request.headers.get("accept", "")
    if HTML not in accepted and any(kind in accepted for kind in MONITORS):
        check_right(request, READ)
        return await metrics(request)
    if not server_of(request).settings.has_pages:
        raise Refusal(404, "not-found", "This server has no pages.")
    return await assets.page(request)
