"""
Sealing: the points of an ended writer written anew as one Parquet file. Specified in docs/formats/sealed.md.

    journal segments -> sorted records -> Parquet, index and block -> read back -> link -> the segments go

Anybody may seal, at any time, twice, and die half-way: the file gets its name by one `link`, and only then do segments
go. sealed.py reads what is written here.

Rule 1: a journal with damage is not sealed: that would turn a suspected value into a checked one.
Rule 2: a file gets its name only after it was read back and equals the journal.
"""

from __future__ import annotations

import json
import os
import secrets
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aim.core import params
from aim.core.errors import UnsupportedFormat
from aim.storage.disk import layout
from aim.storage.disk.files import DISK, SCRATCH_AGE_S, Disk
from aim.storage.forms import blobs, records
from aim.storage.forms.records import IntArray, Records
from aim.storage.forms.state import RunState
from aim.storage.sealing import pages
from aim.storage.sealing.sealed import BLOCK, KEYS, MAGIC, Sealed, summarize, verify

FORMAT_NUMBER = 1
GROUP_ROWS_MIN = 1024
DATA_PAGE_BYTES = 160_000  # 20,000 values: what one damaged page hides
SEQUENCE_MAX = 2**31 - 1
NUMBER_KINDS = ("int", "float")


def seal_writer(folder: Path, writer: str, state: RunState, *, disk: Disk = DISK) -> bool:
    """
    Seal what *writer*, which has ended, recorded into the run of *folder*; False when nothing was to do.

    Also writes the directory of blob files that a killed writer left without one, and removes scratch files older than
    an hour. A journal that is damaged or incomplete is left as it is.

    Args:
        state: of the run; names, contexts and kinds of the sequences are taken from it.

    Raises:
        OSError: the disk refuses; the journal is as good as before.

    Cost: about 0.3 us a point.
    """
    facts = state.writers.get(writer)
    if facts is not None and facts.unreadable is not None:  # the names of its sequences would be lost
        reason = facts.unreadable
        raise OSError(reason.errno, reason.strerror, str(layout.events_file(folder, writer)))
    _remove_scratch(folder, disk)
    declared = declarations(state, writer)
    changed = _complete_blobs(folder, writer, state, declared, disk)
    target = layout.sealed_file(folder, writer)
    numbers = records.segment_numbers(folder, writer)
    if not numbers:
        return changed
    if not target.exists():
        content = _sealed_content(folder, writer, state, declared)
        if content is None:
            return changed
        _publish(target, content, disk)
    elif verify(target):  # a damaged file does not replace a journal that is whole
        return changed
    for number in reversed(numbers):
        disk.unlink(layout.segment_file(folder, writer, number))
    return True


def _sealed_content(folder: Path, writer: str, state: RunState, declared: Mapping[int, Declared]) -> bytes | None:
    """Return the sealed file; None when the journal is damaged, or another sealer is at it."""
    try:
        found = records.scan(folder, writer)
        slots = records.slots_used(folder, writer, found.segments)
        events_bytes = layout.events_file(folder, writer).stat().st_size
    except FileNotFoundError:
        return None
    facts = state.writers.get(writer)
    end = facts.end if facts else None
    if end is not None and (end.get("segments") != len(found.segments) or end.get("points") != slots):
        return None
    if found.damage or found.segments != list(range(len(found.segments))) or not found.segments:
        return None
    if bool((found.records["sequence"] > SEQUENCE_MAX).any()):
        return None
    about = {
        "run": state.run_hash,
        "writer": writer,
        "segments": len(found.segments),
        "slots": slots,
        "events_bytes": events_bytes,
    }
    return encode(found.records, declared, about)


def _publish(target: Path, content: bytes, disk: Disk) -> None:
    scratch = target.with_name(f".{target.name.removesuffix('.parquet')}.{secrets.token_hex(4)}")
    descriptor = disk.create(scratch)
    try:
        disk.write(descriptor, content)
        disk.sync(descriptor)
    finally:
        os.close(descriptor)
    try:
        disk.link(scratch, target)
    except FileExistsError:
        pass
    finally:
        disk.unlink(scratch)
    disk.sync_folder(target.parent)


def _remove_scratch(folder: Path, disk: Disk) -> None:
    with os.scandir(folder) as entries:
        old = [
            Path(entry.path)
            for entry in entries
            if entry.name.startswith(".") and entry.is_file() and time.time() - entry.stat().st_mtime > SCRATCH_AGE_S
        ]
    for path in old:
        disk.unlink(path)


def _complete_blobs(folder: Path, writer: str, state: RunState, declared: Mapping[int, Declared], disk: Disk) -> bool:
    facts = state.writers.get(writer)
    if facts is None or (facts.end is not None and facts.end.get("directory", True)):
        return False
    changed = False
    for path in sorted(folder.glob(f"{writer}.blobs-*.zip")):
        if _has_directory(path) or _place_max(folder, writer, declared, path) >= blobs.walk(path)[1]:
            continue  # a point speaks of an entry that is not whole: damage, which is not to be cut off
        blobs.append_directory(path, disk)
        changed = True
    return changed


def _has_directory(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - blobs.END.size))
        return file.read(4) == b"PK\x05\x06"


def _place_max(folder: Path, writer: str, declared: Mapping[int, Declared], path: Path) -> int:
    """Return the highest offset in the blob file *path* that a point speaks of; -1: none."""
    objects = [number for number, known in declared.items() if known.kind not in NUMBER_KINDS]
    target = layout.sealed_file(folder, writer)
    if target.exists():
        sealed = Sealed.open(target)
        values = np.concatenate([np.empty(0)] + [sealed.columns(number).values for number in objects])
    else:
        found = records.scan(folder, writer, verify=False).records
        values = found["value"][np.isin(found["sequence"], objects)]
    number = int(path.name.split("-")[1].removesuffix(".zip"))
    places = [blobs.split_position(int(value)) for value in values.tolist() if 0 <= value < 2**53]
    return max((offset for file, offset in places if file == number), default=-1)


