"""
Servers for the tests of recording to a server.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.servers import Server


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Iterator[Server]:
    """
    A running server of the repository `vision`.
    """
    server = Server(tmp_path / "vision").start()
    yield server
    server.kill()


@pytest.fixture(autouse=True)
def _no_server_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Servers that a test has not stopped are killed after it.
    """
    started: list[Server] = []
    start = Server.start

    def noted(server: Server) -> Server:
        started.append(server)
        return start(server)

    monkeypatch.setattr(Server, "start", noted)
    yield
    for server in started:
        server.kill()


@pytest.fixture(name="spool", autouse=True)
def _spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    The folder of the spools of this test.
    """
    monkeypatch.setenv("AIM_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("AIM_SEAL_ON_CLOSE", "0")
    return tmp_path / "spool"
