"""
A reverse proxy as people put before `aim up`: it shows the pages under `/aim/`, and takes that off before it asks.

    python tests/ui/proxy.py http://127.0.0.1:43800/        prints its port, then serves until it is killed
"""

from __future__ import annotations

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
def stripping_proxy(target: str) -> Iterator[str]:
    """Pass what comes under `/aim/` on to *target*, without that prefix; give the proxy's address."""
    proxy = subprocess.Popen([sys.executable, str(Path(__file__)), target], stdout=subprocess.PIPE, text=True)
    assert proxy.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(proxy.stdout.readline())}{PREFIX}/"
    finally:
        proxy.kill()
        proxy.communicate()


def serve(target: str) -> None:
    """Be the proxy."""
    client = httpx.AsyncClient(base_url=target, timeout=None)

    async def forward(request: Request) -> Response:
        address = request.url.path.removeprefix(PREFIX) + (f"?{request.url.query}" if request.url.query else "")
        asked = client.build_request(request.method, address, headers=request.headers.raw, content=await request.body())
        answer = await client.send(asked, stream=True)
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
    serve(sys.argv[1])
