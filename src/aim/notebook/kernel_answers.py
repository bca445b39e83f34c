"""
Answers to the requests of a frame in a notebook, by the app of `aim up` in this process.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aim.convert.exporting.wire_client import request_scope
from aim.server.app import create_app
from aim.server.assets import STATIC
from aim.server.settings import Settings

DATA = b"data: "
TICK = b"event: tick"
SOLID_SCRIPT = "solid.js"
"""What draws 3D objects: as large as all else together, so a page asks for it when it has one to draw."""


@dataclass(frozen=True)
class Answer:
    """An answer of the app."""

    status: int
    content_type: str
    content: bytes


class KernelAnswers:
    """Asks the app about the repository in the folder *root*, which it does not change, in a thread of its own."""

    def __init__(self, root: Path) -> None:
        self._app, self._state = create_app(Settings((root,), read_only=True))
        (self._repo,) = (repo.id for repo in self._state.repos)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="aim-notebook", daemon=True)
        self._thread.start()

    def ask(self, method: str, path: str, body: str, tell: Callable[[Answer], None]) -> Future[None]:
        """
        Answer a request to *path*, which is below `api/` or `SOLID_SCRIPT`, soon: *tell* is called in the thread of
        this object.
        """
        if path == SOLID_SCRIPT:
            return asyncio.run_coroutine_threadsafe(_tell_script(tell), self._loop)
        return asyncio.run_coroutine_threadsafe(self._answer(method, f"/api/{path}", body.encode(), tell), self._loop)

    def follow(self, hear: Callable[[Any], None]) -> None:
        """Call *hear* with each tick of the repository, until this object is closed."""
        address = f"/api/repos/{self._repo}/events"
        asyncio.run_coroutine_threadsafe(self._listen(address, hear), self._loop)

    def close(self) -> None:
        """End the thread, and close the repository."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._state.stopping.set)
        self._loop.call_soon_threadsafe(self._loop.call_later, 0.1, self._loop.stop)
        self._thread.join()
        self._state.pool.close()
        for repo in self._state.repos:
            repo.close()
        self._loop.close()

    async def _answer(self, method: str, address: str, body: bytes, tell: Callable[[Answer], None]) -> None:
        status, content_type, pieces = 500, "application/json", []

        async def send(message: Any) -> None:
            nonlocal status, content_type
            if message["type"] == "http.response.start":
                status = message["status"]
                content_type = dict(message["headers"]).get(b"content-type", b"").decode() or content_type
            elif message["type"] == "http.response.body":
                pieces.append(message.get("body", b""))

        await self._app(request_scope(method, address, len(body)), _receiving(body), send)
        tell(Answer(status, content_type, b"".join(pieces)))

    async def _listen(self, address: str, hear: Callable[[Any], None]) -> None:
        async def send(message: Any) -> None:
            lines = message.get("body", b"").splitlines()
            if TICK in lines:
                hear(json.loads(next(line for line in lines if line.startswith(DATA))[len(DATA) :]))

        async def receive() -> dict[str, Any]:
            await self._state.stopping.wait()
            return {"type": "http.disconnect"}

        await self._app(request_scope("GET", address, 0), receive, send)


async def _tell_script(tell: Callable[[Answer], None]) -> None:
    tell(Answer(200, "text/javascript", (STATIC / "page" / SOLID_SCRIPT).read_bytes()))


def _receiving(body: bytes) -> Callable[[], Any]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
