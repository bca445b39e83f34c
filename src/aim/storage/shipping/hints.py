"""
What a shipper notes for the next one: what is durable at the server, and which writers' runs were deleted there.

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

WriterName = tuple[str, str]
"""The hash of a run, and the id of a writer."""


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

    def is_done(self, name: WriterName) -> bool:
        """Return whether all of a writer is durable, and the server knows that it records no more."""
        hint = self._hints.get("/".join(name))
        return isinstance(hint, dict) and hint.get("done") is True

    def lose(self, name: WriterName) -> None:
        """Note that the run of a writer was deleted at the server, after the writer had begun."""
        self._gone["/".join(name)] = time.time()

    def _gone_at_s(self, name: WriterName) -> float | None:
        gone = self._hints.get(GONE)
        key = "/".join(name)
        at_s = gone.get(key) if isinstance(gone, dict) else None
        return self._gone.get(key, at_s if isinstance(at_s, float) else None)

    def is_gone(self, name: WriterName) -> bool:
        """Return whether the run of a writer was deleted at the server, so that the writer is sent no more."""
        return name[0] not in self._again and self._gone_at_s(name) is not None

    def is_forgotten(self, name: WriterName) -> bool:
        """Return whether that was so long ago that it need not be here any more."""
        at_s = self._gone_at_s(name)
        return self.is_gone(name) and at_s is not None and time.time() - at_s > GONE_KEPT_S

    def write(self, shipments: Iterable[WriterShipment], done: Collection[WriterShipment]) -> None:
        """
        Note how far *shipments* have come, beside what other shippers of the same folder have noted.

        Args:
            done: those of which the server has all, and knows it.
        """
        hints: dict[str, Any] = self._source.read_hints()
        gone = hints.pop(GONE, None)
        earlier = gone if isinstance(gone, dict) else {}
        hints = {key: hint for key, hint in hints.items() if (self._source.runs / _run_of(key)).is_dir()}
        lost = (earlier | self._gone).items()
        hints[GONE] = {key: at_s for key, at_s in lost if _run_of(key) not in self._again}
        for shipment in shipments:
            more: dict[str, Any] = {"done": True} if shipment in done else {}
            if shipment.remote_writer != shipment.writer:
                more["as"] = shipment.remote_writer
            hints[f"{shipment.run_hash}/{shipment.writer}"] = {"files": shipment.progress.to_json(), **more}
        self._source.write_hints(hints)


def _run_of(key: str) -> str:
    return key.partition("/")[0]
