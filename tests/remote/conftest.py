"""
Servers for the tests of recording to a server.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.storage.shipping.spool import spools
from tests.remote.servers import Server, kill_shipper


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
    begin = Server.begin

    def noted(server: Server) -> None:
        started.append(server)
        begin(server)

    monkeypatch.setattr(Server, "begin", noted)
    yield
    for server in started:
        server.kill()


@pytest.fixture(name="spool", autouse=True)
def _spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """
    The folder of the spools of this test. Processes that ship what is left there are killed after it.
    """
    monkeypatch.setenv("AIM_SPOOL", str(tmp_path / "spool"))
    yield tmp_path / "spool"
    for spool in spools(tmp_path / "spool"):
        kill_shipper(spool)
