"""
Collections of many runs: what going through them reads of the files.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aim import Repo
from aim.core.errors import RunNotFound
from bench.repository import Size, build, seal_all
from tests.storage.opened_files import OpenedFiles

RUNS = 40
ALL_RUNS = "run.archived in (True, False)"


@pytest.fixture(scope="module", name="root")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Sealed runs, each of two metrics of ten points.
    """
    root = tmp_path_factory.mktemp("many")
    repository = build(root, Size(RUNS, params=5, sequences=2, points=10))
    seal_all(repository)
    for number, folder in enumerate(sorted((repository.files / "runs").iterdir())):
        os.utime(folder, (1e9 + number, 1e9 + number))  # old enough that its time counts
    return root


@pytest.fixture(name="asked")
def _asked(root: Path) -> Repo:
    """
    The repository, after its first question.
    """
    repo = Repo(str(root))
    assert RUNS == len(list(repo.query_runs(ALL_RUNS).iter_runs()))
    return repo


def test_going_through_runs_opens_nothing(asked: Repo) -> None:
    """
    The catalogue knows which runs there are: runs are objects without a file until something is asked of them.
    """
    opened = OpenedFiles(Path(asked.path))

    with opened.counting():
        hashes = [collection.run.hash for collection in asked.query_runs(ALL_RUNS).iter_runs()]

    assert RUNS == len(hashes)
    assert [] == [name for name in opened.names if name.endswith((".jsonl", ".parquet"))]


def test_last_values_of_sealed_runs_open_one_file_a_run(asked: Repo) -> None:
    """
    The end of a run's sealed file has the last values of all its metrics, and stays in memory: no lines are read.
    """
    opened = OpenedFiles(Path(asked.path))
    metrics = list(asked.query_metrics(ALL_RUNS).iter())

    with opened.counting():
        first = [metric.values.last() for metric in metrics]
    names = list(opened.names)
    with opened.counting():
        again = [metric.values.last() for metric in metrics]

    assert RUNS == len(names)
    assert all(name.endswith(".parquet") for name in names)
    assert [] == [name for name in opened.names if name.endswith((".jsonl", ".parquet"))]
    assert first == again


def test_frames_of_metrics_without_runs_read_no_lines(asked: Repo) -> None:
    """
    A frame of sealed metrics is made of their sealed files, and is what one metric after the other says.
    """
    opened = OpenedFiles(Path(asked.path))
    metrics = asked.query_metrics(ALL_RUNS)

    with opened.counting():
        frame = metrics.dataframe(only_last=True, include_run=False)

    assert frame is not None
    assert [] == [name for name in opened.names if name.endswith(".jsonl")]
    assert [metric.values.last() for metric in metrics] == list(zip(frame["step"], frame["value"], strict=True))


def test_a_run_that_is_deleted_while_others_are_gone_through_is_left_out(tmp_path: Path) -> None:
    """
    Runs that are gone when their turn comes are left out; one that goes after that says so when it is read.
    """
    build(tmp_path, Size(3, params=3, sequences=1, points=3))
    repo = Repo(str(tmp_path))
    collections = repo.query_runs(ALL_RUNS).iter_runs()
    first, second = next(collections).run, next(collections).run
    (last,) = set(repo.list_all_runs()) - {first.hash, second.hash}

    repo.delete_run(second.hash)
    repo.delete_run(last)

    assert [] == list(collections)
    with pytest.raises(RunNotFound, match=f"Run {second.hash} was deleted from repository"):
        assert second["hparams"]
    assert "seed" in first["hparams"]
