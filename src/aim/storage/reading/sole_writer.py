"""
Runs all of whose points are in one sealed file, each visible as it was recorded: read without the run's lines.

    catalogue: the only writer of this run is `w`, and its folder had this time
    later:     one `stat` shows that the folder still has it  ->  points of `w.points.parquet`, by name and context

Recording, editing, rewinding and deleting all make a file, so the folder gets another time. Then, and for what the file
does not say, the lines are read as always. So a thousand curves cost a thousand `stat` and the files' own bytes.
"""

from __future__ import annotations

from pathlib import Path

from aim.storage.disk import freshness, layout
from aim.storage.forms.state import SequenceKey, SequencePart
from aim.storage.sealing.sealed import Sealed


class SoleWriter:
    """
    The only writer of the run in *folder*, which is sealed.

    Args:
        stamp: that of the folder when this was established; see `freshness.FolderTime`.
    """

    def __init__(self, folder: Path, writer: str, stamp: int) -> None:
        self.writer = writer
        self.stamp = stamp
        self._folder = str(folder)
        self._path = layout.sealed_file(folder, writer)
        self._file: Sealed | None = None

    def find(self, key: SequenceKey) -> tuple[Sealed, SequencePart] | None:
        """
        Return the file and the part of it that is the sequence; None when the lines have to be read.

        Raises:
            FileNotFoundError: the run was deleted.

        Cost: one `stat`; the first time it reads the file's end.
        """
        if freshness.folder_time(self._folder).stamp != self.stamp:
            return None
        file = self._file
        if file is None:
            try:
                file = self._file = Sealed.open(self._path)
            except FileNotFoundError:
                raise
            except OSError:  # reading the lines meets the same error, and reports it
                return None
        if file.damage:
            return None
        matches = file.table.numbers_and_kinds(*key)
        if len(matches) != 1:  # none; or ints and floats, which are two
            return None
        return file, SequencePart(self.writer, *matches[0])
