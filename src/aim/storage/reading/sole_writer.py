"""
Runs all of whose points are in one sealed file, each visible as it was recorded: read without the run's lines.

    catalogue: the only writer of this run is `w`, and its folder had this time
    later:     one `stat` shows that the folder still has it  ->  points of `w.points.parquet`, by name and context

Recording, editing, rewinding and deleting all make a file, so the folder gets another time. Then, and for what the file
does not say, the lines are read as always. So the curves of a thousand runs cost a thousand `stat`, and the files' own
bytes, read in one piece each.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from aim.storage.disk import freshness, layout
from aim.storage.forms.state import SequenceKey, SequencePart
from aim.storage.sealing.sealed import Sealed

MANY_KEYS = 4  # so many sequences at once are read with the whole file,
MANY_SHARE = 4  # when they are a quarter of those in it


class SoleWriter:
    """
    The only writer of the run in *folder*, which is sealed.

    Attributes:
        file: the end of the sealed file, once it was read.

    Args:
        stamp: that of the folder when this was established; see `freshness.FolderTime`.
    """

    def __init__(self, folder: Path, writer: str, stamp: int) -> None:
        self.writer = writer
        self.stamp = stamp
        self._folder = str(folder)
        self._path = layout.sealed_file(folder, writer)
        self.file: Sealed | None = None

    def find(self, keys: Collection[SequenceKey]) -> tuple[Sealed, dict[SequenceKey, SequencePart]] | None:
        """
        Return the file, and for each of *keys* the part of it that is the sequence. Sequences for which the lines have
        to be read are left out; None when that is so for all.

        Raises:
            FileNotFoundError: the run was deleted.

        Cost: one `stat`; the first time it reads the file's end, and for many sequences the file, at once.
        """
        if freshness.folder_time(self._folder).stamp != self.stamp:
            return None
        file = self.file
        try:
            if file is None:
                file = self.file = Sealed.open(self._path)
            if len(keys) >= MANY_KEYS and len(keys) * MANY_SHARE >= len(file.table):
                file = file.loaded()
        except FileNotFoundError:
            raise
        except OSError:  # reading the lines meets the same error, and reports it
            return None
        if file.damage:
            return None
        parts: dict[SequenceKey, SequencePart] = {}
        for key in keys:
            matches = file.table.numbers_and_kinds(*key)
            if len(matches) == 1:  # else there is none; or there are ints and floats, which are two
                parts[key] = SequencePart(self.writer, *matches[0])
        return file, parts
