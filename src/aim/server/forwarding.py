"""
Several processes that answer on one port: which requests another one has to answer, and how they get there.

    the first process     answers everything; alone it records, changes, signs in, streams what changes
    reading processes     answer what only reads; hand the other requests to the first one over a private Unix socket

No lock is shared: each process asks the folder, as every reader does, and sees a change with the next request. What a
process remembers for itself stays with the first one: what can be undone, how far a training has shipped, who is about
to sign in, and the states that live pages name. So a request that names a state goes there too, and gets what is new.

Whoever hands a request on adds a secret that only these processes know, and the address that the request came from.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import h11
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aim.server.access import peer_of
from aim.server.answers import Refusal
from aim.server.boundary import error_answer
from aim.server.roles import NEEDED, READ, REPOSITORY

SECRET_HEADER, PEER_HEADER, SCHEME_HEADER = b"x-aim-inside", b"x-aim-peer", b"x-forwarded-proto"
HOP_HEADERS = frozenset({b"connection", b"keep-alive", b"upgrade", b"te", b"trailer"})
OWN_HEADERS = frozenset({b"connection", b"transfer-encoding", b"date", b"keep-alive"})
READ_BYTES = 1 << 18
NAMED_STATE = re.compile(rb'"since"\s*:\s*"')
SERIES = "series"
READING_POSTS = frozenset(
    path.rpartition("/")[2]
    for method, _, path in (name.partition(" ") for name, right in NEEDED.items() if right == READ)
    if method == "POST" and path.startswith(REPOSITORY)
)
"""The last parts of the addresses below a repository that are asked by POST and only read."""
HELD = re.compile(r"/api/repos/[^/]+/(edits|events|alerting)(/|$)|/api/(oidc|tokens|metrics)(/|$)|/metrics$")
"""The addresses that the first process answers alone, although they are asked by GET."""


@dataclass(frozen=True)
class Inside:
    """
    How the processes of one server know each other.

    Attributes:
        path: of the Unix socket at which the first process takes what others hand on.
        secret: what such a request carries.
    """

    path: Path
    secret: bytes = field(default_factory=lambda: secrets.token_hex(32).encode(), repr=False)


class FromInside:
    """The app of the first process: a request that was handed on counts as sent by its browser."""

    def __init__(self, app: ASGIApp, inside: Inside) -> None:
        self._app = app
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            headers = dict(scope["headers"])
            carried = headers.get(SECRET_HEADER)
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in _INSIDE_HEADERS]}
            if carried is not None and hmac.compare_digest(carried, self._inside.secret):
                peer = headers.get(PEER_HEADER, b"").decode("latin-1")
                scope["client"] = (peer, 0) if peer else None
                receive, send = _answered_last(receive, send)
        await self._app(scope, receive, send)


def _answered_last(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Return both so that the answer waits for the end of the body: else a Unix socket is closed without the answer."""
    is_read = False

    async def receive_noted() -> Message:
        nonlocal is_read
        message = await receive()
        is_read = is_read or not message.get("more_body", False)
        return message

    async def send_later(message: Message) -> None:
        while not is_read:
            await receive_noted()
        await send(message)

    return receive_noted, send_later


_INSIDE_HEADERS = frozenset({SECRET_HEADER, PEER_HEADER})


class Forwarding:
    """The app of a reading process: answers what reads, and hands on the rest."""

    def __init__(self, app: ASGIApp, inside: Inside, base_path: str) -> None:
        self._app = app
        self._inside = inside
        self._base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(self._base_path)
        if is_held(scope["method"], path):
            await self._forward(scope, receive, send)
        elif path.endswith(f"/{SERIES}") and scope["method"] == "POST":
            messages = await _whole(receive)
            names_state = NAMED_STATE.search(b"".join(message.get("body", b"") for message in messages))
            again = _again(messages, receive)
            await (self._forward if names_state else self._app)(scope, again, send)
        else:
            await self._app(scope, receive, send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._inside.path))
        except OSError:
            refusal = Refusal(503, "busy", "The first process of this server is about to start or to end. Try again.")
            await error_answer(refusal)(scope, receive, send)
            return
        try:
            await _exchange(reader, writer, self._head(scope), receive, send)
        except ClientDisconnect:  # nobody waits for an answer
            pass
        finally:
            writer.close()

    def _head(self, scope: Scope) -> h11.Request:
        target = scope.get("raw_path") or scope["path"].encode()
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        headers = [pair for pair in scope["headers"] if pair[0] not in HOP_HEADERS | _INSIDE_HEADERS]
        if scope["scheme"] == "https" and SCHEME_HEADER not in dict(headers):
            headers.append((SCHEME_HEADER, b"https"))
        headers += [(b"connection", b"close"), (SECRET_HEADER, self._inside.secret)]
        headers.append((PEER_HEADER, peer_of(scope).encode("latin-1", "replace")))
        return h11.Request(method=scope["method"], target=target, headers=headers)


def is_held(method: str, path: str) -> bool:
    """
    Return whether the first process alone answers a request.

    >>> is_held("POST", "/api/repos/runs/series"), is_held("POST", "/api/repos/runs/ship")
    (False, True)
    >>> is_held("GET", "/api/repos/runs/events"), is_held("GET", "/runs")
    (True, False)
    """
    if method in ("GET", "HEAD"):
        return HELD.match(path) is not None
    return not (method == "POST" and path.startswith("/api/repos/") and path.rpartition("/")[2] in READING_POSTS)


async def _whole(receive: Receive) -> list[Message]:
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _again(messages: Iterable[Message], receive: Receive) -> Receive:
    pending = iter(messages)

    async def next_message() -> Message:
        message = next(pending, None)
        return await receive() if message is None else message

    return next_message


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: h11.Request, receive: Receive, send: Send
) -> None:
    """Send a request, and hand on its answer while it comes; end when whoever asked is gone."""
    connection = h11.Connection(h11.CLIENT)
    writer.write(connection.send(head) or b"")
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if message.get("body"):
            writer.write(connection.send(h11.Data(message["body"])) or b"")
        more = message.get("more_body", False)
        await writer.drain()
    writer.write(connection.send(h11.EndOfMessage()) or b"")
    answering = asyncio.create_task(_answer(connection, reader, send))
    leaving = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if answering.done():
            answering.result()
    finally:
        for task in (answering, leaving):
            task.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader, send: Send) -> None:
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(READ_BYTES))
        elif isinstance(event, h11.Response):
            headers = [(name, value) for name, value in event.headers if name not in OWN_HEADERS]
            await send({"type": "http.response.start", "status": event.status_code, "headers": headers})
        elif isinstance(event, h11.Data):
            await send({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
        else:
            await send({"type": "http.response.body", "body": b""})
            return
