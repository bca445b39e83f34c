"""
A server of a cluster that tests may kill, what they record to it, and that all of it is there, once.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from aim import Image, Run
from aim.sdk.run import BasicRun
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.shipping.spool import Spool
from tests.cli.schemas import call
from tests.cluster.servers import DEADLINE_S
from tests.ports import own_port
from tests.remote.servers import wait_until
from tests.storage.recorded import points_in_place, points_of_reader

STEPS = 40


class ServerProcess:
    """A server of the projects of a cluster, in a process of its own."""

    def __init__(self, toml: Path) -> None:
        self._toml = toml
        self.port = own_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = ["server", "--cluster", str(self._toml), "--port", str(self.port)]
        self._process = subprocess.Popen([sys.executable, "-m", "aim.cli", *words], stdout=subprocess.DEVNULL)
        wait_until(self._answers, "the server")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(f"{self.address}/api/info", timeout=DEADLINE_S):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def kill(self) -> None:
        """End it as a power cut would end the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def running_server(toml: Path) -> Iterator[ServerProcess]:
    """Run a server of the projects of a cluster, which may be killed and started meanwhile."""
    process = ServerProcess(toml)
    process.start()
    yield process
    process.kill()


def track(run: BasicRun | Run, start: int) -> None:
    """Record numbers and a few pictures."""
    for step in range(start, start + STEPS):
        run.track(step * 0.5, name="loss", step=step)
        if step % 10 == 0:
            run.track(Image(np.full((4, 4), step % 256, np.uint8)), name="picture", step=step)


def assert_sent_once(run: BasicRun, address: str, copy: Path, project: ClusterProject, backend: ClusterBackend) -> None:
    """Close a run, send what waits of it, and assert that the cluster has each of its points, and each once."""
    run.close()
    recorded = shutil.copytree(Spool(address).folder / ".aim" / "runs" / run.hash, copy / run.hash)
    assert 0 == call("sync", "--wait", str(DEADLINE_S)).code

    assert points_in_place(recorded) == points_of_reader(backend.reader(run.hash))
    statement = "SELECT count(), uniqExact(slot) FROM aim.points_local FINAL WHERE rid = {rid:FixedString(16)}"
    ((rows, slots),) = project.database.rows(statement, {"rid": project.rid(run.hash)})
    assert rows == slots
