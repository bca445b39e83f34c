"""
Imports into a project of a server: a run is made in a folder of this machine for a while, and sent as `ship` takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aim.core.errors import ServerRefused
from aim.engine.door import TagDoor
from aim.engine.remote.door import ServerRepository
from aim.engine.remote.refusals import error_of
from aim.storage.care.shipped_import import ShippedImports
from aim.storage.shipping import frames as wire

BYTES_TYPE = "application/octet-stream"


class ServerImports:
    """
    The imported runs of the project *door*.

    Attributes:
        backend: begins imports, and returns their notes.
    """

    def __init__(self, door: ServerRepository) -> None:
        self._door = door
        self.backend = ShippedImports(_Shipping(door), door.address)

    @property
    def address(self) -> str:
        """The address of the project."""
        return self._door.address

    def has_run(self, run_hash: object) -> bool:
        """Return whether there is a run of that hash."""
        return self._door.has_run(run_hash)

    def tags(self, *, by: str) -> TagDoor:
        """Return the tags of the project."""
        return self._door.tags(by=by)


class _Shipping:
    """Sends requests to a server; a `DeliveryTarget`. A request that came to nothing is sent again."""

    def __init__(self, door: ServerRepository) -> None:
        self._connection = door.project.connection

    def receive(self, body: bytes) -> Mapping[str, Any]:
        """Send a request; return the answer. Raises ServerUnreachable, ServerRefused, Unavailable."""
        headers = {wire.CRC_FIELD: wire.body_crc(body)}
        path = self._connection.path("ship")
        try:
            answer: Mapping[str, Any] = self._connection.ask(
                "POST", path, body, content_type=BYTES_TYPE, headers=headers
            ).json()
        except ServerRefused as refused:
            raise error_of(refused) from None
        return answer

    def sync(self) -> None:
        """Do nothing: a cluster answers what is durable."""
