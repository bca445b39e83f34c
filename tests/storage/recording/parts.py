"""
The parts of a writer without the writer, and what they have put on the disk.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aim.storage.disk import layout
from aim.storage.disk.refusals import Refusals
from aim.storage.forms import events, journal
from aim.storage.forms.journal import Segment
from aim.storage.recording.lifecycle import Lifecycle
from aim.storage.recording.recording_files import RecordingFiles
from tests.storage.disks import NotedDisk

FIRST = 384
"""How many records the first segment of a writer holds."""


class Parts:
    """The files of one process, with what they are made of."""

    def __init__(self, folder: Path, disk: NotedDisk, lifecycle: Lifecycle, refusals: Refusals) -> None:
        self.folder = folder
        self.disk = disk
        self.lifecycle = lifecycle
        self.refusals = refusals
        self.files = RecordingFiles(folder, "run", lifecycle, refusals, disk)

    @property
    def segment(self) -> Segment:
        """The segment that takes records."""
        segment = self.files.segments.segment
        assert isinstance(segment, Segment)
        return segment

    def put(self, count: int, sequence: int = 1) -> None:
        """Put *count* records: their steps are their values."""
        for step in range(count):
            self.files.segments.put(sequence, float(step), step, None)

    def record(self, index: int) -> tuple[float, int, float, float, int]:
        """Return the n-th record of the segment: value, step, time, epoch, sequence."""
        return journal.record_at(self.segment, journal.PAGE_BYTES + index * journal.RECORD_BYTES)


class Reading:
    """What the files of a run hold."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self, pattern: str = "*") -> list[str]:
        """Return what follows the writer's id in the names of the files, sorted."""
        return sorted(path.name[9:] for path in self.folder.glob(pattern))

    def lines(self, writer: str) -> list[dict[str, Any]]:
        """Return the event lines of a writer, without the first one and without their times."""
        read = events.read(layout.events_file(self.folder, writer))
        assert [] == read.bad_spans
        return [{key: value for key, value in event.items() if key != "at"} for event in read.events[1:]]
