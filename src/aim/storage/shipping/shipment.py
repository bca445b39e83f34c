"""
What of one writer's files is new: read from its files, by its own process or by any other, while it records or later.

The parts of one request are read in the order slots, blobs, events, and stand in it the other way round: so what a
point refers to is sent with it or before it. The `end` line is sent last, when all before it is durable. Sealed points,
edits and artifacts are whole files; they are sent in parts, when nothing else is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aim.core.words import counted
from aim.storage.disk import layout
from aim.storage.forms.journal import RECORD_BYTES
from aim.storage.shipping import frames as wire
from aim.storage.shipping.new_blobs import NewBlobs
from aim.storage.shipping.new_files import NewFiles
from aim.storage.shipping.new_lines import KEY as LINES
from aim.storage.shipping.new_lines import NewLines
from aim.storage.shipping.new_slots import NewSlots
from aim.storage.shipping.progress import FileKey, FilePart, WriterProgress

POINT_KINDS = (wire.EVENTS, wire.SLOTS, wire.BLOBS, wire.SEALED)
PART_BYTES = 1 << 20  # of an artifact: points that come meanwhile wait for no more than this


class WriterShipment:
    """
    The files of *writer* in the run folder *folder*, on their way to a server.

    Attributes:
        remote_writer: the id under which the server has it: another one when it refused this one for good.
        progress: how far they have come.
        takes_blobs: whether the server takes objects now.
        carries_edits: whether the edits of the run are sent with this writer.
        is_exhausted: whether the last `gather` looked at all files, and there was nothing to be sent.
        lines: the event file, and what it declares.
        files: sealed points, edits and artifacts.

    Args:
        progress: what an earlier shipper has noted; a hint.
    """

    def __init__(
        self, folder: Path, writer: str, remote_writer: str | None = None, progress: WriterProgress | None = None
    ) -> None:
        self.folder = folder
        self.writer = writer
        self.remote_writer = remote_writer or writer
        self.progress = progress or WriterProgress()
        self.takes_blobs = True
        self.carries_edits = False
        self.is_exhausted = False
        self.lines = NewLines(layout.events_file(folder, writer), self.remote_writer)
        self._slots = NewSlots(folder, writer)
        self._blobs = NewBlobs(folder, writer)
        self.files = NewFiles(folder, writer, self.remote_writer)
        self._is_holding_back = False

    @property
    def run_hash(self) -> str:
        """The hash of the run."""
        return self.folder.name

    @property
    def is_begun(self) -> bool:
        """Whether the first line of the writer was sent."""
        return self.progress.file(LINES).sent.prefix > 0

    def gather(self, budget_bytes: int) -> list[FilePart]:
        """
        Return what is to be sent next, about *budget_bytes* of it at most, and count it as sent.

        Raises:
            FileNotFoundError: the run is gone.
            OSError: a file can't be read.
        """
        self.is_exhausted = False
        if budget_bytes <= 0:
            return []
        pieces = (
            self._new_points(budget_bytes) or self.files.read_sealed(self.progress, budget_bytes) or self._new_end()
        )
        if self.carries_edits and self.is_begun:
            pieces = pieces or self.files.read_edits(self.progress)
        if self.takes_blobs:
            part_bytes = min(budget_bytes, PART_BYTES)
            pieces = pieces or self.files.read_artifacts(self.progress, self.lines.artifacts, part_bytes)
        self.progress.send(pieces)
        self.is_exhausted = self.takes_blobs and not pieces
        return pieces

    def _new_points(self, budget_bytes: int) -> list[FilePart]:
        slots = self._read_slots(budget_bytes)
        lines = self.lines.read(self.progress.file(LINES).sent.prefix, budget_bytes)
        if self.lines.has_more:  # a slot must not come before the line that declares its sequence
            return lines
        numbers = self.lines.object_numbers
        end = self.lines.end
        empty = [] if end is None else self._slots.empty(self.progress, slots)
        self._blobs.look(slots, numbers, has_directories=end is not None and end.get("directory", True))
        left_bytes = max(1, budget_bytes - sum(len(piece.data) for piece in lines))
        blob_pieces = self._blobs.read(self.progress, left_bytes) if self.takes_blobs else []
        ready = self._blobs.ready(slots, numbers, self.progress, blob_pieces)
        count = sum(piece.stop - piece.start for piece in ready)
        self._is_holding_back = count < sum(piece.stop - piece.start for piece in slots)
        return [*lines, *blob_pieces, *ready, *empty]

    def _read_slots(self, budget_bytes: int) -> list[FilePart]:
        slots: list[FilePart] = []
        left_bytes = budget_bytes
        for piece in self._slots.read(self.progress):
            parts = [piece]
            if not self.takes_blobs:  # points that wait for it must not take the place of others
                parts = self._blobs.ready(parts, self.lines.object_numbers, self.progress, [])
            for part in parts:
                count = min(part.stop - part.start, max(1, left_bytes // RECORD_BYTES))
                slots.append(FilePart(part.key, part.start, part.start + count, part.data[: count * RECORD_BYTES]))
                left_bytes -= count * RECORD_BYTES
                if left_bytes <= 0:
                    return slots
        return slots

    def _new_end(self) -> list[FilePart]:
        is_next = self.lines.end is not None and not self._is_holding_back
        if not is_next or not self.progress.is_durable(*POINT_KINDS):
            return []
        return self.lines.read_end(self.progress.file(LINES).sent.prefix)

    def end_counts(self, pieces: list[FilePart]) -> dict[str, int] | None:
        """Return what the server has to have when it takes *pieces*; None when the end is not among them."""
        end = self.lines.end
        is_end = end is not None and any(piece.key == LINES and self.lines.is_end(piece) for piece in pieces)
        if not is_end or self.files.is_sealed():
            return None
        keys = self.progress.keys(wire.SLOTS)
        slots = sum(self.progress.file(key).durable.count for key in keys)
        return {"segments": len(keys), "slots": slots, "blobs": len(self.progress.keys(wire.BLOBS))}

    def sizes(self) -> dict[str, Any]:
        """Return what is durable, as the header of a request says it: the server answers when it has less."""
        files = self.progress
        return {
            "events": files.file(LINES).durable.prefix,
            "slots": {key[1]: files.file(key).durable.count for key in files.keys(wire.SLOTS)},
            "blobs": {key[1]: files.file(key).durable.prefix for key in files.keys(wire.BLOBS)},
        }

    def damaged_pages(self, pieces: list[FilePart]) -> list[list[int]]:
        """Return segment, page and CRC of the pages of which *pieces* has records, and which fail their CRC here."""
        segments = {int(piece.key[1]) for piece in pieces if piece.key[0] == wire.SLOTS}
        return [[number, page, crc] for (number, page), crc in self._slots.damaged.items() if number in segments]

    def take_size(self, key: FileKey, size_bytes: int) -> None:
        """Go on with a whole file after the bytes that the server says it has."""
        file = self.progress.file(key)
        file.sent.remove(size_bytes, max(size_bytes, file.sent.end))
        file.sent.add(0, size_bytes)

    # what is left

    def is_finished(self) -> bool:
        """Return whether the end of the writer is durable at the server, and with it everything before it."""
        return self.lines.is_end_within(self.progress.file(LINES).durable.prefix) and self.is_complete()

    def is_complete(self) -> bool:
        """Return whether everything that the files had at the last `gather` is durable at the server."""
        is_sent = self.is_exhausted and not self._is_holding_back
        return is_sent and self.progress.is_durable(*range(wire.ARTIFACT + 1))


def lost_points(shipment: WriterShipment, state: Mapping[str, Any]) -> str:
    """
    Return what neither the folder of *shipment* has nor the server, which says what it has in *state*: a spool that was
    short of room has freed it when it was durable there. "" when that is nothing.
    """
    held = shipment.sizes()
    folder, writer = shipment.folder, shipment.writer
    slots, blobs = state.get("slots", {}), state.get("blobs", {})
    points = sum(
        max(0, count - slots.get(number, 0))
        for number, count in held["slots"].items()
        if not layout.segment_file(folder, writer, int(number)).exists()
    )
    files = sum(
        blobs.get(number, 0) < size
        for number, size in held["blobs"].items()
        if not layout.blob_file(folder, writer, int(number)).exists()
    )
    parts = [(points, "point", "points"), (files, "file of objects", "files of objects")]
    return " and ".join(counted(*part) for part in parts if part[0])
