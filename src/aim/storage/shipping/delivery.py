"""
Runs of a folder, delivered to a receiver of the same process: what a shipper and a server say to each other, without a
network. So a run moves between a folder and a cluster by the protocol that records into them, and what is there
already is not written twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from aim.core.errors import Unavailable, UsageError
from aim.storage.disk import layout
from aim.storage.shipping import frames as wire
from aim.storage.shipping.exchange import Exchange, Marks
from aim.storage.shipping.shipment import WriterShipment

IDLE_ROUNDS_MAX = 20  # requests that change nothing, before the receiver is held to be unwilling


class DeliveryTarget(Protocol):
    """What takes requests: `receiving.Receiver`, and that of a cluster."""

    def receive(self, body: bytes) -> Mapping[str, Any]:
        """Take a request; return the answer."""

    def sync(self) -> None:
        """Make durable what was taken."""


def shipments_in(folder: Path) -> list[WriterShipment]:
    """Return a shipment for each writer of the run in *folder*; the first one carries its edits."""
    writers = sorted(path.name[:8] for path in folder.glob("*.events.jsonl"))
    shipments = [WriterShipment(folder, writer) for writer in writers]
    if shipments:
        shipments[0].carries_edits = True
    return shipments


def deliver(folder: Path, target: DeliveryTarget, said: Mapping[str, Any] | None = None) -> None:
    """
    Deliver all that the run in *folder* has by now.

    Args:
        said: what the header of each request has besides.

    Raises:
        UsageError: the receiver does not take it, and why.
        Unavailable: it takes no objects at this moment.
        OSError: a file can't be read, or written.

    Cost: reads all files of the run once; 1 us a point.
    """
    exchange, shipments = Exchange("local", said), shipments_in(folder)
    completed = [one for one in shipments if layout.complete_file(folder, one.writer).exists()]
    idle_rounds = 0
    while idle_rounds < IDLE_ROUNDS_MAX:
        request = exchange.gather(shipments, asks=True)
        if request is None:
            break
        idle_rounds = 0 if request.size_bytes else idle_rounds + 1
        verdicts = exchange.accept(target.receive(request.body))
        target.sync()
        for verdict in verdicts:
            if verdict.state == wire.CLOSED:  # its points are there, sealed
                shipments.remove(verdict.shipment)
            elif verdict.state == wire.LATER:
                raise Unavailable(f"Run {folder.name}: the bytes of its objects are not taken at this moment.")
            elif verdict.state != wire.BEHIND:
                raise UsageError(f"Run {folder.name} is not taken ({verdict.state}). {verdict.why}".rstrip())
    if completed:
        request = exchange.gather(completed, Marks(complete=completed))
        if request is not None:
            exchange.accept(target.receive(request.body))
            target.sync()
