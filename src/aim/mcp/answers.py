"""
Answers of the tools: texts that are short for what they say, and never longer than `CHARS_MAX`.

Rows are CSV, the shortest form that models read well. What has no room is counted, with the way to get it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

CHARS_MAX = 8_000
CELL_CHARS = 160


def cell(value: object) -> str:
    """
    Return a value as a cell: numbers of five digits, long texts cut.

    >>> cell(0.123456789), cell(None), cell({"a": 1}), cell(True)
    ('0.12346', '', '{"a": 1}', 'true')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, (bool, list, tuple, dict)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    text = str(value).replace("\r", " ").replace("\n", " ")
    return text if len(text) <= CELL_CHARS else text[: CELL_CHARS - 1] + "…"


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, total: int, advice: str) -> str:
    """
    Return rows as CSV, as many as there is room for.

    Args:
        total: how many there are in all.
        advice: how to get the others.

    >>> print(table([{"run": "a", "loss": 0.5}], ["run", "loss"], total=3, advice="Ask with a query."))
    run,loss
    a,0.5
    (1 of 3. Ask with a query.)
    """
    lines = [_line(columns)]
    size = len(lines[0])
    for row in rows:
        line = _line([cell(row.get(column)) for column in columns])
        size += len(line) + 1
        if size > CHARS_MAX:
            break
        lines.append(line)
    if len(lines) - 1 < total:
        lines.append(f"({len(lines) - 1} of {total}. {advice})")
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def bounded(text: str, advice: str) -> str:
    """Return a text cut to `CHARS_MAX` characters; *advice* says how to get the rest."""
    if len(text) <= CHARS_MAX:
        return text
    return f"{text[: CHARS_MAX - 200]}\n(cut: {len(text):,} characters. {advice})"
