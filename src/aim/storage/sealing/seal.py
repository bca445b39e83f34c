"""
Sealing: the points of an ended writer written anew as one Parquet file. Specified in docs/formats/sealed.md.

    journal segments -> sorted points -> Parquet, index and block -> read back -> link -> the segments go
                        sorted_points    writing

Any process may seal, at any time, twice, and be killed half-way: the file gets its name by one `link`, and segments are
removed only after that. sealed.py reads the files that are written here.

Rule 1: a journal with damage is not sealed: a suspect value would get a valid CRC.
Rule 2: a file gets its name only after it was read back and equals the journal.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from aim.core import kinds
from aim.core.errors import UnsupportedFormat
from aim.core.values import EXACT_INT_MAX
from aim.storage.disk import layout
from aim.storage.disk.files import DISK, SCRATCH_AGE_S, Disk
from aim.storage.forms import blobs, records, torn_tail
from aim.storage.forms.records import Records
from aim.storage.forms.state import RunState
from aim.storage.sealing.declarations import SequenceDeclaration, declarations
from aim.storage.sealing.footer import JournalOrigin
from aim.storage.sealing.journal_check import JournalCount, counted_journal
from aim.storage.sealing.sealed import Columns, Sealed
from aim.storage.sealing.sorted_points import (
    MEMORY_POINTS,
    PointsInMemory,
    PointsOnDisk,
    SortedPoints,
    recorded_in,
)
from aim.storage.sealing.verify import verify
from aim.storage.sealing.writing import RowGroup, write_sealed

SEQUENCE_MAX = 2**31 - 1


def seal_writer(folder: Path, writer: str, state: RunState, *, disk: Disk = DISK) -> bool:
    """
    Seal what *writer*, which has ended, recorded into the run of *folder*; return False when there was nothing to do.

    Also writes the directory of blob files that a killed writer left without one, and removes scratch files older than
    an hour. A journal that is damaged or incomplete is left as it is.

    Args:
        state: of the run; names, contexts and kinds of the sequences are taken from it.

    Raises:
        OSError: the disk refuses; the journal is as good as before.

    Cost: about 0.4 us a point; 150 MiB of memory at most, with pyarrow, and of a journal of more than 262,144 points as
    much of the disk as it has, until it is sealed.
    """
    info = state.writers.get(writer)
    if info is not None and info.unreadable is not None:  # the names of its sequences would be lost
        reason = info.unreadable
        raise OSError(reason.errno, reason.strerror, str(layout.events_file(folder, writer)))
    _remove_scratch(folder, disk)
    declared = declarations(state, writer)
    has_changed = _complete_blobs(folder, writer, state, declared, disk)
    target = layout.sealed_file(folder, writer)
    numbers = records.segment_numbers(folder, writer)
    if not numbers:
        return has_changed
    if not target.exists():
        sources = _sources(folder, writer, state, declared)
        if sources is None:
            return has_changed
        points, origin = sources
        with contextlib.closing(points):
            is_ours = disk.publish_made(target, lambda scratch: _write_file(points, declared, origin, scratch, disk))
        if not is_ours:  # by another sealer, whose name may not be on the disk yet
            disk.sync_folder(folder)
    elif verify(target):  # a damaged file does not replace a journal that is whole
        return has_changed
    for number in reversed(numbers):
        disk.unlink(layout.segment_file(folder, writer, number))
    return True


def _sources(
    folder: Path, writer: str, state: RunState, declared: Mapping[int, SequenceDeclaration]
) -> tuple[SortedPoints, JournalOrigin] | None:
    """Return the points to seal, and what they come from; None: the journal is damaged, or another sealer is at it."""
    segments = records.segment_numbers(folder, writer)
    try:
        count = counted_journal(folder, writer, segments)
        events_bytes = layout.events_file(folder, writer).stat().st_size
        info = state.writers.get(writer)
        end = info.end if info else None
        if end is not None and (end.get("segments") != len(segments) or end.get("points") != count.slot_count):
            return None
        if not count.is_whole or segments != list(range(len(segments))) or not segments:
            return None
        if max(count.counts, default=0) > SEQUENCE_MAX:
            return None
        points = _points(folder, writer, segments, count, None if end is not None else declared)
    except FileNotFoundError:
        return None
    return points, JournalOrigin(state.run_hash, writer, len(segments), count.slot_count, events_bytes)


def _points(
    folder: Path,
    writer: str,
    segments: Sequence[int],
    count: JournalCount,
    declared: Mapping[int, SequenceDeclaration] | None,
) -> SortedPoints:
    """Return the points of a journal; *declared* is given when the writer has no end, and its last points may lack."""
    if sum(count.counts.values()) > MEMORY_POINTS and not (
        declared is not None and torn_tail.lost_declarations(folder, writer, *count.times(), declared)
    ):
        points = PointsOnDisk(folder, count.counts)
        with contextlib.ExitStack() as unless_whole:
            unless_whole.callback(points.close)
            points.fill(recorded_in(folder, writer, segments))
            if declared is None or _has_all_objects(folder, writer, points, declared):
                unless_whole.pop_all()
                return points
    recorded = records.joined(list(recorded_in(folder, writer, segments)) or [np.empty(0, records.RECORD_DTYPE)])
    return PointsInMemory(recorded if declared is None else _without_holes(folder, writer, recorded, declared))


def _has_all_objects(
    folder: Path, writer: str, points: PointsOnDisk, declared: Mapping[int, SequenceDeclaration]
) -> bool:
    for number, start, stop in points.sequence_rows():
        declaration = declared.get(number)
        if declaration is not None and not kinds.is_number(declaration.kind):
            rows = points.rows(start, stop)
            if not torn_tail.stored_objects(folder, writer, rows["value"], records.time_us(rows)).all():
                return False
    return True


def _without_holes(
    folder: Path, writer: str, recorded: Records, declared: Mapping[int, SequenceDeclaration]
) -> Records:
    """Return what a writer without an end has recorded, without the last points that lack object or declaration."""
    times_us = records.time_us(recorded)
    lost = torn_tail.lost_declarations(folder, writer, recorded["sequence"], times_us, declared)
    is_whole = ~np.isin(recorded["sequence"], list(lost))
    for number, declaration in declared.items():
        if not kinds.is_number(declaration.kind):
            rows = np.flatnonzero(recorded["sequence"] == number)
            positions = recorded["value"][rows]
            is_whole[rows] &= torn_tail.stored_objects(folder, writer, positions, times_us[rows])
    whole: Records = recorded if bool(is_whole.all()) else recorded[is_whole]
    return whole


def _remove_scratch(folder: Path, disk: Disk) -> None:
    with os.scandir(folder) as entries:
        old = [
            Path(entry.path)
            for entry in entries
            if entry.name.startswith(".") and entry.is_file() and time.time() - entry.stat().st_mtime > SCRATCH_AGE_S
        ]
    for path in old:
        disk.unlink(path)


def _complete_blobs(
    folder: Path, writer: str, state: RunState, declared: Mapping[int, SequenceDeclaration], disk: Disk
) -> bool:
    info = state.writers.get(writer)
    if info is None or (info.end is not None and info.end.get("directory", True)):
        return False
    has_changed = False
    for file_number, path in layout.blob_files(folder, writer):
        if _has_directory(path) or _record_offset_max(folder, writer, declared, file_number) >= blobs.walk(path)[1]:
            continue  # a point refers to an entry that is not whole: damage, which is not to be cut off
        blobs.append_directory(path, disk)
        has_changed = True
    return has_changed


def _has_directory(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - blobs.END.size))
        return file.read(4) == b"PK\x05\x06"


def _record_offset_max(folder: Path, writer: str, declared: Mapping[int, SequenceDeclaration], file_number: int) -> int:
    """Return the highest offset in a blob file that a point refers to; -1: none."""
    object_numbers = [number for number, declaration in declared.items() if not kinds.is_number(declaration.kind)]
    target = layout.sealed_file(folder, writer)
    if target.exists():
        file = Sealed.open(target)
        values = np.concatenate([np.empty(0)] + [file.columns(number).values for number in object_numbers])
    else:
        recorded = _without_holes(folder, writer, records.scan(folder, writer, verify=False).records, declared)
        values = recorded["value"][np.isin(recorded["sequence"], object_numbers)]
    positions = [blobs.split_position(int(value)) for value in values.tolist() if 0 <= value < EXACT_INT_MAX]
    return max((offset for number, offset in positions if number == file_number), default=-1)


def encode(recorded: Records, declared: Mapping[int, SequenceDeclaration], origin: JournalOrigin) -> bytes:
    """
    Return the sealed file of *recorded*, a writer's records in the order of recording.

    Args:
        declared: names, contexts and kinds; a number that is not in it is named `(unknown <number>)`.
        origin: what the footer says of the journal.

    Raises:
        UnsupportedFormat: the installed pyarrow writes other pages than docs/formats/sealed.md says.

    Cost: about 0.15 us a point.
    """
    points = PointsInMemory(recorded)
    written: list[bytes] = []
    groups = _written(points, declared, origin, written.append)
    content = b"".join(written)
    _check(Sealed.of(Path("sealing"), content), points, groups)
    return content


def _write_file(
    points: SortedPoints,
    declared: Mapping[int, SequenceDeclaration],
    origin: JournalOrigin,
    path: Path,
    disk: Disk,
) -> None:
    """Write the sealed file of *points*, wait until it is on the disk, and read it back."""
    descriptor = disk.create(path)
    try:
        groups = _written(points, declared, origin, lambda data: disk.write(descriptor, data))
        disk.sync(descriptor)
    finally:
        os.close(descriptor)
    _check(Sealed.open(path), points, groups)


def _written(
    points: SortedPoints,
    declared: Mapping[int, SequenceDeclaration],
    origin: JournalOrigin,
    write: Callable[[bytes], object],
) -> list[RowGroup]:
    try:
        return write_sealed(points, declared, origin, write)
    except ValueError as error:
        raise _other_pages() from error


def _check(file: Sealed, points: SortedPoints, groups: Sequence[RowGroup]) -> None:
    """Compare what a file gives with the points that it was made of, a row group after the other."""
    is_equal = {sequence.number: sequence.row_count for sequence in file.sequences} == points.counts()
    for number, group in enumerate(groups):
        is_equal = is_equal and _holds(file.group(number), points.rows(group.start, group.stop))
    if not is_equal or file.damage:
        raise _other_pages()


def _other_pages() -> UnsupportedFormat:
    import pyarrow

    return UnsupportedFormat(
        f"pyarrow {pyarrow.__version__} does not write the pages of Aim's sealed form; the journal is kept. "
        "Install another pyarrow."
    )


def _holds(columns: Columns, table: Records) -> bool:
    return (
        np.array_equal(columns.steps, table["step"])
        and columns.values.tobytes() == table["value"].tobytes()
        and np.array_equal(columns.times_us, records.time_us(table))
        and columns.epochs.tobytes() == table["epoch"].tobytes()
    )
