"""
The notebook extension: its magic, and the server that it starts.
"""

from __future__ import annotations

import json
import sys
import types
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import aim
from aim import Repo
from aim.core.errors import UsageError
from aim.ext.notebook import notebook
from tests.ports import own_port


class Shell:
    """What IPython gives an extension."""

    def __init__(self) -> None:
        self.magics: dict[str, Callable[[str], object]] = {}

    def register_magic_function(self, magic: Callable[[str], object], magic_kind: str) -> None:
        """Take a magic."""
        self.magics[f"{magic_kind} {magic.__name__}"] = magic


def test_the_extension_adds_one_magic() -> None:
    """
    `%load_ext aim` finds the function in the package's face, and gets `%aim`.
    """
    shell = Shell()
    aim.load_ipython_extension(shell)

    assert ["line aim"] == list(shell.magics)
    assert str(aim.__version__) in str(shell.magics["line aim"]("version"))


@pytest.mark.parametrize("line", ["", "down", "up 43801", "up --port", "up --ports=1", "up --port=x", "up -p=1"])
def test_a_line_that_is_not_understood_is_an_error(line: str) -> None:
    """
    Only `up` with `--key=value` and `version` are understood; the error says so.
    """
    with pytest.raises(UsageError, match="%aim"):
        notebook.aim(line)


def test_up_serves_the_repository_below_the_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `%aim up` starts a server, waits until it answers, and shows it in a frame; a second time it finds it there.
    """
    Repo(tmp_path, init=True)
    port = own_port()
    frames: list[tuple[str, dict[str, Any]]] = []
    display = types.ModuleType("IPython.display")
    monkeypatch.setattr(display, "IFrame", lambda address, **size: frames.append((address, size)), raising=False)
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    try:
        notebook.aim(f"up --port={port} --repo={tmp_path}")
        notebook.aim(f"up --port={port}")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/notebook/api/info", timeout=60) as answer:
            info = json.loads(answer.read())
    finally:
        notebook.stop("127.0.0.1", port)

    assert [f"http://127.0.0.1:{port}/notebook/"] * 2 == [address for address, _ in frames]
    assert isinstance(info, dict)
    assert not notebook.answers(f"http://127.0.0.1:{port}/notebook/api/info")


def test_a_server_that_others_can_reach_has_a_token_that_the_frame_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    `%aim up --host=0.0.0.0` makes a token for the server, and the address in the frame has it.
    """
    Repo(tmp_path, init=True)
    port = own_port()
    addresses: list[str] = []
    display = types.ModuleType("IPython.display")
    monkeypatch.setattr(display, "IFrame", lambda address, **size: addresses.append(address), raising=False)
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    try:
        notebook.aim(f"up --host=0.0.0.0 --port={port} --repo={tmp_path}")
        page, _, token = addresses[0].partition("?token=")
        asked = f"{page}api/info"

        assert (False, True) == (notebook.answers(asked), notebook.answers(asked, token))
    finally:
        notebook.stop("0.0.0.0", port)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    """
    What `aim up` says before it ends is in the error.
    """
    port = own_port()
    (tmp_path / "notes.txt").write_text("no folder")
    try:
        with pytest.raises(notebook.NotServing, match=r"(?s)ended: .*notes\.txt"):
            notebook.aim(f"up --port={port} --repo={tmp_path / 'notes.txt'}")
    finally:
        notebook.stop("127.0.0.1", port)


def test_behind_a_proxy_the_frame_goes_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With a proxy url the pages are served below the path that the proxy forwards, and the frame asks the proxy.
    """
    display = types.ModuleType("IPython.display")
    monkeypatch.setattr(display, "IFrame", lambda address, **size: address, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    path = notebook.base_path(43801, "https://hub.example.org/user/ada/")

    assert "https://hub.example.org/user/ada/proxy/absolute/43801/aim-sage/" == notebook.frame(
        "127.0.0.1", 43801, path, "https://hub.example.org/user/ada/"
    )
