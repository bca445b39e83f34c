"""
Recording on into a run that exists: the next steps of its sequences, and times after those that it has.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from aim.core.errors import RunNotFound
from aim.engine.repository import Repository
from aim.engine.resuming import earlier_writers, resume_run
from aim.storage.forms.history import Rewind
from aim.storage.recording.writer import Writer

LOSS = ("loss", "{}")


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    A repository with a run "example" that has recorded the steps 0, 1 and 7, and ended.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    for step in (0, 1, 7):
        writer.sequence("loss").track(float(step), step=step)
    writer.close()
    return repository


def resumed(repository: Repository) -> Writer:
    """Return a writer that goes on with the run."""
    return resume_run(repository.backend, repository.readers, "example")


def steps(repository: Repository) -> list[int]:
    """Return the steps that the run has of its loss."""
    points = repository.readers.reader("example").points(LOSS)
    return [] if points is None else points.steps.tolist()


def test_a_sequence_goes_on_after_its_last_step(repository: Repository) -> None:
    """
    The first point without a step of a writer that goes on has the step after the last one.
    """
    writer = resumed(repository)
    writer.sequence("loss").track(0.5)
    writer.sequence("acc").track(0.5)
    writer.close()

    assert [0, 1, 7, 8] == steps(repository)
    assert {LOSS: 9, ("acc", "{}"): 1} == {
        key: earlier.next_step for key, earlier in earlier_writers(repository.readers, "example").items()
    }


def test_the_points_tell_where_a_writer_did_not_end(tmp_path: Path) -> None:
    """
    A writer that has left no end has noted no step, so its last point is looked up.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    writer.sequence("loss").track(1.0, step=41)
    writer.flush()

    assert {LOSS: 42} == {
        key: earlier.next_step for key, earlier in earlier_writers(repository.readers, "example").items()
    }
    writer.close()


def test_kinds_of_all_writers_are_told(repository: Repository) -> None:
    """
    A sequence of floats that goes on with ints has both kinds.
    """
    assert frozenset({"float"}) == earlier_writers(repository.readers, "example")[LOSS].kinds
    writer = resumed(repository)
    writer.sequence("loss").track(3)
    writer.close()

    assert frozenset({"float", "int"}) == earlier_writers(repository.readers, "example")[LOSS].kinds


@pytest.mark.parametrize(("last_step", "expected"), [(0, 1), (1, 2), (3, 4), (7, 8), (9, 8)])
def test_a_rewind_takes_the_next_step_back(repository: Repository, last_step: int, expected: int) -> None:
    """
    After a rewind the next step is the one after the last that was kept, and never later than before.
    """
    repository.edit("example", {"rewind": last_step}, by="test")
    assert [Rewind(last_step, rewind.time_s) for rewind in repository.readers.state("example").rewinds]

    assert expected == earlier_writers(repository.readers, "example")[LOSS].next_step


def test_times_go_on_where_the_clock_was_ahead(tmp_path: Path) -> None:
    """
    A writer that goes on after one whose clock was ahead records later times, so that its values count.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    ahead_s = time.time() + 3_600
    writer.sequences.advance_clock(ahead_s)
    writer.lines.set_param(("lr",), 0.1)
    writer.close()
    second = resumed(repository)
    second.lines.set_param(("lr",), 0.2)
    second.close()

    assert {"lr": 0.2} == repository.readers.state("example").tree
    assert repository.readers.state("example").latest_at_s > ahead_s


def test_a_run_that_is_not_there_is_refused(repository: Repository) -> None:
    """
    Nothing is made for a hash that no run has.
    """
    with pytest.raises(RunNotFound):
        resume_run(repository.backend, repository.readers, "gone")

    assert ["example"] == [folder.name for folder in (repository.files / "runs").iterdir()]


def test_a_run_that_is_deleted_meanwhile_does_not_stop_the_training(repository: Repository) -> None:
    """
    The steps are looked up when the first sequence begins; without a run to look at they begin at 0.
    """
    writer = resumed(repository)
    repository.delete_run("example")
    writer.sequence("loss").track(0.5)

    assert [1] == writer.sequences.next_steps()
    writer.close()
