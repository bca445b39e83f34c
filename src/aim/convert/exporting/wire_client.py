"""
Answers of the server without a server: the app of `aim up` is asked in this process, no port is opened.

An archive of pages so holds what docs/formats/wire.md says, and nothing that only a server could know.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, cast
from urllib.parse import unquote

from aim.core.errors import AimError, NotFound
from aim.server.app import create_app
from aim.server.settings import Settings

HOST = (b"host", b"127.0.0.1")


class RefusedAnswer(AimError):
    """The app refused a request of an export."""


class WireClient:
    """
    Asks the pages' interface of the repository in the folder *root*; a context manager, which frees its threads.

    >>> import tempfile
    >>> from aim.engine.opening import open_door
    >>> folder = tempfile.mkdtemp()
    >>> door = open_door(folder, create=True)
    >>> with WireClient(Path(folder)) as client:
    ...     client.info()["repos"][0]["runs"]
    0
    """

    def __init__(self, root: Path) -> None:
        self._app, self._state = create_app(Settings((root,), read_only=True))
        # in a thread of its own: a notebook has an event loop already, and a thread can't have two
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="aim-export", daemon=True)
        self._thread.start()
        (self._repo,) = (repo.id for repo in self._state.repos)

    def __enter__(self) -> WireClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._state.pool.close()
        for repo in self._state.repos:
            repo.close()
        self._loop.close()

    def info(self) -> dict[str, Any]:
        """Return the answer to `GET api/info`."""
        return cast("dict[str, Any]", json.loads(self._ask("GET", "/api/info", b"")))

    def get(self, path: str) -> Any:
        """Return the JSON at *path* in the repository. Raises NotFound, RefusedAnswer."""
        return json.loads(self.content(path))

    def content(self, path: str) -> bytes:
        """Return the bytes at *path* in the repository. Raises NotFound, RefusedAnswer."""
        return self._ask("GET", f"/api/repos/{self._repo}/{path}", b"")

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON that answers *body*. Raises NotFound, RefusedAnswer."""
        return json.loads(self._ask("POST", f"/api/repos/{self._repo}/{path}", json.dumps(body).encode()))

    def _ask(self, method: str, address: str, body: bytes) -> bytes:
        status, content = asyncio.run_coroutine_threadsafe(self._answer(method, address, body), self._loop).result()
        if status == 404:
            raise NotFound(f"{address} is gone.")
        if status >= 400:
            raise RefusedAnswer(f"{address} was refused ({status}): {content[:300].decode('utf-8', 'replace')}")
        return content

    async def _answer(self, method: str, address: str, body: bytes) -> tuple[int, bytes]:
        status, pieces = 500, []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                pieces.append(message.get("body", b""))

        await self._app(request_scope(method, address, len(body)), receive, send)
        return status, b"".join(pieces)


def request_scope(method: str, address: str, body_bytes: int) -> dict[str, Any]:
    """Return what ASGI tells an app of a request with a JSON body that comes from this process."""
    path, _, query = address.partition("?")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [HOST, (b"content-type", b"application/json"), (b"content-length", str(body_bytes).encode())],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
