"""
Lines are cut to the terminal, with their colours.
"""

from __future__ import annotations

import pytest

from aim.cli.views import screen


def test_colours_do_not_count_and_are_kept() -> None:
    """
    A coloured line that fits stays; one that is too long is cut, and its colour ends.
    """
    red = "\x1b[31mabcdef\x1b[0m"

    assert (red, "\x1b[31mabc\x1b[0m…") == (screen.fit(red, 6), screen.fit(red, 4))


def test_in_a_pipe_a_view_is_drawn_once(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Without a terminal there are no codes, and the lines come once.
    """
    screen.show(lambda columns, lines: [f"{columns > 0} {lines > 0}", "x"], every_s=0.1, is_once=False)

    assert "True True\nx\n" == capsys.readouterr().out
