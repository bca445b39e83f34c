"""
A sealed file written, a row group after the other. Specified in docs/formats/sealed.md.

    points of a row group -> pyarrow -> its pages -> their entries of the index -> the file
    the footer is last, and index and block are put before it (file_end.py has the layout)

So what is in memory is a row group, whatever the length of the file. A sequence of more than `GROUP_ROWS_MAX` points
has several row groups of its own; of the others each is in one row group whole.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aim.core import kinds, params
from aim.storage.forms import records
from aim.storage.forms.records import IntArray, Records
from aim.storage.sealing import pages
from aim.storage.sealing.cells import GrowingCells
from aim.storage.sealing.declarations import SequenceDeclaration, undeclared
from aim.storage.sealing.file_end import end_block
from aim.storage.sealing.footer import CELLS_KEY, SEQUENCE_KEYS, SUMMARY_KEYS, JournalOrigin
from aim.storage.sealing.point_summary import PIECE_POINTS, Steps, Values, summarize, summarize_pieces
from aim.storage.sealing.sorted_points import SortedPoints

FORMAT_NUMBER = 1
GROUP_ROWS_MIN = 1024
GROUP_ROWS_MAX = 1 << 17
DATA_PAGE_BYTES = 160_000  # 20,000 values: what one damaged page hides
MAGIC = b"PAR1"


class GroupPart(NamedTuple):
    """How many rows of a sequence are in a row group."""

    entry: Mapping[str, Any]
    row_count: int


class RowGroup(NamedTuple):
    """Rows from *start* to before *stop*, and the sequences that they belong to."""

    start: int
    stop: int
    parts: list[GroupPart]


class _PageSink:
    """
    A file for pyarrow, which hands on what is written, and makes the index of it meanwhile.

    Args:
        write: takes the bytes of the file, in order.
    """

    closed = False

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._pending: list[bytes] = []
        self._offset = len(MAGIC)
        self._crc = zlib.crc32(MAGIC)
        self._index: list[bytes] = []

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._pending.append(content)
        return len(content)

    def tell(self) -> int:
        return self._offset + sum(map(len, self._pending))

    def flush(self) -> None:
        """Do nothing: a row group is handed on when it is whole."""

    def close(self) -> None:
        """Do nothing: whoever made the sink ends it."""

    def end_group(self, group: int) -> None:
        """Hand on the pages of a row group."""
        content = b"".join(self._pending)
        body = content if self._index else content[len(MAGIC) :]
        walked, broken = pages.walk(MAGIC + body)
        if broken or any(page.group for page in walked):
            raise ValueError("a row group has other pages than docs/formats/sealed.md says")
        moved = self._offset - len(MAGIC)
        self._index += [pages.INDEX.pack(*page._replace(offset=page.offset + moved, group=group)) for page in walked]
        self._crc = zlib.crc32(body, self._crc)
        self._offset += len(body)
        self._pending = []
        self._write(content)

    def add_cells(self, content: bytes) -> tuple[int, int, int]:
        """Hand on the stored form of cells, behind all row groups; return its offset, its length and its CRC."""
        entry = (self._offset, len(content), zlib.crc32(content))
        self._crc = zlib.crc32(content, self._crc)
        self._offset += len(content)
        self._write(content)
        return entry

    def end(self) -> None:
        """Hand on index, block and footer."""
        footer = b"".join(self._pending)
        if not self._index:  # a file without rows
            self._write(MAGIC)
            footer = footer[len(MAGIC) :]
        self._write(end_block(b"".join(self._index), self._crc, footer) + footer)


def write_sealed(
    points: SortedPoints,
    declared: Mapping[int, SequenceDeclaration],
    origin: JournalOrigin,
    write: Callable[[bytes], object],
) -> list[RowGroup]:
    """
    Write a sealed file; return its row groups.

    Args:
        declared: names, contexts and kinds; a number that is not in it is named `(unknown <number>)`.
        origin: what the footer says of the journal.
        write: takes the bytes of the file, in order.

    Raises:
        ValueError: the installed pyarrow writes other pages than docs/formats/sealed.md says.
    """
    entries = _entries(points, declared)
    columns = {key: [entry.get(key) for entry in entries] for key in (*SEQUENCE_KEYS, *SUMMARY_KEYS)}
    footer = {"format": FORMAT_NUMBER, **origin.to_json(), "sequences": columns}
    groups = list(_groups(entries))
    _write_parquet(points, groups, footer, _PageSink(write))
    return groups


def _entries(points: SortedPoints, declared: Mapping[int, SequenceDeclaration]) -> list[dict[str, Any]]:
    entries = []
    row = group = group_rows = 0
    for number, count in points.counts().items():
        if group_rows >= GROUP_ROWS_MIN or (group_rows and count > GROUP_ROWS_MAX):
            group, group_rows = group + 1, 0
        declaration = declared.get(number) or undeclared(number)
        steps = _Steps(points, row, row + count)
        entry = {
            "number": number,
            "name": declaration.name,
            "context": params.encode(declaration.context),
            "kind": declaration.kind,
            "row": row,
            "rows": count,
            "group": group,
        }
        if kinds.is_number(declaration.kind):
            summary = summarize(*steps.first_piece()) if count <= PIECE_POINTS else summarize_pieces(steps.pieces)
            entry |= {key: params.encode(getattr(summary, field)) for key, field in SUMMARY_KEYS.items()}
        entries.append(entry | steps.regularity())
        group_rows += count
        if count > GROUP_ROWS_MAX:
            group, group_rows = group - (-count // GROUP_ROWS_MAX) - 1, GROUP_ROWS_MIN
        row += count
    return entries


class _Steps:
    """The steps and values of a sequence, from row *start* to before *stop*, read in pieces."""

    def __init__(self, points: SortedPoints, start: int, stop: int) -> None:
        self._points = points
        self._start = start
        self._stop = stop
        self._first: tuple[Steps, Values] | None = None

    def pieces(self) -> Iterator[tuple[Steps, Values]]:
        """Read the pieces, one after the other."""
        for row in range(self._start, self._stop, PIECE_POINTS):
            part = self._points.rows(row, min(self._stop, row + PIECE_POINTS))
            yield np.ascontiguousarray(part["step"]), np.ascontiguousarray(part["value"])

    def first_piece(self) -> tuple[Steps, Values]:
        """Read the first piece, once."""
        if self._first is None:
            self._first = next(self.pieces())
        return self._first

    def regularity(self) -> dict[str, int | None]:
        """Return the first step, and the stride s > 0 if the steps are first, first + s, first + 2 s ..., else None."""
        steps = self.first_piece()[0]
        first, count = int(steps[0]), self._stop - self._start
        if count == 1:
            return {"first_step": first, "stride": 1}
        stride: int | None = int(steps[1]) - first
        if stride is None or not 0 < stride < 1 << 62 or not self._goes_on(first, stride, count):
            stride = None
        return {"first_step": first, "stride": stride}

    def _goes_on(self, first: int, stride: int, count: int) -> bool:
        last = int(self._points.rows(self._stop - 1, self._stop)["step"][0])
        if last - first != stride * (count - 1):
            return False
        expected = first
        if count <= PIECE_POINTS:
            return _is_regular(self.first_piece()[0], first, stride)
        for steps, _ in self.pieces():
            if not _is_regular(steps, expected, stride):
                return False
            expected += stride * len(steps)
        return True


def _is_regular(steps: IntArray, first: int, stride: int) -> bool:
    return int(steps[0]) == first and bool((np.diff(steps) == stride).all())


def _groups(entries: Sequence[Mapping[str, Any]]) -> Iterator[RowGroup]:
    pending: list[GroupPart] = []
    start = 0
    for index, entry in enumerate(entries):
        row_count = entry["rows"]
        if row_count > GROUP_ROWS_MAX:
            for row in range(0, row_count, GROUP_ROWS_MAX):
                part = GroupPart(entry, min(GROUP_ROWS_MAX, row_count - row))
                yield RowGroup(start, start + part.row_count, [part])
                start += part.row_count
            continue
        pending.append(GroupPart(entry, row_count))
        if index + 1 == len(entries) or entries[index + 1]["group"] != entry["group"]:
            stop = entry["row"] + row_count
            yield RowGroup(start, stop, pending)
            start, pending = stop, []


def _write_parquet(points: SortedPoints, groups: Sequence[RowGroup], footer: dict[str, Any], sink: _PageSink) -> None:
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
        cells: dict[int, GrowingCells] = {}
        for number, group in enumerate(groups):
            part = points.rows(group.start, group.stop)
            arrays = _arrays(part, group.parts)
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=group.stop - group.start)
            sink.end_group(number)
            entry = group.parts[0].entry
            if _has_cells(entry):
                cells.setdefault(entry["number"], GrowingCells()).add(np.ascontiguousarray(part["value"]))
        if cells:
            stored = {number: sink.add_cells(growing.cells().packed()) for number, growing in cells.items()}
            footer["sequences"][CELLS_KEY] = [stored.get(number) for number in footer["sequences"]["number"]]
        text = json.dumps(footer, separators=(",", ":"), allow_nan=False)
        writer.add_key_value_metadata({"aim": text})
    sink.end()


def _has_cells(entry: Mapping[str, Any]) -> bool:
    # long ones have row groups of their own; over irregular steps a picture has to read the steps anyway
    return entry["rows"] > GROUP_ROWS_MAX and entry["stride"] is not None and kinds.is_number(entry["kind"])


def _arrays(part: Records, parts: Sequence[GroupPart]) -> list[Any]:
    import pyarrow as pa

    counts = [of_sequence.row_count for of_sequence in parts]
    return [
        _labels([_valid(of_sequence.entry["name"]) for of_sequence in parts], counts),
        _labels([_valid(_context_text(of_sequence.entry["context"])) for of_sequence in parts], counts),
        _column(pa.int32(), part["sequence"].astype(np.int32)),
        _column(pa.int64(), part["step"]),
        _column(pa.timestamp("us"), records.time_us(part)),
        _column(pa.float64(), part["value"]),
        _column(pa.float32(), part["epoch"]),
    ]


def _column(kind: Any, values: NDArray[Any]) -> Any:
    # `pyarrow.array` would import pandas where it is installed: 0.5 s and 60 MB
    import pyarrow as pa

    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def _labels(texts: Sequence[str], counts: Sequence[int]) -> Any:
    import pyarrow as pa

    distinct = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    codes = np.repeat(np.array([distinct[text] for text in texts], np.int32), counts)
    contents = [text.encode() for text in distinct]
    ends = np.cumsum([0, *map(len, contents)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(contents))]
    dictionary = pa.Array.from_buffers(pa.string(), len(contents), buffers)
    return pa.DictionaryArray.from_arrays(_column(pa.int32(), codes), dictionary)


def _valid(text: str) -> str:
    # half of a surrogate pair has no UTF-8 form; the footer's JSON has it as an escape
    return text.encode("utf-8", "replace").decode()


def _context_text(form: Any) -> str:
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
