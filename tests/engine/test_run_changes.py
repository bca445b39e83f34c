"""
Changes of several runs: made step by step, followed, and taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from aim.core.errors import RunExists
from aim.engine.repository import Repository
from aim.engine.rewinding import deletion_of
from aim.engine.run_changes import (
    DONE,
    FAILED,
    RUNNING,
    UNDOING,
    UNDONE,
    PointsDeletion,
    PropertiesChange,
    RunsChange,
    RunsDeletion,
    TooLate,
)

RUNS = ("a", "b", "c")
LOSS = ("loss", "{}")


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    A repository with three runs, of which the first has a name and a tag, and all have three points.
    """
    repository = Repository(tmp_path, create=True)
    for run_hash in RUNS:
        writer = repository.new_run(run_hash)
        for step in range(3):
            writer.sequence("loss").track(0.5, step=step)
        writer.close()
    repository.edit("a", {"property": {"name": "first"}, "tags": {"add": ["best"], "remove": []}}, by="test")
    return repository


def names_and_tags(repository: Repository) -> list[tuple[str, list[str]]]:
    """Return name and tags of each run."""
    states = [repository.readers.state(run_hash) for run_hash in repository.run_hashes()]
    return [(state.name, sorted(state.tags)) for state in sorted(states, key=lambda state: state.run_hash)]


def test_properties_are_changed_and_come_back(repository: Repository) -> None:
    """
    Each run gets back what it had; a run that is gone is counted and left out.
    """
    before = names_and_tags(repository)
    change = PropertiesChange("1", repository.backend, [*RUNS, "gone"], {"name": "new"}, ["x"], ["best"])
    assert ("1", ("name", "tags"), 4, 0, RUNNING) == (
        change.name, change.summary, change.count, change.done_count, change.state
    )  # fmt: skip
    change.make()

    assert (DONE, 4) == (change.state, change.done_count)
    assert [("new", ["x"])] * 3 == names_and_tags(repository)
    assert 3 == change.take_back()
    assert UNDONE == change.state
    assert before == names_and_tags(repository)


@pytest.mark.parametrize(
    ("properties", "add", "remove", "summary"),
    [
        ({"name": "x"}, [], [], ("name",)),
        ({}, ["x"], [], ("tags",)),
        ({}, [], ["x"], ("tags",)),
        ({"archived": True, "notes": ""}, ["x"], ["y"], ("archived", "notes", "tags")),
        ({}, [], [], ()),
    ],
)
def test_a_change_says_what_it_changes(
    repository: Repository, properties: dict[str, Any], add: list[str], remove: list[str], summary: tuple[str, ...]
) -> None:
    """
    Its summary names the properties, and the tags whether they are added or removed.
    """
    assert summary == PropertiesChange("1", repository.backend, RUNS, properties, add, remove).summary


def test_tags_that_a_run_has_are_neither_added_nor_taken_back(repository: Repository) -> None:
    """
    A run that had the tag before keeps it when the change is taken back.
    """
    change = PropertiesChange("1", repository.backend, ["a", "b"], {}, ["best"], [])
    change.make()
    assert [["best"], ["best"], []] == [tags for _, tags in names_and_tags(repository)]
    change.take_back()

    assert [["best"], [], []] == [tags for _, tags in names_and_tags(repository)]


def test_deleted_points_are_shown_again(repository: Repository) -> None:
    """
    The count is that of the points, and nothing is written where there is none.
    """
    deletion = deletion_of(repository.run("a"), LOSS, [1, 2])
    change = PointsDeletion("1", repository.backend, "a", deletion.entries, 2, deletion.recorded_at_s)
    change.make()
    points = repository.run("a").points(LOSS)

    assert (DONE, 2, "points") == (change.state, change.done_count, change.what)
    assert points is not None
    assert [0] == points.steps.tolist()
    assert 1 == change.take_back()
    again = repository.run("a").points(LOSS)
    assert again is not None
    assert [0, 1, 2] == again.steps.tolist()
    nothing = PointsDeletion("2", repository.backend, "a", [], 0, 0.0)
    nothing.make()
    assert (DONE, 0, 0) == (nothing.state, nothing.done_count, nothing.take_back())


def test_deleted_runs_come_back(repository: Repository) -> None:
    """
    They wait from the end of the deletion on; those that another process deleted first are counted too.
    """
    change = RunsDeletion("1", repository.backend, ["a", "b", "gone"], lambda: 7.0)
    before = change.waits_since_s
    change.make()

    assert (DONE, 3, [None, 7.0]) == (change.state, change.done_count, [before, change.waits_since_s])
    assert ["c"] == list(repository.run_hashes())
    assert 2 == change.take_back()
    assert set(RUNS) == set(repository.run_hashes())


def test_deleted_runs_are_forgotten(repository: Repository) -> None:
    """
    After that it is too late to take the change back.
    """
    change = RunsDeletion("1", repository.backend, ["a"])
    change.make()
    change.forget()

    with pytest.raises(TooLate, match=r"The runs of this change are gone\."):
        change.take_back()


def test_a_new_run_of_a_deleted_ones_name_stays(repository: Repository) -> None:
    """
    The others come back, the deleted one waits on, and comes back when its name is free again.
    """
    change = RunsDeletion("1", repository.backend, ["a", "b"])
    change.make()
    repository.new_run("a").close()
    for _ in range(2):
        with pytest.raises(RunExists):
            change.take_back()
        assert (UNDOING, 1) == (change.state, change.done_count)
    assert set(RUNS) == set(repository.run_hashes())
    repository.delete_run("a")

    assert 1 == change.take_back()
    assert (UNDONE, 0) == (change.state, change.done_count)
    assert repository.readers.state("a").sequences


class Steps(RunsChange):
    """A change that calls somebody at each step."""

    def __init__(self, repository: Repository, hashes: Sequence[str], act: Any) -> None:
        super().__init__("1", repository.backend, [], hashes)
        self.act = act
        self.steps: list[int] = []

    def _change(self, hashes: Sequence[str]) -> None:
        self.steps.append(len(hashes))
        self.done_count += len(hashes)
        self.act(self)

    def _take_back(self) -> int:
        count, self.done_count = self.done_count, 0
        return count


def test_a_change_is_made_in_steps(repository: Repository) -> None:
    """
    A hundred runs are one step.
    """
    change = Steps(repository, [str(number) for number in range(250)], lambda change: None)
    change.make()

    assert ([100, 100, 50], DONE) == (change.steps, change.state)


def test_a_disk_that_refuses_ends_a_change(repository: Repository) -> None:
    """
    What was changed until then can be taken back.
    """

    def refuse(change: Steps) -> None:
        if len(change.steps) == 2:
            raise OSError("full")

    change = Steps(repository, [str(number) for number in range(250)], refuse)
    change.make()

    assert ([100, 100], FAILED, "full") == (change.steps, change.state, str(change.error))
    assert 200 == change.take_back()


def test_a_change_that_is_taken_back_meanwhile_ends(repository: Repository) -> None:
    """
    No step begins after that, and what was changed is taken back.
    """
    change = Steps(repository, [str(number) for number in range(250)], lambda change: None)
    change.state = UNDONE
    change.make()

    assert ([], UNDONE) == (change.steps, change.state)
