"""
Runs of which all points lie in one sealed file, each shown as it was recorded: read without the run's lines.

    catalogue: this run's only writer is `w`, and the folder had this time        (facts.RunFacts, read once)
    later:     one `stat` says that it still has it   ->  points of `w.points.parquet`, found by name and context

Whoever records again, edits, rewinds or deletes makes a file, and the folder gets another time: then, and for what the
file does not tell, the lines are read as always. So a thousand curves cost a thousand `stat` and the files' own bytes.
"""

from __future__ import annotations

from pathlib import Path

from aim.core import contexts, params
from aim.storage.disk import freshness, layout
from aim.storage.forms.state import SequenceKey, SequencePart
from aim.storage.sealing.sealed import Sealed


class SoleWriter:
    """
    The only writer of the run in *folder*, which is sealed.

    Args:
        stamp: of the folder when that was found; see `freshness.FolderTime`.
    """

    def __init__(self, folder: Path, writer: str, stamp: int) -> None:
        self.writer = writer
        self.stamp = stamp
        self._folder = str(folder)
        self._path = layout.sealed_file(folder, writer)
        self._file: Sealed | None = None

    def find(self, key: SequenceKey) -> tuple[Sealed, SequencePart] | None:
        """
        Return the file and which part of it is the sequence; None when the lines have to be asked.

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
            except OSError:  # who asks the lines then meets it too, and says so
                return None
        if file.damage:
            return None
        name, text = key
        table = file.facts["sequences"]
        found = [
            place
            for place, own in enumerate(table["name"])
            if own == name and contexts.text(params.decode(table["context"][place] or {})) == text
        ]
        if len(found) != 1:  # none; or ints and floats, which are two
            return None
        return file, SequencePart(self.writer, table["number"][found[0]], table["kind"][found[0]])
