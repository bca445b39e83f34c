"""
The door to a repository: find, read, record, change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aim.core.errors import RepoNotFound, RunBusy, RunNotFound
from aim.engine import care, sealing
from aim.engine.repository import Repository
from aim.engine.resuming import earlier_writers
from aim.storage.disk.files import Disk
from aim.storage.recording.sequence_writer import EarlierWriters
from aim.storage.recording.writer import Writer


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    An empty repository.
    """
    return Repository(tmp_path, create=True)


def test_a_repository_is_made_only_when_asked_for(tmp_path: Path) -> None:
    """
    Opening what is not there is an error, and makes nothing.
    """
    with pytest.raises(RepoNotFound):
        Repository(tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_a_run_is_found_by_the_beginning_of_its_hash(repository: Repository) -> None:
    """
    `find_run` takes a whole hash or a beginning that only one run has.
    """
    for name in ("abc1", "abc2", "xyz"):
        repository.new_run(name).close()

    assert ("abc1", "xyz") == (repository.find_run("abc1"), repository.find_run("x"))
    with pytest.raises(RunNotFound, match="2 runs begin with 'abc'"):
        repository.find_run("abc")
    for text in ("nothing", ""):
        with pytest.raises(RunNotFound, match="Cannot find"):
            repository.find_run(text)


def test_readers_and_logs_are_shared_while_they_are_in_use(repository: Repository) -> None:
    """
    Asking twice for a run's reader gives the same one; it reads the state through the same log as everybody else.
    """
    repository.new_run("a").close()
    reader = repository.readers.reader("a")

    assert repository.readers.reader("a") is reader
    assert repository.readers.log("a") is reader.log
    for ask in (repository.readers.reader, repository.readers.log, repository.readers.state):
        with pytest.raises(RunNotFound):
            ask("b")


def test_an_edit_beats_what_its_author_saw(repository: Repository) -> None:
    """
    An edit counts after everything that was there before it, whatever the clocks say.
    """
    writer = repository.new_run("a")
    writer.lines.log.at_s = 4e9  # a writer whose clock is decades ahead
    writer.lines.set_property(name="of the writer")
    repository.edit("a", {"property": {"name": "of the edit"}}, by="test")

    assert "of the edit" == repository.readers.state("a").name
    writer.close()


def test_what_a_resumed_writer_has_to_know(repository: Repository) -> None:
    """
    The past of a run: kinds, and the step after the last, of writers with and without a proper end.
    """
    first = repository.new_run("a")
    first.sequence("loss").track(1.0, step=7)
    first.sequence("count").track(1)
    first.sequence("count").track(0.5)
    first.close()
    second = repository.resume_run("a")
    second.sequence("loss").track(1.0)
    second.sequence("late").track(1.0, step=3)
    past = earlier_writers(repository.readers, "a")

    assert {
        ("loss", "{}"): EarlierWriters(frozenset({"float"}), 9),
        ("count", "{}"): EarlierWriters(frozenset({"int", "float"}), 2),
        ("late", "{}"): EarlierWriters(frozenset({"float"}), 4),
    } == past
    second.close()


def test_what_is_recorded_later_counts_though_the_clock_is_behind(repository: Repository) -> None:
    """
    A run that is resumed where the clock is a day behind takes its params, and its values at steps that it has.
    """
    writer = repository.new_run("run")
    writer.sequences.advance_clock(time.time() + 86_400)  # as a clock that is ahead would have it
    for value, resume in ((1.0, repository.resume_run), (2.0, repository.new_run), (3.0, None)):
        writer.lines.set_param(("lr",), value)
        writer.sequence("loss").track(value - 0.5, step=7)
        writer.sequence("loss").track(value, step=7)
        writer.close()

        reader = repository.readers.reader("run")
        points = reader.points(("loss", "{}"))
        assert points is not None
        assert ({"lr": value}, [value]) == (reader.log.refresh().tree, points.values.tolist())
        if resume is not None:
            writer = resume("run")


def test_states_leave_out_what_was_deleted_meanwhile(repository: Repository) -> None:
    """
    Going through states skips runs that are gone.
    """
    for name in ("a", "b"):
        repository.new_run(name).close()
    states = repository.states(["a", "b"])
    repository.delete_run("a")

    assert ["b"] == [state.run_hash for state in states]


def test_a_name_may_be_used_again_after_its_run_was_deleted(repository: Repository) -> None:
    """
    A deleted run leaves nothing behind: a new one of the same name begins empty, also for who read the old one.
    """
    old = repository.new_run("job")
    old.lines.set_param(("a",), 1)
    old.close()
    log = repository.readers.log("job")
    assert {"a": 1} == log.refresh().tree
    repository.delete_run("job")
    repository.new_run("job").close()

    assert {} == log.refresh().tree == repository.readers.state("job").tree


def test_damage_is_named_and_mended_through_the_door(repository: Repository, tmp_path: Path) -> None:
    """
    `check` goes through all runs; `repair` writes a mended copy, and tells what was lost.
    """
    writer = repository.new_run("a")
    writer.lines.set_param(("p",), 1)
    writer.close()
    events = next((tmp_path / ".aim" / "runs" / "a").glob("*.events.jsonl"))
    events.write_bytes(events.read_bytes().replace(b'"p"', b'"q"'))

    assert {"": 0, "a": 1} == {name: len(damage) for name, damage in care.check(repository)}
    assert 1 == len(care.check_run(repository, "a"))
    assert "lost 1 event line" in care.repair(repository, "a", tmp_path / "mended")
    assert [] == care.check_run(Repository(tmp_path / "mended"), "a")


def test_a_run_that_is_still_recording_is_copied_and_not_moved(repository: Repository, tmp_path: Path) -> None:
    """
    What is recorded during a move would be lost, so a live run stays; a copy of it has what was there.
    """
    writer = repository.new_run("live")
    writer.lines.set_param(("a",), 1)
    target = Repository(tmp_path / "target", create=True)
    with pytest.raises(RunBusy, match=r"'live' is still recording, so it is not moved. .*`aim runs cp`"):
        repository.move_run("live", target)
    assert (["live"], []) == (repository.run_hashes(), target.run_hashes())

    assert not repository.copy_run("live", target)
    assert {"a": 1} == target.readers.state("live").tree
    target.delete_run("live")
    writer.close()
    repository.move_run("live", target)
    assert ([], ["live"]) == (repository.run_hashes(), target.run_hashes())


class _Resumes(Disk):
    """A disk on which somebody begins to record while a copy is put in its place."""

    begin: Callable[[], Writer]
    writer: Writer

    def rename(self, source: Path, target: Path) -> None:
        """Rename; then somebody records."""
        super().rename(source, target)
        if target.name == "waking":
            self.writer = self.begin()


def test_a_run_that_wakes_up_while_it_is_moved_stays(repository: Repository, tmp_path: Path) -> None:
    """
    Resumed between the copy and the deletion, a run stays where it is being recorded, and the copy goes.
    """
    repository.new_run("waking").close()
    disk = _Resumes()
    disk.begin = lambda: repository.resume_run("waking")
    target = Repository(tmp_path / "target", create=True, disk=disk)

    with pytest.raises(RunBusy, match="began to record again"):
        repository.move_run("waking", target)
    assert (["waking"], []) == (repository.run_hashes(), target.run_hashes())
    disk.writer.close()


def test_a_new_run_of_an_old_name_has_its_own_points(repository: Repository) -> None:
    """
    When a sealed run that was read is deleted and one of its name is recorded, the points are those of the new one.
    """
    read_values = []
    for value in (1.0, 2.0):
        writer = repository.new_run("again")
        writer.sequence("loss").track(value)
        writer.close()
        sealing.seal_run(repository.backend.files.run_folder("again"))
        for _ in range(2):  # the second reading is of what was kept
            points = repository.readers.reader("again").points(("loss", "{}"))
            assert points is not None
            read_values += points.values.tolist()
        repository.delete_run("again")

    assert [1.0, 1.0, 2.0, 2.0] == read_values
