"""
Edits of many runs at once.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from aim.engine.repository import Repository
from aim.engine.shared_edits import RunEdit, write_edits

ARCHIVE: dict[str, Any] = {"property": {"archived": True}}
BEST: dict[str, Any] = {"tags": {"add": ["best"], "remove": []}}
RUNS = ("a", "b", "c", "d")


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    A repository with four empty runs.
    """
    repository = Repository(tmp_path, create=True)
    for run_hash in RUNS:
        repository.new_run(run_hash).close()
    return repository


def test_each_run_gets_its_edit(repository: Repository) -> None:
    """
    Runs with different edits get theirs; one with an empty edit stays as it is and is not among the edited ones.
    """
    run_edits: list[RunEdit] = [("a", ARCHIVE, 0.0), ("b", BEST, 0.0), ("c", {}, 0.0), ("d", ARCHIVE, 0.0)]
    edited = write_edits(repository.backend, run_edits, by="test")
    states = {run_hash: repository.readers.state(run_hash) for run_hash in RUNS}

    assert ["a", "b", "d"] == sorted(edited)
    assert [True, None, None, True] == [states[run_hash].properties.get("archived") for run_hash in RUNS]
    assert [[], ["best"], [], []] == [list(states[run_hash].tags) for run_hash in RUNS]


def test_a_run_that_is_gone_is_left_out(repository: Repository) -> None:
    """
    The others get their edit all the same.
    """
    assert ["a"] == write_edits(repository.backend, [("a", BEST, 0.0), ("gone", BEST, 0.0)], by="test")
    assert [] == write_edits(repository.backend, [], by="test")


def test_a_run_whose_clock_is_ahead_does_not_take_others_along(repository: Repository) -> None:
    """
    Its edit counts as the latest of the run; the same edit of the other runs has the time of this moment.
    """
    ahead_s = time.time() + 3_600
    edited = write_edits(repository.backend, [("a", BEST, ahead_s), ("b", BEST, ahead_s - 9_000)], by="test")
    tagged_at_s = {run_hash: repository.readers.state(run_hash).tags["best"] for run_hash in edited}

    assert ["a", "b"] == sorted(edited)
    assert tagged_at_s["a"] > ahead_s > time.time() >= tagged_at_s["b"]
