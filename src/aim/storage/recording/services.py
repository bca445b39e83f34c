"""
Services: what works beside a writer and records through it, such as encoding, captured output and system metrics.

    every second    record_pending(wait=False)   record what has gathered; this is quick
    flush()         record_pending(wait=True)    record everything that was handed in so far, however long that takes
    close()         stop(deadline_s)             the same for the last time; then nothing is recorded any more
    in a child      forked()                     what was handed in belongs to the parent

Services record in the order in which they were added and are stopped in the opposite order, so what one hands to an
earlier one when it stops is still recorded. A service that fails is reported once for each kind of exception; the
others go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from aim.core.logs import log
from aim.core.shield import shielded


class Service(Protocol):
    """Something that records through a writer."""

    def record_pending(self, *, wait: bool) -> None:
        """Record what has gathered; with *wait*, wait for everything that was handed in so far."""

    def stop(self, deadline_s: float) -> None:
        """Record what is left and end; what takes longer than *deadline_s* is abandoned, and reported."""

    def forked(self) -> None:
        """In the child of a fork: forget what was handed in, and record nothing any more."""


@runtime_checkable
class HearsFailure(Protocol):
    """A service that is told which exception ends its run."""

    def failed(self, error: BaseException) -> None:
        """Take note of the exception that ends the run; `stop` is called next."""


class Services:
    """
    The services of one writer.

    >>> class Bell:
    ...     def record_pending(self, *, wait): print("feed")
    ...     def stop(self, deadline_s): print("stop")
    ...     def forked(self): print("forked")
    >>> services = Services()
    >>> services.add(Bell())
    >>> services.record_pending()
    feed
    >>> services.stop(1.0); services.stop(1.0)
    stop
    """

    def __init__(self) -> None:
        self._members: list[Service] = []
        self._faults: set[type] = set()

    def add(self, service: Service) -> None:
        """Add *service*."""
        self._members.append(service)

    def record_pending(self, *, wait: bool = False) -> None:
        """Let all services record."""
        for service in tuple(self._members):
            self._guarded(lambda service=service: service.record_pending(wait=wait))  # type: ignore[misc]

    def failed(self, error: BaseException) -> None:
        """Pass on the exception that ends the run."""
        for service in tuple(self._members):
            if isinstance(service, HearsFailure):
                self._guarded(lambda service=service: service.failed(error))  # type: ignore[misc]

    def stop(self, deadline_s: float) -> None:
        """Stop all services, the last one first, within *deadline_s* together; a second call does nothing."""
        until_s = time.monotonic() + deadline_s
        while self._members:
            service = self._members.pop()
            self._guarded(lambda: service.stop(max(0.0, until_s - time.monotonic())))  # noqa: B023  called at once

    def forked(self) -> None:
        """In the child of a fork: let all services forget what they hold, and remove them."""
        members, self._members = self._members, []
        for service in members:
            self._guarded(service.forked)

    def _guarded(self, work: Callable[[], object]) -> None:
        shielded(work, self._report)

    def _report(self, error: Exception) -> None:
        if type(error) not in self._faults:
            self._faults.add(type(error))
            if isinstance(error, OSError):  # the text of an OSError says where it was raised
                log.error("Aim met an error beside the training; recording goes on: %s", error)
            else:
                log.error("Aim met an error beside the training; recording goes on.", exc_info=error)
