"""
A cable between a server of Aim and what it asks: it can be cut, and put together again, as between two machines.
"""

from __future__ import annotations

import contextlib
import socket
import threading

CHUNK_BYTES = 1 << 16


class Cable:
    """
    Carries connections to *host* and *port*.

    While it is cut nothing arrives, and nobody is told: connections stay open, and new ones are taken.

    Attributes:
        address: of its near end.
    """

    def __init__(self, host: str, port: int) -> None:
        self._far = (host, port)
        self._whole = threading.Event()
        self._held = threading.Event()
        self._ends: list[socket.socket] = []
        self._whole.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

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
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(self._far)
        except OSError:
            near.close()
            return
        self._ends += [near, far]
        with near, far:
            answering = threading.Thread(target=self._carry, args=(far, near), daemon=True)
            answering.start()
            self._carry(near, far)
            answering.join()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if not self._whole.is_set():
                    self._held.set()
                    self._whole.wait()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
