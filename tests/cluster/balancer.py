"""
A balancer before the servers of a cluster, as simple as one can be: each connection goes to the first that takes it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence

CHUNK_BYTES = 1 << 16


class Balancer:
    """
    Relays connections to the servers on *ports* of this machine.

    Attributes:
        address: of the balancer.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = self._connected()
                if server is None:
                    client.close()
                    continue
                threading.Thread(target=_serve, args=(client, server), daemon=True).start()

    def _connected(self) -> socket.socket | None:
        for port in self._ports:
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", port))
        return None


def _serve(client: socket.socket, server: socket.socket) -> None:
    with client, server:
        answering = threading.Thread(target=_relay, args=(server, client), daemon=True)
        answering.start()
        _relay(client, server)
        answering.join()


def _relay(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
