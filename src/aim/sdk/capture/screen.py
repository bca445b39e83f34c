"""
What a terminal would show of a stream of text, as lines with numbers.

    \\n               next line                        \\r   column 0: what follows overwrites
    \\b               one column back                  colours (SGR) stay in the text
    CSI n A, B, C, D   cursor up, down, right, left     CSI n E, F, G   lines down, up; column n
    CSI K, 0K, 1K, 2K  erase in the line                CSI J, 0J       erase from here on
    others (titles, hidden cursor, absolute positions) leave nothing

So a progress bar is one line, which changes, and several bars under one another (tqdm's `position`, rich) are as many.
Sequences: ECMA-48, section 8.3. One character is one column; wide ones are not told apart.
"""

from __future__ import annotations

import re

WINDOW_LINES = 256  # how far up the cursor may go
LINE_CHARACTERS_MAX = 1 << 20  # a longer line goes on in the next one
UNFINISHED_MAX = 4096  # of an escape sequence whose end has not come

COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
TOKEN = re.compile(
    r"(?P<text>(?:[^\r\n\b\x1b]|\x1b\[[0-9;:]*m)+)"
    r"|(?P<move>[\r\n\b])"
    r"|\x1b\[(?P<numbers>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-Z\\-~]"
)
UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*\x1b?|[ -/]*)\Z")


class Screen:
    """
    Lines as they are after all that was written.

    Args:
        first_line: the number of the line that writing begins on.

    >>> screen = Screen()
    >>> screen.write("epoch 1\\n 10%\\r 90%")
    >>> screen.take()
    [(0, 'epoch 1'), (1, ' 90%')]
    >>> screen.write("\\r100%\\n")
    >>> screen.take()
    [(1, '100%')]
    """

    def __init__(self, first_line: int = 0) -> None:
        self._first = first_line
        self._row = self._bottom = first_line
        self._column = 0
        self._lines: dict[int, str] = {}
        self._changed: set[int] = set()
        self._unfinished = ""

    def write(self, text: str) -> None:
        """Print *text* at the cursor."""
        text = self._unfinished + text
        self._unfinished = ""
        if "\r" not in text and "\x1b" not in text and "\b" not in text:
            self._write_plain(text)
            return
        cut = UNFINISHED.search(text)
        if cut is not None and len(text) - cut.start() <= UNFINISHED_MAX:
            self._unfinished = text[cut.start() :]
            text = text[: cut.start()]
        for token in TOKEN.finditer(text):
            printed, move = token["text"], token["move"]
            if printed is not None:
                self._put(printed)
            elif move is not None:
                self._move(move)
            elif token["final"] is not None:
                self._control(token["final"], token["numbers"])

    def take(self) -> list[tuple[int, str]]:
        """Return the lines that have changed since the last time, with their numbers, ascending."""
        changed = [(row, self._lines.get(row, "")) for row in sorted(self._changed)]
        self._changed.clear()
        top = self._bottom - WINDOW_LINES
        if len(self._lines) > 2 * WINDOW_LINES:
            self._lines = {row: line for row, line in self._lines.items() if row >= top}
        return changed

    def _write_plain(self, text: str) -> None:
        first, *others = text.split("\n")
        if first:
            self._put(first)
        for line in others:
            self._next_line()
            if line:
                self._put(line)

    def _put(self, text: str) -> None:
        row, column = self._row, self._column
        line = self._lines.get(row, "")
        width = len(line) if "\x1b" not in line else len(COLOUR.sub("", line))
        added = len(text) if "\x1b" not in text else len(COLOUR.sub("", text))
        if column >= width:
            line += " " * (column - width) + text
        else:
            head, tail = _cut(line, column)
            covered, tail = _cut(tail, added)
            # what is left of the line keeps its colour; where nothing is left, no code is either
            line = head + text + ("".join(COLOUR.findall(covered)) + tail if COLOUR.sub("", tail) else "")
        self._column = column + added
        self._lines[row] = line
        self._changed.add(row)
        if len(line) > LINE_CHARACTERS_MAX:
            self._next_line()

    def _next_line(self) -> None:
        self._changed.add(self._row)  # an empty line is a line
        self._go(self._row + 1, 0)

    def _move(self, sign: str) -> None:
        if sign == "\n":
            self._next_line()
        elif sign == "\r":
            self._column = 0
        else:
            self._column = max(0, self._column - 1)

    def _go(self, row: int, column: int) -> None:
        top = max(self._first, self._bottom - WINDOW_LINES)
        self._row = max(top, row)
        self._column = max(0, column)
        self._bottom = max(self._bottom, self._row)

    def _control(self, final: str, numbers: str) -> None:
        count = int(numbers) if numbers.isascii() and numbers.isdecimal() and len(numbers) < 5 else 0
        steps = max(1, count)
        if final in "ABEF":
            self._go_lines(-steps if final in "AF" else steps, to_start=final in "EF")
        elif final in "CD":
            self._column = max(0, self._column + (steps if final == "C" else -steps))
        elif final == "G":
            self._column = steps - 1
        elif final == "K":
            self._erase(count)
        elif final == "J" and count == 0:
            self._erase_below()

    def _go_lines(self, count: int, to_start: bool) -> None:
        row = min(self._row + count, self._bottom + WINDOW_LINES)
        self._go(row, 0 if to_start else self._column)

    def _erase_below(self) -> None:
        self._erase(0)
        for row in [row for row in self._lines if row > self._row]:
            del self._lines[row]
            self._changed.add(row)

    def _erase(self, part: int) -> None:
        line = self._lines.get(self._row, "")
        head, tail = _cut(line, self._column)
        erased = {0: head, 1: " " * self._column + _cut(tail, 1)[1], 2: ""}.get(part, line)
        if erased != line:
            self._lines[self._row] = erased
            self._changed.add(self._row)


def _cut(line: str, column: int) -> tuple[str, str]:
    """
    Return a line up to a column, and from there on; colour codes take no column.

    >>> _cut("ab\\x1b[1mcd", 3)
    ('ab\\x1b[1mc', 'd')
    """
    if "\x1b" not in line:
        return line[:column], line[column:]
    offset = seen = 0
    for code in COLOUR.finditer(line):
        if seen + code.start() - offset >= column:
            break
        seen += code.start() - offset
        offset = code.end()
    offset += column - seen
    return line[:offset], line[offset:]
