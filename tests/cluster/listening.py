"""
What stands between programs that are connected, and is connected to by one of them.
"""

from __future__ import annotations

import contextlib
import socket
import threading

CHUNK_BYTES = 1 << 16


class Listening:
    """
    Takes connections, and serves each in a thread of its own.

    Attributes:
        address: where it listens.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def connected(self) -> socket.socket | None:
        """Return a connection to what is behind this; None: nothing takes one."""
        raise NotImplementedError

    def carry(self, source: socket.socket, target: socket.socket) -> None:
        """Carry from one end to the other until one of them is closed."""
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                self.before_sending()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def before_sending(self) -> None:
        """Called for each piece that was received, before it is sent."""

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        far = self.connected()
        if far is None:
            near.close()
            return
        self.keep(near, far)
        with near, far:
            answering = threading.Thread(target=self.carry, args=(far, near), daemon=True)
            answering.start()
            self.carry(near, far)
            answering.join()

    def keep(self, near: socket.socket, far: socket.socket) -> None:
        """Called with both ends of each connection."""
