"""
All output of the command line.

Results go to standard output: as a table on a terminal, as JSON lines in a pipe, or in another of `FORMS`. Messages and
errors go to standard error, so that they never end up in a file of results.
"""

from __future__ import annotations

import base64
import csv
import json
import math
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

BAR_CHARS = 20
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and line feed
CELL_MAX = 48  # characters of one cell in a table
CELL_MIN = 10  # characters of a column on a narrow terminal, at least
GAP = "  "
UNCUT_COLUMNS = frozenset({"hash", "run"})  # people copy these cells
TABLE, CSV, MARKDOWN, JSON = FORMS = ("table", "csv", "md", "json")
STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35"}
STYLES["cyan"] = "36"


def visible(text: str) -> str:
    r"""
    Return a text with control characters escaped: the name of a run may contain codes that move the cursor.

    >>> print(visible("\x1b[2Jrun\r"))
    \x1b[2Jrun\x0d
    """
    return CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def say(text: str, *, flush: bool = False) -> None:
    """Print a result; with *flush* a pipe has it at once."""
    print(visible(text), flush=flush)


def draw(text: str) -> None:
    """Print a text as it is, at once and without a new line: what comes from runs is `visible` in it already."""
    print(text, end="", flush=True)


def tell(text: str) -> None:
    """Print a message for people, on standard error."""
    print(visible(text), file=sys.stderr)


