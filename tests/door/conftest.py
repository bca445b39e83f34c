"""
A repository for each test, read through a server that the tests of a module share.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim import Repo, Run
from aim.server.settings import Settings
from tests.door.served import ServedRepo
from tests.server.conftest import RunningServer

REPOSITORIES = 100  # of a server: more than any module has tests


@pytest.fixture(scope="module", name="served")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[tuple[str, Path]]]:
    """
    Addresses of empty repositories, and the folders that they are.
    """
    above = tmp_path_factory.mktemp("served")
    roots = [above / f"r{number}" for number in range(REPOSITORIES)]
    for root in roots:
        Repo(str(root), init=True)
    server = RunningServer(Settings(tuple(roots), port=0))
    try:
        yield iter([(f"{server.address.strip()}{root.name}", root) for root in roots])
    finally:
        assert server.stop()


@pytest.fixture(name="repo")
def _repo(served: Iterator[tuple[str, Path]]) -> Repo:
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
