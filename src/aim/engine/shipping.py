"""
Shipping beside a training: a daemon thread a process, and a detached process for what is left when a training ends.

    first remote run       the thread `aim-ship` begins; it ships the writers of this process alone
    fork                   the child begins its own at its first record, for its own writers
    close(), end           waits as long as bytes move, `AIM_CLOSE_WAIT` (60 s) at most, 5 s when none do
    what is left then      `python -m aim.engine.shipping SPOOL`, detached; so also what a killed training has left,
                           when the next one begins

The thread shares nothing with the one that syncs but files, so a hanging network never delays the disk. Nothing that a
network does raises an error in the training. Standard library only; HTTP and TLS are loaded within the thread.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aim.core.addresses import server_address
from aim.core.shield import shielded
from aim.engine.spool_shipping import Outcome, SpoolShipping, left_text
from aim.storage.recording import background
from aim.storage.recording.lifecycle import WriterState
from aim.storage.recording.writer import abandon_run
from aim.storage.shipping.leftovers import free_files, left_bytes
from aim.storage.shipping.shipments import PlannedWriter, Shipments, planned_writers
from aim.storage.shipping.spool import HALF_SHARE, Spool, SpoolRoom

if TYPE_CHECKING:
    from aim.storage.recording.writer import Writer

CLOSE_VARIABLE = "AIM_CLOSE_WAIT"
CLOSE_WAIT_S = 60.0
STILL_S = 5.0  # how long a closing run waits while nothing moves
FLUSH_WAIT_S = 10.0
LOOK_S = 0.05
BACKOFF_S, BACKOFF_S_MAX = 0.5, 60.0
SWEEP_S = 300.0
DETACHED_S_MAX = 24 * 3600.0
NICENESS = 10
CHANCE = random.SystemRandom()  # the random numbers of the module are the training's, which may have seeded them

log = logging.getLogger("aim")


class Backoff:
    """Pauses after failures: each is about twice the one before, less a random part: many do not come at once."""

    def __init__(self) -> None:
        self._pause_s = 0.0

    def succeed(self) -> None:
        """Begin anew."""
        self._pause_s = 0.0

    def fail(self, retry_after_s: float | None) -> float:
        """Return the pause after a failure."""
        self._pause_s = min(BACKOFF_S_MAX, max(BACKOFF_S, self._pause_s * 2))
        return max(retry_after_s or 0.0, self._pause_s * CHANCE.uniform(0.5, 1.0))


class SpoolShipper:
    """Ships the writers of this process that record into one spool. Its methods are called by any thread."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._writers: list[Writer] = []
        self._ids: dict[str, Writer] = {}
        self._room = SpoolRoom(spool.root)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.wake = threading.Event()
        self._thread: threading.Thread | None = None
        self.shipping: SpoolShipping | None = None
        self._ids = {}

    def add(self, writer: Writer) -> None:
        """Ship what *writer* records."""
        self._writers.append(writer)
        self.begin()

    def begin(self) -> None:
        """Begin the thread, unless it runs."""
        if self._writers and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._run, name="aim-ship", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is ending: what is left is sent by another process
                self._thread = None

    def forked(self) -> None:
        """In the child of a fork: what was recorded so far is shipped by the parent."""
        self._begin_anew()

    def _plan(self) -> list[PlannedWriter]:
        for writer in tuple(self._writers):
            if writer.lifecycle.state is not WriterState.FORKED:
                self._ids.setdefault(writer.id, writer)
        return [
            PlannedWriter(writer.files.folder, writer_id, True if writer.lifecycle.state is WriterState.OPEN else None)
            for writer_id, writer in tuple(self._ids.items())
        ]

    def _run(self) -> None:
        shielded(self._ship, _report)

    def _ship(self) -> None:
        from aim.engine.remote.connection import ServerConnection  # HTTP and TLS: in this thread, for a remote run only

        connection = ServerConnection(server_address(self.spool.address))
        shipments = Shipments(self.spool, self._plan)
        shipping = SpoolShipping(self.spool, connection, shipments, self._stop_recording)
        self.shipping = shipping
        if has_leftovers(self.spool):
            ship_later(self.spool)
        backoff = Backoff()
        while self.shipping is shipping:
            outcome = shipping.step()
            if outcome is Outcome.MORE:
                continue
            if outcome is Outcome.FAILED:
                self.wake.wait(backoff.fail(shipping.retry_after_s))
            else:
                backoff.succeed()
                self._forget_finished(shipping)
                self._make_room(shipping)
                self.wake.wait(shipping.next_in_s)
            self.wake.clear()

    def _stop_recording(self, writer_id: str) -> None:
        writer = self._ids.get(writer_id)
        if writer is not None and writer.id == writer_id:
            abandon_run(writer)

    def _forget_finished(self, shipping: SpoolShipping) -> None:
        for writer_id, writer in tuple(self._ids.items()):
            if writer.lifecycle.state is WriterState.CLOSED and shipping.shipments.is_shipped(writer_id):
                shipping.shipments.write_hints()
                self._drop(writer)

    def _drop(self, writer: Writer) -> None:
        self._writers = [other for other in self._writers if other is not writer]
        self._ids = {writer_id: other for writer_id, other in self._ids.items() if other is not writer}

    def _make_room(self, shipping: SpoolShipping) -> None:
        if self._room.share() < HALF_SHARE:
            return
        shipping.shipments.write_hints()
        for shipment in shipping.shipments.members():
            writer = self._ids.get(shipment.writer)
            for path in free_files(shipment):
                if writer is None or path not in {segment.path for segment in writer.files.segments.unsynced}:
                    path.unlink(missing_ok=True)

    # waiting

    def is_durable(self, writer: Writer) -> bool:
        """Return whether all that *writer* has recorded so far is durable at the server."""
        shipping = self.shipping
        if writer not in self._writers:
            return True
        ids = [writer_id for writer_id, other in self._ids.items() if other is writer] or [writer.id]
        members = [] if shipping is None else shipping.shipments.members()
        try:
            shipped = {member.writer for member in members if member.writer in ids and not left_bytes(member)}
        except FileNotFoundError:  # the run was removed from the spool: nothing of it is left to be sent
            return True
        return shipped.issuperset(ids)

    def flush(self, writer: Writer) -> None:
        """Ship what *writer* has recorded, and wait until it is durable, for 10 s at most."""
        if not self._wait(writer, FLUSH_WAIT_S, FLUSH_WAIT_S):
            log.warning(
                "Aim: the server has not confirmed all of run %s within %.0f s. It is on this disk, and is sent on.",
                writer.run_hash,
                FLUSH_WAIT_S,
            )

    def end(self, writer: Writer) -> None:
        """Ship the rest of a writer that was closed; what is left after a while goes to another process."""
        if not self._wait(writer, close_wait_s(), STILL_S):
            shipping = self.shipping
            left = (1, 0) if shipping is None else shipping.shipments.left()
            self._drop(writer)
            is_started = ship_later(self.spool)
            log.warning(
                "Aim: %s could not be sent to %s yet, and %s. `aim sync` sends what is in %s.",
                left_text(*left),
                self.spool.address,
                "another process goes on with it" if is_started else "waits here",
                self.spool.folder,
            )

    def _wait(self, writer: Writer, wait_s: float, still_s: float) -> bool:
        """Wait until all of *writer* is durable, as long as bytes move; return whether it is."""
        until_s = moved_at_s = time.monotonic()
        until_s += wait_s
        moved_bytes = -1
        while time.monotonic() < until_s:
            if self.is_durable(writer):
                return True
            self.begin()
            self.wake.set()
            moved = 0 if self.shipping is None else self.shipping.moved_bytes
            if moved != moved_bytes:
                moved_bytes, moved_at_s = moved, time.monotonic()
            if time.monotonic() - moved_at_s > still_s:
                return False
            time.sleep(LOOK_S)
        return self.is_durable(writer)

    def writers(self) -> list[Writer]:
        """Return the writers that are not shipped to their end."""
        return list(self._writers)


