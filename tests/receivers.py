"""
Who receives alerts: a real HTTP server and a real mail server, on ports of this machine, that keep what comes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from tests.ports import own_port


class Receiver:
    """
    An HTTP server that keeps what is posted.

    Attributes:
        posts: the bodies, which are JSON, in their order.
        headers: of each of them.
        status: what it answers; with another one than 200 it keeps nothing.
    """

    def __init__(self, port: int = 0) -> None:
        self.posts: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.status == 200:
                    receiver.headers.append(dict(self.headers.items()))
                    receiver.posts.append(json.loads(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def url(self, path: str = "/hook") -> str:
        """Return the address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self) -> None:
        """End the server."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@contextmanager
def mail_box(port: int = 0, **options: Any) -> Iterator[tuple[int, list[Any]]]:
    """
    Within a `with` block: a mail server. Yields its port, and the mails that came.

    Args:
        options: of `aiosmtpd.controller.Controller`, such as `authenticator`.
    """
    mails: list[Any] = []

    class Box(Message):
        def handle_message(self, message: Any) -> None:
            mails.append(message)

    controller = Controller(Box(), hostname="127.0.0.1", port=port or own_port(), **options)
    controller.start()
    try:
        yield controller.port, mails
    finally:
        controller.stop()
