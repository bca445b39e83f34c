"""
The files that a writer owns: its event file, segments and blob files, all named after its random id.

They are synced in one order: event lines, blobs, segments, and then the folder if a file is new in it. So what a record
refers to is on the disk before the record.

The folder of a run may be renamed while it is recorded, or be away for a while, as a mount is. Open files stay what
they are: whether the run was deleted is asked by the descriptor of its event file, whose link count is then 0, and
never by its path. Where the system tells the path of a descriptor, the folder is followed to its new place; else new
files wait until it is back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aim.core.tuples import NamedTuple
from aim.storage.disk import changes, layout
from aim.storage.disk.files import Disk, has_no_name, is_at, path_of
from aim.storage.disk.refusals import Refusals, first_refusal
from aim.storage.disk.spare_descriptors import SPARE
from aim.storage.forms.blobs import BlobFile
from aim.storage.forms.events import EventLog
from aim.storage.forms.journal import Segment
from aim.storage.recording.event_lines import EventLines, about_this_process
from aim.storage.recording.gap_lines import GapLines
from aim.storage.recording.lifecycle import Lifecycle, Turn
from aim.storage.recording.object_records import ObjectRecords
from aim.storage.recording.segment_chain import SegmentChain
from aim.storage.recording.segment_supply import SegmentSupply


class FormerFiles(NamedTuple):
    """The files of a writer id that this process records under no more."""

    writer: str
    log: EventLog
    segments: list[Segment]
    blobs: BlobFile


class RecordingFiles:
    """
    The files of one process in the run folder *folder*.

    Attributes:
        id: of the writer.
        gaps: what was lost, as event lines.
        lines, segments, objects: what is recorded into the event file, the journal and the blob files.

    Raises:
        OSError: the disk refuses the event file.
    """

    def __init__(self, folder: Path, run_hash: str, lifecycle: Lifecycle, refusals: Refusals, disk: Disk) -> None:
        self.folder = folder
        self._run_hash = run_hash
        self._lifecycle = lifecycle
        self._disk = disk
        self.id = layout.new_writer_id()
        self.lines = EventLines(lifecycle, refusals, EventLog(layout.events_file(folder, self.id), disk))
        self.gaps = GapLines(refusals, self.lines)
        self.segments = SegmentChain(lifecycle, refusals)
        self.objects = ObjectRecords(lifecycle, refusals, self.segments, BlobFile(folder, self.id, disk))
        self._start()

    def _start(self) -> None:
        SPARE.hold()
        self._synced_name_count = 0
        self.gaps.begin()
        self._supply = SegmentSupply(self.folder, self._run_hash, self.id, self._disk)
        self.segments.begin(self._supply)
        self._lifecycle.take(Turn.BEGIN)
        self.lines.append({"begin": about_this_process(self._run_hash, self.id, ships=self._disk.ships)})
        changes.touch(self.folder, self._disk)

    def begin_again(self) -> FormerFiles:
        """
        Begin new files under a new id; return those so far, which are still open.

        Raises:
            OSError: the disk refuses the event file; everything is as before.
        """
        writer = layout.new_writer_id()
        log = EventLog(layout.events_file(self.folder, writer), self._disk)
        former = FormerFiles(self.id, self.lines.log, self.segments.detach(), self.objects.blobs)
        self.id = writer
        self.lines.log = log
        self.objects.blobs = BlobFile(self.folder, writer, self._disk)
        self._start()
        return former

    def abandon(self) -> None:
        """In the child of a fork: close the parent's files, writing nothing."""
        segments = self.segments.detach()
        self.lines.log.close()
        self.objects.abandon()
        for segment in segments:
            segment.abandon()

    def is_deleted(self) -> bool:
        """Return whether the event file has no name any more, or lies in the trash: the run was deleted."""
        return has_no_name(self.lines.log.descriptor) or self.folder.parent.name == layout.TRASH_FOLDER

    def follow(self) -> bool:
        """Follow the folder if it was renamed; return whether it has a path now."""
        descriptor = self.lines.log.descriptor
        if is_at(layout.events_file(self.folder, self.id), descriptor):
            return True
        path = path_of(descriptor)
        if path is None or not is_at(path, descriptor):
            return False
        self.folder = path.parent
        self.lines.log.path = path
        self._supply.move(self.folder)
        self.objects.blobs.move(self.folder)
        return True

    def was_sealed(self) -> bool:
        """Return whether this writer was taken for dead, and sealed."""
        return layout.sealed_file(self.folder, self.id).exists() or not self.segments.has_names()

    def sync(self) -> None:
        """Put everything recorded on the disk. Raises OSError: the first refusal, after all was tried."""
        SPARE.hold()
        name_count = 1 + self.segments.count + self.objects.blobs.file_count
        log, blobs = self.lines.log, self.objects.blobs
        refusal = first_refusal((log.retry, log.sync, blobs.sync))
        refusal = self.segments.sync() or refusal
        if refusal is not None:
            raise refusal
        if name_count != self._synced_name_count:
            self._disk.sync_folder(self.folder)
            self._synced_name_count = name_count

    def end(self, error: str | None, next_steps: Sequence[int]) -> OSError | None:
        """Put everything on the disk, and the end event last; return the first refusal."""
        log, blobs = self.lines.log, self.objects.blobs
        refusals = [
            first_refusal((self.segments.give_back_spare, log.retry)),
            self.segments.end(),
            first_refusal((blobs.close,)),
            first_refusal((self.gaps.end, lambda: log.append({"end": self._end_event(error, next_steps)}), log.sync)),
        ]
        refusals.append(first_refusal((lambda: self._disk.sync_folder(self.folder),)))
        return next((refusal for refusal in refusals if refusal is not None), None)

    def _end_event(self, error: str | None, next_steps: Sequence[int]) -> dict[str, Any]:
        end: dict[str, Any] = {
            "state": "failed" if error else "finished",
            "error": error,
            "segments": self.segments.count,
            "points": self.segments.point_count,
            "blobs": self.objects.blobs.file_count,
            "next": list(next_steps),
        }
        if not self.objects.blobs.is_whole:
            end["directory"] = False
        return end

    def seize(self) -> None:
        """Complete what an interrupted call of this thread has begun: the run ends before it goes on."""
        self.objects.seize()
        self.lines.seize()

    def close(self) -> None:
        """Close the files; again: nothing happens."""
        for segment in self.segments.detach():
            segment.close()
        self.objects.blobs.abandon()
        self.lines.log.close()
