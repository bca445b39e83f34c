"""
What is new in blob files: up to the end of the last entry that a stored point refers to; a closed file to its end.

The point is stored after its entries were written, so these bytes never change. What lies beyond them may be of a write
that the disk refused, which the next one overwrites.
"""

from __future__ import annotations

import os
from pathlib import Path

from aim.storage.disk import layout
from aim.storage.forms import blobs
from aim.storage.forms.journal import RECORD_BYTES
from aim.storage.shipping.frames import BLOBS, FRAME_BYTES_MAX
from aim.storage.shipping.new_slots import VALUE, ranges_of
from aim.storage.shipping.progress import FilePart, WriterProgress

POSITION_MAX = 2.0**53


class NewBlobs:
    """The blob files of *writer* in *folder*."""

    def __init__(self, folder: Path, writer: str) -> None:
        self._folder = folder
        self._writer = writer
        self._paths: dict[int, Path] = {}
        self._limits: dict[int, int] = {}

    def look(self, slots: list[FilePart], object_numbers: set[int], *, has_directories: bool) -> None:
        """
        Learn up to which byte each file may be sent.

        Args:
            slots: new ones.
            object_numbers: of the sequences whose points are objects.
            has_directories: the writer has ended, and closed its files.
        """
        self._paths = dict(layout.blob_files(self._folder, self._writer))
        last = max(self._paths, default=-1)
        for number, path in self._paths.items():
            if number < last or has_directories:
                self._limits[number] = path.stat().st_size
        latest: dict[int, int] = {}
        for piece in slots if object_numbers else ():
            for value, sequence in VALUE.iter_unpack(piece.data):
                if sequence in object_numbers and 0 <= value < POSITION_MAX:
                    number, offset = blobs.split_position(int(value))
                    latest[number] = max(latest.get(number, 0), offset)
        for number, offset in latest.items():
            if number in self._paths and offset >= self._limits.get(number, 0):
                end = blobs.entry_end(self._paths[number], offset)
                self._limits[number] = max(self._limits.get(number, 0), end)

    def read(self, progress: WriterProgress, budget_bytes: int) -> list[FilePart]:
        """Return what was not sent of each file, as far as it may be."""
        pieces: list[FilePart] = []
        for number, path in self._paths.items():
            key = (BLOBS, str(number))
            start, limit = progress.file(key).sent.prefix, self._limits.get(number, 0)
            while start < limit and budget_bytes > 0:
                with open(path, "rb") as file:
                    data = os.pread(file.fileno(), min(limit - start, FRAME_BYTES_MAX, budget_bytes), start)
                if not data:
                    break
                pieces.append(FilePart(key, start, start + len(data), data))
                start, budget_bytes = start + len(data), budget_bytes - len(data)
        return pieces

    def ready(
        self, slots: list[FilePart], object_numbers: set[int], progress: WriterProgress, pieces: list[FilePart]
    ) -> list[FilePart]:
        """Return those of *slots* whose objects were sent, or are sent with them as *pieces*."""
        if not object_numbers:
            return slots
        sent = {number: progress.file((BLOBS, str(number))).sent.prefix for number in self._paths}
        sent |= {int(piece.key[1]): piece.stop for piece in pieces}

        def is_ready(value: float, sequence: int) -> bool:
            if sequence not in object_numbers or not 0 <= value < POSITION_MAX:
                return True
            number, offset = blobs.split_position(int(value))
            if number not in self._paths or sent[number] >= self._limits.get(number, 0) > offset:
                return True
            return offset < sent[number] and blobs.entry_end(self._paths[number], offset) <= sent[number]

        ready: list[FilePart] = []
        for piece in slots:
            flags = [is_ready(value, sequence) for value, sequence in VALUE.iter_unpack(piece.data)]
            if all(flags):
                ready.append(piece)
                continue
            for low, high in ranges_of(flags):
                data = piece.data[low * RECORD_BYTES : high * RECORD_BYTES]
                ready.append(FilePart(piece.key, piece.start + low, piece.start + high, data))
        return ready
