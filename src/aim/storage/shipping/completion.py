"""
Which writers are complete at a server although they have no end: their processes are gone.

A writer is complete when somebody who looked at its files after its process was gone has nothing to send, and all of it
is durable. What was seen before may be less than what the process has recorded in the end.
"""

from __future__ import annotations

from aim.storage.shipping.shipment import WriterShipment


class WriterCompletion:
    """
    What one shipper says of writers whose processes are gone.

    Attributes:
        pending: those that are complete, which the server is to be told.
    """

    def __init__(self) -> None:
        self.pending: set[WriterShipment] = set()
        self._told: set[WriterShipment] = set()
        self._dead: set[WriterShipment] = set()

    def look(self, shipment: WriterShipment) -> None:
        """Take note that the process of a writer is gone."""
        if shipment not in self._dead:
            self._dead.add(shipment)
            shipment.is_exhausted = False
        if shipment.is_begun and shipment not in self._told and shipment.is_complete():
            self.pending.add(shipment)

    def tell(self) -> None:
        """Note that the server was told of all that are pending."""
        self._told |= self.pending

    def settle(self, shipment: WriterShipment) -> None:
        """Note that the server was told of a writer by an earlier shipper."""
        self._told.add(shipment)

    def reopen(self, shipment: WriterShipment) -> None:
        """Note that the server has lost what it had of a writer."""
        self._told.discard(shipment)

    def is_over(self, shipment: WriterShipment) -> bool:
        """Return whether the server has all of a writer, and knows it."""
        return shipment in self._told or shipment.is_finished()
