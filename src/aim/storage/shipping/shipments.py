"""
The writers of a folder of runs that are shipped: which there are, how far each has come, and what may be removed.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from aim.core import clock
from aim.storage.disk import layout
from aim.storage.forms import events
from aim.storage.shipping.completion import WriterCompletion
from aim.storage.shipping.hints import Hints, WriterName
from aim.storage.shipping.leftovers import left_bytes
from aim.storage.shipping.shipment import WriterShipment
from aim.storage.shipping.spool import DONE_KEPT_S, ShippedFolder

AGAIN_S = 90.0  # a deletion can be taken back for 60 s


class PlannedWriter(NamedTuple):
    """A writer that is to be shipped, and whether its process runs; None: that can't be seen from here."""

    folder: Path
    writer: str
    is_alive: bool | None

    @property
    def name(self) -> WriterName:
        """The hash of the run, and the id of the writer."""
        return self.folder.name, self.writer


def planned_writers(source: ShippedFolder) -> list[PlannedWriter]:
    """Return all writers of a folder of runs."""
    planned: list[PlannedWriter] = []
    for folder in source.run_folders():
        for path in sorted(folder.glob("*.events.jsonl")):
            name = layout.WRITER_FILE.fullmatch(path.name)
            if name is not None:
                planned.append(PlannedWriter(folder, name[1], _is_alive(path)))
    return planned


def _is_alive(path: Path) -> bool | None:
    try:
        with open(path, "rb") as file:
            begin = (events.decode(file.readline().rstrip(b"\n")) or {}).get("begin")
    except OSError:
        return None
    if not isinstance(begin, dict):
        return None
    pid = begin.get("pid")
    process = (begin.get("host", ""), begin.get("boot"), pid if isinstance(pid, int) else 0)
    return clock.is_alive(clock.Process(*process, begin.get("process"), begin.get("pids")))


