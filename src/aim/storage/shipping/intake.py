"""
What a server takes of one writer in one request: frames become bytes of files.

Rule 1: a byte or a slot is written where it belongs or not at all. What is there and equal stays; what is there and
differs is refused, unless it is zeros, which a power cut leaves of what was not synced.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, NamedTuple

from aim.storage.disk import changes, layout
from aim.storage.forms import events, tombstones
from aim.storage.shipping import frames as wire
from aim.storage.shipping.frames import Frame
from aim.storage.shipping.new_slots import segment_numbers
from aim.storage.shipping.received_files import ReceivedFile, ReceivedFiles
from aim.storage.shipping.received_slots import OtherBytes, ReceivedSegments, filled_count
from aim.storage.shipping.whole_files import WholeFiles
from aim.storage.store import Store

FREE_BYTES_MIN = 256 << 20  # with less room than this, or 2 % of the disk, no objects and artifacts are taken
FREE_SHARE = 0.02
END_SCAN_BYTES = 1 << 16

WriterState = dict[str, Any]
"""What an answer says of a writer."""


class ArrivingWriter(NamedTuple):
    """
    What a request has of one writer.

    Attributes:
        folder: of the run, which need not exist.
        shipper: who sends it.
        entry: what the header says of the writer.
        files: what the header says of whole files.
    """

    folder: Path
    writer: str
    shipper: str
    entry: dict[str, Any]
    frames: list[Frame]
    files: list[dict[str, Any]]

    def first_line(self) -> dict[str, Any] | None:
        """Return the first line of the writer; an empty one when it is damaged, None when it is not in the request."""
        first = self.frames[0] if self.frames else None
        if not self.entry.get("begin") or first is None or (first.kind, first.offset) != (wire.EVENTS, 0):
            return None
        return events.decode(first.data.partition(b"\n")[0]) or {}

    @property
    def is_ending(self) -> bool:
        """Whether the end of the writer is in the request."""
        return "end" in self.entry and any(frame.kind == wire.EVENTS for frame in self.frames)


class WriterIntake:
    """
    Writes what requests have of writers into the repository of *store*; to be called under the lock of *files*.

    Attributes:
        segments, whole_files: take slots, and the parts of whole files.
    """

    def __init__(self, store: Store, files: ReceivedFiles) -> None:
        self.segments = ReceivedSegments(files)
        self.whole_files = WholeFiles(files, store.disk)
        self._store = store
        self._disk = store.disk
        self._files = files
        self._ended: list[tuple[Path, str]] = []

    def take_ended(self) -> list[tuple[Path, str]]:
        """Return the writers that have ended, or were completed, since the last call: folder and id."""
        ended, self._ended = self._ended, []
        return ended

    def take(self, arriving: ArrivingWriter) -> WriterState:
        """Write what a request has of one writer, and return its state. Raises OSError."""
        self._files.make_room()
        log_file = self._files.existing(layout.events_file(arriving.folder, arriving.writer))
        if log_file is None:
            refusal = self._begin(arriving)
            if refusal is not None:
                return refusal
            log_file = self._files.opened(layout.events_file(arriving.folder, arriving.writer))
            changes.touch(arriving.folder, self._disk)
        is_sealed = layout.sealed_file(arriving.folder, arriving.writer).exists()
        skipped: frozenset[int] = frozenset()
        if is_sealed and self._is_complete(arriving, log_file):  # all of its points are there
            skipped = frozenset((wire.SLOTS, wire.BLOBS))
        elif is_sealed and any(frame.kind in (wire.SLOTS, wire.BLOBS) for frame in arriving.frames):
            return {"state": wire.CLOSED}
        behind = None if is_sealed else self._lacking(arriving, log_file)
        return behind or self._write(arriving, log_file, skipped)

    def _is_complete(self, arriving: ArrivingWriter, log_file: ReceivedFile) -> bool:
        return _has_end(log_file) or layout.complete_file(arriving.folder, arriving.writer).exists()

    def _write(self, arriving: ArrivingWriter, log_file: ReceivedFile, skipped: frozenset[int]) -> WriterState:
        answer: WriterState = {"state": wire.OK}
        try:
            for frame in arriving.frames:
                if frame.kind not in skipped:
                    self._apply(arriving, frame, log_file, answer)
                if answer["state"] == wire.BEHIND:
                    return answer
        except OtherBytes:
            return {"state": wire.DIFFERS}
        finally:
            self._show_change(arriving, log_file)
        self._mark(arriving, log_file)
        return answer

    def _show_change(self, arriving: ArrivingWriter, log_file: ReceivedFile) -> None:
        """Set a time, after what was written: by it readers see that something came (catalogue/arriving_runs.py)."""
        if arriving.entry.get("alive"):
            self._disk.touch(log_file.descriptor, log_file.path)
        elif arriving.frames:
            with contextlib.suppress(FileNotFoundError):  # the run was deleted
                self._disk.touch_folder(arriving.folder)

    def _begin(self, arriving: ArrivingWriter) -> WriterState | None:
        """Make the folder of a run for its first writer; return what stands against it."""
        line = arriving.first_line()
        if self._was_deleted(arriving, line):
            return {"state": wire.GONE}
        if line is None:
            return {"state": wire.BEHIND, "events": 0, "blobs": {}, "slots": {}}
        begin = line.get("begin")
        number = begin.get("format") if isinstance(begin, dict) else None
        if isinstance(number, int) and number > layout.FORMAT_NUMBER:
            why = f"The run has format {number}; this server reads up to {layout.FORMAT_NUMBER}. Upgrade the server."
            return {"state": wire.REFUSED, "why": why}
        self._store.create_run(arriving.folder.name, sync=False)
        self._files.note_folder(self._store.runs)
        self._files.note_folder(arriving.folder)
        return None

    def _was_deleted(self, arriving: ArrivingWriter, line: dict[str, Any] | None) -> bool:
        run_hash = arriving.folder.name
        deleted_at_s = tombstones.read(self._store.trash).get(run_hash)
        if deleted_at_s is None:
            return False
        if arriving.entry.get("again"):
            tombstones.write(self._store.trash, run_hash, self._disk, restored=True)
            return False
        return line is None or events.seconds(line.get("at")) <= deleted_at_s

    def _lacking(self, arriving: ArrivingWriter, log_file: ReceivedFile) -> WriterState | None:
        """Return the sizes of the writer's files here when the shipper believes that there is more."""
        expected = arriving.entry.get("has", {})
        end = arriving.entry.get("end")
        if not expected and end is None:
            return None
        sizes = self._sizes(arriving, log_file)
        is_less = (
            sizes["events"] < expected.get("events", 0)
            or any(sizes["blobs"].get(number, 0) < size for number, size in expected.get("blobs", {}).items())
            or any(sizes["slots"].get(number, 0) < count for number, count in expected.get("slots", {}).items())
        )
        if end is not None:
            is_less = is_less or (
                len(sizes["slots"]) < end.get("segments", 0)
                or sum(sizes["slots"].values()) < end.get("slots", 0)
                or len(sizes["blobs"]) < end.get("blobs", 0)
            )
        return {"state": wire.BEHIND, **sizes} if is_less else None

    def _sizes(self, arriving: ArrivingWriter, log_file: ReceivedFile) -> dict[str, Any]:
        folder, writer = arriving.folder, arriving.writer
        return {
            "events": log_file.size_bytes(),
            "blobs": {str(number): path.stat().st_size for number, path in layout.blob_files(folder, writer)},
            "slots": {str(number): filled_count(folder, writer, number) for number in segment_numbers(folder, writer)},
        }

    def _apply(self, arriving: ArrivingWriter, frame: Frame, log_file: ReceivedFile, answer: WriterState) -> None:
        """Write one frame. Raises OtherBytes, OSError."""
        folder, writer = arriving.folder, arriving.writer
        if frame.kind == wire.SLOTS:
            if answer["state"] == wire.LATER:  # a point must not come before its object
                return
            damaged = {page: crc for number, page, crc in arriving.entry.get("damaged", ()) if number == frame.file}
            self.segments.put(folder, writer, frame.file, frame.offset, frame.data, damaged)
        elif frame.kind in wire.WHOLE_FILES:
            label = arriving.files[frame.file]
            if frame.kind == wire.ARTIFACT and not self._has_room():
                answer["state"] = wire.LATER
                return
            answer.setdefault("files", {})[label["name"]] = self.whole_files.put(folder, frame, label, arriving.shipper)
        elif frame.kind == wire.BLOBS and not self._has_room():
            answer["state"] = wire.LATER
        else:
            is_events = frame.kind == wire.EVENTS
            path = layout.blob_file(folder, writer, frame.file)
            file = log_file if is_events else self._files.opened(path)
            if not self._append(file, frame.data, frame.offset):
                answer |= {"state": wire.BEHIND, **self._sizes(arriving, log_file)}

    def _append(self, file: ReceivedFile, data: bytes, offset: int) -> bool:
        """Write bytes of a file that grows; return False when some before them are missing. Raises OtherBytes."""
        size_bytes = file.size_bytes()
        if offset > size_bytes:
            return False
        present = os.pread(file.descriptor, min(len(data), size_bytes - offset), offset)
        if present == data[: len(present)]:
            if len(present) < len(data):
                self._files.write(file, data[len(present) :], offset + len(present))
            return True
        if any(byte and byte != new_byte for byte, new_byte in zip(present, data)):
            raise OtherBytes
        self._files.write(file, data, offset)  # zeros, which a power cut has left
        return True

    def _has_room(self) -> bool:
        try:
            room = os.statvfs(self._store.path)
        except (OSError, AttributeError):
            return True
        limit_bytes = min(FREE_BYTES_MIN, FREE_SHARE * room.f_blocks * room.f_frsize)
        return room.f_bavail * room.f_frsize >= limit_bytes

    def _mark(self, arriving: ArrivingWriter, log_file: ReceivedFile) -> None:
        """Keep what the request says of the writer as a whole: alive, ended, complete."""
        entry = arriving.entry
        is_ended = arriving.is_ending
        if entry.get("complete"):
            path = layout.complete_file(arriving.folder, arriving.writer)
            if not path.exists():
                self._files.opened(path)
                is_ended = True
        if is_ended:
            self._ended.append((arriving.folder, arriving.writer))
            changes.touch(arriving.folder, self._disk)


def _has_end(log_file: ReceivedFile) -> bool:
    """Return whether the last line of an event file is the end of its writer."""
    size_bytes = log_file.size_bytes()
    tail = os.pread(log_file.descriptor, END_SCAN_BYTES, max(0, size_bytes - END_SCAN_BYTES))
    line = tail.rstrip(b"\n").rpartition(b"\n")[2]
    event = events.decode(line)
    return event is not None and "end" in event
