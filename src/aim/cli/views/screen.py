"""
A view that follows: it is drawn again and again, until a key ends it. In a pipe, and when it is told so, it is drawn
once.

    q, Esc, Ctrl-C    end it

Plain ANSI: the alternate screen, so that what was on the terminal comes back; each line is cleared to its end, so that
nothing flickers. It asks for the size of the terminal each time, as tmux changes it.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import sys
import time
from collections.abc import Callable, Iterator

from aim.cli import output

Draw = Callable[[int, int], list[str]]
"""Called with the width and the height of the terminal; returns the lines."""
BEGIN, END = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
ENDS = frozenset(b"q\x1b\x03")
KEYS_BYTES_MAX = 1024  # all that was typed: what a buffer of Python held would not be seen by `select`
SGR = re.compile(r"\x1b\[[0-9;]*m")
PIPE_SIZE = (200, 50)


def size() -> tuple[int, int]:
    """Return the columns and lines of the terminal; in a pipe 200 and 50, or those that COLUMNS and LINES say."""
    columns, lines = shutil.get_terminal_size(PIPE_SIZE)
    return columns, lines


def fit(line: str, width: int) -> str:
    """
    Return a line cut to *width* characters; colours do not count.

    >>> fit("abcdef", 4), fit("abc", 4)
    ('abc…', 'abc')
    """
    if len(SGR.sub("", line)) <= width:
        return line
    parts: list[str] = []
    room = width - 1
    for piece in re.split(f"({SGR.pattern})", line):
        if SGR.fullmatch(piece):
            parts.append(piece)
        else:
            parts.append(piece[:room])
            room -= len(piece[:room])
    return "".join(parts) + "…"


def show(draw: Draw, *, every_s: float, is_once: bool) -> None:
    """Draw a view once, or every *every_s* seconds until a key ends it."""
    if is_once or not (sys.stdout.isatty() and sys.stdin.isatty()):
        columns, lines = size()
        output.draw("".join(f"{fit(line, columns)}\n" for line in draw(columns, lines)))
        return
    with _keys() as pressed:
        output.draw(BEGIN)
        try:
            while True:
                columns, lines = size()
                drawn = [fit(line, columns) for line in draw(columns, lines)[:lines]]
                output.draw(HOME + "\n".join(line + CLEAR_LINE for line in drawn) + CLEAR_BELOW)
                if pressed(every_s):
                    return
        except KeyboardInterrupt:
            return
        finally:
            output.draw(END)


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float], bool]]:
    """Read keys without echo and without waiting for the end of a line, where the system can do so."""
    try:
        import termios
        import tty
    except ImportError:  # Windows: only Ctrl-C ends it
        yield _waited
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSADRAIN)  # a key that was typed before this counts, too

    def pressed(seconds: float) -> bool:
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            ready, _, _ = select.select([descriptor], [], [], left_s)
            if ready and not ENDS.isdisjoint(os.read(descriptor, KEYS_BYTES_MAX)):
                return True
        return False

    try:
        yield pressed
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _waited(seconds: float) -> bool:
    time.sleep(seconds)
    return False
