"""
Some of the points of a sealed sequence, from the pages that hold them; and its cells.
"""

from __future__ import annotations

import numpy as np

from aim.storage.disk import unreadable
from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.sealing import pages
from aim.storage.sealing.cells import Cells, cell_count
from aim.storage.sealing.pages import BadPage, Page
from aim.storage.sealing.sealed import Sealed, decoded, regular_steps

PAGE_DTYPE = np.dtype(
    [
        ("offset", "<u8"),
        *((name, "<u4") for name in ("packed", "plain", "crc", "rows", "group")),
        ("column", "u1"),
        ("kind", "u1"),
        ("reserved", "<u2"),
    ]
)
"""An entry of the index; see `pages.INDEX`."""


def sealed_span(file: Sealed, number: int, start: int, stop: int) -> tuple[IntArray, FloatArray] | None:
    """
    Return steps and values of the points from *start* to before *stop* of a sequence; None: it has to be read whole.

    That is so where its steps are not evenly spaced, and where one of the pages is damaged.

    Raises:
        FileNotFoundError: the file is gone.

    Cost: reads the pages that hold these values.
    """
    rows = file.table.rows(number)
    if rows is None or rows.stride is None:
        return None
    begun = rows.first_row - file.table.group_rows[rows.group]
    start, stop = max(0, start), min(stop, rows.row_count)
    values = np.empty(stop - start)
    if not _fill(values, file, rows.group, begun + start):
        return None
    first_step = rows.first_step + start * rows.stride
    return regular_steps(rows._replace(first_step=first_step, row_count=stop - start)), values


def _fill(values: FloatArray, file: Sealed, group: int, start: int) -> bool:
    """Put the values of rows of a group and those behind it, from row *start* on, into *values*; False: not all."""
    index = np.frombuffer(file.end.page_index, PAGE_DTYPE)
    entries = np.flatnonzero(
        (index["column"] == pages.VALUE) & (index["kind"] == pages.DATA) & (index["group"] >= group)
    )
    ends = np.cumsum(index["rows"][entries].astype(np.int64))
    first, last = np.searchsorted(ends, (start, start + len(values) - 1), "right")
    filled = 0
    try:
        with open(file.path, "rb") as content:
            for position in range(first, min(last + 1, len(entries))):
                offset = int(entries[position]) * pages.INDEX.size
                page = Page(*pages.INDEX.unpack_from(file.end.page_index, offset))
                content.seek(page.offset)
                of_page = decoded(memoryview(content.read(page.packed_bytes)), page)
                skipped = max(0, start - (int(ends[position]) - page.rows))
                part = of_page[skipped : skipped + len(values) - filled]
                values[filled : filled + len(part)] = part
                filled += len(part)
    except BadPage:
        return False
    except OSError as error:
        unreadable.note(file.path, error)
        return False
    return filled == len(values)


def sealed_cells(file: Sealed, number: int) -> Cells | None:
    """
    Return the cells of a sequence; None when the file has none, or they are damaged. Cost: reads them.

    Raises:
        FileNotFoundError: the file is gone.
    """
    rows, entry = file.table.rows(number), file.table.cells(number)
    if rows is None or entry is None:
        return None
    offset, packed_bytes, crc = entry
    try:
        with open(file.path, "rb") as content:
            content.seek(offset)
            return Cells.unpacked(content.read(packed_bytes), cell_count(rows.row_count), crc)
    except OSError as error:
        unreadable.note(file.path, error)
        return None
