"""
docs/formats/sealed.md tells the truth: its block decodes, and a sealed file is read here by the page alone.

As in test_formats.py, what decodes here is written from the page. Bodies of pages are Parquet's, so pyarrow's part.
"""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from aim.storage.forms.run_log import RunLog
from aim.storage.sealing import seal
from tests.docs.test_formats import hex_lines
from tests.storage.recorded import RUN, record


@pytest.fixture(name="path", scope="module")
def _path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The larger sealed file of a run.
    """
    folder = tmp_path_factory.mktemp("sealed") / RUN
    record(folder)
    state = RunLog(folder).refresh()
    for writer in state.writers:
        seal.seal_writer(folder, writer, state)
    return max(folder.glob("*.points.parquet"), key=lambda path: path.stat().st_size)


def block_of(content: bytes) -> tuple[int, tuple[int, ...]]:
    """Return the place of the block, and its four numbers."""
    (footer_bytes,) = struct.unpack("<I", content[-8:-4])
    at = len(content) - 8 - footer_bytes - 24
    assert b"AIMSEAL1" == content[at : at + 8]
    return at, struct.unpack("<4I", content[at + 8 : at + 24])


def test_the_worked_block_decodes() -> None:
    """
    The block of sealed.md has the magic, and an index of 70 pages.
    """
    (block,) = hex_lines("sealed.md")

    assert (b"AIMSEAL1", 70, 24) == (block[:8], struct.unpack("<I", block[8:12])[0], len(block))


def test_the_checksums_cover_the_whole_file(path: Path) -> None:
    """
    Before, index and after: each byte of the file is covered by a CRC of the block.
    """
    content = path.read_bytes()
    at, (count, index, before, after) = block_of(content)

    assert (index, before, after) == (
        zlib.crc32(content[at - 32 * count : at]),
        zlib.crc32(content[:at]),
        zlib.crc32(content[at + 24 :]),
    )


def test_the_index_says_where_each_page_is(path: Path) -> None:
    """
    Each entry's bytes have its CRC; columns and row groups are in their order; the rows are those of the file.
    """
    content = path.read_bytes()
    at, (count, *_) = block_of(content)
    entries = [struct.unpack_from("<QIIIIIBBH", content, at - 32 * (count - place)) for place in range(count)]
    rows = [0] * 7
    for offset, packed, _plain, crc, page_rows, _group, column, kind, reserved in entries:
        assert (crc, 0) == (zlib.crc32(content[offset : offset + packed]), reserved)
        rows[column] += page_rows if kind == 0 else 0

    assert [(entry[5], entry[6]) for entry in entries] == sorted((entry[5], entry[6]) for entry in entries)
    assert [pq.read_metadata(path).num_rows] * 7 == rows


def test_the_footer_describes_the_sequences(path: Path) -> None:
    """
    For each sequence the table has the columns of the page, and its rows are where it says.
    """
    facts = json.loads(pq.read_metadata(path).metadata[b"aim"])
    table = facts["sequences"]
    columns = pq.read_table(path)

    assert {"format", "run", "writer", "segments", "slots", "events_bytes", "sequences"} == set(facts)
    assert ["loss", "count", "pictures", "one", "words"] == table["name"]
    for place, row in enumerate(table["row"]):
        steps = columns["step"][row : row + table["rows"][place]].to_pylist()
        first, stride = table["first_step"][place], table["stride"][place]
        assert [first + stride * count for count in range(len(steps))] == steps
        assert table["mean"][place] is None or table["last_step"][place] == steps[-1]
