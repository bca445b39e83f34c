"""
The end of a sealed file: index, block and footer. Specified in docs/formats/sealed.md.

    file  := "PAR1" pages index block footer "PAR1"      Parquet readers follow the footer and never see index and block
    index := 32 bytes a page: where its body begins, how long it is, its CRC, how many rows of which column
    block := "AIMSEAL1" | pages u32 | CRC of index | CRC of all before the block | CRC of all after it          24 bytes

The index is what makes reading fast (one look-up, one `pread`, no Thrift) and damage small (no page header is needed to
find the next page). When footer or index is damaged, `salvaged_end` takes what is left of the file.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any, NamedTuple

from aim.storage.forms.state import Damage
from aim.storage.sealing import pages, salvage
from aim.storage.sealing.footer import JournalOrigin, SalvagedTable, SealedSequence, SequenceTable
from aim.storage.sealing.pages import Page

MAGIC = b"AIMSEAL1"
BLOCK = struct.Struct("<8sIIII")
TRAILER_BYTES = 8  # length of the footer, "PAR1"
METADATA_KEY = b"\x18\x03aim\x18"  # a Thrift KeyValue: field 1, the string "aim", field 2, a string
GROUP_AND_COLUMN = struct.Struct("<IB")  # of an entry of the index
GROUP_AND_COLUMN_OFFSET = 24


class FileEnd(NamedTuple):
    """
    What the end of a file says, or what could be salvaged instead.

    Attributes:
        table: the sequences.
        origin: the journal that the file replaced; None when the footer is damaged.
        page_index: `pages.INDEX` packed, ordered by group and column.
        damage: of the end itself.
    """

    table: SequenceTable
    origin: JournalOrigin | None
    page_index: bytes
    damage: list[Damage]

    def pages(self) -> list[Page]:
        """Return all pages, in the order of the file."""
        return [Page(*fields) for fields in pages.INDEX.iter_unpack(self.page_index)]

    def groups_from(self, group: int, column: int) -> list[int]:
        """Return *group* and the row groups in which a long sequence goes on, in which no other sequence begins."""
        groups = [group]
        while groups[-1] + 1 not in self.table.group_rows and self.pages_of(groups[-1] + 1, column):
            groups.append(groups[-1] + 1)
        return groups

    def pages_of(self, group: int, column: int) -> list[Page]:
        """Return the data pages of one column of one row group. Cost: a binary search in the index."""
        entry_bytes = pages.INDEX.size
        low, high = 0, len(self.page_index) // entry_bytes
        while low < high:
            middle = (low + high) // 2
            entry = GROUP_AND_COLUMN.unpack_from(self.page_index, middle * entry_bytes + GROUP_AND_COLUMN_OFFSET)
            if entry < (group, column):
                low = middle + 1
            else:
                high = middle
        column_pages = []
        for offset in range(low * entry_bytes, len(self.page_index), entry_bytes):
            page = Page(*pages.INDEX.unpack_from(self.page_index, offset))
            if (page.group, page.column) != (group, column):
                break
            if page.kind == pages.DATA:
                column_pages.append(page)
        return column_pages


def end_block(index: bytes, pages_crc: int, footer: bytes) -> bytes:
    """
    Return index and block, which are put between the pages and the footer of a Parquet file.

    Args:
        index: `pages.INDEX` packed, ordered by group and column.
        pages_crc: of everything before the index.
    """
    count = len(index) // pages.INDEX.size
    block = BLOCK.pack(MAGIC, count, zlib.crc32(index), zlib.crc32(index, pages_crc), zlib.crc32(footer))
    return index + block


def block_offset(content: bytes) -> int:
    """Return where the block begins in a file, or in the last part of one; negative when it begins before that."""
    return len(content) - TRAILER_BYTES - _footer_bytes(content) - BLOCK.size


def _footer_bytes(content: bytes) -> int:
    return int.from_bytes(content[-TRAILER_BYTES:-4], "little")


def read_end(tail: bytes) -> FileEnd | None:
    """Return what *tail*, the last part of a file, says; None when that is damaged, or begins before *tail*."""
    if len(tail) < TRAILER_BYTES + BLOCK.size or tail[-4:] != b"PAR1":
        return None
    offset = block_offset(tail)
    if offset < 0:
        return None
    index = _index_before(tail, offset)
    footer = None if index is None else _footer_after(tail, offset)
    if index is None or footer is None:
        return None
    return FileEnd(SequenceTable(footer["sequences"]), JournalOrigin.from_json(footer), index, [])


def _index_before(content: bytes, offset: int) -> bytes | None:
    magic, count, crc, _, _ = BLOCK.unpack_from(content, offset)
    start = offset - count * pages.INDEX.size
    if magic != MAGIC or start < 0 or zlib.crc32(content[start:offset]) != crc:
        return None
    return content[start:offset]


def _footer_after(content: bytes, offset: int) -> dict[str, Any] | None:
    footer = content[offset + BLOCK.size :]
    (crc,) = struct.unpack_from("<I", content, offset + BLOCK.size - 4)
    key_offset = footer.find(METADATA_KEY)
    if zlib.crc32(footer) != crc or key_offset < 0:
        return None
    length, start = pages.varint(footer, key_offset + len(METADATA_KEY))
    return dict(json.loads(footer[start : start + length]))


def salvaged_end(file_name: str, content: bytes) -> FileEnd:
    """Return what is left of the end of *content*, a whole file; what its pages say takes the place of the rest."""
    offset = content.rfind(MAGIC)
    has_block = 0 <= offset <= len(content) - BLOCK.size
    footer = _footer_after(content, offset) if has_block else None
    page_index = _index_before(content, offset) if has_block else None
    damage = []
    if footer is None:
        start = offset + BLOCK.size if has_block else len(content)
        damage.append(Damage(file_name, f"byte {start:,}", "the footer is damaged or cut off"))
    broken_offsets: list[int] = []
    if page_index is None:
        start = offset if has_block else len(content)
        damage.append(Damage(file_name, f"byte {start:,}", "the index before it is damaged or cut off"))
        page_index, broken_offsets = _walked_index(content)
    problem = "the header of a page is damaged; its row group is lost"
    damage += [Damage(file_name, f"byte {broken_offset:,}", problem) for broken_offset in broken_offsets]
    if not damage:
        damage.append(Damage(file_name, f"byte {len(content):,}", "the end of the file is damaged"))
    if footer is None:
        return FileEnd(_salvaged_table(content, page_index, {}), None, page_index, damage)
    table = SequenceTable(footer["sequences"])
    if broken_offsets:
        table = _salvaged_table(content, page_index, table.kinds())
    return FileEnd(table, JournalOrigin.from_json(footer), page_index, damage)


def _walked_index(content: bytes) -> tuple[bytes, list[int]]:
    """Return the index of the pages of a file, and the offsets of damaged headers between them."""
    walked_pages, broken_offsets = pages.walk(content)
    return b"".join(pages.INDEX.pack(*page) for page in walked_pages), broken_offsets


def _salvaged_table(content: bytes, index: bytes, kinds: dict[int, str]) -> SalvagedTable:
    file_pages = [Page(*fields) for fields in pages.INDEX.iter_unpack(index)]
    group_rows: dict[int, int] = {}
    row = 0
    for page in file_pages:
        if page.column == pages.SEQUENCE and page.kind == pages.DATA:
            group_rows.setdefault(page.group, row)
            row += page.rows
    sequences = [
        SealedSequence(
            number=salvaged.number,
            name=salvaged.name,
            context=salvaged.context,
            kind=kinds.get(salvaged.number, "float"),
            first_row=group_rows[salvaged.group] + salvaged.row,
            row_count=salvaged.rows,
            group=salvaged.group,
            first_step=0,
            stride=None,
            summary=None,
        )
        for salvaged in salvage.sequences(content, file_pages)
    ]
    begun = {sequence.group: group_rows[sequence.group] for sequence in sequences}
    return SalvagedTable(sequences, begun)
