"""
Taking a run back to a step, and deleting points and objects of its sequences.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aim.core.errors import RunClosed, UntrackableValue, UsageError
from aim.core.values import Stored
from aim.engine.repository import Repository
from aim.engine.rewinding import (
    STEPS_MAX,
    check_steps,
    deletion_of,
    deletion_of_all,
    rewind,
    undeletion_of,
)

LOSS, WORDS = ("loss", '{"s":1}'), ("words", "{}")


@dataclass
class Word:
    """A text to track."""

    text: str

    def stored(self) -> Stored:
        """Return the object's stored form."""
        return Stored("aim.text", {"text": self.text})


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    A run "example" with a loss at the steps 0, 2 and 5, and lists of one, two and three words.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    for step in (0, 2, 5):
        writer.sequence("loss", {"s": 1}).track(step / 2, step=step)
    for count in (1, 2, 3):
        writer.sequence("words").track([Word("abc"[index]) for index in range(count)], step=count)
    writer.close()
    return repository


def delete(repository: Repository, entries: list[dict[str, Any]]) -> None:
    """Write the edit that deletes these points."""
    repository.edit("example", {"delete": entries}, by="test")


def steps_of(repository: Repository, key: tuple[str, str]) -> list[int]:
    """Return the steps of the points that are shown."""
    points = repository.run("example").points(key)
    return [] if points is None else points.steps.tolist()


@pytest.mark.parametrize(
    ("steps", "expected"), [(7, [7]), ([9, 7, 7], [7, 9]), ((3,), [3]), (range(3), [0, 1, 2]), ({5.0}, [5]), (-1, [-1])]
)
def test_steps_are_in_order_and_once_each(steps: object, expected: list[int]) -> None:
    """
    A number or several are steps, as whole floats are.
    """
    assert expected == check_steps(steps)


@pytest.mark.parametrize(
    ("steps", "message"),
    [([], "A deletion names 1 to 100,000 steps, not 0."), (range(STEPS_MAX + 1), "steps, not 100,001.")],
)
def test_a_deletion_names_some_steps_and_not_too_many(steps: object, message: str) -> None:
    """
    The bound itself is within.
    """
    with pytest.raises(UsageError) as caught:
        check_steps(steps)

    assert str(caught.value).endswith(message)
    assert STEPS_MAX == len(check_steps(range(STEPS_MAX)))


@pytest.mark.parametrize("steps", ["7", b"7", 0.5, None, [1, "2"]])
def test_what_is_no_step_is_refused(steps: object) -> None:
    """
    A text is not several steps.
    """
    with pytest.raises(UntrackableValue):
        check_steps(steps)


def test_points_are_deleted_at_the_steps_that_the_run_has(repository: Repository) -> None:
    """
    Other steps are left out, the time is the latest of the points, and the edit hides them.
    """
    run = repository.run("example")
    points = run.points(LOSS)
    assert points is not None
    deletion = deletion_of(run, LOSS, [2, 3, 5])

    assert (2, float(points.times_s[2])) == (deletion.point_count, deletion.recorded_at_s)
    delete(repository, deletion.entries)
    assert [0] == steps_of(repository, LOSS)
    (entry,) = undeletion_of(repository.run("example").state().sequences[LOSS])
    assert {**deletion.entries[0], "at": entry["at"]} == entry


@pytest.mark.parametrize(("key", "steps"), [(LOSS, [3, 4]), (LOSS, []), (("none", "{}"), [0])])
def test_nothing_is_deleted_where_the_run_has_no_such_point(
    repository: Repository, key: tuple[str, str], steps: list[int]
) -> None:
    """
    There is no entry, so no edit is needed.
    """
    assert ([], 0, 0.0) == deletion_of(repository.run("example"), key, steps)


@pytest.mark.parametrize(
    ("items", "point_count", "remaining"),
    [
        ([0], 3, {2: [1], 3: [1, 2]}),
        ([0, 1], 3, {3: [2]}),
        ([2], 1, {1: [0], 2: [0, 1], 3: [0, 1]}),
        ([0, 1, 2, 9], 3, {}),
        ([9], 0, {1: [0], 2: [0, 1], 3: [0, 1, 2]}),
    ],
)
def test_objects_are_deleted_from_their_lists(
    repository: Repository, items: list[int], point_count: int, remaining: dict[int, list[int]]
) -> None:
    """
    A list of which no object is left is deleted as a whole point.
    """
    deletion = deletion_of(repository.run("example"), WORDS, [1, 2, 3], items)
    assert point_count == deletion.point_count
    if deletion.entries:
        delete(repository, deletion.entries)
    run = repository.run("example")
    points = run.points(WORDS)
    steps = [] if points is None else points.steps.tolist()
    items_at = {} if points is None else {step: run.items(points, index) for index, step in enumerate(steps)}

    assert remaining == {step: [index for index, _ in stored] for step, stored in items_at.items()}


def test_single_objects_of_no_list_are_refused(repository: Repository) -> None:
    """
    The message says what the sequence holds.
    """
    with pytest.raises(UsageError) as caught:
        deletion_of(repository.run("example"), LOSS, [0], [0])

    assert "'loss' holds float, not lists: delete whole points of it, by their steps." == str(caught.value)


def test_all_points_of_a_sequence_are_deleted_at_once(repository: Repository) -> None:
    """
    The entry names the sequence, the count is that of its points.
    """
    run = repository.run("example")
    points = run.points(LOSS)
    assert points is not None

    assert ([{"name": "loss", "context": {"s": 1}}], 3, float(points.times_s.max())) == deletion_of_all(run, LOSS)
    assert ([], 0, 0.0) == deletion_of_all(run, ("none", "{}"))
    repository.edit("example", {"drop": deletion_of_all(run, LOSS).entries}, by="test")
    assert [] == steps_of(repository, LOSS)


def test_a_run_is_taken_back_while_it_records(tmp_path: Path) -> None:
    """
    Later steps are hidden and recorded anew; a run that has ended is not taken back, nor to what is no step.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    for step in range(4):
        writer.sequence("loss", {"s": 1}).track(0.0, step=step)
    taken_back = rewind(repository.run("example").state(), writer, 1)
    writer.sequence("loss", {"s": 1}).track(1.0)

    assert 1 == taken_back.step
    assert [0, 1, 2] == steps_of(repository, LOSS)
    with pytest.raises(UntrackableValue):
        rewind(repository.run("example").state(), writer, 0.5)
    writer.close()
    with pytest.raises(RunClosed):
        rewind(repository.run("example").state(), writer, 0)
