"""
Lines are cut to the terminal, with their colours; a view that follows ends by a key.
"""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from aim import Repo
from aim.cli.views import screen

ROOT = Path(__file__).resolve().parents[3]
DEADLINE_S = 60


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


@pytest.mark.parametrize("typed", [b"q", b"xq", b"xyz q", b"\x1b"])
def test_a_view_ends_whatever_was_typed_before(typed: bytes, tmp_path: Path) -> None:
    """
    Keys that come at once are all looked at: `q` may come behind another one.
    """
    Repo(str(tmp_path), init=True)
    keyboard, terminal = pty.openpty()
    command = [sys.executable, "-m", "aim", "ls", "-f"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    view = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )
    shown = b""
    while b"\x1b[J" not in shown:  # it is drawn, so the terminal is in its mode
        shown += os.read(keyboard, 4096)
    os.write(keyboard, typed)
    try:
        assert 0 == view.wait(DEADLINE_S)
    finally:
        view.kill()
        os.close(keyboard)
        os.close(terminal)
