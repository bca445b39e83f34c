"""
What a shipper notes for the next one: what is durable at the server, and which runs were deleted there.

A hint only: without it everything is sent again, and the server leaves what is equal.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import Any

from aim.storage.shipping.progress import WriterProgress
from aim.storage.shipping.shipment import WriterShipment
from aim.storage.shipping.spool import GONE_KEPT_S, ShippedFolder

GONE = "gone"


class Hints:
    """
    The hints of *source*.

    Args:
        again: hashes of runs that are sent although they were deleted at the server.
    """

    def __init__(self, source: ShippedFolder, again: Collection[str]) -> None:
        self._source = source
        self._again = again
        self._hints = source.read_hints()
        self._gone: dict[str, float] = {}

    def shipment(self, source: ShippedFolder, run_hash: str, writer: str) -> WriterShipment:
        """Return the shipment of a writer, as far as it has come."""
        hint = self._hints.get(f"{run_hash}/{writer}")
        hint = hint if isinstance(hint, dict) else {}
        progress = WriterProgress.from_json(hint.get("files", {}))
        return WriterShipment(source.runs / run_hash, writer, hint.get("as"), progress)

    def lose(self, run_hash: str) -> None:
        """Note that a run was deleted at the server."""
        self._gone[run_hash] = time.time()

    def _gone_at_s(self, run_hash: str) -> float | None:
        gone = self._hints.get(GONE)
        at_s = gone.get(run_hash) if isinstance(gone, dict) else None
        return self._gone.get(run_hash, at_s if isinstance(at_s, float) else None)

    def is_gone(self, run_hash: str) -> bool:
        """Return whether a run was deleted at the server, and is sent no more."""
        return run_hash not in self._again and self._gone_at_s(run_hash) is not None

    def is_forgotten(self, run_hash: str) -> bool:
        """Return whether that was so long ago that it need not be here any more."""
        at_s = self._gone_at_s(run_hash)
        return self.is_gone(run_hash) and at_s is not None and time.time() - at_s > GONE_KEPT_S

    def write(self, shipments: Iterable[WriterShipment]) -> None:
        """Note how far *shipments* have come, beside what other shippers of the same folder have noted."""
        hints: dict[str, Any] = self._source.read_hints()
        gone = hints.pop(GONE, None)
        earlier = gone if isinstance(gone, dict) else {}
        hints[GONE] = {name: at_s for name, at_s in (earlier | self._gone).items() if name not in self._again}
        for shipment in shipments:
            renamed = {} if shipment.remote_writer == shipment.writer else {"as": shipment.remote_writer}
            hints[f"{shipment.run_hash}/{shipment.writer}"] = {"files": shipment.progress.to_json(), **renamed}
        self._source.write_hints(hints)