def close_wait_s() -> float:
    """Return for how many seconds a closing run waits for its server while bytes move."""
    try:
        return max(0.0, float(os.environ.get(CLOSE_VARIABLE, "") or CLOSE_WAIT_S))
    except ValueError:
        return CLOSE_WAIT_S


class Shippers(background.Companion):
    """The shippers of this process, by the folders of their spools. It begins and ends with the writers."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, SpoolShipper] = {}

    def shipper(self, spool: Spool) -> SpoolShipper:
        """Return the shipper of a spool."""
        if not self._by_folder:
            background.accompany(self)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=self._forked)
        shipper = self._by_folder.get(spool.folder)
        if shipper is None:
            shipper = self._by_folder[spool.folder] = SpoolShipper(spool)
        return shipper

    def _forked(self) -> None:
        for shipper in self._by_folder.values():
            shipper.forked()

    def begin(self) -> None:
        """Begin the threads, in the child of a fork too."""
        for shipper in self._by_folder.values():
            shipper.begin()

    def end(self) -> None:
        """Ship what the ended writers of this process have left."""
        for shipper in self._by_folder.values():
            for writer in shipper.writers():
                if writer.lifecycle.state is WriterState.CLOSED:
                    shipper.end(writer)


SHIPPERS = Shippers()
"""Those of this process."""


def _report(error: Exception) -> None:
    log.error("Aim's thread that sends runs met an error; recording goes on into the spool.", exc_info=error)


def _left_behind(spool: Spool) -> list[PlannedWriter]:
    return [planned for planned in planned_writers(spool) if not planned.is_alive]


def has_leftovers(spool: Spool) -> bool:
    """Return whether there are runs in a spool that no living process records, and that are not all at the server."""
    return Shipments(spool, lambda: _left_behind(spool)).has_leftovers()


def ship_later(spool: Spool) -> bool:
    """Start a detached process that ships what no living process records; return whether one does."""
    if spool.is_shipped():
        return True
    if "python" not in os.path.basename(sys.executable or "").lower() or not hasattr(os, "posix_spawn"):
        return False  # an embedding program: its executable is no Python
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    command = [sys.executable, "-m", "aim.engine.shipping", str(spool.root), spool.address]
    silence: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    try:
        os.posix_spawn(command[0], command, environment, file_actions=silence, setsid=True)
    except (OSError, NotImplementedError):
        return False
    return True


def ship_leftovers(spool: Spool, until_s: float) -> bool:
    """
    Ship what no living process records, until all of it is durable or the monotonic clock says *until_s*; return
    whether all is.
    """
    from aim.engine.remote.connection import ServerConnection

    shipments = Shipments(spool, lambda: _left_behind(spool))
    shipping = SpoolShipping(spool, ServerConnection(server_address(spool.address)), shipments)
    backoff = Backoff()
    while time.monotonic() < until_s:
        outcome = shipping.step()
        if outcome is Outcome.IDLE and shipments.is_done():
            shipping.sweep()
            return True
        if outcome is Outcome.FAILED:
            time.sleep(backoff.fail(shipping.retry_after_s))
        elif outcome is not Outcome.MORE:
            backoff.succeed()
            time.sleep(shipping.next_in_s)
    shipments.write_hints()
    return False


def main(root: str, address: str) -> None:
    """Ship what is left in the spool of *address* below *root*, in a process of its own."""
    spool = Spool(address, Path(root))
    if not spool.take_turn():
        return
    try:
        ship_leftovers(spool, time.monotonic() + DETACHED_S_MAX)
    finally:
        spool.end_turn()


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    if not shielded(lambda: main(sys.argv[1], sys.argv[2]), lambda error: None):
        sys.exit(1)
