"""
A program at the other end of a connection that does what a test says: it answers badly, closes, or leads elsewhere.

It is no double of the server of Aim: it plays proxies, other programs and broken networks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Asked(NamedTuple):
    """
    A request as the peer has read it; *peer_port* tells its socket from others.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer_port: int


class Told(NamedTuple):
    """
    What the peer answers. *length*: what it says of the body's length. *closes*: it then closes the connection.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = {}
    length: int | None = None
    closes: bool = False


Answering = Callable[[Asked], Told | None]
"""Returns the answer; None: the connection is closed without one."""


class Peer(ThreadingHTTPServer):
    """
    Listens on a free port of this machine, and keeps what it was asked.
    """

    daemon_threads = True

    def __init__(self, answering: Answering) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answering = answering
        self.asked: list[Asked] = []

    @property
    def address(self) -> str:
        """The address under which it is asked."""
        return f"http://127.0.0.1:{self.server_address[1]}/demo"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Peer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, self.path, dict(self.headers.items()), body, self.client_address[1])
        self.server.asked.append(asked)
        told = self.server.answering(asked)
        if told is None:
            self.close_connection = True
            return
        self.send_response(told.status)
        self.send_header("Content-Length", str(len(told.body) if told.length is None else told.length))
        for name, value in told.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told.body)
        if told.closes:
            self.close_connection = True


@contextmanager
def peer(answering: Answering) -> Iterator[Peer]:
    """Run a peer within a `with` block."""
    server = Peer(answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
