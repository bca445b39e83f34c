"""
Sealing: the points of an ended writer written anew as one Parquet file. Specified in docs/formats/sealed.md.

    journal segments -> sorted records -> Parquet, index and block -> read back -> link -> the segments go

Any process may seal, at any time, twice, and be killed half-way: the file gets its name by one `link`, and segments are
removed only after that. sealed.py reads the files that are written here.

Rule 1: a journal with damage is not sealed: a suspect value would get a valid CRC.
Rule 2: a file gets its name only after it was read back and equals the journal.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core import kinds, params
from aim.core.errors import UnsupportedFormat
from aim.core.values import EXACT_INT_MAX
from aim.storage.disk import layout
from aim.storage.disk.files import DISK, SCRATCH_AGE_S, Disk
from aim.storage.forms import blobs, records, torn_tail
from aim.storage.forms.records import IntArray, Records
from aim.storage.forms.state import RunState
from aim.storage.sealing import pages
from aim.storage.sealing.declarations import SequenceDeclaration, declarations, undeclared
from aim.storage.sealing.file_end import with_index
from aim.storage.sealing.footer import SEQUENCE_KEYS, SUMMARY_KEYS, JournalOrigin
from aim.storage.sealing.point_summary import summarize
from aim.storage.sealing.sealed import Sealed
from aim.storage.sealing.verify import verify

FORMAT_NUMBER = 1
GROUP_ROWS_MIN = 1024
DATA_PAGE_BYTES = 160_000  # 20,000 values: what one damaged page hides
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

    Cost: about 0.3 us a point.
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
        content = _sealed_content(folder, writer, state, declared)
        if content is None:
            return has_changed
        if not disk.publish(target, content):  # by another sealer, whose name may not be on the disk yet
            disk.sync_folder(folder)
    elif verify(target):  # a damaged file does not replace a journal that is whole
        return has_changed
    for number in reversed(numbers):
        disk.unlink(layout.segment_file(folder, writer, number))
    return True


def _sealed_content(
    folder: Path, writer: str, state: RunState, declared: Mapping[int, SequenceDeclaration]
) -> bytes | None:
    """Return the sealed file; None when the journal is damaged, or another sealer is at it."""
    try:
        journal = records.scan(folder, writer)
        slot_count = records.slots_used(folder, writer, journal.segments)
        events_bytes = layout.events_file(folder, writer).stat().st_size
    except FileNotFoundError:
        return None
    segment_count = len(journal.segments)
    info = state.writers.get(writer)
    end = info.end if info else None
    if end is not None and (end.get("segments") != segment_count or end.get("points") != slot_count):
        return None
    if journal.damage or journal.segments != list(range(segment_count)) or not segment_count:
        return None
    if bool((journal.records["sequence"] > SEQUENCE_MAX).any()):
        return None
    origin = JournalOrigin(state.run_hash, writer, segment_count, slot_count, events_bytes)
    recorded = journal.records if end is not None else _without_holes(folder, writer, journal.records, declared)
    return encode(recorded, declared, origin)


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
    order = np.lexsort((recorded["step"], recorded["sequence"]))
    table = recorded[order]
    entries = _entries(table, declared)
    columns = {key: [entry.get(key) for entry in entries] for key in (*SEQUENCE_KEYS, *SUMMARY_KEYS)}
    footer = {"format": FORMAT_NUMBER, **origin.to_json(), "sequences": columns}
    text = json.dumps(footer, separators=(",", ":"), allow_nan=False)
    content = with_index(_parquet(table, entries, text))
    if not _reads_back(content, table):
        import pyarrow

        raise UnsupportedFormat(
            f"pyarrow {pyarrow.__version__} does not write the pages of Aim's sealed form; the journal is kept. "
            "Install another pyarrow."
        )
    return content


def _entries(table: Records, declared: Mapping[int, SequenceDeclaration]) -> list[dict[str, Any]]:
    numbers, rows, counts = np.unique(table["sequence"], return_index=True, return_counts=True)
    entries = []
    group = group_rows = 0
    for number, row, count in zip(numbers.tolist(), rows.tolist(), counts.tolist()):
        if group_rows >= GROUP_ROWS_MIN:
            group, group_rows = group + 1, 0
        group_rows += count
        declaration = declared.get(number) or undeclared(number)
        steps = np.ascontiguousarray(table["step"][row : row + count])
        entry = {
            "number": number,
            "name": declaration.name,
            "context": params.encode(declaration.context),
            "kind": declaration.kind,
            "row": row,
            "rows": count,
            "group": group,
            "first_step": int(steps[0]),
            "stride": _stride(steps),
        }
        if kinds.is_number(declaration.kind):
            values = np.ascontiguousarray(table["value"][row : row + count])
            summary = summarize(steps, values)
            entry |= {key: params.encode(getattr(summary, field)) for key, field in SUMMARY_KEYS.items()}
        entries.append(entry)
    return entries


def _stride(steps: IntArray) -> int | None:
    """Return s > 0 if the steps are first, first + s, first + 2 s ..., else None."""
    if len(steps) == 1:
        return 1
    stride = int(steps[1]) - int(steps[0])
    is_regular = 0 < stride < 1 << 62 and int(steps[-1]) - int(steps[0]) == stride * (len(steps) - 1)
    return stride if is_regular and bool((np.diff(steps) == stride).all()) else None


def _parquet(table: Records, entries: Sequence[Mapping[str, Any]], text: str) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = (pa.string(), pa.string(), pa.int32(), pa.int64(), pa.timestamp("us"), pa.float64(), pa.float32())
    labelled = {"name", "context"}
    schema = pa.schema(
        [
            pa.field(name, pa.dictionary(pa.int32(), kind) if name in labelled else kind, nullable=False)
            for name, kind in zip(pages.COLUMNS, types)
        ]
    )
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=["name", "context", "sequence"],
        column_encoding={
            "step": "DELTA_BINARY_PACKED",
            "time": "DELTA_BINARY_PACKED",
            "value": "BYTE_STREAM_SPLIT",
            "epoch": "BYTE_STREAM_SPLIT",
        },
        write_statistics=["sequence"],
        write_page_checksum=True,
        data_page_version="1.0",
        data_page_size=DATA_PAGE_BYTES,
        dictionary_pagesize_limit=pages.DICTIONARY_BYTES_MAX,
        store_schema=False,
    ) as writer:
        for start, stop, group_entries in _groups(entries):
            part = table[start:stop]
            counts = [entry["rows"] for entry in group_entries]
            arrays = [
                _labels([_valid(entry["name"]) for entry in group_entries], counts),
                _labels([_valid(_context_text(entry["context"])) for entry in group_entries], counts),
                _numbers(part["sequence"].astype(np.int32), pa.int32()),
                _numbers(part["step"], pa.int64()),
                _numbers(records.time_us(part), pa.timestamp("us")),
                _numbers(part["value"], pa.float64()),
                _numbers(part["epoch"], pa.float32()),
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=stop - start)
        writer.add_key_value_metadata({"aim": text})
    return bytes(sink.getvalue())


def _groups(entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int, list[Mapping[str, Any]]]]:
    """Return of each row group its first row, the row after its last one, and its sequences."""
    for _, group in itertools.groupby(entries, key=lambda entry: entry["group"]):
        group_entries = list(group)
        last = group_entries[-1]
        yield group_entries[0]["row"], last["row"] + last["rows"], group_entries


def _labels(texts: Sequence[str], counts: Sequence[int]) -> Any:
    import pyarrow as pa

    distinct = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    codes = np.repeat(np.array([distinct[text] for text in texts], np.int32), counts)
    contents = [text.encode() for text in distinct]
    ends = np.cumsum([0, *map(len, contents)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(contents))]
    return pa.DictionaryArray.from_arrays(
        _numbers(codes, pa.int32()), pa.Array.from_buffers(pa.string(), len(contents), buffers)
    )


def _numbers(column: npt.NDArray[Any], kind: Any) -> Any:
    """Return numbers as an array of pyarrow; `pa.array` would import pandas where it is: half a second and 60 MiB."""
    import pyarrow as pa

    return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(np.ascontiguousarray(column))])


def _valid(text: str) -> str:
    # half of a surrogate pair has no UTF-8 form; the footer's JSON has it as an escape
    return text.encode("utf-8", "replace").decode()


def _context_text(form: Any) -> str:
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _reads_back(content: bytes, table: Records) -> bool:
    file = Sealed.of(Path("sealing"), content)
    numbers, columns = file.all()
    return not file.damage and (
        np.array_equal(numbers, table["sequence"])
        and np.array_equal(columns.steps, table["step"])
        and columns.values.tobytes() == table["value"].tobytes()
        and np.array_equal(columns.times_us, records.time_us(table))
        and columns.epochs.tobytes() == table["epoch"].tobytes()
    )
