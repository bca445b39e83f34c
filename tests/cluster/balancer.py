"""
A balancer before the servers of a cluster, as simple as one can be: each connection goes to the first that takes it.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence

from tests.cluster.listening import Listening


class Balancer(Listening):
    """Relays connections to the servers on *ports* of this machine."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        super().__init__()

    def connected(self) -> socket.socket | None:
        """Return a connection to the first server that takes one."""
        for port in self._ports:
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", port))
        return None
