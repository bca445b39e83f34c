"""
One step after the other, what is new in a folder of runs goes to its server: requests, answers, and what they ask for.

    SpoolShipping.step()    one request, if there is something to say; returns what came of it

No threads here (engine/shipping.py has them), and no pauses. Standard library only: trainings ship.
"""

from __future__ import annotations

import enum
import logging
import math
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aim.core.errors import AimError, InsecureAddress, ServerRefused, ServerUnreachable, UsageError
from aim.core.words import counted
from aim.storage.shipping import frames as wire
from aim.storage.shipping.exchange import Exchange, Marks, SentRequest, Verdict
from aim.storage.shipping.shipments import Shipments
from aim.storage.shipping.spool import ShippedFolder

if TYPE_CHECKING:
    from aim.engine.remote.connection import ServerConnection

HEARTBEAT_S = 15.0
BLOBS_AGAIN_S = 30.0
REFUSED_AGAIN_S = 60.0
FAILURE_SAID_S = 60.0  # a failure is said once in such a time
HINTS_S = 5.0
ANSWER_S = 30.0
AT_ONCE_BYTES = 1 << 20  # after a request of this size the next one is sent at once
BYTES_TYPE = "application/octet-stream"
ALL_THERE = "Nothing is lost."
DELETED = (
    "Aim: run %s was deleted at %s. What was not sent stays in %s for 7 days; `aim sync --again %s` sends it after all."
)

log = logging.getLogger("aim")


class Outcome(enum.Enum):
    """What came of a step."""

    IDLE = enum.auto()  # nothing was to be said
    SENT = enum.auto()  # the server took it
    MORE = enum.auto()  # likewise, and there is more to be sent at once
    FAILED = enum.auto()  # no answer, or a refusal: try again later


