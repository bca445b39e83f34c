"""
What a door does, whatever is behind it.
"""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from aim.core.errors import NotFound, RunNotFound, UsageError
from aim.engine.door import Door
from aim.engine.opening import open_door


@pytest.fixture(name="door")
def _door(tmp_path: Path) -> Door:
    """
    A repository with two ended runs.
    """
    door = open_door(tmp_path, create=True)
    for number, run_hash in enumerate(("first", "second")):
        writer = door.new_run(run_hash)
        writer.lines.set_param(("hparams", "lr"), 0.1 * (number + 1))
        for step in range(3):
            writer.sequence("loss", {"subset": "val"}).track(1.0 / (step + 1 + number))
        writer.close()
    return door


def test_a_run_is_read(door: Door) -> None:
    """
    A run's door gives its state, its params and its points.
    """
    run = door.run("first")
    key = ("loss", '{"subset":"val"}')

    assert ("first", {"hparams": {"lr": 0.1}}, 0.1) == (run.run_hash, run.params(), run.param(("hparams", "lr")))
    assert [key] == list(run.sequences()) == list(run.points_of_many())
    points = run.points(key)
    assert points is not None
    assert [0, 1, 2] == points.steps.tolist()
    assert run.points(("loss", "{}")) is None


def test_a_run_that_is_not_there_is_refused(door: Door) -> None:
    """
    A run is looked up when it is opened.
    """
    with pytest.raises(RunNotFound):
        door.run("third")


def test_runs_are_rows_of_cells(door: Door) -> None:
    """
    A table has a cell for each column, sorted by one of them, and says how many runs match.
    """
    page = door.questions().table(["hash", "hparams.lr", "loss.last"], sort="hparams.lr", limit=1)

    assert 2 == page.total
    assert [{"hash": "first", "hparams.lr": 0.1, "loss.last": 1 / 3}] == page.rows
    assert ["second"] == [row["hash"] for row in door.questions().table(["hash"], sort="hparams.lr", offset=1).rows]


def test_runs_are_rows_of_a_query_about_sequences(door: Door) -> None:
    """
    A query may be about sequences: a run matches when one of its sequences does.
    """
    page = door.questions().table(["hash"], "metric.first == 0.5")

    assert [{"hash": "second"}] == page.rows


def test_a_column_that_is_not_there_is_refused(door: Door) -> None:
    """
    The error names a column that is near.
    """
    with pytest.raises(UsageError, match="Did you mean 'hparams.lr'"):
        door.questions().table(["hparams.rl"])


def test_sequences_are_rows_of_summaries(door: Door) -> None:
    """
    Each sequence has a row of summaries; that of a run which is gone is empty.
    """
    sequences = door.questions().sequences("metric.name == 'loss' and run.hash == 'first'")
    rows = door.questions().summary_rows(sequences, ["count", "last"])
    door.delete_run("first")

    assert [{"count": 3, "last": 1 / 3}] == rows
    assert [{}] == door.questions().summary_rows(sequences, ["count"])


def test_artifacts_are_opened_by_name(door: Door) -> None:
    """
    What lies in the folder of a run's artifacts is opened by its name.
    """
    folder = door.run("first").artifact_folder()
    folder.mkdir()
    (folder / "notes.txt").write_text("It converged.")
    with door.artifact("first", "notes.txt") as file:
        assert b"It converged." == file.read()
    with pytest.raises(NotFound):
        door.artifact("first", "../events.jsonl")


def test_states_are_read_one_by_one(door: Door) -> None:
    """
    The states of the runs that are named are given; a run that is gone is left out.
    """
    assert ["second"] == [state.run_hash for state in door.states(["third", "second"])]
    assert 2 == door.run_count()
    assert math.isclose(0.1, min(state.tree["hparams"]["lr"] for state in door.states()))


def test_tags_are_changed_by_name(door: Door) -> None:
    """
    The tags of a repository are asked by the door, too.
    """
    door.edit("first", {"tags": {"add": ["paper"], "remove": []}}, by="test")
    door.tags(by="test").rename("paper", "figure 2")

    assert [("figure 2", 1)] == [(tag.name, tag.run_count) for tag in door.tags(by="test").all()]
