"""
A run of a folder as its door has it: its state, params and points as they are now, or as they stood before a rewind.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.core.errors import RunNotFound
from aim.engine.open_run import OpenRun
from aim.engine.repository import Repository

LOSS = ("loss", "{}")


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    A repository with a run "example" that has ended.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    writer.lines.set_param(("hparams",), {"lr": 0.1, "layers": [1, 2]})
    for step in range(4):
        writer.sequence("loss").track(float(step), step=step)
    writer.sequence("declared")
    writer.close()
    return repository


def steps(run: OpenRun) -> list[int]:
    """Return the steps of the loss."""
    points = run.points(LOSS)
    return [] if points is None else points.steps.tolist()


def test_params_are_copies_of_what_they_are_now(repository: Repository) -> None:
    """
    Changing a copy changes no run, and what another process sets is seen.
    """
    run = repository.run("example")
    run.params()["hparams"]["lr"] = 9
    run.param(("hparams", "layers")).append(3)
    repository.edit("example", {"property": {"name": "new"}}, by="test")

    assert {"hparams": {"lr": 0.1, "layers": [1, 2]}} == run.params()
    assert (0.1, 2) == (run.param(("hparams", "lr")), run.param(("hparams", "layers", 1)))
    assert "new" == run.state().name
    with pytest.raises(KeyError):
        run.param(("hparams", "none"))


def test_points_are_of_the_sequences_that_have_some(repository: Repository) -> None:
    """
    A sequence that nobody tracked has no points, and is not listed.
    """
    run = repository.run("example")

    assert {LOSS} == set(run.sequences()) == set(run.points_of_many()) == set(run.points_of_many([LOSS]))
    assert [0, 1, 2, 3] == steps(run)
    assert None is run.points(("none", "{}"))


def test_a_run_before_a_rewind_has_what_it_had(repository: Repository) -> None:
    """
    The points that the rewind hides are in the run before it.
    """
    repository.edit("example", {"rewind": 1}, by="test")
    run = repository.run("example")
    (rewind,) = run.state().rewinds

    assert [0, 1] == steps(run)
    assert [0, 1, 2, 3] == steps(run.before(rewind))
    assert [0, 1, 2, 3] == run.before(rewind).points_of_many([LOSS])[LOSS].steps.tolist()
    assert run.run_hash == run.before(rewind).run_hash


def test_a_run_that_is_not_there_is_refused(repository: Repository) -> None:
    """
    So is one that was deleted, whoever has it open.
    """
    run = repository.run("example")
    with pytest.raises(RunNotFound):
        repository.run("gone")
    repository.delete_run("example")

    with pytest.raises(RunNotFound):
        run.points(LOSS)


def test_a_new_run_of_a_deleted_ones_name_has_its_own_points(repository: Repository) -> None:
    """
    The points of the deleted run are not those of the new one.
    """
    run = repository.run("example")
    assert [0, 1, 2, 3] == steps(run)
    repository.delete_run("example")
    writer = repository.new_run("example")
    writer.sequence("loss").track(7.0, step=7)
    writer.close()

    assert [7] == steps(run) == steps(repository.run("example"))


def test_artifacts_are_in_a_folder_of_the_run(repository: Repository) -> None:
    """
    The folder is named whether it is there or not.
    """
    assert repository.files / "runs" / "example" / "files" == repository.run("example").artifact_folder()