class Shipments:
    """
    The shipments of the writers that *plan* names, of *source*.

    Attributes:
        hints: what is noted for the next shipper.
        alive: those whose process runs.
        completion: those whose process is gone without an end, and all of which is durable.

    Args:
        again: hashes of runs that are sent although they were deleted at the server.
    """

    def __init__(
        self, source: ShippedFolder, plan: Callable[[], Iterable[PlannedWriter]], again: Iterable[str] = ()
    ) -> None:
        self.again = frozenset(again)
        self.alive: set[WriterShipment] = set()
        self.completion = WriterCompletion()
        self._source = source
        self._plan = plan
        self._by_name: dict[WriterName, WriterShipment] = {}
        self._not_before_s: dict[WriterName, float] = {}
        self._asked_again: set[WriterName] = set()
        self.hints = Hints(source, self.again)

    def ready(self) -> list[WriterShipment]:
        """Return those of which something may be sent now, and bring `alive` and `completion` up to date."""
        self.alive.clear()
        self.completion.pending.clear()
        moment_s = time.monotonic()
        ready: list[WriterShipment] = []
        for planned in self._plan():
            if moment_s < self._not_before_s.get(planned.name, 0.0) or self.hints.is_gone(planned.name):
                continue
            shipment = self._shipment(planned)
            ready.append(shipment)
            if shipment.lines.end is not None:
                continue
            if planned.is_alive:
                self.alive.add(shipment)
            elif planned.is_alive is False:
                self.completion.look(shipment)
        return ready

    def _shipment(self, planned: PlannedWriter) -> WriterShipment:
        shipment = self._by_name.get(planned.name)
        if shipment is None:
            run_hash = planned.folder.name
            shipment = self.hints.shipment(self._source, run_hash, planned.writer)
            shipment.carries_edits = all(other.run_hash != run_hash for other in self._by_name.values())
            self._by_name[planned.name] = shipment
            if self.hints.is_done(planned.name):
                self.completion.settle(shipment)
        return shipment

    def pause(self, shipment: WriterShipment, pause_s: float) -> None:
        """Send nothing of a writer for a while."""
        self._not_before_s[shipment.run_hash, shipment.writer] = time.monotonic() + pause_s

    def rename(self, shipment: WriterShipment) -> None:
        """
        Send the files of a writer from their beginning, under a new id: the same one, whichever shipper does so.
        """
        renamed = WriterShipment(shipment.folder, shipment.writer, _next_id(shipment))
        renamed.carries_edits = shipment.carries_edits
        self._by_name[shipment.run_hash, shipment.writer] = renamed

    def lose(self, shipment: WriterShipment) -> bool:
        """
        Take note that the run was deleted at the server; return whether that is final.

        The first time it is not: within a minute somebody may take the deletion back, so the server is asked once more.
        """
        name = (shipment.run_hash, shipment.writer)
        self._by_name.pop(name, None)
        if name not in self._asked_again:
            self._asked_again.add(name)
            self.pause(shipment, AGAIN_S)
            return False
        self.hints.lose(name)
        return True

    def drop_missing(self) -> None:
        """Forget runs whose folders were removed."""
        self._by_name = {name: member for name, member in self._by_name.items() if member.folder.is_dir()}

    def write_hints(self) -> None:
        """Note what is durable."""
        members = self._by_name.values()
        self.hints.write(members, set(filter(self.completion.is_over, members)))

    def members(self) -> list[WriterShipment]:
        """Return all shipments so far."""
        return list(self._by_name.values())

    def is_shipped(self, writer: str) -> bool:
        """Return whether all that a writer has recorded, its end included, is durable at the server."""
        return any(member.writer == writer and member.is_finished() for member in self._by_name.values())

    def has_leftovers(self) -> bool:
        """Return whether something is to be sent, be it that a writer whose process is gone is complete."""
        dead = [planned.name for planned in self._plan() if planned.is_alive is False]
        return any(not (self.hints.is_done(name) or self.hints.is_gone(name)) for name in dead) or self.left()[0] > 0

    def is_done(self) -> bool:
        """Return whether all is durable, and the server knows which writers are complete. To be asked after a step."""
        self.ready()
        return not self.completion.pending and not self.left()[0]

    def left(self) -> tuple[int, int]:
        """
        Return how many runs are not wholly durable at the server, and about how many bytes of them.

        What a killed process has left of a line or an object that no point refers to is not sent, and does not count
        once the server knows that the writer is complete.
        """
        total_bytes = 0
        run_hashes: set[str] = set()
        for planned in self._plan():
            shipment = self._shipment(planned)
            if self.completion.is_over(shipment):
                continue
            try:
                size_bytes = left_bytes(shipment)
            except FileNotFoundError:
                continue
            if size_bytes and not self.hints.is_gone(planned.name):
                total_bytes += size_bytes
                run_hashes.add(planned.folder.name)
        return len(run_hashes), total_bytes

    def sweep(self) -> list[WriterShipment]:
        """
        Remove the runs of a spool that are wholly durable and an hour old, and those that were deleted at the server a
        week ago; return what was shipped of them.
        """
        removed: list[WriterShipment] = []
        by_folder: dict[Path, list[PlannedWriter]] = {}
        for planned in self._plan():
            by_folder.setdefault(planned.folder, []).append(planned)
        for folder, writers in by_folder.items():
            is_removable = self._is_at_server if _is_old(folder) else self._is_forgotten
            if all(is_removable(member) or self._is_forgotten(member) for member in writers):
                shutil.rmtree(folder, ignore_errors=True)
                removed += [self._by_name.pop(member.name) for member in writers if member.name in self._by_name]
        return removed

    def _is_forgotten(self, planned: PlannedWriter) -> bool:
        return self.hints.is_forgotten(planned.name)

    def _is_at_server(self, planned: PlannedWriter) -> bool:
        shipment = self._by_name.get(planned.name)
        return shipment is not None and self.completion.is_over(shipment)


def _next_id(shipment: WriterShipment) -> str:
    with open(layout.events_file(shipment.folder, shipment.writer), "rb") as file:
        line = file.readline()
    return hashlib.blake2b(shipment.remote_writer.encode() + line, digest_size=4).hexdigest()


def _is_old(folder: Path) -> bool:
    times = [path.stat().st_mtime for path in folder.glob("*.events.jsonl")]
    return bool(times) and time.time() - max(times) > DONE_KEPT_S
