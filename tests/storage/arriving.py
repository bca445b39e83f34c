"""
Trainings on other hosts, whose requests a server receives: what they send is made here, byte by byte.
"""

from __future__ import annotations

import time
from typing import Any

from aim.storage.forms import events, journal
from aim.storage.shipping import frames as wire
from aim.storage.shipping.frames import Frame
from aim.storage.shipping.receiving import Receiver

OTHER_BOOT = "6f1d2c5e-0000-4000-8000-000000000000"
CONTEXT: dict[str, Any] = {}


class Training:
    """
    A training on another host; it ships to *receiver*.

    Args:
        number: names the run `run-<number>`.
        boot: of its host.
    """

    def __init__(self, receiver: Receiver, number: int = 0, *, boot: str | None = OTHER_BOOT) -> None:
        self.run_hash = f"run-{number}"
        self.writer = f"{number:08x}"
        self._receiver = receiver
        self._entry = {"run": self.run_hash, "writer": self.writer}
        self._requests = self._slots = self._bytes = 0
        self.boot = boot

    def begin(self) -> None:
        """Send the first lines."""
        begin = {
            "run": self.run_hash,
            "writer": self.writer,
            "host": "node7",
            "pid": 7,
            "boot": self.boot,
            "spool": True,
            "format": 1,
        }
        declared = {"sequence": 1, "name": "loss", "context": CONTEXT, "kind": "float"}
        self.send([self.lines({"begin": begin}, declared)], begin=True, alive=True)

    def lines(self, *said: dict[str, Any]) -> Frame:
        """Return the frame of further lines."""
        data = b"".join(events.encode({"at": time.time(), **line}) for line in said)
        frame = Frame(wire.EVENTS, 0, 0, self._bytes, data)
        self._bytes += len(data)
        return frame

    def points(self, count: int = 1) -> Frame:
        """Return the frame of further points."""
        first, self._slots = self._slots, self._slots + count
        records = [(float(step), step, time.time(), 0.0, 1) for step in range(first, first + count)]
        return Frame(wire.SLOTS, 0, 0, first, b"".join(journal.RECORD.pack(*record) for record in records))

    def send(self, frames: list[Frame], **marks: Any) -> str:
        """Send a request, and return what the server says of the writer; *marks* such as `alive` stand in its entry."""
        self._requests += 1
        header = {"shipper": f"{self._requests:016x}", "number": 1, "pid": 7, "host": "node7", "files": []}
        answer = self._receiver.receive(wire.encode({**header, "writers": [{**self._entry, **marks}]}, frames))
        return str(answer["writers"][0]["state"])