def result(record: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print what a command did: as one line of JSON, or as a message for people."""
    if as_json:
        print(json_line(record))
    else:
        tell(text)


def is_terminal() -> bool:
    """Return whether standard output is a terminal."""
    return sys.stdout.isatty()


def is_coloured() -> bool:
    """Return whether standard output shows colours: on a terminal, unless `NO_COLOR` is set or `TERM` is dumb."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def styled(text: str, style: str) -> str:
    """Return a text in one of `STYLES`, when standard output shows colours."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if is_coloured() else text


def rows(records: Iterable[Mapping[str, Any]], columns: Sequence[str], *, form: str | None = None) -> int:
    """
    Print records in one of `FORMS`, and return how many there were.

    Args:
        form: None: a table on a terminal, else JSON lines.
    """
    form = form or (TABLE if sys.stdout.isatty() else JSON)
    if form == TABLE:
        return _table(records, columns)
    count = 0
    write = csv.writer(sys.stdout, lineterminator="\n").writerow
    if form == CSV:
        write(columns)
    elif form == MARKDOWN:
        print(_markdown_line(columns))
        print(_markdown_line(["---"] * len(columns)))
    for record in records:
        values = {column: record.get(column) for column in columns}
        if form == JSON:
            print(json_line(values))
        elif form == CSV:
            write(map(plain_cell, values.values()))
        else:
            print(_markdown_line([cell(value, CELL_MAX * 4) for value in values.values()]))
        count += 1
    return count


def _table(records: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> int:
    table = [[cell(record.get(column)) for column in columns] for record in records]
    widths = fitting(columns, table, shutil.get_terminal_size((200, 24)).columns)
    for line in aligned(columns, table, widths):
        print(line)
    if len(widths) < len(columns):
        tell(
            f"The terminal is too narrow for {', '.join(columns[len(widths) :])}. Use --json or a pipe for all columns."
        )
    return len(table)


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(text.replace('|', chr(92) + '|') for text in cells)} |"


def plain_cell(value: object) -> str:
    """
    Return a value as a cell of CSV, with all digits.

    >>> plain_cell(0.1), plain_cell(None), plain_cell(["a"]), plain_cell(True)
    ('0.1', '', '["a"]', 'true')
    """
    if value is None:
        return ""
    if isinstance(value, (bool, list, tuple, dict, bytes)):
        return json_line(value)
    return visible(value.isoformat() if isinstance(value, datetime) else str(value))


def json_line(value: object) -> str:
    r"""
    Return *value* as one line of JSON that every parser takes, and that the encoding of standard output can hold.

    >>> print(json_line({"best": float("nan"), "data": b"\xff", "big": 2**80, 1: "a", "1": "b"}))
    {"best": "NaN", "data": {"$bytes": "/w=="}, "big": 1208925819614629174706176, "1": "a", "[1]": "b"}
    >>> print(json_line(datetime(2026, 11, 30, 20, 57)))
    "2026-11-30T20:57:00"
    """
    has_all_characters = (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    return json.dumps(_json_value(value), ensure_ascii=not has_all_characters, allow_nan=False)


def _json_value(value: object) -> Any:
    # JSON has no NaN, no bytes, no half of a surrogate pair, and no two equal keys
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _not_finite(value)
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, (list, tuple)):
        return [_json_value(item) for item in value]
    if not isinstance(value, Mapping):
        return _sound(value.isoformat() if isinstance(value, datetime) else str(value))
    members: dict[str, Any] = {}
    for key, item in value.items():
        name = _sound(str(key))
        while name in members:
            name = f"[{name}]"
        members[name] = _json_value(item)
    return members


def _not_finite(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def words(items: Iterable[str]) -> int:
    """Print words in one line with tabs between them, and return how many there were."""
    texts = [visible(item) for item in items]
    print("\t".join(texts))
    return len(texts)


def fitting(columns: Sequence[str], table: Sequence[Sequence[str]], width: int) -> list[int]:
    """
    Return the width of each column so that the table fits *width* characters: the widest columns shrink, except those
    that people copy; if that is not enough, the last columns are left out and have no width.

    >>> table = [["a" * 24, "a rather long name", "0.5"]]
    >>> fitting(["hash", "name", "loss"], table, 80), fitting(["hash", "name", "loss"], table, 44)
    ([24, 18, 4], [24, 12, 4])
    >>> fitting(["hash", "name", "loss"], table, 36)
    [24, 10]
    """
    full_widths = [
        max([len(name), *(len(line[column_index]) for line in table)]) for column_index, name in enumerate(columns)
    ]
    widths = list(full_widths)
    while len(widths) > 1 and sum(widths) + len(GAP) * (len(widths) - 1) > width:
        wide = [
            column_index
            for column_index, size in enumerate(widths)
            if size > CELL_MIN and columns[column_index] not in UNCUT_COLUMNS
        ]
        if wide:
            widths[max(wide, key=lambda column_index: widths[column_index])] -= 1
        else:
            widths = full_widths[: len(widths) - 1]
    return widths


def aligned(columns: Sequence[str], table: Sequence[Sequence[str]], widths: Sequence[int]) -> list[str]:
    """
    Return the lines of a table, each cell padded or cut to its width.

    >>> aligned(["hash", "loss"], [["abcdef", "0.5"]], [4, 5])
    ['hash  loss ', 'abc…  0.5  ']
    """
    return [GAP.join(_cut(text, size).ljust(size) for text, size in zip(line, widths)) for line in [columns, *table]]


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1] + "…"


def cell(value: object, chars_max: int = CELL_MAX) -> str:
    """
    Return a value as the text of a table's cell.

    >>> cell(0.123456789), cell(None), cell([]), cell(["a"])
    ('0.1235', '', '', '["a"]')
    """
    if value is None or value == []:
        return ""
    if isinstance(value, datetime):  # in the local time zone, as in queries
        return value.replace(tzinfo=None).isoformat(" ", "seconds")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, dict)):
        value = json_line(value)
    return _cut(visible(str(value)).replace("\n", " "), chars_max)


def bar(done: int, total: int) -> str:
    """
    Return a bar of text.

    >>> bar(5, 10)
    '[##########----------]'
    """
    filled = BAR_CHARS * min(done, total) // max(total, 1)
    return f"[{'#' * filled}{'-' * (BAR_CHARS - filled)}]"


class Progress:
    """A progress bar on standard error; on a terminal only."""

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = total
        self._done = 0
        self._is_visible = sys.stderr.isatty()

    def step(self) -> None:
        """Count one more as done."""
        self.show(self._done + 1, self._total)

    def show(self, done: int, total: int) -> None:
        """Show how many are done, and of how many."""
        self._done, self._total = done, total
        if self._is_visible:
            line = f"\r{self._label} {bar(done, total)} {done:,} of {total:,}"
            print(line, end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """End the line."""
        if self._is_visible and self._done:
            print(file=sys.stderr)


class ByteBar:
    """
    A bar by bytes on standard error, with the time that is left; on a terminal only.

    Args:
        total_bytes: 0: not known, then bytes are counted only.
    """

    def __init__(self, label: str, total_bytes: int) -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            desc=label,
            total=total_bytes or None,
            unit="B",
            unit_scale=True,
            leave=False,
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
        )
        self._end_bytes = 0

    @property
    def is_visible(self) -> bool:
        """Whether anybody sees it."""
        return not self._bar.disable

    def add(self, size_bytes: int, *, most_bytes: int) -> None:
        """Count bytes of the file at hand, which has at most *most_bytes*."""
        self._bar.update(max(0, min(size_bytes, self._end_bytes + most_bytes - int(self._bar.n))))

    def end_of_file(self, size_bytes: int, text: str) -> None:
        """Count a file of this size as done, and show *text* behind the bar."""
        self._end_bytes += size_bytes
        self._bar.update(self._end_bytes - int(self._bar.n))
        self._bar.set_postfix_str(text)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()
