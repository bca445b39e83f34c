"""
Links that are cut for a while: between servers of Aim and ClickHouse, and the object store.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.sdk.run import BasicRun
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_project import ClusterProject
from tests.cluster.cable import Cable
from tests.cluster.running import TOML, RunningCluster
from tests.cluster.server_process import STEPS, ServerProcess, assert_sent_once, running_server, track
from tests.cluster.servers import DEADLINE_S, SECRET


@pytest.fixture(name="cables")
def _cables(cluster: RunningCluster) -> Iterator[tuple[Cable, Cable]]:
    """
    The cables to ClickHouse and to the object store.
    """
    cables = (
        Cable(cluster.clickhouse.host, cluster.clickhouse.port),
        Cable(cluster.s3.host, cluster.s3.port),
    )
    yield cables
    for cable in cables:
        cable.close()


@pytest.fixture(name="process")
def _process(cables: tuple[Cable, Cable], tmp_path: Path) -> Iterator[ServerProcess]:
    """
    A server that asks both through the cables.
    """
    toml = tmp_path / "cluster.toml"
    toml.write_text(TOML.format(clickhouse=cables[0].address, s3=cables[1].address))
    (tmp_path / "secret").write_text(SECRET)
    with running_server(toml) as process:
        yield process


def test_nothing_is_lost_or_doubled_when_links_are_cut(
    cluster: RunningCluster,
    cables: tuple[Cable, Cable],
    process: ServerProcess,
    project: ClusterProject,
    backend: ClusterBackend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Each is cut while a run records, until the server has something to say, and mended: what was under way arrives
    late, or never. At the end all is there, once.
    """
    monkeypatch.setenv("AIM_SPOOL", str(tmp_path / "spool"))
    address = f"{process.address}/{project.name}"
    run = BasicRun(repo=address)
    track(run, 0)
    run.flush()
    turns = [(cable, forgets) for forgets in (False, True, True) for cable in cables]
    for turn, (cable, forgets) in enumerate(turns, 1):
        cable.cut()
        track(run, turn * STEPS)
        cable.wait_until_used(DEADLINE_S)
        track(run, turn * STEPS + STEPS // 2)
        cable.mend(forgets=forgets)

    assert_sent_once(run, address, tmp_path / "copy", project, backend)
