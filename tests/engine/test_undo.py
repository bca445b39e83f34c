"""
Changes that can be taken back, and until when.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aim.core.errors import RunExists, UsageError
from aim.engine.repository import Repository
from aim.engine.undo import CHANGES_MAX, TRASH_KEPT_S, Changes, TooLate, check_properties


class Clock:
    """
    A clock that a test moves.
    """

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    A repository of the runs a and b.
    """
    repository = Repository(tmp_path, create=True)
    for run_hash in ("a", "b"):
        repository.new_run(run_hash).close()
    return repository


def test_a_deleted_run_can_be_brought_back_for_a_minute(repository: Repository) -> None:
    """
    The trash keeps a run for a minute; then undoing is too late.
    """
    clock = Clock()
    changes = Changes(repository, clock)
    count, undo = changes.delete(["a", "b", "a"])
    assert (2, []) == (count, repository.run_hashes())

    clock.now_s += TRASH_KEPT_S - 1
    changes.empty_trash()
    assert 2 == changes.undo(undo)
    assert ["a", "b"] == repository.run_hashes()

    _, undo = changes.delete(["a"])
    clock.now_s += TRASH_KEPT_S
    changes.empty_trash()
    assert [] == list((repository.files / "trash").iterdir())
    with pytest.raises(TooLate):
        changes.undo(undo)


def test_only_the_last_hundred_changes_are_remembered(repository: Repository) -> None:
    """
    An older change can't be taken back, and the runs that it deleted are removed.
    """
    changes = Changes(repository)
    _, deleted = changes.delete(["b"])
    for number in range(CHANGES_MAX):
        changes.edit(["a"], {"name": str(number)}, [], [])

    with pytest.raises(TooLate):
        changes.undo(deleted)
    assert [] == list((repository.files / "trash").iterdir())


def test_undoing_skips_runs_that_are_gone(repository: Repository) -> None:
    """
    When one of several runs was deleted by somebody else, the others are put back; when all are gone it is too late.
    """
    changes = Changes(repository)
    _, undo = changes.edit(["a", "b"], {"archived": True}, [], [])
    _, later = changes.edit(["b"], {"name": "x"}, [], [])
    repository.delete_run("b")

    assert 1 == changes.undo(undo)
    assert False is repository.readers.state("a").properties["archived"]
    with pytest.raises(TooLate):
        changes.undo(later)


def test_a_run_whose_name_was_taken_stays_in_the_trash_and_the_others_come_back(repository: Repository) -> None:
    """
    When a new run has the name of one of several that were deleted, the others are put back, and the one can be later.
    """
    changes = Changes(repository)
    _, undo = changes.delete(["a", "b"])
    repository.new_run("a").close()
    with pytest.raises(RunExists, match="There is a new run 'a'"):
        changes.undo(undo)

    assert ["a", "b"] == repository.run_hashes()
    repository.delete_run("a")
    assert 1 == changes.undo(undo)
    assert ["a", "b"] == repository.run_hashes()


def test_an_edit_that_changes_no_tag_writes_nothing(repository: Repository) -> None:
    """
    Adding a tag that is there leaves the run's folder as it is.
    """
    changes = Changes(repository)
    changes.edit(["a"], {}, ["good"], [])
    folder = repository.backend.files.run_folder("a")
    before = sorted(path.name for path in folder.iterdir())
    changes.edit(["a"], {}, ["good"], ["none"])

    assert before == sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("properties", [{"hash": "x"}, {"archived": None}, {"archived": 1}, {"notes": []}])
def test_what_can_not_be_changed_is_refused(properties: dict[str, object]) -> None:
    """
    Only known properties, with values that they can have.
    """
    with pytest.raises(UsageError):
        check_properties(properties)
