"""
The sealed form read: points of an ended writer as arrays. Specified in docs/formats/sealed.md.

    file  := "PAR1" pages index block footer "PAR1"      Parquet readers follow the footer and never see index and block
    index := 32 bytes a page: where its body lies, how long it is, its CRC, how many rows of which column
    block := "AIMSEAL1" | pages u32 | CRC of index | CRC of all before the block | CRC of all after it          24 bytes

The index is what makes reading fast (one look-up, one `pread`, no Thrift) and damage small (no page header is needed to
find the next page). When footer or index is damaged, salvage.py finds what there is.

Rule: a damaged page hides its own rows and nothing else; nothing here raises for damage.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aim.core import contexts, params
from aim.core.summaries import NAN, SUMMARY_VALUES, Summary
from aim.storage.disk import unreadable
from aim.storage.forms.records import EpochArray, FloatArray, IntArray
from aim.storage.forms.state import Damage
from aim.storage.sealing import pages, salvage
from aim.storage.sealing.footer import JournalOrigin
from aim.storage.sealing.pages import BadPage, Page
from aim.storage.sealing.point_summary import summarize

MAGIC = b"AIMSEAL1"
BLOCK = struct.Struct("<8sIIII")
METADATA_KEY = b"\x18\x03aim\x18"  # a Thrift KeyValue: field 1, the string "aim", field 2, a string
PLACE = struct.Struct("<IB")  # group and column of an entry of the index
PLACE_OFFSET = 24
SHARED_ROWS_MAX = 4096  # a sequence of so many rows is not kept for its neighbours in the row group
SMALL_BYTES = 1 << 14  # a file up to here is kept as it was read: opening it again would cost more than its points
TAIL_BYTES = 1 << 16  # read at once by `open`: footer, index and block of up to some hundred sequences


class Columns(NamedTuple):
    """
    Points as arrays of one length, in the order of steps, and of recording where steps are equal.

    Attributes:
        times_us: Unix microseconds; 0 where the page with the time is damaged.
        epochs: NaN: none.
    """

    steps: IntArray
    values: FloatArray
    times_us: IntArray
    epochs: EpochArray


SUMMARY_KEYS = {value.name: value.field for value in SUMMARY_VALUES if value.of_metrics and value.name != "first_step"}
"""The columns of summaries in the footer's table of sequences, and the field of `Summary` that each holds."""

SEQUENCE_KEYS = ("number", "name", "context", "kind", "row", "rows", "group", "first_step", "stride")
"""The other columns of that table: fields of SealedSequence."""


class SealedSequence(NamedTuple):
    """
    One sequence of a sealed file.

    Attributes:
        number: the writer's number of it.
        kind: `int`, `float` or the type of its objects; `float` when the footer is damaged: ask the run's state.
        row, rows: its first row in the file, and how many it has.
        group: its row group.
        first_step, stride: when its steps are regular: row i has step first_step + i * stride; else stride is None.
        summary: of numbers; None for objects, and when the footer is damaged.
    """

    number: int
    name: str
    context: dict[str, Any]
    kind: str
    row: int
    rows: int
    group: int
    first_step: int
    stride: int | None
    summary: Summary | None


EMPTY = Columns(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, np.float32))


_Column = tuple[NDArray[Any], NDArray[np.bool_] | None]
COLUMN_ORDER = (pages.STEP, pages.VALUE, pages.TIME, pages.EPOCH)
DTYPES: dict[int, np.dtype[Any]] = {
    pages.STEP: np.dtype("<i8"),
    pages.TIME: np.dtype("<i8"),
    pages.VALUE: np.dtype("<f8"),
    pages.EPOCH: np.dtype("<f4"),
}
LOST = {pages.VALUE: np.nan, pages.EPOCH: np.nan}


