"""
Changes that can be taken back, and until when.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aim.core.errors import RunExists, UsageError
from aim.engine.repository import Repository
from aim.engine.run_changes import DONE, FAILED, RUNNING, RUNS_PER_STEP, STOPPED, UNDONE, TooLate
from aim.engine.undo import CHANGES_MAX, TRASH_KEPT_S, Changes, check_properties
from aim.storage.disk.files import Disk


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
    assert [] == [path for path in (repository.files / "trash").iterdir() if path.is_dir()]
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
    assert [] == [path for path in (repository.files / "trash").iterdir() if path.is_dir()]


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


class WatchedDisk(Disk):
    """
    Counts the files that are written, and calls a function before each name that a file gets.
    """

    def __init__(self) -> None:
        self.written_count = self.link_count = 0
        self.before_link: Callable[[int], None] = lambda count: None

    def write_new(self, path: Path, data: bytes, *, sync: bool = True) -> None:
        self.written_count += 1
        super().write_new(path, data, sync=sync)

    def link(self, source: Path, target: Path) -> None:
        self.before_link(self.link_count)
        self.link_count += 1
        super().link(source, target)


def many_runs(folder: Path, disk: Disk, count: int) -> tuple[Repository, list[str]]:
    """Make a repository of runs with nothing in them."""
    hashes = [f"r{number:03}" for number in range(count)]
    Repository(folder, create=True)
    for run_hash in hashes:
        (folder / ".aim" / "runs" / run_hash).mkdir()
    return Repository(folder, disk=disk), hashes


def test_an_edit_of_many_runs_is_one_write_a_step(tmp_path: Path) -> None:
    """
    However many runs are edited, a file is written for each hundred of them; undoing costs the same.
    """
    disk = WatchedDisk()
    repository, hashes = many_runs(tmp_path, disk, 2 * RUNS_PER_STEP + 1)
    changes = Changes(repository)
    count, undo = changes.edit(hashes, {"archived": True}, ["paper"], [])

    assert (201, 3) == (count, disk.written_count)
    assert {(True, ("paper",))} == {
        (state.properties["archived"], tuple(state.tags)) for state in repository.states(hashes)
    }
    assert 201 == changes.undo(undo)
    assert 6 == disk.written_count
    assert {(False, ())} == {(state.properties["archived"], tuple(state.tags)) for state in repository.states(hashes)}
    assert [] == changes.recent()


def test_a_change_can_be_taken_back_before_its_first_write(tmp_path: Path) -> None:
    """
    A change has its name before it has changed anything; taken back then, it changes nothing.
    """
    disk = WatchedDisk()
    repository, hashes = many_runs(tmp_path, disk, 3)
    changes = Changes(repository)
    change = changes.begin_edit(hashes, {"name": "x"}, [], [])

    assert [("u1", RUNNING, 0, 3)] == [(c.name, c.state, c.done_count, c.count) for c in changes.recent()]
    assert 0 == changes.undo(change.name)
    change.make()
    assert (UNDONE, 0) == (change.state, disk.written_count)


def test_a_change_that_is_taken_back_half_way_ends_and_leaves_nothing(tmp_path: Path) -> None:
    """
    Undoing waits for the step that is under way, and takes back what was changed until then; no other run is changed.
    """
    disk = WatchedDisk()
    repository, hashes = many_runs(tmp_path, disk, 3 * RUNS_PER_STEP)
    changes = Changes(repository)
    change = changes.begin_edit(hashes, {}, ["paper"], [])
    is_half_way, is_undone = threading.Event(), threading.Event()

    def wait_half_way(count: int) -> None:
        if count == RUNS_PER_STEP + 10:
            is_half_way.set()
            assert is_undone.wait(timeout=60)

    disk.before_link = wait_half_way
    making = threading.Thread(target=change.make)
    undoing = threading.Thread(target=changes.undo, args=(change.name,))
    making.start()
    assert is_half_way.wait(timeout=60)
    assert RUNS_PER_STEP == change.done_count
    undoing.start()
    while change.state != STOPPED:
        time.sleep(0.001)
    is_undone.set()
    making.join()
    undoing.join()

    assert {()} == {tuple(state.tags) for state in repository.states(hashes)}
    assert (2 * RUNS_PER_STEP, 4) == (change.count - RUNS_PER_STEP, disk.written_count)


def test_a_change_that_the_disk_ends_can_be_taken_back(tmp_path: Path) -> None:
    """
    When the disk is full half-way, the change says so, says how far it got, and can be undone when there is room.
    """
    disk = WatchedDisk()
    repository, hashes = many_runs(tmp_path, disk, 2 * RUNS_PER_STEP)

    def refuse(count: int) -> None:
        if count >= RUNS_PER_STEP:
            raise OSError(errno.ENOSPC, "No space left on device")

    disk.before_link = refuse
    changes = Changes(repository)
    change = changes.begin_edit(hashes, {"archived": True}, [], [])
    change.make()

    assert (FAILED, RUNS_PER_STEP) == (change.state, change.done_count)
    assert isinstance(change.error, OSError)
    with pytest.raises(OSError, match="No space"):
        changes.undo(change.name)
    disk.before_link = lambda count: None
    changes.undo(change.name)
    assert {False} == {bool(state.properties.get("archived")) for state in repository.states(hashes)}


def test_a_run_of_a_clock_that_is_ahead_does_not_move_the_edits_of_the_others(tmp_path: Path) -> None:
    """
    An edit is later than all that was seen in its run; a run from the year 2096 gets one of its own.
    """
    repository, _ = many_runs(tmp_path, Disk(), 2)
    repository.backend.edit("r000", {"property": {"name": "ahead"}}, by="test", seen_at_s=4e9)
    changes = Changes(repository)
    changes.edit(["r000", "r001"], {"name": "same"}, [], [])

    ahead, now = repository.states(["r000", "r001"])
    assert ("same", "same") == (ahead.name, now.name)
    assert ahead.latest_at_s > 4e9 > now.latest_at_s
    assert DONE == changes.recent()[0].state
