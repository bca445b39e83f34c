"""
Receiving what trainings and `aim sync` ship. Specified in docs/formats/ship.md.

    POST .../ship   ->  a thread: check all frames, write each where it belongs   ->  the answer; no fsync is waited for
    aim-receive     once a second: fsync what was written, so that it is `durable`

What arrives at one moment is bounded: beyond that a request is refused (503) before its body is read, and the shipper
comes again. `next_in` asks shippers for a longer pause when there are many of them, or when this server is late.
"""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import Response

from aim.core.shield import shielded
from aim.server import room
from aim.server.answers import Refusal, json_answer, wrong
from aim.server.open_repository import OpenRepository, Receiving
from aim.server.receiving_threads import Answer, ReceivingThreads
from aim.server.server_state import check_writable, repo_of
from aim.storage.disk.spare_descriptors import NONE_LEFT
from aim.storage.shipping.frames import BODY_BYTES_MAX, CRC_FIELD, MalformedRequest, UnsupportedProtocol, body_crc

BYTES_TYPE = "application/octet-stream"
SYNC_INTERVAL_S = 1.0
FLIGHT_BYTES_MAX = 64 << 20
SHIPPERS_A_S = 500
PAUSE_S_MIN, PAUSE_S_MAX = 1.0, 10.0
LATE_S = 0.2  # an event loop that is later than this has too much to do
WATCH_INTERVAL_S = 0.5
SHIPPER_KEPT_S = 60.0
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Receivers:
    """The receivers of the repositories of one server, and the thread that puts on the disk what they took."""

    def __init__(self) -> None:
        self._receivers: dict[str, Receiving] = {}
        self._threads = ReceivingThreads()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._syncing: threading.Thread | None = None
        self._watching: asyncio.Task[None] | None = None
        self._flight_bytes = 0
        self._late_s = 0.0
        self._shippers: OrderedDict[str, float] = OrderedDict()

    def of(self, repo: OpenRepository) -> Receiving:
        """Return the receiver of a repository."""
        with self._lock:
            receiver = self._receivers.get(repo.id)
            if receiver is None:
                receiver = self._receivers[repo.id] = repo.receiver()
            if self._syncing is None:
                self._syncing = threading.Thread(target=self._sync, name="aim-receive", daemon=True)
                self._syncing.start()
            return receiver

    def _sync(self) -> None:
        while not self._stopping.wait(SYNC_INTERVAL_S):
            for receiver in list(self._receivers.values()):
                shielded(receiver.sync, receiver.doubt)

    async def receive(self, repo: OpenRepository, body: bytes) -> Answer:
        """Take the request in *body*. Raises Refusal."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        receiver = self.of(repo)
        try:
            answer = await self._threads.take(receiver, body)
        except UnsupportedProtocol as error:
            raise Refusal(426, "protocol", str(error)) from None
        except MalformedRequest as error:
            raise Refusal(400, "protocol", str(error)) from None
        except OSError as error:
            # many trainings have begun at once; their files are closed when they are synced
            if error.errno in NONE_LEFT:
                raise Refusal(503, "busy", "The server has no file descriptors left. Try again in a moment.") from None
            if error.errno not in FULL:
                raise
            repo.room.refuse(room.DISK)
            raise Refusal(507, "disk", f"The disk of the server is full: {error.strerror}.") from None
        repo.room.take()
        shipper = str(answer.pop("shipper"))
        return {**answer, "next_in": self.next_in_s(shipper)}

    def board(self, size_bytes: int) -> None:
        """Count the bytes of a request that arrives. Raises Refusal: (503) too many arrive at this moment."""
        if self._flight_bytes + size_bytes > FLIGHT_BYTES_MAX:
            raise Refusal(503, "busy", "The server receives too much at this moment. Try again in a moment.")
        self._flight_bytes += size_bytes

    def leave(self, size_bytes: int) -> None:
        """Count the bytes of a request no more: it is answered."""
        self._flight_bytes -= size_bytes

    def next_in_s(self, shipper: str) -> float:
        """Return the pause in seconds that a shipper is asked for."""
        moment_s = time.monotonic()
        self._shippers[shipper] = moment_s
        self._shippers.move_to_end(shipper)
        while self._shippers and next(iter(self._shippers.values())) < moment_s - SHIPPER_KEPT_S:
            self._shippers.popitem(last=False)
        pause_s = max(PAUSE_S_MIN, len(self._shippers) / SHIPPERS_A_S)
        return round(min(PAUSE_S_MAX, pause_s * (1 + self._late_s / LATE_S if self._late_s > LATE_S else 1)), 2)

    async def _watch(self) -> None:
        while True:
            before_s = time.monotonic()
            await asyncio.sleep(WATCH_INTERVAL_S)
            self._late_s = time.monotonic() - before_s - WATCH_INTERVAL_S

    def close(self) -> None:
        """Put all that was received on the disk, and end the threads."""
        self._stopping.set()
        if self._watching is not None:
            self._watching.cancel()
        self._threads.close()
        if self._syncing is not None:
            self._syncing.join()
        for receiver in self._receivers.values():
            shielded(receiver.close, receiver.doubt)


async def ship(request: Request) -> Response:
    """Answer `POST …/ship`."""
    check_writable(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != BYTES_TYPE:
        raise Refusal(415, "request", f"The body has to be {BYTES_TYPE}.")
    size_text = request.headers.get("content-length", "")
    if not size_text.isdigit():
        raise wrong("The request has to say its length.")
    size_bytes = int(size_text)
    if size_bytes > BODY_BYTES_MAX:
        raise Refusal(413, "request", f"The body is over {BODY_BYTES_MAX:,} bytes.")
    receivers: Receivers = request.app.state.receivers
    receivers.board(size_bytes)
    try:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > size_bytes:
                raise wrong("The body is longer than it says.")
        content = bytes(body)
        if request.headers.get(CRC_FIELD, body_crc(content)) != body_crc(content):
            raise Refusal(400, "protocol", "The request was damaged on the way.")
        return json_answer(await receivers.receive(repo_of(request), content))
    finally:
        receivers.leave(size_bytes)
