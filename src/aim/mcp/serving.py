"""
The tools as a server of the Model Context Protocol, by the official SDK: `pip install "aim[mcp]"`.

    stdio    a program starts `aim mcp` and speaks with it through its pipes
    HTTP     streamable HTTP at http://host:port/mcp, with a bearer token where other machines can reach it

Only this module imports the SDK.
"""

from __future__ import annotations

import functools
import hmac
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

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
Admits = Callable[[str], bool]
"""Takes the bearer token of a request and says whether it may come in."""


def make_server(door: Door, *, writes: bool) -> Any:
    """
    Return an `MCPServer` with the tools over *door*; with *writes* those that change runs too.

    Raises:
        UsageError: the SDK is not installed.
    """
    try:
        from mcp.server.mcpserver import MCPServer
        from mcp.types import ToolAnnotations
    except ImportError:
        raise UsageError('`aim mcp` needs the package mcp: pip install "aim[mcp]".') from None
    server = MCPServer("aim", instructions=INSTRUCTIONS, version=str(VERSION), log_level="WARNING")
    questions, changes = ReadingTools(door), ChangingTools(door)
    for owner, names, is_reading in ((questions, READING, True), (changes, CHANGING if writes else (), False)):
        for name in names:
            tool = getattr(owner, name)
            hints = ToolAnnotations(read_only_hint=is_reading, destructive_hint=False, open_world_hint=False)
            description = inspect.cleandoc(tool.__doc__ or "")
            server.add_tool(
                _answering(tool), name=name, description=description, annotations=hints, structured_output=False
            )
    return server


def _answering(tool: Callable[..., Any]) -> Callable[..., Any]:
    """Return the tool with its errors and images in the forms of the SDK."""
    from mcp.server.mcpserver import Image
    from mcp.server.mcpserver.exceptions import ToolError

    @functools.wraps(tool)
    def answer(*args: Any, **values: Any) -> Any:
        try:
            result = tool(*args, **values)
        except (AimError, OSError) as error:
            raise ToolError(str(error)) from error
        if isinstance(result, SeenImage):
            return [result.text, Image(data=result.png, format="png")]
        return result

    signature = inspect.signature(tool, eval_str=True)
    answer.__signature__ = signature.replace(return_annotation=inspect.Signature.empty)  # type: ignore[attr-defined]
    answer.__annotations__ = {name: each.annotation for name, each in signature.parameters.items()}
    return answer


def http_app(server: Any, host: str, admits: Admits | None) -> AsgiApp:
    """Return the server as an ASGI app; *admits* None lets everybody in."""
    app: AsgiApp = server.streamable_http_app(streamable_http_path=PATH, host=host)
    return app if admits is None else _guarded(app, admits)


def equals_token(token: str) -> Admits:
    """
    Return what admits one token only.

    >>> admits = equals_token("secret")
    >>> admits("secret"), admits("other")
    (True, False)
    """
    return lambda text: hmac.compare_digest(text.encode(), token.encode())


def _guarded(app: AsgiApp, admits: Admits) -> AsgiApp:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not admits(_bearer(scope)):
            headers = [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send(
                {"type": "http.response.body", "body": b"This server asks for a token: Authorization: Bearer ..."}
            )
            return
        await app(scope, receive, send)

    return guarded


def _bearer(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name.lower() == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            if kind.lower() == "bearer":
                return str(token.strip())
    return ""
