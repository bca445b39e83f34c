"""
A repository, and a run being recorded, of each test's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aim import Repo, Run


@pytest.fixture(name="repo")
def _repo(tmp_path: Path) -> Repo:
    """
    An empty repository.
    """
    return Repo(str(tmp_path), init=True)


@pytest.fixture(name="run")
def _run(repo: Repo) -> Iterator[Run]:
    """
    A run being recorded, without system metrics.
    """
    run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
    yield run
    run.close()
