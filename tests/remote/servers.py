"""
Real servers in processes of their own, which tests start, kill and start again, and what runs hold at both ends.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aim.storage.store import Store
from tests.ports import own_port
from tests.storage.recorded import points_in_place
from tests.storage.shipping.wires import recorded_bytes

DEADLINE_S = 120


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait until *condition* holds, for as long as a machine under heavy load may need."""
    until_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < until_s, f"waited in vain: {what}"
        time.sleep(0.05)


class Server:
    """
    `aim up` over the repository in *root*, which is made; `start` it, and `kill` it.

    Attributes:
        address: of the repository.
        options: further words of the command.
    """

    def __init__(self, root: Path, port: int | None = None) -> None:
        self.root = root
        self.port = port or own_port()
        self.address = f"http://127.0.0.1:{self.port}/{root.name}"
        self.store = Store(root / ".aim", create=True)
        self.options: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        """Start the server, and wait until it answers."""
        command = [sys.executable, "-m", "aim.cli", "up", "--repo", str(self.root), "--port", str(self.port)]
        self._process = subprocess.Popen([*command, "--no-open", *self.options], stdout=subprocess.DEVNULL)
        wait_until(self.answers, f"a server on port {self.port}")
        return self

    def answers(self) -> bool:
        """Return whether the server answers."""
        assert self._process is None or self._process.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/info", timeout=60) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:  # it asks for a token
            return True
        except OSError:
            return False

    def kill(self) -> None:
        """Kill the server, as a power cut of the process does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Stop the server in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def points(self, run_hash: str) -> dict[Any, Any]:
        """Return what a reader shows of a run."""
        return points_in_place(self.store.run_folder(run_hash))

    def values(self, run_hash: str, name: str = "loss") -> list[Any]:
        """Return the values of a metric without a context, in the order of steps."""
        if not self.store.has_run(run_hash):
            return []
        points = self.points(run_hash)
        return [points[key][0] for key in sorted(points) if key[:2] == (name, "{}")]


def assert_equal(local: Store, server: Store) -> None:
    """Assert that a server has what a folder has: by the reader, and byte for byte of lines and slots."""
    assert sorted(local.run_hashes()) == sorted(server.run_hashes())
    for run_hash in local.run_hashes():
        assert points_in_place(local.run_folder(run_hash)) == points_in_place(server.run_folder(run_hash))
    assert_held(local, server)


def assert_held(local: Store, server: Store) -> None:
    """Assert that a server has every line and slot of a folder, byte for byte; it may have more."""
    there = recorded_bytes(server)
    for name, content in recorded_bytes(local).items():
        if name in there or not name.rpartition(".")[2].startswith("points-"):
            assert content == there[name], name