class Sealed:
    """
    A sealed file, open for reading; it keeps no descriptor.

    Attributes:
        facts: what else the footer says: `run`, `writer`, `segments`, `slots`, `events_bytes`; empty when damaged.
        damage: what was found so far; reading adds to it.
    """

    def __init__(self, path: Path, end: _End, content: bytes | None = None) -> None:
        self.path = path
        self.facts = end.facts
        self.damage = end.damage
        self._end = end
        self._content = content
        self._cache: tuple[int, dict[int, _Column]] = (-1, {})

    @cached_property
    def sequences(self) -> list[SealedSequence]:
        """The sequences, in the order of their numbers."""
        if self._end.found is not None:
            return self._end.found
        table = self.facts["sequences"]
        return _sequences(table)

    @property
    def origin(self) -> JournalOrigin | None:
        """The journal that the file replaced; None when the footer is damaged."""
        return JournalOrigin.from_json(self.facts) if self.facts else None

    @cached_property
    def index(self) -> list[Page]:
        """The pages, in the order of the file."""
        return [Page(*fields) for fields in pages.INDEX.iter_unpack(self._end.entries)]

    @cached_property
    def _group_rows(self) -> Mapping[int, int]:
        """The first row of each row group."""
        if self._end.found is not None:
            return self._end.group_rows
        table = self.facts["sequences"]
        # the first of a group stays: later ones are put in before it
        return dict(zip(reversed(table["group"]), reversed(table["row"])))

    def numbers_and_kinds(self, name: str, context_text: str) -> list[tuple[int, str]]:
        """Return number and kind of the sequences of that name and context; none when the footer is damaged."""
        table = self.facts.get("sequences", {"name": ()})
        return [
            (table["number"][index], table["kind"][index])
            for index, sequence_name in enumerate(table["name"])
            if sequence_name == name and contexts.text(params.decode(table["context"][index] or {})) == context_text
        ]

    def sequence(self, number: int) -> SealedSequence:
        """Return one sequence. Raises LookupError."""
        found = self._find(number)
        if found is None:
            raise LookupError(number)
        return found

    def _find(self, number: int) -> SealedSequence | None:
        if self._end.found is not None:
            return next((sequence for sequence in self._end.found if sequence.number == number), None)
        if "sequences" in self.__dict__:
            place = bisect_left(self.facts["sequences"]["number"], number)
            return (
                self.sequences[place]
                if place < len(self.sequences) and self.sequences[place].number == number
                else None
            )
        table = self.facts["sequences"]
        # making one is cheaper than making all: many files are opened for one sequence
        place = bisect_left(table["number"], number)
        if place == len(table["number"]) or table["number"][place] != number:
            return None
        return _sequences({key: column[place : place + 1] for key, column in table.items()})[0]

    def summaries(self) -> dict[int, Summary | None]:
        """Return the summary of each sequence by number, without making the sequences; None for objects."""
        if self._end.found is not None:
            return {sequence.number: sequence.summary for sequence in self._end.found}
        table = self.facts["sequences"]
        return dict(zip(table["number"], _summaries(table), strict=True))

    @classmethod
    def open(cls, path: Path) -> Sealed:
        """
        Open a sealed file, damaged or not.

        Raises:
            FileNotFoundError: there is none.

        Cost: reads the last 64 KiB, or the whole file when its end is damaged.
        """
        descriptor = os.open(path, os.O_RDONLY)
        try:
            size = os.fstat(descriptor).st_size
            tail = os.pread(descriptor, TAIL_BYTES, max(0, size - TAIL_BYTES))
            trailer = _trailer(tail)
            if trailer is None and size > len(tail):
                tail = os.pread(descriptor, size, 0)
                trailer = _trailer(tail)
        finally:
            os.close(descriptor)
        if trailer is None:
            return cls(path, _salvaged(path.name, tail))
        return cls(path, trailer, tail if size <= SMALL_BYTES else None)

    @classmethod
    def of(cls, path: Path, content: bytes) -> Sealed:
        """Open *content*, a whole sealed file in memory; *path* is for messages."""
        return cls(path, _trailer(content) or _salvaged(path.name, content), content)

    def columns(self, number: int) -> Columns:
        """
        Return the points of sequence *number*; none if there is no such sequence.

        A point whose value or step lies in a damaged page is left out; `damage` then names the page.
        """
        sequence = self._find(number)
        if sequence is None:
            return EMPTY
        return self._columns(sequence, (pages.STEP, pages.VALUE, pages.TIME, pages.EPOCH))

    def steps_values(self, number: int) -> tuple[IntArray, FloatArray]:
        """Return steps and values only, for a third of the cost of `columns`."""
        sequence = self._find(number)
        if sequence is None:
            return EMPTY.steps, EMPTY.values
        found = self._columns(sequence, (pages.STEP, pages.VALUE))
        return found.steps, found.values

    def all(self) -> tuple[NDArray[np.int32], Columns]:
        """Return the sequence numbers of all points, and the points, in the order of the file."""
        found = [self.columns(sequence.number) for sequence in self.sequences]
        if not found:
            return np.empty(0, np.int32), EMPTY
        lengths = [len(columns.steps) for columns in found]
        numbers = np.repeat(np.array([sequence.number for sequence in self.sequences], np.int32), lengths)
        return numbers, Columns(*(np.concatenate(arrays) for arrays in zip(*found)))

    def _columns(self, sequence: SealedSequence, wanted: Sequence[int]) -> Columns:
        rows = sequence.rows
        start = sequence.row - self._group_rows[sequence.group]
        cached = self._cache
        if rows >= SHARED_ROWS_MAX:
            arrays = self._read(sequence.group, [column for column in wanted if not _is_regular(sequence, column)])
        else:  # neighbours in one row group are asked for together: keep the last group
            known = dict(cached[1]) if cached[0] == sequence.group else {}
            missing = [column for column in wanted if column not in known and not _is_regular(sequence, column)]
            arrays = known | self._read(sequence.group, missing) if missing else known
            self._cache = (sequence.group, arrays)
        good: NDArray[np.bool_] | None = None
        parts: dict[int, NDArray[Any]] = {}
        for column in wanted:
            if _is_regular(sequence, column):
                stride = sequence.stride or 1
                parts[column] = np.arange(
                    sequence.first_step, sequence.first_step + rows * stride, stride, dtype=np.int64
                )
                continue
            array, mask = arrays[column]
            if len(array) < start + rows:
                array, mask = _stretched(array, mask, start + rows, column)
            parts[column] = array[start : start + rows]
            if mask is not None and column in (pages.STEP, pages.VALUE):
                part = mask[start : start + rows]
                good = part if good is None else good & part
        if good is not None:
            parts = {column: array[good] for column, array in parts.items()}
        return Columns(*(parts.get(column, EMPTY[place]) for place, column in enumerate(COLUMN_ORDER)))

    def _read(self, group: int, wanted: Sequence[int]) -> dict[int, _Column]:
        if self._content is not None or not wanted:
            return {column: self._read_column(None, group, column) for column in wanted}
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except OSError as error:  # it could be read when it was opened
            unreadable.note(self.path, error)
            return {column: self._read_column(None, group, column) for column in wanted}
        try:
            return {column: self._read_column(descriptor, group, column) for column in wanted}
        finally:
            os.close(descriptor)

    def _read_column(self, descriptor: int | None, group: int, column: int) -> _Column:
        of_column = _pages_of(self._end.entries, group, column)
        if not of_column:
            return np.empty(0, DTYPES[column]), None
        first, end = of_column[0].offset, of_column[-1].end
        content = (self._content or b"")[first:end] if descriptor is None else self._pread(descriptor, first, end)
        span = memoryview(content)
        arrays = []
        bad = []
        row = 0
        for page in of_column:
            try:
                arrays.append(_decoded(span[page.offset - first : page.end - first], page))
            except BadPage as error:
                arrays.append(np.full(page.rows, LOST.get(column, 0), DTYPES[column]))
                bad.append((row, row + page.rows))
                self._note(page, str(error))
            row += page.rows
        array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        return array, _mask(row, bad) if bad else None

    def _pread(self, descriptor: int, start: int, end: int) -> bytes:
        try:
            return os.pread(descriptor, end - start, start)
        except OSError as error:  # these pages are damaged then
            unreadable.note(self.path, error)
            return b""

    def _note(self, page: Page, found: str) -> None:
        damage = _page_damage(self.path.name, page, found)
        if damage not in self.damage:
            self.damage.append(damage)


