"""
Bars are shown on a terminal only, and only where they are asked for.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest

from aim.sdk import progress
from aim.sdk.progress import progress_bar, reading_bar
from aim.sdk.types import QueryReportMode


@contextmanager
def on_a_terminal() -> Iterator[TextIO]:
    """Make standard error a real terminal, without the delay of the bars, and return its other end."""
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with (
        os.fdopen(writer, "w") as stream,
        os.fdopen(reader, "r", errors="replace") as screen,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(progress, "DELAY_S", 0.0)
        patch.setattr(sys, "stderr", stream)
        yield screen


def shown(screen: TextIO) -> str:
    """Return what a terminal has shown since it was last read."""
    sys.stderr.flush()
    os.set_blocking(screen.fileno(), False)
    try:
        return os.read(screen.fileno(), 1 << 16).decode("utf-8", "replace")
    except BlockingIOError:
        return ""


def test_a_bar_counts_the_items_on_a_terminal() -> None:
    """The items pass through unchanged, and the bar says what they are."""
    with on_a_terminal() as screen:
        items = list(progress_bar([1, 2, 3], QueryReportMode.PROGRESS_BAR, "runs"))
        text = shown(screen)
    assert [1, 2, 3] == items
    assert "runs" in text
    assert "/3" in text


def test_the_runs_that_were_read_are_counted_on_a_terminal() -> None:
    """The total becomes known with the first call; the bar is drawn again while runs are read."""
    text, done = "", 0
    with on_a_terminal() as screen, reading_bar(QueryReportMode.PROGRESS_BAR) as show:
        assert show is not None
        while "/9000000" not in text:
            done += 1
            show(done, 9_000_000)
            text += shown(screen)
    assert "runs read" in text


@pytest.mark.parametrize("mode", [QueryReportMode.DISABLED, QueryReportMode.PROGRESS_TUPLE])
def test_no_bar_is_shown_where_none_is_asked_for(mode: QueryReportMode) -> None:
    """The items are given back as they are, and there is nothing to call."""
    items = [1, 2]
    with on_a_terminal() as screen:
        assert items is progress_bar(items, mode, "runs")
        with reading_bar(mode) as show:
            assert show is None
        print("end", file=sys.stderr)
        assert "end" == shown(screen).strip()


def test_no_bar_is_shown_where_output_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """A log file or a pipe gets none of it."""
    items = [1, 2]
    assert items is progress_bar(items, QueryReportMode.PROGRESS_BAR, "runs")
    with reading_bar(QueryReportMode.PROGRESS_BAR) as show:
        assert show is None
    assert "" == capsys.readouterr().err
