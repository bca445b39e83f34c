"""
Cells of CSV files: what a spreadsheet would run as a formula is kept a text.
"""

from __future__ import annotations

import re
from typing import Any

FORMULA_BEGINS = "=+-@\t\r\n"
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?([eE][+-]?\d+)?|Infinity)")


def plain_cell(value: Any) -> Any:
    """
    Return a cell of a CSV file: a text that a spreadsheet would run as a formula gets an apostrophe before it.

    >>> plain_cell("=HYPERLINK(1)"), plain_cell("-1.5"), plain_cell(-1.5), plain_cell("lr=1")
    ("'=HYPERLINK(1)", '-1.5', -1.5, 'lr=1')
    """
    if not isinstance(value, str) or value[:1] not in FORMULA_BEGINS or value[:1] == "":
        return value
    return value if NUMBER.fullmatch(value) else f"'{value}"
