"""
The sockets to one server: those that wait for the next request, and new ones.

A request takes an idle socket or opens one, and gives it back when its answer was read; so two requests at once use
two sockets. A process after `fork` opens its own. A socket that the server closed while it waited is not used again.
"""

from __future__ import annotations

import http.client
import os
import select
import socket
import threading
import weakref
from typing import TYPE_CHECKING, NamedTuple

from aim.core.addresses import ServerAddress
from aim.core.errors import ServerUnreachable, UsageError

if TYPE_CHECKING:
    import ssl

CA_VARIABLE = "AIM_CA_FILE"
IDLE_MAX = 8


class Untrusted(ServerUnreachable):
    """The certificate of a server is not trusted, which asking again does not change."""


class ServerSocket(NamedTuple):
    """
    A connected socket.

    Attributes:
        http: speaks HTTP over it.
        process: the process that opened it.
        is_used: it has carried a request before.
    """

    http: http.client.HTTPConnection
    process: int
    is_used: bool = False

    def is_fit(self) -> bool:
        """Return whether the socket can be used: this process opened it, and the server has not closed it."""
        # what could be read before a request is the end of the connection
        return self.process == os.getpid() and self.http.sock is not None and not _has_input(self.http.sock)


def _has_input(sock: socket.socket) -> bool:
    if hasattr(select, "poll"):  # `select` takes only the first 1,024 descriptors of a process
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])


class Sockets:
    """
    The sockets to the server of *address*; any thread may take one.

    Args:
        connect_s: how long it may take to connect.
    """

    def __init__(self, address: ServerAddress, connect_s: float) -> None:
        self._address = address
        self._connect_s = connect_s
        self._idle: list[ServerSocket] = []
        self._lock = threading.RLock()  # a stream that nobody holds any more gives its socket back at any moment
        self._tls: ssl.SSLContext | None = None
        weakref.finalize(self, _close_all, self._idle)

    def take(self) -> ServerSocket:
        """
        Return a connected socket, which the caller gives back or closes.

        Raises:
            ServerUnreachable: nobody answers there, or its certificate is not trusted.
            UsageError: the file that `AIM_CA_FILE` names can't be read.
        """
        while True:
            with self._lock:
                idle = self._idle.pop() if self._idle else None
            if idle is None:
                return self.open()
            if idle.is_fit():
                return idle._replace(is_used=True)
            idle.http.close()  # in a process after `fork` this closes its own copy

    def give_back(self, used: ServerSocket, *, is_reusable: bool) -> None:
        """Take back the socket of an answer that was read to its end, or close it."""
        if is_reusable and used.http.sock is not None:
            with self._lock:
                if len(self._idle) < IDLE_MAX:
                    self._idle.append(used)
                    return
        used.http.close()

    def close(self) -> None:
        """Close the sockets that wait."""
        with self._lock:
            _close_all(self._idle)

    def open(self) -> ServerSocket:
        """Return a new connected socket; see `take`."""
        host, port = self._address.host, self._address.port
        connection: http.client.HTTPConnection
        if self._address.is_secure:
            connection = http.client.HTTPSConnection(host, port, timeout=self._connect_s, context=self._context())
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._connect_s)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise unreachable(self._address, error) from error
        return ServerSocket(connection, os.getpid())

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            import ssl  # plain HTTP does without

            file = os.environ.get(CA_VARIABLE) or None
            try:
                self._tls = ssl.create_default_context(cafile=file)
            except OSError as error:
                raise UsageError(f"{CA_VARIABLE}={file}: no certificates can be read there: {error}.") from None
        return self._tls


def _close_all(idle: list[ServerSocket]) -> None:
    while idle:
        idle.pop().http.close()


def unreachable(address: ServerAddress, error: Exception, event: str = "no Aim server answers") -> ServerUnreachable:
    """Return the error for a failure of the network or of TLS."""
    if type(error).__name__ == "SSLCertVerificationError":
        reason = getattr(error, "verify_message", "") or str(error)
        return Untrusted(
            f"{address}: the certificate of the server is not trusted: {reason.rstrip('.')}. If your house has "
            f"certificates of its own, name the file of their authority in {CA_VARIABLE}."
        )
    if isinstance(error, TimeoutError):
        reason = "it takes too long"
    elif isinstance(error, OSError):
        reason = error.strerror or str(error) or type(error).__name__
    else:
        reason = str(error) or type(error).__name__
    return ServerUnreachable(f"{address}: {event}: {reason.rstrip('.')}.")
