"""
Serving: listen, say where, answer until told to stop, and leave nothing running.

    SIGINT, SIGTERM  ->  streams of live updates end  ->  requests are answered  ->  the trash is emptied  ->  exit

A second signal ends at once what still runs.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn

from aim.core.errors import UsageError
from aim.server.app import create_app
from aim.server.desk import Desk
from aim.server.settings import Settings

STOP_TIMEOUT_S = 5
BACKLOG = 256
ANY_HOST = frozenset({"0.0.0.0", "::", ""})


class PagesServer(uvicorn.Server):
    """uvicorn, which tells open streams to end before it waits for them."""

    def __init__(self, config: uvicorn.Config, desk: Desk) -> None:
        super().__init__(config)
        self._desk = desk

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then as uvicorn does."""
        self._desk.stopping.set()
        await super().shutdown(sockets)


def listen(settings: Settings) -> socket.socket:
    """
    Open the port.

    Raises:
        UsageError: it is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((settings.host, settings.port))
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        raise UsageError(
            f"Can't listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Is `aim up` running already? Choose another port with --port, or 0 for a free one."
        ) from None
    opened.set_inheritable(True)
    return opened


def address(settings: Settings, opened: socket.socket) -> str:
    """Give the address to open in a browser on this machine."""
    host = "127.0.0.1" if settings.host in ANY_HOST else settings.host
    port = opened.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}{settings.base_path}/"


def make_server(settings: Settings) -> PagesServer:
    """
    Make the server, which is then `run` with the sockets that `listen` opened.

    Raises:
        RepoNotFound, UnsupportedFormat: a repository can't be opened.
    """
    app, desk = create_app(settings)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_TIMEOUT_S,
        lifespan="on",
        proxy_headers=False,
    )
    return PagesServer(config, desk)


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """
    Serve until a signal says to stop.

    Args:
        ready: called with the address, once connections are taken.

    Raises:
        RepoNotFound, UnsupportedFormat: a repository can't be opened.
        UsageError: the port can't be.
    """
    server = make_server(settings)
    opened = listen(settings)
    try:
        # the kernel takes connections from here on; they are answered as soon as uvicorn runs
        ready(address(settings, opened))
        server.run(sockets=[opened])
    except KeyboardInterrupt:  # uvicorn raises the signal again when all has ended
        pass
    finally:
        opened.close()
