"""
What is left of a sealed file whose end is damaged.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aim.storage.forms import records
from aim.storage.sealing import pages, seal
from aim.storage.sealing.declarations import SequenceDeclaration
from aim.storage.sealing.file_end import BLOCK, MAGIC
from aim.storage.sealing.footer import JournalOrigin
from aim.storage.sealing.sealed import Columns, Sealed

DECLARED = {
    1: SequenceDeclaration("loss", {"subset": "train"}, "float"),
    2: SequenceDeclaration("loss", {"subset": "val"}, "float"),
    3: SequenceDeclaration("é", {}, "int"),
    4: SequenceDeclaration("picture", {}, "aim.image"),
}
LENGTHS = {1: 45_000, 2: 2_000, 3: 7, 4: 900}


@pytest.fixture(name="content", scope="module")
def _content() -> bytes:
    """
    A sealed file with three row groups, one of which has pages of 20,000 rows.
    """
    table = np.zeros(sum(LENGTHS.values()), records.RECORD_DTYPE)
    table["sequence"] = np.repeat(list(LENGTHS), list(LENGTHS.values()))
    random = np.random.default_rng(3)
    table["step"] = random.permutation(len(table)) * 3
    table["value"] = random.normal(size=len(table))
    table["time"] = 1795380918 + np.arange(len(table)) / 1000
    return seal.encode(table, DECLARED, JournalOrigin("a", "0badcafe", 1, len(table), 0))


def opened(content: bytes) -> Sealed:
    """Open what is left of a file."""
    return Sealed.of(Path("0badcafe.points.parquet"), content)


def flipped(content: bytes, offset: int) -> bytes:
    """Change one byte."""
    return content[:offset] + bytes([content[offset] ^ 0x10]) + content[offset + 1 :]


def same(sealed: Sealed, whole: Sealed) -> bool:
    """Whether all points are the same."""
    one, other = sealed.all(), whole.all()
    return one[0].tolist() == other[0].tolist() and all(
        getattr(one[1], name).tobytes() == getattr(other[1], name).tobytes() for name in Columns._fields
    )


def block_at(content: bytes) -> int:
    """Return the place of the block."""
    return content.rindex(MAGIC)


def test_a_large_sequence_has_several_pages(content: bytes) -> None:
    """
    What these tests count on: the first group has more than one page a column.
    """
    of_values = [page.rows for page in opened(content).index if (page.group, page.column) == (0, pages.VALUE)]

    assert 45_000 == sum(of_values)
    assert 20_500 > max(of_values)


@pytest.mark.parametrize("back", [1, 4, 6, 100, 400])
def test_a_damaged_footer_costs_nothing_but_the_kinds(content: bytes, back: int) -> None:
    """
    Names, contexts and numbers come from the columns.
    """
    sealed = opened(flipped(content, len(content) - back))

    assert same(sealed, opened(content))
    assert [(known.name, known.context) for known in DECLARED.values()] == [
        (sequence.name, sequence.context) for sequence in sealed.sequences
    ]
    assert 1 == len(sealed.damage)


@pytest.mark.parametrize("place", ["index", "magic", "count", "crc of index", "crc before", "crc after"])
def test_a_damaged_index_costs_nothing(content: bytes, place: str) -> None:
    """
    The pages are found by walking them.
    """
    at = block_at(content)
    offset = at + {"index": -40, "magic": 2, "count": 8, "crc of index": 13, "crc before": 17, "crc after": 21}[place]
    sealed = opened(flipped(content, offset))

    assert same(sealed, opened(content))
    assert bool(sealed.damage) == (place != "crc before")  # that one says nothing about what is read


def test_a_file_without_its_end_has_all_whole_pages(content: bytes) -> None:
    """
    Cut before index and footer, all points are there; cut within the last values, those of the other groups.
    """
    whole = opened(content)
    last_value = [page for page in whole.index if page.column == pages.VALUE][-1]
    end = block_at(content) - len(whole.index) * pages.INDEX.size

    assert same(opened(content[:end]), whole)
    assert len(whole.all()[0]) - last_value.rows == len(opened(content[: last_value.end - 1]).all()[0])
    assert BLOCK.size == 24


def test_one_page_costs_its_own_rows(content: bytes) -> None:
    """
    A damaged page of values in the middle of a sequence leaves the rows before and after it.
    """
    whole = opened(content)
    page = [page for page in whole.index if page.column == pages.VALUE][1]
    steps = opened(flipped(content, page.offset + 9)).columns(1).steps
    first = next(entry for entry in whole.index if entry.column == pages.VALUE).rows

    assert np.array_equal(steps, np.delete(whole.columns(1).steps, np.s_[first : first + page.rows]))


def test_a_damaged_header_without_an_index_costs_its_row_group(content: bytes) -> None:
    """
    Two damages: the walk goes on at the next row group.
    """
    whole = opened(content)
    page = next(page for page in whole.index if (page.group, page.column) == (0, pages.TIME))
    header_at = content.rindex(b"\x15\x00\x15", 0, page.offset)
    damaged = flipped(flipped(content, header_at), block_at(content) - 3)
    sealed = opened(damaged)

    assert same_but(sealed, whole, 1)
    assert f"byte {header_at:,}" in {damage.location for damage in sealed.damage}


def same_but(sealed: Sealed, whole: Sealed, number: int) -> bool:
    """Whether all sequences but one are the same."""
    return all(
        np.array_equal(sealed.columns(other).values, whole.columns(other).values)
        for other in LENGTHS
        if other != number
    )


def test_lost_times_are_0_and_lost_epochs_none(content: bytes) -> None:
    """
    A point whose time or epoch is lost keeps its step and value.
    """
    whole = opened(content)
    damaged = content
    for column in (pages.TIME, pages.EPOCH):
        page = next(page for page in whole.index if (page.group, page.column) == (1, column))
        damaged = flipped(damaged, page.offset + page.packed_bytes // 2)
    columns = opened(damaged).columns(2)

    assert np.array_equal(whole.columns(2).values, columns.values)
    assert {0} == set(columns.times_us.tolist())
    assert np.isnan(columns.epochs).all()


@pytest.mark.parametrize("size", [0, 1, 3, 4, 8, 40])
def test_a_file_of_almost_nothing_has_no_points(content: bytes, size: int) -> None:
    """
    A file cut to its first bytes is damage, and no error.
    """
    sealed = opened(content[:size])

    assert ([], 0) == (sealed.sequences, len(sealed.all()[0]))
    assert sealed.damage


def test_noise_has_no_points() -> None:
    """
    Bytes that are no sealed file are damage, and no error.
    """
    random = np.random.default_rng(5)
    for _ in range(50):
        sealed = opened(b"PAR1" + random.bytes(600))

        assert 0 == len(sealed.all()[0])
