"""
What a server does with its process: descriptors, and the parser of requests.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from aim.server.serve import make_server
from aim.server.settings import Settings
from aim.storage.store import Store

DEADLINE_S = 60.0
FEW = 100
PROGRAM = f"""
import resource, runpy
resource.setrlimit(resource.RLIMIT_NOFILE, ({FEW}, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
runpy.run_module("aim.cli", run_name="__main__")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no such limit")
def test_more_trainings_may_be_connected_than_a_shell_allows_descriptors(tmp_path: Path) -> None:
    """
    A server takes as many descriptors as the system lets it have.
    """
    Store(tmp_path / ".aim", create=True)
    words = ["up", "--repo", str(tmp_path), "--port", "0", "--no-open"]
    with ExitStack() as stack:
        server = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", PROGRAM, *words], stderr=subprocess.PIPE, text=True)
        )
        stack.callback(server.kill)
        assert server.stderr is not None
        address = next(line for line in server.stderr if line.startswith("Open ")).split()[1]
        port = int(address.rstrip("/").rpartition(":")[2])
        for _ in range(2 * FEW):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S))

        with urllib.request.urlopen(f"{address}api/info", timeout=DEADLINE_S) as answer:
            assert 200 == answer.status


def test_the_bytes_of_a_header_are_bounded(tmp_path: Path) -> None:
    """
    Also where httptools is installed, which uvicorn would take, and which reads a header of any size into memory.
    """
    Store(tmp_path / ".aim", create=True)

    assert "h11" == make_server(Settings(roots=(tmp_path,))).config.http