class Declared(NamedTuple):
    """What the file says of a sequence number."""

    name: str
    context: dict[str, Any]
    kind: str


def declarations(state: RunState, writer: str) -> dict[int, Declared]:
    """Return what *writer* declared, by number."""
    return {
        part.number: Declared(facts.name, facts.context, part.kind)
        for facts in state.sequences.values()
        for part in facts.parts
        if part.writer == writer
    }


def encode(recorded: Records, declared: Mapping[int, Declared], facts: Mapping[str, Any]) -> bytes:
    """
    Return the sealed file of *recorded*, a writer's records in the order of recording.

    Args:
        declared: names, contexts and kinds; a number that is not in it is named `(unknown <number>)`.
        facts: what the footer says besides: `run`, `writer`, `segments`, `slots`, `events_bytes`.

    Raises:
        UnsupportedFormat: the installed pyarrow writes other pages than docs/formats/sealed.md says.

    Cost: about 0.15 us a point.
    """
    order = np.lexsort((recorded["step"], recorded["sequence"]))
    table = recorded[order]
    entries = _entries(table, declared)
    columns = {key: [entry.get(key) for entry in entries] for key in KEYS}
    text = json.dumps({"format": FORMAT_NUMBER, **facts, "sequences": columns}, separators=(",", ":"), allow_nan=False)
    content = _with_index(_parquet(table, entries, text))
    if not _reads_back(content, table):
        import pyarrow

        raise UnsupportedFormat(
            f"pyarrow {pyarrow.__version__} does not write the pages of Aim's sealed form; the journal is kept. "
            "Install another pyarrow."
        )
    return content


def _entries(table: Records, declared: Mapping[int, Declared]) -> list[dict[str, Any]]:
    numbers, rows, counts = np.unique(table["sequence"], return_index=True, return_counts=True)
    entries = []
    group = group_rows = 0
    for number, row, count in zip(numbers.tolist(), rows.tolist(), counts.tolist()):
        if group_rows >= GROUP_ROWS_MIN:
            group, group_rows = group + 1, 0
        group_rows += count
        known = declared.get(number, Declared(f"(unknown {number})", {}, "float"))
        steps = np.ascontiguousarray(table["step"][row : row + count])
        entry = {
            "number": number,
            "name": known.name,
            "context": params.encode(known.context),
            "kind": known.kind,
            "row": row,
            "rows": count,
            "group": group,
            "first_step": int(steps[0]),
            "stride": _stride(steps),
        }
        if known.kind in NUMBER_KINDS:
            values = np.ascontiguousarray(table["value"][row : row + count])
            entry |= {key: params.encode(value) for key, value in summarize(steps, values)._asdict().items()}
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
        for start, stop, of_group in _groups(entries):
            part = table[start:stop]
            counts = [entry["rows"] for entry in of_group]
            arrays = [
                _labels([_valid(entry["name"]) for entry in of_group], counts),
                _labels([_valid(_context_text(entry["context"])) for entry in of_group], counts),
                pa.array(part["sequence"].astype(np.int32)),
                pa.array(np.ascontiguousarray(part["step"])),
                pa.array(records.time_us(part).view("M8[us]")),
                pa.array(np.ascontiguousarray(part["value"])),
                pa.array(np.ascontiguousarray(part["epoch"])),
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=stop - start)
        writer.add_key_value_metadata({"aim": text})
    return bytes(sink.getvalue())


def _groups(entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int, list[Mapping[str, Any]]]]:
    of_group: list[Mapping[str, Any]] = []
    for entry in entries:
        if of_group and entry["group"] != of_group[0]["group"]:
            yield of_group[0]["row"], entry["row"], of_group
            of_group = []
        of_group.append(entry)
    if of_group:
        yield of_group[0]["row"], of_group[-1]["row"] + of_group[-1]["rows"], of_group


def _labels(texts: Sequence[str], counts: Sequence[int]) -> Any:
    import pyarrow as pa

    distinct = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    codes = np.repeat(np.array([distinct[text] for text in texts], np.int32), counts)
    return pa.DictionaryArray.from_arrays(codes, pa.array(list(distinct), pa.string()))


def _valid(text: str) -> str:
    # half of a surrogate pair has no UTF-8 form; the footer's JSON has it as an escape
    return text.encode("utf-8", "replace").decode()


def _context_text(form: Any) -> str:
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _with_index(plain: bytes) -> bytes:
    at = len(plain) - 8 - int.from_bytes(plain[-8:-4], "little")
    head, footer = plain[:at], plain[at:]
    index = b"".join(pages.INDEX.pack(*page) for page in pages.walk(head)[0])
    before = zlib.crc32(index, zlib.crc32(head))
    block = BLOCK.pack(MAGIC, len(index) // pages.INDEX.size, zlib.crc32(index), before, zlib.crc32(footer))
    return b"".join((head, index, block, footer))


def _reads_back(content: bytes, table: Records) -> bool:
    sealed = Sealed.of(Path("sealing"), content)
    numbers, columns = sealed.all()
    return not sealed.damage and (
        np.array_equal(numbers, table["sequence"])
        and np.array_equal(columns.steps, table["step"])
        and columns.values.tobytes() == table["value"].tobytes()
        and np.array_equal(columns.times_us, records.time_us(table))
        and columns.epochs.tobytes() == table["epoch"].tobytes()
    )
