"""
A cable between a server of Aim and what it asks: it can be cut, and put together again, as between two machines.
"""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.cluster.listening import Listening


class Cable(Listening):
    """
    Carries connections to *host* and *port*.

    While it is cut nothing arrives, and nobody is told: connections stay open, and new ones are taken.
    """

    def __init__(self, host: str, port: int) -> None:
        self._far = (host, port)
        self._whole = threading.Event()
        self._held = threading.Event()
        self._ends: list[socket.socket] = []
        self._whole.set()
        super().__init__()

    def connected(self) -> socket.socket | None:
        """Return a connection to the far end."""
        with contextlib.suppress(OSError):
            return socket.create_connection(self._far)
        return None

    def keep(self, near: socket.socket, far: socket.socket) -> None:
        """Remember both ends, for `mend`."""
        self._ends += [near, far]

    def before_sending(self) -> None:
        """Hold what was received while the cable is cut."""
        if not self._whole.is_set():
            self._held.set()
            self._whole.wait()

    def cut(self) -> None:
        """Carry nothing from now on."""
        self._held.clear()
        self._whole.clear()

    def wait_until_used(self, timeout_s: float) -> None:
        """Wait until something was to be carried since the cut."""
        assert self._held.wait(timeout_s), "nobody has used the cable"

    def mend(self, *, forgets: bool) -> None:
        """Carry again. *forgets*: what was under way is lost, and the connections from before are reset."""
        if forgets:
            ends, self._ends = self._ends, []
            for end in ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._whole.set()

    def close(self) -> None:
        """Take no more connections."""
        self.mend(forgets=True)
        super().close()