class SpoolShipping:
    """
    Ships *shipments*, of *source*, through *connection*.

    Attributes:
        failure: why the last step failed, for people; empty: it did not.
        retry_after_s: when the server wishes to be asked again after a failure; None: it did not say.
        moved_bytes: how many bytes the server has taken so far.
        tells_failures: whether a failure is logged as soon as it is there; else `failure` alone says it.
        told_failure: the last one that was logged.

    Args:
        stop_recording: called with a writer whose run was deleted at the server for good.
    """

    def __init__(
        self,
        source: ShippedFolder,
        connection: ServerConnection,
        shipments: Shipments,
        stop_recording: Callable[[str], object] | None = None,
    ) -> None:
        self.shipments = shipments
        self.failure = ""
        self.retry_after_s: float | None = None
        self.moved_bytes = 0
        self.tells_failures = True
        self.told_failure = ""
        self._source = source
        self._connection = connection
        self._stop_recording = stop_recording
        self._exchange = Exchange(socket.gethostname())
        self._beat_at_s = -HEARTBEAT_S
        self._noted_at_s = self._blobs_at_s = time.monotonic()
        self._failed_at_s = -FAILURE_SAID_S
        self._said: set[str] = set()

    @property
    def next_in_s(self) -> float:
        """The pause that the server wishes for."""
        return self._exchange.next_in_s

    def step(self) -> Outcome:
        """Send one request, if there is something to say."""
        moment_s = time.monotonic()
        is_beat = moment_s - self._beat_at_s >= HEARTBEAT_S
        request = self._gather(moment_s, is_beat=is_beat)
        if request is None:
            return Outcome.IDLE
        verdicts = self._send(request)
        if verdicts is None:
            return Outcome.FAILED
        if is_beat:
            self._beat_at_s = moment_s
        self.moved_bytes += request.size_bytes
        self.shipments.completion.tell()
        for verdict in verdicts:
            self._act_on(verdict)
        if moment_s - self._noted_at_s >= HINTS_S:
            self._noted_at_s = moment_s
            self.shipments.write_hints()
        return Outcome.MORE if request.size_bytes >= AT_ONCE_BYTES else Outcome.SENT

    def _gather(self, moment_s: float, *, is_beat: bool) -> SentRequest | None:
        ready = self.shipments.ready()
        if moment_s - self._blobs_at_s >= BLOBS_AGAIN_S:
            self._blobs_at_s = moment_s
            for shipment in ready:
                shipment.takes_blobs = True
        marks = Marks(self.shipments.alive if is_beat else (), self.shipments.completion.pending, self.shipments.again)
        try:
            return self._exchange.gather(ready, marks, asks=True)
        except FileNotFoundError:  # a run was removed here meanwhile
            self.shipments.drop_missing()
            return None

    def _send(self, request: SentRequest) -> list[Verdict] | None:
        """Send a request; return what the server says of writers that are not well, None when it takes nothing."""
        try:
            path = self._connection.path("ship")
            headers = {wire.CRC_FIELD: wire.body_crc(request.body)}
            options = {"content_type": BYTES_TYPE, "headers": headers, "tries": 1, "answer_s": ANSWER_S}
            answer = self._connection.ask("POST", path, request.body, **options).json()
            verdicts = self._exchange.accept(answer)
        except (ServerUnreachable, ServerRefused, InsecureAddress, UsageError, ValueError, OSError) as error:
            self._exchange.fail()
            self.retry_after_s = getattr(error, "retry_after_s", None)
            self._fail(error)
            return None
        if "failure" in self._said:
            log.warning("Aim: %s takes runs again; what waited here is sent.", self._source.address)
            self._said.discard("failure")
        self.failure = ""
        return verdicts

    def _fail(self, error: Exception) -> None:
        self.failure = str(error) if isinstance(error, AimError) else f"{self._source.address}: {error}"
        moment_s = time.monotonic()
        if not self.tells_failures or moment_s - self._failed_at_s < FAILURE_SAID_S or self.has_all():
            return  # a network that comes and goes, or nothing that is to be sent
        self._failed_at_s = moment_s
        if "failure" not in self._said:
            self.told_failure = self.failure
        self._say(
            "failure",
            "Aim can't send runs. %s They are kept in %s, and are sent later; `aim sync` sends them too.",
            self.failure if self.failure.endswith(".") else f"{self.failure}.",
            self._source.runs.parent,
        )

    def has_all(self) -> bool:
        """Return whether the server has confirmed everything, and nothing records any more."""
        return not self.shipments.alive and not self.shipments.left()[0]

    def _say(self, key: str, text: str, *values: object) -> None:
        if key not in self._said:
            self._said.add(key)
            log.warning(text, *values)

    # what the server says of writers

    def _act_on(self, verdict: Verdict) -> None:
        shipment = verdict.shipment
        run_hash = shipment.run_hash
        if verdict.state == wire.GONE:
            self._exchange.forget(shipment)
            if self.shipments.lose(shipment):
                kept_in = self._source.runs.parent
                self._say(f"gone {run_hash}", DELETED, run_hash, self._source.address, kept_in, run_hash)
                self.shipments.write_hints()
                if self._stop_recording is not None:
                    self._stop_recording(shipment.writer)
        elif verdict.state in (wire.CLOSED, wire.DIFFERS):
            self._exchange.forget(shipment)
            self.shipments.rename(shipment)
        elif verdict.state == wire.REFUSED:
            self.shipments.pause(shipment, REFUSED_AGAIN_S)
            text = "Aim: %s does not take run %s: %s It is kept in %s."
            why = verdict.why or "it does not say why."
            self._say(f"refused {run_hash}", text, self._source.address, run_hash, why, shipment.folder)
        elif verdict.state == wire.LATER:
            self._blobs_at_s = time.monotonic()
        elif verdict.state == wire.BEHIND:
            self.shipments.completion.reopen(shipment)
            text = (
                "Aim: %s has lost a part of run %s that it had confirmed, as after a restore of a backup. All that is "
                "still in %s is sent again. %s"
            )
            lost = verdict.why and f"{verdict.why} are not there any more: `aim fsck` on the server names the holes."
            key = f"behind {run_hash} {shipment.writer}"
            self._say(key, text, self._source.address, run_hash, shipment.folder, lost or ALL_THERE)

    def sweep(self) -> None:
        """Remove what a spool need not keep any more."""
        self.shipments.write_hints()
        for shipment in self.shipments.sweep():
            self._exchange.forget(shipment)


def left_text(runs: int, left_bytes: int) -> str:
    """
    Return what is left, for people.

    >>> left_text(2, 3_500_000)
    '2 runs (3.5 MB)'
    >>> left_text(1, 40)
    '1 run (0.1 kB)'
    """
    size = f"{left_bytes / 1e6:.1f} MB" if left_bytes >= 1e6 else f"{math.ceil(left_bytes / 100) / 10:.1f} kB"
    return f"{counted(runs, 'run')} ({size})"
