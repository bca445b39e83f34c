"""
Collections of many runs: what going through them reads of the files.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
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


FIRST_QUESTION = """
import sys
from aim import Repo
repo = Repo(sys.argv[1])
answers = {
    "query": lambda: [collection.run.hash for collection in repo.query_runs(sys.argv[3]).iter_runs()],
    "last": lambda: list(repo.last_values("metric_0", {"subset": "train"}).items()),
}
answer = answers[sys.argv[2]]
first = answer()
is_light = "numpy" not in sys.modules
own_count = sum(name.startswith("aim.") for name in sys.modules)
print(repr((first, is_light, own_count, answer() == first, "numpy" in sys.modules)))
"""


@pytest.mark.parametrize("question", ["query", "last"])
def test_the_first_question_of_a_process_loads_no_numpy(question: str, asked: Repo) -> None:
    """
    A query of params, and last values, are answered from the catalogue's file; a second question loads the catalogue.
    """
    name = next(metric.name for metric in asked.query_metrics(ALL_RUNS).iter())
    query = "run.hparams.lr > 0 and run.name != 'none'"
    command = [sys.executable, "-c", FIRST_QUESTION.replace("metric_0", name), asked.root_path, question, query]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, is_light, own_count, is_same, has_numpy = ast.literal_eval(done.stdout)

    assert is_light
    assert own_count <= 190
    assert (True, True) == (is_same, has_numpy)
    assert first
