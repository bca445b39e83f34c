"""
A spool and a server in one process: the requests of an exchange go to a receiver, with what a network does to them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aim.storage.disk import layout
from aim.storage.forms import journal
from aim.storage.shipping import frames as wire
from aim.storage.shipping.delivery import shipments_in
from aim.storage.shipping.exchange import Exchange, Marks, Verdict
from aim.storage.shipping.receiving import Receiver
from aim.storage.shipping.shipment import WriterShipment
from aim.storage.store import Store

ROUNDS_MAX = 300
PASSING = (wire.BEHIND, wire.LATER)  # after these a shipper goes on


class Wire:
    """
    One shipper and one server.

    Attributes:
        receiver: the server; another one in its place is a restart.
        bodies: all requests so far, for a network that repeats them.
    """

    def __init__(self, store: Store, **options: Any) -> None:
        self.store = store
        self.receiver = Receiver(store, **options)
        self.exchange = Exchange("node7")
        self.bodies: list[bytes] = []

    def send(self, shipments: Sequence[WriterShipment], budget_bytes: int = 1 << 22, **marks: Any) -> list[Verdict]:
        """Send one request, and return what the server says of writers that are not well."""
        request = self.exchange.gather(shipments, Marks(**marks), budget_bytes=budget_bytes)
        if request is None:
            return []
        self.bodies.append(request.body)
        return self.exchange.accept(self.receiver.receive(request.body))

    def ship(self, shipments: Sequence[WriterShipment], **marks: Any) -> list[Verdict]:
        """Send until all is durable; return all that the server said."""
        verdicts: list[Verdict] = []
        living = list(shipments)
        for _ in range(ROUNDS_MAX):
            if self.exchange.gather(living, Marks(**marks)) is None and all(one.is_complete() for one in living):
                return verdicts
            self.exchange.fail()
            verdicts += [one for one in self.send(living, **marks) if one.state not in PASSING]
            living = [one for one in living if one not in {verdict.shipment for verdict in verdicts}]
            self.receiver.sync()
            self.send(living, alive=living)
        raise AssertionError("not everything was shipped")

    def restart(self) -> None:
        """Put another process in the place of the server."""
        self.receiver.close()
        self.receiver = Receiver(self.store)

    def repeat(self, chance: random.Random) -> None:
        """Deliver an earlier request once more, as a proxy may do."""
        if self.bodies:
            self.receiver.receive(chance.choice(self.bodies))


def shipments_of(store: Store) -> list[WriterShipment]:
    """Return a shipment for each writer in *store*."""
    return [one for run_hash in sorted(store.run_hashes()) for one in shipments_in(store.run_folder(run_hash))]


def recorded_bytes(store: Store) -> dict[str, bytes]:
    """Return what the files of the writers of all runs hold; see `run_bytes`."""
    return {
        f"{run_hash}/{name}": content
        for run_hash in store.run_hashes()
        for name, content in run_bytes(store.run_folder(run_hash)).items()
    }


def run_bytes(folder: Path) -> dict[str, bytes]:
    """
    Return what the files of the writers of a run hold: whole lines, and filled slots by their numbers; and edits.

    Whatever follows the last line, the empty slots, CRCs and directories of blob files are left out.
    """
    contents: dict[str, bytes] = {}
    for path in folder.iterdir():
        name = layout.WRITER_FILE.fullmatch(path.name)
        data = path.read_bytes() if name else b""
        if name and name[2] == "events.jsonl":
            contents[path.name] = data[: data.rfind(b"\n") + 1]
        elif name and name[3]:
            contents[path.name] = data[journal.PAGE_BYTES :]
        elif layout.EDIT_FILE.fullmatch(path.name):
            contents[path.name] = path.read_bytes()
    return contents
