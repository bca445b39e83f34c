"""
The end of a sealed file: found, checked, and searched for the pages of a column.
"""

from __future__ import annotations

import struct
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aim.storage.sealing import file_end, pages
from aim.storage.sealing.file_end import BLOCK, MAGIC, FileEnd, end_block, read_end, salvaged_end
from aim.storage.sealing.footer import JournalOrigin, SequenceTable
from aim.storage.sealing.pages import Page
from tests.storage.sealing.sealed_files import LENGTHS, NAME, content, flipped


def end_of(file_content: bytes) -> FileEnd:
    """Read the end of a whole file."""
    end = read_end(file_content)
    assert end is not None
    return end


def test_an_end_says_sequences_origin_and_pages() -> None:
    """
    All of it is read from the last part of a file, as long as that holds index, block and footer.
    """
    whole = content()
    end = end_of(whole)
    index_start = file_end.block_offset(whole) - len(end.page_index)

    assert LENGTHS == {sequence.number: sequence.row_count for sequence in end.table.sequences}
    assert (JournalOrigin("run", "0badcafe", 1, sum(LENGTHS.values()), 77), []) == (end.origin, end.damage)
    assert sum(LENGTHS.values()) == sum(page.rows for page in end.pages() if page.column == pages.VALUE)
    assert end.page_index == end_of(whole[index_start:]).page_index
    assert read_end(whole[index_start + 1 :]) is None


@pytest.mark.parametrize(
    "tail",
    [b"", b"PAR1", bytes(31), bytes(28) + b"PAR1", b"\xff" * 40 + b"PAR1", bytes(40) + struct.pack("<I", 99) + b"PAR1"],
)
def test_what_is_no_end_is_none(tail: bytes) -> None:
    """
    Files of other programs, and parts that are too short, have no end of ours.
    """
    assert read_end(tail) is None


@pytest.mark.parametrize("part", ["magic", "count", "index", "index CRC", "footer", "footer CRC", "length", "PAR1"])
def test_an_end_of_which_any_byte_changed_is_none(part: str) -> None:
    """
    Each part of the end is checked; the CRC of everything before it is not needed for reading.
    """
    whole = content()
    block = file_end.block_offset(whole)
    offsets = {
        "magic": block, "count": block + 8, "index": block - 1, "index CRC": block + 12, "footer": block + BLOCK.size,
        "footer CRC": block + 20, "length": len(whole) - 8, "PAR1": len(whole) - 1,
    }  # fmt: skip

    assert read_end(flipped(whole, offsets[part])) is None
    assert read_end(flipped(whole, block + 16)) is not None


@pytest.mark.parametrize("group", range(-1, 5))
@pytest.mark.parametrize("column", range(-1, 9))
def test_the_pages_of_a_column_are_those_of_a_walk_through_all(group: int, column: int) -> None:
    """
    The search finds what looking at each page finds: data pages of the group and column, in their order.
    """
    end = end_of(content())
    expected = [page for page in end.pages() if (page.group, page.column, page.kind) == (group, column, pages.DATA)]

    assert expected == end.pages_of(group, column)


@pytest.mark.parametrize("count", range(10))
def test_pages_are_sought_among_any_number(count: int) -> None:
    """
    In an index of 0 to 9 pages of several groups and columns each is found.
    """
    kinds = (pages.DICTIONARY, pages.DATA)
    all_pages = [Page(10 * n, 5, 5, 0, 1, n // 4, n % 4 // 2, kinds[n % 2]) for n in range(count)]
    end = FileEnd(SequenceTable({}), None, b"".join(pages.INDEX.pack(*page) for page in all_pages), [])

    for group in range(4):
        for column in range(3):
            expected = [p for p in all_pages if (p.group, p.column, p.kind) == (group, column, pages.DATA)]
            assert expected == end.pages_of(group, column)


def test_an_index_is_put_between_pages_and_footer() -> None:
    """
    The file without its index is the Parquet file that it was made of, and the index is that of its pages.
    """
    whole = content()
    block = file_end.block_offset(whole)
    page_index = end_of(whole).page_index
    before, footer = whole[: block - len(page_index)], whole[block + BLOCK.size :]

    assert page_index == b"".join(pages.INDEX.pack(*page) for page in pages.walk(before)[0])
    assert whole == before + end_block(page_index, zlib.crc32(before), footer) + footer
    assert sum(LENGTHS.values()) == pq.ParquetFile(pa.BufferReader(before + footer)).metadata.num_rows


def recounted(whole: bytes) -> bytes:
    """Return a file whose footer says another length of itself, with the CRC that belongs to it."""
    block = file_end.block_offset(whole)
    footer = flipped(whole[block + BLOCK.size :], -8)
    return whole[: block + BLOCK.size - 4] + struct.pack("<I", zlib.crc32(footer)) + footer


@pytest.mark.parametrize(
    ("cut", "problems"),
    [
        ("footer", ["the footer is damaged or cut off"]),
        ("index", ["the index before it is damaged or cut off"]),
        ("block", ["the footer is damaged or cut off", "the index before it is damaged or cut off"]),
        ("length", ["the end of the file is damaged"]),
    ],
)
def test_what_is_left_of_an_end_is_named(cut: str, problems: list[str]) -> None:
    """
    Each damaged part is named by itself, with where it is; the pages are found all the same.
    """
    whole = content()
    block = file_end.block_offset(whole)
    damaged = {
        "footer": whole[:-20],
        "index": flipped(whole, block - 1),
        "block": whole[:block],
        "length": recounted(whole),
    }[cut]
    end = salvaged_end(NAME, damaged)

    assert problems == [damage.problem for damage in end.damage]
    assert end_of(whole).page_index == end.page_index
    assert (cut in ("index", "length")) == (end.origin is not None)
    assert list(LENGTHS) == [sequence.number for sequence in end.table.sequences]


def test_the_places_of_damage_are_offsets_in_the_file() -> None:
    """
    A cut footer begins after the block; without a block both are missing at the end of the file.
    """
    whole = content()
    block = whole.rindex(MAGIC)
    cut = salvaged_end(NAME, whole[: block + BLOCK.size + 10]).damage
    without = salvaged_end(NAME, whole[:block]).damage

    assert [f"byte {block + BLOCK.size:,}"] == [damage.location for damage in cut]
    assert [f"byte {block:,}", f"byte {block:,}"] == [damage.location for damage in without]
    assert {NAME} == {damage.file for damage in (*cut, *without)}


def test_a_salvaged_sequence_has_its_rows_and_not_its_kind() -> None:
    """
    Without the footer the columns say numbers, names and rows; the kind is `float`, which the run's lines correct.
    """
    whole = content()
    end = salvaged_end(NAME, whole[: file_end.block_offset(whole)])
    expected = [(s.number, s.name, s.context, s.first_row, s.row_count, s.group) for s in end_of(whole).table.sequences]

    assert expected == [(s.number, s.name, s.context, s.first_row, s.row_count, s.group) for s in end.table.sequences]
    assert {"float"} == {sequence.kind for sequence in end.table.sequences}
    assert [(0, None, None)] * 4 == [(s.first_step, s.stride, s.summary) for s in end.table.sequences]
