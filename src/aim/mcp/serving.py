"""
The tools as a server of the Model Context Protocol, by the official SDK: `pip install "aim[mcp]"`.

    stdio    a program starts `aim mcp` and speaks with it through its pipes
    HTTP     streamable HTTP at http://host:port/mcp, with a bearer token where other machines can reach it

Over HTTP each request is a `Requester`: its token says which repository it asks, and whether it may change runs, also
where a session was begun with another token. A tool that changes runs needs that and `--write`.

Only this module imports the SDK.
"""

from __future__ import annotations

import functools
import hmac
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from aim.__about__ import VERSION
from aim.core.errors import AimError, UsageError
from aim.engine.door import Door
from aim.mcp.changes import ChangingTools
from aim.mcp.questions import ReadingTools, SeenImage

INSTRUCTIONS = """\
Runs of machine learning trainings, recorded by Aim. Begin with runs_digest. A query is Python-like:
run.experiment == "digits" and run.hparams.lr > 0.01 and run.status == "failed";
metric.name == "loss" and metric.context.subset == "val" and metric.last < 0.3.
A run is named by its hash, the beginning of its hash, or its name."""
READING = (
    "runs_digest",
    "list_runs",
    "best_runs",
    "compare_runs",
    "list_metrics",
    "read_curve",
    "search_logs",
    "look_at_image",
    "explain_query",
)
CHANGING = ("tag_run", "note_run", "archive_run")
PATH = "/mcp"

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Requester(NamedTuple):
    """Who sent a request: the repository as they may see it, and whether they may change its runs."""

    door: Door
    may_change: bool


Requesters = Callable[[str], "Requester | None"]
"""Takes the bearer token of a request, empty without one, and returns the caller; None: the request is refused."""


def make_server(door: Door, *, writes: bool, callers: Requesters | None = None) -> Any:
    """
    Return an `MCPServer` with the tools over *door*; with *writes* those that change runs too.

    Args:
        callers: who sent a request over HTTP; None: all may do what the server can.

    Raises:
        UsageError: the SDK is not installed.
    """
    try:
        from mcp.server.mcpserver import MCPServer
        from mcp.types import ToolAnnotations
    except ImportError:
        raise UsageError('`aim mcp` needs the package mcp: pip install "aim[mcp]".') from None
    server = MCPServer("aim", instructions=INSTRUCTIONS, version=str(VERSION), log_level="WARNING")
    whole = Requester(door, may_change=True)

    def caller_of(headers: Mapping[str, str] | None) -> Requester | None:
        return whole if callers is None or headers is None else callers(bearer(headers.get("authorization", "")))

    for kind, names, is_reading in ((ReadingTools, READING, True), (ChangingTools, CHANGING if writes else (), False)):
        for name in names:
            tool = getattr(kind, name)
            hints = ToolAnnotations(read_only_hint=is_reading, destructive_hint=False, open_world_hint=False)
            description = inspect.cleandoc(tool.__doc__ or "")
            answer = _answering(kind, tool, caller_of)
            server.add_tool(answer, name=name, description=description, annotations=hints, structured_output=False)
    return server


def _answering(
    kind: type[ReadingTools | ChangingTools],
    tool: Callable[..., Any],
    caller_of: Callable[[Mapping[str, str] | None], Requester | None],
) -> Callable[..., Any]:
    """Return a method of *kind* as a function that asks for its caller, with errors and images in forms of the SDK."""
    from mcp.server.mcpserver import Context, Image
    from mcp.server.mcpserver.exceptions import ToolError

    @functools.wraps(tool)
    def answer(*, context: Context, **values: Any) -> Any:
        caller = caller_of(context.headers)
        if caller is None or (kind is ChangingTools and not caller.may_change):
            raise ToolError("The token of this request may read, and not change runs: a writer's or an editor's may.")
        try:
            result = tool(kind(caller.door), **values)
        except (AimError, OSError) as error:
            raise ToolError(str(error)) from error
        if isinstance(result, SeenImage):
            return [result.text, Image(data=result.png, format="png")]
        return result

    asked = list(inspect.signature(tool, eval_str=True).parameters.values())[1:]  # without self
    context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=Context)
    answer.__signature__ = inspect.Signature([*asked, context])  # type: ignore[attr-defined]
    answer.__annotations__ = {each.name: each.annotation for each in (*asked, context)}
    return answer


def http_app(server: Any, host: str, callers: Requesters | None) -> AsgiApp:
    """Return the server as an ASGI app; *callers* None lets everybody in."""
    app: AsgiApp = server.streamable_http_app(streamable_http_path=PATH, host=host)
    return app if callers is None else _guarded(app, callers)


def one_caller(door: Door, token: str) -> Requesters:
    """
    Return what lets in one token only, for everything.

    >>> callers = one_caller(None, "secret")
    >>> callers("secret"), callers("other")
    (Requester(door=None, may_change=True), None)
    """
    caller = Requester(door, may_change=True)
    return lambda text: caller if hmac.compare_digest(text.encode(), token.encode()) else None


def bearer(header: str) -> str:
    """
    Return the token of a header `Authorization`; empty without one.

    >>> bearer("Bearer abc"), bearer("Basic abc")
    ('abc', '')
    """
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _guarded(app: AsgiApp, callers: Requesters) -> AsgiApp:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and callers(bearer(_authorization(scope))) is None:
            headers = [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send(
                {"type": "http.response.body", "body": b"This server asks for a token: Authorization: Bearer ..."}
            )
            return
        await app(scope, receive, send)

    return guarded


def _authorization(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"authorization"), "")
