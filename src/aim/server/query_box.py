"""
The query box: completions. Specified in docs/formats/wire.md, section 9.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from aim.engine.completion import complete
from aim.engine.matching import ask
from aim.server.answers import json_answer
from aim.server.bodies import QUERY_CHARS_MAX, read_body
from aim.server.open_repository import OpenRepository
from aim.server.server_state import in_thread, repo_of


async def completions(request: Request) -> Response:
    """Answer `POST …/complete`."""
    body = await read_body(request)
    text = body.text("query")
    at = body.whole("at", len(text), 0, QUERY_CHARS_MAX)
    return await in_thread(request, _completions, repo_of(request), text, min(at, len(text)))


def _completions(repo: OpenRepository, text: str, at: int) -> Response:
    completion = repo.ask(lambda table: complete(table, text, at))
    items = [{"text": item.text, "kind": item.kind, "detail": item.detail} for item in completion.items]
    return json_answer({"from": completion.start, "to": completion.end, "items": items})


async def check(request: Request) -> Response:
    """Answer `POST …/check`."""
    body = await read_body(request)
    repo_of(request)
    await in_thread(request, ask, body.query())
    return json_answer({"count": None, "search": body.search()})
