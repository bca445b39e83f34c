"""
A proxy between trainings and a server that does what networks and proxies do at their worst: of ten requests two are
repeated, two come late, after others, two are cut short or lose their answer, one is slow, and one is damaged.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

TEN = ("repeat", "repeat", "late", "late", "cut", "answer cut", "damage", "slow", "pass", "pass")
SLOW_S_MAX = 0.5
LATE_MAX = 5  # how many requests may be on their way for long
DROPPED = frozenset({"connection", "host", "transfer-encoding", "content-length", "keep-alive"})


class Relayed(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answered(NamedTuple):
    """An answer as the server gave it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Proxy:
    """
    Relays to the server on *port* of this machine.

    Attributes:
        counts: what was done to how many requests.
        is_calm: do no harm.
        port: of the proxy.

    Args:
        fates: what becomes of requests, each as often as it is named.
    """

    def __init__(self, port: int, seed: int, fates: Sequence[str] = TEN) -> None:
        self.counts: Counter[str] = Counter()
        self.is_calm = False
        self._server_port = port
        self._chance = random.Random(seed)
        self._kinds = fates
        self._fates: list[str] = []
        self._late: list[Relayed] = []
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            """Reads one request after the other from a client."""

            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Relay a request."""
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy.relay(Relayed(self.command, self.path, dict(self.headers.items()), body), self)

            do_GET = do_POST

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._listening.daemon_threads = True
        self.port = self._listening.server_address[1]
        threading.Thread(target=self._listening.serve_forever, name="proxy", daemon=True).start()

    def relay(self, request: Relayed, client: BaseHTTPRequestHandler) -> None:
        """Do with a request what its fate is, and answer the client, or cut its connection."""
        fate = self._next_fate()
        answer = None
        try:
            answer = self._meet(fate, request)
        except (OSError, http.client.HTTPException):  # the server is away
            pass
        if answer is None:
            client.close_connection = True
            return
        client.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in DROPPED:
                client.send_header(name, value)
        client.send_header("Content-Length", str(len(answer.body)))
        client.end_headers()
        is_cut = fate == "answer cut"
        client.wfile.write(answer.body[: len(answer.body) // 2] if is_cut else answer.body)
        client.close_connection = is_cut or client.close_connection

    def _next_fate(self) -> str:
        with self._lock:
            if not self._fates:
                self._fates = self._chance.sample(self._kinds, len(self._kinds))
            fate = "pass" if self.is_calm else self._fates.pop()
            self.counts[fate] += 1
            return fate

    def _meet(self, fate: str, request: Relayed) -> Answered | None:
        """Return the answer to a request; None: the client is to get none."""
        if fate == "late":
            with self._lock:
                self._late.append(request)
                overdue = self._late.pop(0) if len(self._late) > LATE_MAX else None
            if overdue is not None:
                self._ask(overdue)
            return None
        if fate == "cut":
            self._send_part(request)
            return None
        if fate == "damage" and request.path.endswith("/ship"):
            at = self._chance.randrange(len(request.body))
            damaged = bytes([request.body[at] ^ 1])
            return self._ask(request._replace(body=request.body[:at] + damaged + request.body[at + 1 :]))
        if fate == "slow":
            time.sleep(self._chance.random() * SLOW_S_MAX)
        if fate == "repeat":
            self._ask(request)
        return self._ask(request)

    def _ask(self, request: Relayed) -> Answered:
        connection = http.client.HTTPConnection("127.0.0.1", self._server_port, timeout=60)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in DROPPED}
            connection.request(request.method, request.path, request.body or None, headers)
            answer = connection.getresponse()
            return Answered(answer.status, dict(answer.headers.items()), answer.read())
        finally:
            connection.close()

    def _send_part(self, request: Relayed) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server_port, timeout=60)
        try:
            connection.putrequest(request.method, request.path)
            for name, value in request.headers.items():
                if name.lower() not in DROPPED:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body[: len(request.body) // 2])
        finally:
            connection.close()

    def deliver_late(self) -> int:
        """Send on all requests that are late by now; return how many."""
        with self._lock:
            late, self._late = self._late, []
        self._chance.shuffle(late)
        for request in late:
            self._ask(request)
        return len(late)

    def close(self) -> None:
        """Listen no more."""
        self._listening.shutdown()
        self._listening.server_close()
