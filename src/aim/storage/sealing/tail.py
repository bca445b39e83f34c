"""
The last points of a sealed sequence, from the pages that hold them.
"""

from __future__ import annotations

import numpy as np

from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.sealing import pages
from aim.storage.sealing.pages import BadPage
from aim.storage.sealing.sealed import EMPTY, Sealed, decoded, regular_steps


def sealed_tail(file: Sealed, number: int, count: int) -> tuple[IntArray, FloatArray] | None:
    """
    Return steps and values of the last *count* points of a sequence; None: it has to be read whole to know.

    That is so where its steps are not evenly spaced, and where one of the pages is damaged.

    Cost: reads the pages that hold these values.
    """
    rows = file.table.rows(number)
    if rows is None or rows.stride is None:
        return None
    begun = rows.first_row - file.table.group_rows[rows.group]
    start, stop = begun + max(0, rows.row_count - count), begun + rows.row_count
    values = _values_between(file, rows.group, start, stop)
    if len(values) != stop - start:
        return None
    first_step = rows.first_step + (start - begun) * rows.stride
    return regular_steps(rows._replace(first_step=first_step, row_count=stop - start)), values


def _values_between(file: Sealed, group: int, start: int, stop: int) -> FloatArray:
    """Return the values of rows of a group and those behind it, where their pages are whole; else fewer."""
    groups = file.end.groups_from(group, pages.VALUE)
    parts: list[FloatArray] = [EMPTY.values]
    row = 0
    with open(file.path, "rb") as content:
        for page in (page for of_sequence in groups for page in file.end.pages_of(of_sequence, pages.VALUE)):
            if row < stop and row + page.rows > start:
                content.seek(page.offset)
                try:
                    values = decoded(memoryview(content.read(page.end - page.offset)), page)
                except BadPage:
                    break
                parts.append(values[max(0, start - row) : stop - row])
            row += page.rows
    return np.concatenate(parts)
