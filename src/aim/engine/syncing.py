"""
Sending runs of a folder to a server by hand: `aim sync`.

The folder may be a spool or any repository, its runs may be ended, sealed, or being recorded at this moment, and it may
be sent again at any time: what the server has is not sent twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from aim.core.addresses import server_address
from aim.engine.document_sync import DocumentSync
from aim.engine.remote.connection import ServerConnection
from aim.engine.shipping import Backoff
from aim.engine.spool_shipping import Outcome, SpoolShipping
from aim.storage.shipping.shipments import PlannedWriter, Shipments, planned_writers
from aim.storage.shipping.spool import ShippedFolder

STILL_S = 30.0  # how long a server that does not answer is asked again, by default
LOOK_S = 0.2

ShowLeft = Callable[[int, int], object]
"""Is called with how many bytes were sent, and how many there are in all."""


class SyncReport(NamedTuple):
    """
    What was sent.

    Attributes:
        runs: how many runs there are that were to be sent.
        left_runs, left_bytes: how many of them are not wholly at the server, and about how much of them.
        failure: why, for people, or that the server did not answer now; empty when there is nothing to be said.
        documents: how many saved views, reports and other documents were brought over.
        documents_deleted: how many were deleted where they were brought to.
        is_told: whether a warning has said *failure* already.
    """

    address: str
    runs: int
    left_runs: int
    left_bytes: int
    failure: str
    documents: int = 0
    documents_deleted: int = 0
    is_told: bool = False

    def with_documents(self, brought: DocumentSync) -> SyncReport:
        """Return the report with the documents that were brought over, and why some were not."""
        failure = f"{self.failure} {brought.failure}".strip()
        return self._replace(
            documents=brought.written,
            documents_deleted=brought.deleted,
            failure=failure,
            is_told=self.is_told and not brought.failure,
        )


def _is_long(wait_s: float | None, *, follow: bool) -> bool:
    """Return whether it may take long until the report says what went wrong."""
    return wait_s is not None or follow


class FolderSync:
    """
    Sends the runs of *source*.

    Args:
        run_hashes: only these runs; None: all.
        again: hashes of runs that are sent although they were deleted at the server.
        show: told how far it has come.
    """

    def __init__(
        self,
        source: ShippedFolder,
        *,
        run_hashes: Collection[str] | None = None,
        again: Iterable[str] = (),
        show: ShowLeft | None = None,
    ) -> None:
        self._source = source
        self._run_hashes = run_hashes
        self._show = show
        self._shipments = Shipments(source, self._plan, again)
        connection = ServerConnection(server_address(source.address))
        self._shipping = SpoolShipping(source, connection, self._shipments)
        self._total_bytes = 0

    def _plan(self) -> list[PlannedWriter]:
        planned = planned_writers(self._source)
        return [member for member in planned if self._run_hashes is None or member.folder.name in self._run_hashes]

    def send(self, wait_s: float | None = None, *, follow: bool = False) -> SyncReport:
        """
        Send everything, and return what is left.

        Args:
            wait_s: how long to go on at most; None: until a server does not answer for half a minute.
            follow: go on with runs that are being recorded until they end.
        """
        begun_s = answered_s = time.monotonic()
        self._shipping.tells_failures = _is_long(wait_s, follow=follow)
        backoff = Backoff()
        while True:
            outcome = self._shipping.step()
            moment_s = time.monotonic()
            if outcome is Outcome.FAILED:
                is_over = self._shipping.has_all() or (wait_s is None and moment_s - answered_s > STILL_S)
                pause_s = backoff.fail(self._shipping.retry_after_s)
            else:
                answered_s = moment_s
                backoff.succeed()
                is_over = outcome is not Outcome.MORE and self._is_done(follow=follow)
                pause_s = 0.0 if outcome is Outcome.MORE else min(LOOK_S, self._shipping.next_in_s)
            if is_over or (wait_s is not None and moment_s - begun_s >= wait_s):
                return self._report()
            if self._show is not None:
                self._show_left(self._show)
            time.sleep(pause_s if wait_s is None else max(0.0, min(pause_s, begun_s + wait_s - moment_s)))

    def _is_done(self, *, follow: bool) -> bool:
        is_done = self._shipments.is_done()
        if not self._shipments.alive:
            return is_done
        if follow:
            return False
        members = self._shipments.members()
        return all(member.is_begun and not member.progress.unconfirmed_bytes() for member in members)

    def _show_left(self, show: ShowLeft) -> None:
        left = self._shipments.left()[1]
        self._total_bytes = max(self._total_bytes, left)
        show(self._total_bytes - left, self._total_bytes)

    def _report(self) -> SyncReport:
        planned = self._plan()
        left_runs, left_bytes = self._shipments.left()
        if self._shipments.alive and self._is_done(follow=False):
            left_runs = left_bytes = 0  # what was recorded until now is there
        hints = self._shipments.hints
        gone = {member.folder.name for member in planned if hints.is_gone(member.name)}
        gone -= {member.folder.name for member in planned if not hints.is_gone(member.name)}
        self._shipments.write_hints()
        is_told = bool(self._shipping.failure) and self._shipping.failure == self._shipping.told_failure
        failure = self._failure(left_runs, gone)
        runs = len({member.folder.name for member in planned} - gone)
        return SyncReport(self._source.address, runs, left_runs, left_bytes, failure, is_told=is_told)

    def _failure(self, left_runs: int, gone: set[str]) -> str:
        failure = self._shipping.failure
        if failure and not left_runs:
            return f"It has confirmed that before, and does not answer now: {failure}"
        if gone and not failure:
            return f"Deleted at the server: {', '.join(sorted(gone)[:5])}. `--again` sends them after all."
        return failure

    def sweep(self) -> None:
        """Remove runs that a spool need not keep any more."""
        self._shipping.sweep()
