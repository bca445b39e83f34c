"""
A reverse proxy as people put before `aim up`: it shows the pages under `/aim/`, and takes that off before it asks.

    python tests/ui/proxy.py http://127.0.0.1:43800/ 0 X-User=ada     prints its port, then serves until it is killed

The second argument is how many seconds later each answer of the interface comes, as over a slow line. The others are
headers that it sets, as a proxy does that knows people.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

METHODS = ["GET", "POST", "PUT", "DELETE"]
PREFIX = "/aim"


@contextmanager
def stripping_proxy(target: str, *, latency_s: float = 0, **headers: str) -> Iterator[str]:
    """
    Pass what comes under `/aim/` on to *target*, without that prefix; give the proxy's address.

    Args:
        headers: what it sets, `_` in a name standing for `-`.
    """
    pairs = [f"{name.replace('_', '-')}={text}" for name, text in headers.items()]
    command = [sys.executable, str(Path(__file__)), target, str(latency_s), *pairs]
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert proxy.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(proxy.stdout.readline())}{PREFIX}/"
    finally:
        proxy.kill()
        proxy.communicate()


def serve(target: str, latency_s: float, headers: dict[str, str]) -> None:
    """Be the proxy. Answers of the interface are late by *latency_s* seconds; *headers* are set in each request."""
    client = httpx.AsyncClient(base_url=target, timeout=None)

    async def forward(request: Request) -> Response:
        address = request.url.path.removeprefix(PREFIX) + (f"?{request.url.query}" if request.url.query else "")
        asked = client.build_request(request.method, address, headers=request.headers.raw, content=await request.body())
        asked.headers.update(headers)
        answer = await client.send(asked, stream=True)
        if "/api/repos/" in address:
            await asyncio.sleep(latency_s)
        made = StreamingResponse(answer.aiter_raw(), answer.status_code, background=BackgroundTask(answer.aclose))
        made.raw_headers = list(answer.headers.raw)
        return made

    app = Starlette(routes=[Route(PREFIX + "/{rest:path}", forward, methods=METHODS)])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    listener = server.config.bind_socket()
    listener.listen()  # who comes before the server runs waits
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    server.run(sockets=[listener])


if __name__ == "__main__":
    serve(sys.argv[1], float(sys.argv[2]), dict(pair.split("=", 1) for pair in sys.argv[3:]))
