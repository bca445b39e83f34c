"""
A repository for each test, read through a server that the tests of a module share: of folders, and of a cluster.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from aim import Repo, Run
from aim.core.clock import MICROSECONDS
from aim.engine.document_sync import sync_documents
from aim.engine.opening import open_door
from aim.server.settings import Settings
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_marks import DELETED
from tests.cluster.conftest import PROJECTS, _cluster  # noqa: F401  # the fixture `cluster`
from tests.cluster.running import RunningCluster
from tests.door.served import ServedRepo, ShippedRoot
from tests.server.conftest import RunningServer

REPOSITORIES = 100  # of a server: more than any module has tests
FOLDERS, CLUSTER = "folders", "cluster"
OF_FOLDERS_ONLY = {
    "test_requests_are_few_however_many_runs_there_are": "it counts requests, which are the same whatever is served",
    "test_more_points_than_one_request_may_have_take_several": "as above: the limit is that of a request",
    "test_long_curves_are_not_read_far_ahead": "as above: what is read ahead is up to the client",
    "test_who_cannot_fork_is_told": "it reads a live run by a second connection, which ships nothing before it asks",
}
"""Tests that are not asked of a cluster, and why."""


class Served(NamedTuple):
    """
    An empty repository: its address, and the folder that records into it. In a cluster the folder is shipped.
    """

    address: str
    root: Path
    shipped: ShippedRoot | None = None

    def ship(self) -> None:
        """
        Have the server see what is in the folder.
        """
        if self.shipped is not None:
            self.shipped.ship()
            sync_documents(open_door(self.root).documents, open_door(self.address).documents)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """
    Ask all tests of a cluster too, but those that it has no answer for.
    """
    if "served_store" in metafunc.fixturenames:
        is_clustered = metafunc.function.__name__ not in OF_FOLDERS_ONLY
        stores = [FOLDERS, CLUSTER] if is_clustered else [FOLDERS]
        metafunc.parametrize("served_store", stores, indirect=True, scope="module")


@pytest.fixture(scope="module", name="served_store")
def _served_store(request: pytest.FixtureRequest) -> str:
    """
    What the server serves.
    """
    return str(request.param)


@pytest.fixture(scope="module", name="served")
def _served(
    served_store: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Iterator[Served]]:
    """
    Empty repositories.
    """
    above = tmp_path_factory.mktemp("served")
    if served_store == FOLDERS:
        roots = [above / f"r{number}" for number in range(REPOSITORIES)]
        for root in roots:
            Repo(str(root), init=True)
        server = RunningServer(Settings(tuple(roots), port=0))
        repositories = iter([Served(f"{server.address.strip()}{root.name}", root) for root in roots])
    else:
        cluster: RunningCluster = request.getfixturevalue("cluster")
        names = [f"door{next(PROJECTS)}" for _ in range(REPOSITORIES)]
        make_projects(cluster, names)
        server = RunningServer(Settings((), cluster=cluster.settings, port=0))
        repositories = (in_cluster(cluster, server.address.strip(), name, above / name) for name in names)
    try:
        yield repositories
    finally:
        assert server.stop()


def make_projects(cluster: RunningCluster, names: list[str]) -> None:
    """
    Make projects without runs: each has had one, which was deleted.
    """
    seen_us = round(time.time() * MICROSECONDS)
    heads = [rows.head_row(name, "deleted", 1, (0, 0), seen_us=seen_us) for name in names]
    marks = [rows.mark_row(name, "deleted", time.time(), DELETED) for name in names]
    cluster.database.insert("marks", rows.MARK_COLUMNS, b"".join(marks))
    cluster.database.insert("heads", rows.HEAD_COLUMNS, b"".join(heads))


def in_cluster(cluster: RunningCluster, server: str, name: str, root: Path) -> Served:
    """
    Return a project of a cluster, and a new folder that records into it.
    """
    Repo(str(root), init=True)
    return Served(f"{server}{name}", root, ShippedRoot(root, cluster.backend(name)))


@pytest.fixture(name="repo")
def _repo(served: Iterator[Served]) -> Repo:
    """
    An empty repository, which is recorded in a folder and read over HTTP.
    """
    return ServedRepo(*next(served))


@pytest.fixture(name="run")
def _run(repo: Repo) -> Iterator[Run]:
    """
    A run being recorded, without system metrics.
    """
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    yield run
    run.close()
