"""
Parts of a cluster that are killed: what trainings record waits in their spools, and pages say what is away.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from aim import Repo
from aim.core.errors import RepoNotFound
from aim.sdk.run import BasicRun
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.shipping.spool import Spool
from tests.cli.schemas import call
from tests.cluster.balancer import Balancer
from tests.cluster.running import RunningCluster
from tests.cluster.server_process import STEPS, ServerProcess, assert_sent_once, running_server, track
from tests.cluster.servers import DEADLINE_S
from tests.remote.servers import wait_until
from tests.storage.recorded import points_in_place, points_of_reader


@pytest.fixture(name="process")
def _process(cluster: RunningCluster) -> Iterator[ServerProcess]:
    """
    A server that the test may kill.
    """
    with running_server(cluster.toml) as process:
        yield process


@pytest.fixture(name="other")
def _other(cluster: RunningCluster) -> Iterator[ServerProcess]:
    """
    Another server of the same cluster.
    """
    with running_server(cluster.toml) as process:
        yield process


@pytest.fixture(name="balancer")
def _balancer(process: ServerProcess, other: ServerProcess) -> Iterator[Balancer]:
    """
    What relays to the first of two servers, and to the second one while the first is away.
    """
    balancer = Balancer((process.port, other.port))
    yield balancer
    balancer.close()


def test_nothing_is_lost_or_doubled_when_parts_are_killed(
    cluster: RunningCluster,
    process: ServerProcess,
    project: ClusterProject,
    backend: ClusterBackend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    ClickHouse, the object store and the server are killed while a run records; at the end all is there, once.
    """
    monkeypatch.setenv("AIM_SPOOL", str(tmp_path / "spool"))
    address = f"{process.address}/{project.name}"
    run = BasicRun(repo=address)
    track(run, 0)
    run.flush()
    parts = [
        (cluster.clickhouse.kill, cluster.clickhouse.start),
        (cluster.s3.kill, cluster.s3.start),
        (process.kill, process.start),
        (cluster.clickhouse.kill, cluster.clickhouse.start),
    ]
    for turn, (kill, start) in enumerate(parts, 1):
        kill()
        track(run, turn * STEPS)
        start()
        track(run, turn * STEPS + STEPS // 2)
    cluster.wait_for_objects()

    assert_sent_once(run, address, tmp_path / "copy", project, backend)


def test_another_server_goes_on_when_one_is_killed(
    balancer: Balancer,
    process: ServerProcess,
    other: ServerProcess,
    project: ClusterProject,
    backend: ClusterBackend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    A training behind a balancer goes on at the other server, whose pages show all of it; a change that is made there is
    seen by the first one when it is back, and then that one goes on alone.
    """
    monkeypatch.setenv("AIM_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("AIM_SEAL_ON_CLOSE", "0")
    address = f"{balancer.address}/{project.name}"
    run = BasicRun(repo=address)
    track(run, 0)
    run.flush()
    process.kill()
    track(run, STEPS)
    wait_until(lambda: last_step(other, project, run.hash) == 2 * STEPS - 1, "the points at the other server")
    BasicRun(run.hash, repo=f"{other.address}/{project.name}", read_only=True).name = "renamed"
    process.start()
    wait_until(lambda: name_of(process, project, run.hash) == "renamed", "the name at the first server")
    other.kill()
    track(run, 2 * STEPS)
    wait_until(lambda: last_step(process, project, run.hash) == 3 * STEPS - 1, "the points at the first server")
    run.close()
    recorded = shutil.copytree(Spool(address).folder / ".aim" / "runs" / run.hash, tmp_path / "copy" / run.hash)
    assert 0 == call("sync", "--wait", str(DEADLINE_S)).code

    assert points_in_place(recorded) == points_of_reader(backend.reader(run.hash))


def last_step(server: ServerProcess, project: ClusterProject, run_hash: str) -> int | None:
    """Return the last step of the loss of a run, as a server shows it; None while it doesn't show the run."""
    try:
        repo = Repo(f"{server.address}/{project.name}")
    except RepoNotFound:  # nothing of it has come yet
        return None
    steps = [metric.data.indices_list()[-1] for metric in repo.query_metrics("metric.name == 'loss'")]
    assert len(steps) <= 1, run_hash
    return steps[0] if steps else None


def name_of(server: ServerProcess, project: ClusterProject, run_hash: str) -> str:
    """Return the name of a run, as a server shows it."""
    answer = httpx.get(f"{server.address}/api/repos/{project.name}/runs/{run_hash}", timeout=DEADLINE_S)
    return str(answer.json().get("name"))


def test_pages_say_what_is_away_and_go_on_when_it_is_back(cluster: RunningCluster, address: str) -> None:
    """
    Without ClickHouse a run is answered with 503 and the reason, never as if there were none; then it is there again.
    """
    with BasicRun(repo=address) as run:
        track(run, 0)
    origin, _, project = address.rpartition("/")
    path = f"{origin}/api/repos/{project}/runs/{run.hash}"
    before = httpx.get(path, timeout=DEADLINE_S).status_code
    cluster.clickhouse.kill()
    try:
        away = httpx.get(path, timeout=DEADLINE_S)
    finally:
        cluster.clickhouse.start()
    wait_until(lambda: httpx.get(path, timeout=DEADLINE_S).status_code == 200, "ClickHouse, from the server")

    assert (200, 503, "away") == (before, away.status_code, away.json()["kind"])
    assert "No ClickHouse server answers" in away.json()["message"]
