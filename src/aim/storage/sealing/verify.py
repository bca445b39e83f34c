"""
A whole sealed file checked: every CRC, every page decoded, and the footer against the columns.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

from aim.core.summaries import NAN
from aim.storage.forms.state import Damage
from aim.storage.sealing import pages, salvage
from aim.storage.sealing.cells import Cells, cell_count
from aim.storage.sealing.file_end import BLOCK, block_offset, read_end
from aim.storage.sealing.footer import SealedSequence
from aim.storage.sealing.pages import BadPage, Page
from aim.storage.sealing.point_summary import summarize
from aim.storage.sealing.sealed import DTYPES, Columns, Sealed, decoded, page_damage


def verify(path: Path) -> list[Damage]:
    """
    Return all damage of a sealed file.

    Raises:
        FileNotFoundError: there is none.

    Cost: reads the whole file, about 20 ns a point.
    """
    content = path.read_bytes()
    has_end = read_end(content) is not None
    file = Sealed.of(path, content)
    damage = file.damage
    if content[:4] != b"PAR1":
        damage.append(Damage(path.name, "byte 0", "not the beginning of a Parquet file"))
    for page in file.index:
        _check_page(path.name, content, page, damage)
    if not has_end:
        return damage
    offset = block_offset(content)
    head_crc = BLOCK.unpack_from(content, offset)[3]
    if zlib.crc32(content[:offset]) != head_crc and not damage:
        damage.append(Damage(path.name, f"bytes 0 to {offset:,}", "do not match their CRC; all points are whole"))
    if not damage:
        _check_content(path.name, content, file, damage)
    return damage


def _check_page(file_name: str, content: bytes, page: Page, damage: list[Damage]) -> None:
    try:
        body = memoryview(content)[page.offset : page.end]
        if page.column in DTYPES:
            decoded(body, page)
        else:
            plain = pages.unpack(body, page)
            if page.kind == pages.DATA:
                pages.dictionary_codes(plain, page.rows)
    except BadPage as error:
        of_page = page_damage(file_name, page, str(error))
        if of_page not in damage:
            damage.append(of_page)


def _check_content(file_name: str, content: bytes, file: Sealed, damage: list[Damage]) -> None:
    """Compare what the footer says with the columns; they differ only when a program wrote them so."""
    row = 0
    missing: dict[str, Any] = dict.fromkeys(file.table.missing_fields(), NAN)
    salvaged_rows = {(item.number, item.group): item.rows for item in salvage.sequences(content, file.index)}
    for sequence in file.sequences:
        row_count = salvaged_rows.pop((sequence.number, sequence.group), None)
        columns = file.columns(sequence.number)
        has_rows = row_count == sequence.row_count == len(columns.steps) and sequence.first_row == row
        if not has_rows or bool((columns.steps[1:] < columns.steps[:-1]).any()):
            text = f"the rows of sequence {sequence.number} are not as the footer says"
            damage.append(Damage(file_name, f"row {sequence.first_row:,}", text))
        elif not _has_summary(sequence, columns, missing):
            text = f"the summary of sequence {sequence.number} is not that of its points"
            damage.append(Damage(file_name, "the footer", text))
        elif not _has_cells(content, sequence, file, columns):
            text = f"the cells of sequence {sequence.number} are not those of its points"
            damage.append(Damage(file_name, "before the index", text))
        row += sequence.row_count
    for number, _ in salvaged_rows:
        damage.append(Damage(file_name, "the footer", f"sequence {number} is in the columns and not in the footer"))


def _has_cells(content: bytes, sequence: SealedSequence, file: Sealed, columns: Columns) -> bool:
    entry = file.table.cells(sequence.number)
    if entry is None:
        return True
    offset, packed_bytes, crc = entry
    stored = Cells.unpacked(content[offset : offset + packed_bytes], cell_count(sequence.row_count), crc)
    return stored is not None and stored.is_equal(Cells.of(columns.values))


def _has_summary(sequence: SealedSequence, columns: Columns, missing: dict[str, Any]) -> bool:
    if sequence.summary is None:
        return True
    expected = summarize(columns.steps, columns.values)._replace(**missing)
    return repr(sequence.summary) == repr(expected)  # NaN is equal to NaN so
