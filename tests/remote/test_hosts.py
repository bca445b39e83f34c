"""
Hosts that lose the network, get another address, leave for good, and whose work goes on elsewhere: as nodes of Slurm
and Kubernetes do.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.server.settings import auth_folder
from aim.server.tokens import TokenFile
from aim.storage.forms.run_log import RunLog
from aim.storage.store import Store
from tests.remote.hosts import NETWORK, Host, Site, open_site
from tests.remote.servers import assert_equal, assert_held, wait_until
from tests.storage.recorded import points_in_place

PORT = 53_800
TRAINER = str(Path(__file__).with_name("trainer.py"))
STEPS = "100000"  # more than it gets to: it is stopped

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are Linux's")


@pytest.fixture(name="site")
def _site() -> Iterator[Site]:
    """
    A site, without nodes.
    """
    with open_site() as site:
        yield site


@pytest.fixture(name="token")
def _token(site: Site, tmp_path: Path) -> str:
    """
    A server for projects runs at the site, and this is a token of a writer.
    """
    root = tmp_path / "projects"
    root.mkdir()
    token = TokenFile(auth_folder(root, ())).create("nodes", "writer", ["*"], None)
    site.server.start("-m", "aim.cli", "server", "--root", str(root), "--host", "0.0.0.0", "-p", str(PORT))
    return token


def address(number: int) -> str:
    """Return the address of the project as node *number* names it."""
    return f"http://{NETWORK}.{number}.1:{PORT}/vision"


def stored_points(folder: Path, run_hash: str) -> int:
    """Return how many points of a run the repository in a folder shows."""
    runs = folder / ".aim" / "runs"
    return len(points_in_place(runs / run_hash)) if (runs / run_hash).is_dir() else 0


def spool_in(disk: Path) -> Path:
    """Return the only spool on a disk."""
    (spool,) = [path for path in disk.iterdir() if (path / ".aim").is_dir()]
    return spool


def wait_for_more(folder: Path, run_hash: str) -> None:
    """Wait until a repository shows more points of a run than now."""
    count = stored_points(folder, run_hash)
    wait_until(lambda: stored_points(folder, run_hash) > count, f"more points of {run_hash} in {folder.name}")


def sync(node: Host) -> int:
    """Run `aim sync --wait` on a node, and return its exit code."""
    return node.start("-m", "aim.cli", "sync", "--wait", "100").wait(timeout=300)


def test_a_node_whose_line_is_cut_goes_on_and_is_sent_later(site: Site, token: str, tmp_path: Path) -> None:
    """
    The training records while the line is cut, and the server has all of it when the node is back, by another address.
    """
    disk = tmp_path / "disk"
    node = site.join(1, disk, AIM_TOKEN=token)
    at_server = tmp_path / "projects" / "vision"
    node.start(TRAINER, address(1), "cut", "1", STEPS)
    wait_until(lambda: stored_points(at_server, "cut") > 0, "the first points at the server")
    site.cut(1)
    wait_for_more(spool_in(disk), "cut")
    site.mend(1, node, side="7")
    wait_for_more(at_server, "cut")
    node.kill_all()  # a forked child records, too

    assert 0 == sync(node)
    assert_equal(Store(spool_in(disk) / ".aim"), Store(at_server / ".aim"))


def test_a_job_that_is_requeued_on_another_node_goes_on_in_its_run(site: Site, token: str, tmp_path: Path) -> None:
    """
    The first node is switched off; the job goes on elsewhere with the same hash. When the first node's disk is there
    again, in a host of another name and address, `aim sync` sends what it kept: the run has both parts whole.
    """
    disks = [tmp_path / "first", tmp_path / "second"]
    at_server = tmp_path / "projects" / "vision"
    first, second = (site.join(number, disk, AIM_TOKEN=token) for number, disk in zip((1, 2), disks))
    first.start(TRAINER, address(1), "job-7", "1", STEPS)
    wait_until(lambda: stored_points(at_server, "job-7") > 0, "the first points at the server")
    site.cut(1)
    wait_for_more(spool_in(disks[0]), "job-7")
    first.leave()
    second.start(TRAINER, address(2), "job-7", "2", STEPS)
    wait_for_more(at_server, "job-7")
    second.kill_all()
    assert 0 == sync(second)

    third = site.join(3, disks[0], AIM_TOKEN=token)
    moved = third.start("-m", "aim.cli", "sync", str(spool_in(disks[0])), address(3), "--wait", "100")
    assert 0 == moved.wait(timeout=300)
    for disk in disks:
        assert_held(Store(spool_in(disk) / ".aim"), Store(at_server / ".aim"))


FIRST_PROCESS = """
import signal, sys, time
from aim import Run

signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with Run("pod", repo=sys.argv[1], create=True, system_tracking_interval=None, capture_terminal_logs=False) as run:
    for step in range(10**6):
        run.track(float(step), name="loss", step=step)
        time.sleep(0.01)
"""


def test_a_pod_that_is_deleted_closes_its_run_and_sends_it(site: Site, token: str, tmp_path: Path) -> None:
    """
    The training is the first process of its container, which gets SIGTERM: the server has a run that has ended, and all
    of its points, without anybody who comes later.
    """
    disk, at_server = tmp_path / "disk", tmp_path / "projects" / "vision"
    node = site.join(1, disk, AIM_TOKEN=token)
    program = ["-c", FIRST_PROCESS, address(1)]
    waiting = node.start_program("unshare", "--pid", "--fork", "--kill-child", sys.executable, *program)
    wait_until(lambda: stored_points(at_server, "pod") > 0, "the first points at the server")
    (training,) = Path(f"/proc/{waiting.pid}/task/{waiting.pid}/children").read_text().split()
    os.kill(int(training), signal.SIGTERM)
    waiting.wait(timeout=300)

    assert points_in_place(spool_in(disk) / ".aim/runs/pod") == points_in_place(at_server / ".aim/runs/pod")
    writers = RunLog(at_server / ".aim/runs/pod").refresh().writers.values()
    assert [True] == [writer.has_ended(time.time()) for writer in writers]


def test_nodes_without_a_network_are_sent_from_another_host(site: Site, token: str, tmp_path: Path) -> None:
    """
    Nodes record with `AIM_OFFLINE=1` onto a disk that they share with a host that reaches the server, which sends it.
    """
    shared = tmp_path / "shared"
    node = Host("offline", {"AIM_SPOOL": str(shared), "AIM_OFFLINE": "1"})
    try:
        assert 0 == node.start(TRAINER, address(1), "offline", "3", "40").wait(timeout=300)
    finally:
        node.leave()
    login = site.join(1, shared, AIM_TOKEN=token)
    assert 0 == sync(login)

    assert_equal(Store(spool_in(shared) / ".aim"), Store(tmp_path / "projects" / "vision" / ".aim"))