def _is_regular(sequence: SealedSequence, column: int) -> bool:
    return column == pages.STEP and sequence.stride is not None


def _mask(rows: int, bad: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    mask = np.ones(rows, bool)
    for start, stop in bad:
        mask[start:stop] = False
    return mask


def _stretched(array: NDArray[Any], mask: NDArray[np.bool_] | None, rows: int, column: int) -> _Column:
    """Bring a column that was cut off to *rows* rows; what is missing is lost."""
    have = len(array)
    longer = np.full(rows, LOST.get(column, 0), DTYPES[column])
    longer[:have] = array
    kept = np.zeros(rows, bool)
    kept[:have] = True if mask is None else mask
    return longer, kept


def _decoded(body: memoryview, page: Page) -> NDArray[Any]:
    plain = pages.unpack(body, page)
    if page.column in (pages.STEP, pages.TIME):
        return pages.deltas(plain, page.rows)
    return pages.split_bytes(plain, page.rows, DTYPES[page.column])


def _page_damage(file: str, page: Page, found: str) -> Damage:
    what = "dictionary" if page.kind == pages.DICTIONARY else f"page of {page.rows:,} rows"
    return Damage(file, f"byte {page.offset:,}", f"a {what} of column {pages.COLUMNS[page.column]} {found}")


# the end of the file


class _End(NamedTuple):
    """
    What the end of a file says, or what salvage found instead.

    Attributes:
        entries: the index, `pages.INDEX` packed, ordered by group and column.
        found: the sequences, where `facts` does not have them.
        group_rows: the first row of each group, where `found` is given.
    """

    facts: dict[str, Any]
    entries: bytes
    damage: list[Damage]
    found: list[SealedSequence] | None = None
    group_rows: Mapping[int, int] = MappingProxyType({})


def _pages_of(index: bytes, group: int, column: int) -> list[Page]:
    """Return the data pages of one column of one group: a binary search in *index*."""
    size = pages.INDEX.size
    low, high = 0, len(index) // size
    while low < high:
        middle = (low + high) // 2
        if PLACE.unpack_from(index, middle * size + PLACE_OFFSET) < (group, column):
            low = middle + 1
        else:
            high = middle
    found = []
    for offset in range(low * size, len(index), size):
        page = Page(*pages.INDEX.unpack_from(index, offset))
        if (page.group, page.column) != (group, column):
            break
        if page.kind == pages.DATA:
            found.append(page)
    return found


def _trailer(tail: bytes) -> _End | None:
    """Return footer and index from the *tail* of a file; None when they are damaged, or begin before it."""
    if len(tail) < 8 + BLOCK.size or tail[-4:] != b"PAR1":
        return None
    at = len(tail) - 8 - int.from_bytes(tail[-8:-4], "little") - BLOCK.size
    if at < 0:
        return None
    index = _index_at(tail, at)
    facts = None if index is None else _facts_at(tail, at)
    return None if index is None or facts is None else _End(facts, index, [])


def _index_at(content: bytes, at: int) -> bytes | None:
    magic, count, crc, _, _ = BLOCK.unpack_from(content, at)
    start = at - count * pages.INDEX.size
    if magic != MAGIC or start < 0 or zlib.crc32(content[start:at]) != crc:
        return None
    return content[start:at]


def _facts_at(content: bytes, at: int) -> dict[str, Any] | None:
    footer = content[at + BLOCK.size :]
    (crc,) = struct.unpack_from("<I", content, at + BLOCK.size - 4)
    place = footer.find(METADATA_KEY)
    if zlib.crc32(footer) != crc or place < 0:
        return None
    length, start = pages.varint(footer, place + len(METADATA_KEY))
    facts = json.loads(footer[start : start + length])
    return dict(facts)


def _sequences(table: Mapping[str, Any]) -> list[SealedSequence]:
    own_contexts = [params.decode(context) if context else {} for context in table["context"]]
    columns = (own_contexts if key == "context" else table[key] for key in SEQUENCE_KEYS)
    return [SealedSequence(*fields) for fields in zip(*columns, _summaries(table), strict=True)]


def _summaries(table: Mapping[str, Any]) -> list[Summary | None]:
    count = len(table["number"])
    columns: dict[str, list[Any]] = {"first_step": table["first_step"], "record_max_length": [0] * count}
    for key, field in SUMMARY_KEYS.items():
        # files that were sealed before a value was added do not have it
        values = table.get(key) or [NAN] * count
        if dict in map(type, values):
            values = [params.decode(value) if value.__class__ is dict else value for value in values]
        columns[field] = values
    return [None if summary.has_nan is None else summary for summary in Summary.rows(columns)]


def _salvaged(name: str, content: bytes) -> _End:
    at = content.rfind(MAGIC)
    has_block = 0 <= at <= len(content) - BLOCK.size
    index = _index_at(content, at) if has_block else None
    facts = _facts_at(content, at) if has_block else None
    damage = []
    if facts is None:
        start = at + BLOCK.size if has_block else len(content)
        damage.append(Damage(name, f"byte {start:,}", "the footer is damaged or cut off"))
    broken: list[int] = []
    if index is None:
        start = at if has_block else len(content)
        damage.append(Damage(name, f"byte {start:,}", "the index before it is damaged or cut off"))
        walked, broken = pages.walk(content)
        index = b"".join(pages.INDEX.pack(*page) for page in walked)
        lost = "the header of a page is damaged; its row group is lost"
        damage += [Damage(name, f"byte {place:,}", lost) for place in broken]
    if not damage:
        damage.append(Damage(name, f"byte {len(content):,}", "the end of the file is damaged"))
    if facts is not None and not broken:
        return _End(facts, index, damage)
    return _from_columns(content, index, facts or {}, damage)


def _from_columns(content: bytes, index: bytes, facts: dict[str, Any], damage: list[Damage]) -> _End:
    found_pages = [Page(*fields) for fields in pages.INDEX.iter_unpack(index)]
    table = facts.get("sequences", {"number": (), "kind": ()})
    kinds = dict(zip(table["number"], table["kind"]))
    group_rows: dict[int, int] = {}
    row = 0
    for page in found_pages:
        if page.column == pages.SEQUENCE and page.kind == pages.DATA:
            group_rows.setdefault(page.group, row)
            row += page.rows
    found = [
        SealedSequence(
            item.number,
            item.name,
            item.context,
            kinds.get(item.number, "float"),
            group_rows[item.group] + item.row,
            item.rows,
            item.group,
            0,
            None,
            None,
        )
        for item in salvage.sequences(content, found_pages)
    ]
    return _End(facts, index, damage, found, group_rows)


# the whole file judged


def verify(path: Path) -> list[Damage]:
    """
    Judge every byte of a sealed file: CRCs, every page decoded, and the footer against the columns.

    Raises:
        FileNotFoundError: there is none.

    Cost: reads the whole file, about 20 ns a point.
    """
    content = path.read_bytes()
    is_whole = _trailer(content) is not None
    sealed = Sealed.of(path, content)
    damage = sealed.damage
    if content[:4] != b"PAR1":
        damage.append(Damage(path.name, "byte 0", "not the beginning of a Parquet file"))
    for page in sealed.index:
        _check_page(path.name, content, page, damage)
    if not is_whole:
        return damage
    at = len(content) - 8 - int.from_bytes(content[-8:-4], "little") - BLOCK.size
    before = BLOCK.unpack_from(content, at)[3]
    if zlib.crc32(content[:at]) != before and not damage:
        damage.append(Damage(path.name, f"bytes 0 to {at:,}", "do not match their CRC; all points are whole"))
    if not damage:
        _check_content(path.name, content, sealed, damage)
    return damage


def _check_page(name: str, content: bytes, page: Page, damage: list[Damage]) -> None:
    try:
        body = memoryview(content)[page.offset : page.end]
        if page.column in DTYPES:
            _decoded(body, page)
        else:
            plain = pages.unpack(body, page)
            if page.kind == pages.DATA:
                pages.dictionary_codes(plain, page.rows)
    except BadPage as error:
        found = _page_damage(name, page, str(error))
        if found not in damage:
            damage.append(found)


def _check_content(name: str, content: bytes, sealed: Sealed, damage: list[Damage]) -> None:
    """Compare what the footer says with the columns; they differ only when a program wrote them so."""
    rows = 0
    unknown: dict[str, Any] = {
        field: NAN for key, field in SUMMARY_KEYS.items() if key not in sealed.facts.get("sequences", ())
    }
    by_columns = {(item.number, item.group): item for item in salvage.sequences(content, sealed.index)}
    for sequence in sealed.sequences:
        item = by_columns.pop((sequence.number, sequence.group), None)
        found = sealed.columns(sequence.number)
        same = item is not None and item.rows == sequence.rows == len(found.steps) and sequence.row == rows
        if not same or bool((found.steps[1:] < found.steps[:-1]).any()):
            text = f"the rows of sequence {sequence.number} are not as the footer says"
            damage.append(Damage(name, f"row {sequence.row:,}", text))
        elif sequence.summary is not None and repr(sequence.summary) != repr(
            summarize(found.steps, found.values)._replace(**unknown)
        ):
            text = f"the summary of sequence {sequence.number} is not that of its points"
            damage.append(Damage(name, "the footer", text))
        rows += sequence.rows
    for number, _ in by_columns:
        damage.append(Damage(name, "the footer", f"sequence {number} is in the columns and not in the footer"))
