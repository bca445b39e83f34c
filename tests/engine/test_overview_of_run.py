"""
One run without its points.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.core.errors import RunNotFound
from aim.core.reserved import SYSTEM_PARAMS
from aim.engine.logs import RunLogs
from aim.engine.overview_of_run import overview_of_run, sequences_of_run
from aim.engine.repository import Repository
from aim.sdk.objects.text import Text
from aim.sdk.run import Run
from tests.engine.runs import RecordedRun, RecordedRuns
from tests.storage.opened_files import OpenedFiles

VAL = '{"subset":"val"}'
RUNS = [
    RecordedRun(
        {"lr": 0.1, SYSTEM_PARAMS: {"host": "node"}}, {"loss": [3.0, 1.0, 2.0], f"loss {VAL}": [5.0], "acc": [1]}
    ),
    RecordedRun({1: "one", "b": {2: "two"}}, {"loss": [float("nan")]}, is_open=True),  # type: ignore[dict-item]
    RecordedRun(),
]


@pytest.fixture(name="runs", scope="module")
def _runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedRuns]:
    """
    A run that has ended, one that records, and an empty one.
    """
    runs = RecordedRuns(tmp_path_factory.mktemp("run"), RUNS)
    yield runs
    runs.close()


def test_params_of_the_system_stand_apart(runs: RecordedRuns) -> None:
    """
    The environment is not among the params of the user.
    """
    run = overview_of_run(runs.repository, runs.hashes[0])

    assert ({"lr": 0.1}, {"host": "node"}) == (run.params, run.system)


def test_keys_that_are_no_texts_stay_what_they_are(runs: RecordedRuns) -> None:
    """
    A dict with other keys than texts has the JSON form of a list of pairs, at any depth.
    """
    run = overview_of_run(runs.repository, runs.hashes[1])

    assert {1: "one", "b": {"$dict": [[2, "two"]]}} == dict(run.params["$dict"])
    assert None is run.system
    assert {} == overview_of_run(runs.repository, runs.hashes[2]).params


def test_a_run_that_records_has_lasted_until_now(runs: RecordedRuns) -> None:
    """
    The duration of a run that has ended is from its making to its end.
    """
    ended, running = (overview_of_run(runs.repository, run_hash) for run_hash in runs.hashes[:2])

    assert ("finished", "running") == (ended.status, running.status)
    assert ended.end_s is not None
    assert ended.end_s - ended.state.created_at_s == ended.duration_s
    assert None is running.end_s
    assert 0 <= running.duration_s <= time.time() - running.state.created_at_s


def test_a_run_that_is_not_there_is_refused(runs: RecordedRuns) -> None:
    """
    There is an error for a hash that no run has.
    """
    with pytest.raises(RunNotFound):
        overview_of_run(runs.repository, "gone")


def test_sequences_come_with_their_summaries(runs: RecordedRuns) -> None:
    """
    Sequences are sorted by name, then context, and have the summaries that need no points.
    """
    sequences = sequences_of_run(runs.table, runs.hashes[0])
    loss = sequences[2]

    assert [("acc", {}, "int"), ("loss", {"subset": "val"}, "float"), ("loss", {}, "float")] == [
        (sequence.name, sequence.context, sequence.kind) for sequence in sequences
    ]
    assert (2.0, 1.0, 3.0, 2.0) == (loss.values["last"], loss.values["min"], loss.values["max"], loss.values["mean"])
    assert "median" not in loss.values
    assert {float, int} >= {type(value) for value in loss.values.values()}


def test_sequences_are_those_of_one_run(runs: RecordedRuns) -> None:
    """
    Another run's sequences are not listed, and a run that is not in the table has none.
    """
    assert ["loss"] == [sequence.name for sequence in sequences_of_run(runs.table, runs.hashes[1])]
    assert [] == sequences_of_run(runs.table, runs.hashes[2])
    assert [] == sequences_of_run(runs.table, "gone")


def test_the_lines_of_a_run_are_read_once(tmp_path: Path) -> None:
    """
    Its page asks for the overview and for the logs, again and again: only what is new is read.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("many")
    writer.sequence("loss").track(0.5, step=0)
    writer.close()
    opened = OpenedFiles(repository.files / "runs")
    with opened.counting():
        for _ in range(2):
            assert ["loss"] == [key[0] for key in overview_of_run(repository, "many").state.sequences]
            assert [] == RunLogs(repository.readers.reader("many")).all()

    assert 1 == sum(name.endswith(".events.jsonl") for name in opened.names)


def test_objects_among_the_params_have_no_bytes(tmp_path: Path) -> None:
    """
    The overview has their fields, also when the run was read before.
    """
    repository = Repository(tmp_path, create=True)
    run = Run(repo=str(tmp_path))
    run["sample"] = Text("hello")
    run.close()
    repository.readers.reader(run.hash).params()

    assert {"data": None, "size": 0, "extension": "bin", "text": "hello"} == overview_of_run(
        repository, run.hash
    ).params["sample"]["$object"]["items"][0]
