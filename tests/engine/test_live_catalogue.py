"""
The catalogue kept up to date: what questions see, who is told of changes, and what happens to a damaged file.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aim.engine import arrivals, care
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.repository import Repository
from aim.storage.catalogue.catalogue_update import CatalogueChanges
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.snapshot import DamagedSnapshot
from aim.storage.shipping.receiving import Receiver
from aim.storage.store import Store
from tests.remote.servers import wait_until
from tests.storage.arriving import Training

DEADLINE_S = 60


def count_of(table: RunTable) -> int:
    """Answer how many runs there are."""
    return table.run_count


def hashes_of(table: RunTable) -> set[str]:
    """Answer which runs there are."""
    return set(table.hashes())


def point_count(table: RunTable) -> int:
    """Answer how many points there are."""
    counts = [table.summary(pair, "count") for pair in range(len(table.pairs))]
    return sum(int(count.sum()) for count in counts if count is not None)


def names_of(*run_hashes: str) -> Callable[[RunTable], list[object]]:
    """Return a question for the names of some runs."""

    def question(table: RunTable) -> list[object]:
        column = table.field("name")
        rows = [row for row, run_hash in enumerate(table.hashes()) if run_hash in run_hashes]
        return [column.values[column.codes[row]] for row in rows]

    return question


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    A repository with the runs "a" and "b".
    """
    repository = Repository(tmp_path / "work", create=True)
    for run_hash in ("a", "b"):
        repository.new_run(run_hash).close()
    return repository


@pytest.fixture(name="catalogue")
def _catalogue(repository: Repository, tmp_path: Path) -> Iterator[LiveCatalogue]:
    """
    A catalogue of the repository with a file of its own.
    """
    catalogue = LiveCatalogue(repository.readers, cache=tmp_path / "cache")
    yield catalogue
    catalogue.close()


def test_a_question_sees_what_was_recorded_before_it(repository: Repository, catalogue: LiveCatalogue) -> None:
    """
    Each question is answered from the runs of this moment, and the version grows when there is a change.
    """
    assert {"a", "b"} == catalogue.ask(hashes_of)
    version = catalogue.version
    assert 2 == catalogue.ask(count_of)
    assert version == catalogue.version
    repository.new_run("c").close()
    repository.delete_run("a")

    assert {"b", "c"} == catalogue.ask(hashes_of) == catalogue.ask_now(hashes_of)
    assert version < catalogue.version


def test_listeners_are_told_of_changes(repository: Repository, catalogue: LiveCatalogue) -> None:
    """
    They hear of runs that are new, changed or gone, and of nothing when nothing has changed.
    """
    heard: list[CatalogueChanges] = []
    catalogue.refresh()
    catalogue.listen(heard.append)
    catalogue.refresh()
    assert [] == heard
    repository.edit("a", {"property": {"name": "new"}}, by="test")
    repository.delete_run("b")
    catalogue.refresh()

    assert [(["a"], ["b"])] == [(changes.changed, changes.removed) for changes in heard]


def test_a_question_does_not_wait_for_another_one(repository: Repository, catalogue: LiveCatalogue) -> None:
    """
    While one thread thinks about its answer another one asks, sees a newer state, and the first keeps its own.
    """
    begun, may_end = threading.Event(), threading.Event()
    answers: list[tuple[int, int]] = []

    def slow(table: RunTable) -> tuple[int, int]:
        before = table.run_count
        begun.set()
        assert may_end.wait(DEADLINE_S)
        return before, table.run_count

    thread = threading.Thread(target=lambda: answers.append(catalogue.ask(slow)))
    thread.start()
    assert begun.wait(DEADLINE_S)
    repository.new_run("c").close()
    newer = catalogue.ask(count_of)
    may_end.set()
    thread.join()

    assert (3, [(2, 2)]) == (newer, answers)


def test_many_runs_are_read_by_a_thread(tmp_path: Path) -> None:
    """
    A question for now is answered from some runs; all of them are there in the end, and the progress is told.
    """
    repository = Repository(tmp_path / "work", create=True)
    for number in range(300):
        repository.new_run(f"run{number}").close()
    catalogue = LiveCatalogue(repository.readers, cache=tmp_path / "cache")
    first = catalogue.ask(count_of, within_s=0.0)
    progress = catalogue.indexing
    asked: list[tuple[int, int]] = []

    assert 0 < first < 300
    assert progress is None or progress[1] == 300
    assert 300 == catalogue.ask(count_of, progress=lambda done, total: asked.append((done, total)))
    catalogue.close()
    assert None is catalogue.indexing
    assert [] == [pair for pair in asked if pair[0] > pair[1]]


def test_what_arrives_of_many_runs_is_read_by_a_thread(
    repository: Repository, catalogue: LiveCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A question for now does not read it, but sees edits at once; any other question reads all. The thread follows.
    """
    receiver = Receiver(Store(repository.backend.files.path))
    trainings = [Training(receiver, number) for number in range(arrivals.MANY)]
    for training in trainings:
        training.begin()
    for name in ("PAUSE_S", "OLD_S"):
        monkeypatch.setattr(arrivals, name, 3600.0)
    wait_until(lambda: catalogue.refresh() and catalogue.arriving.count == arrivals.MANY, "all runs are followed")
    assert 0 == catalogue.ask_now(point_count)
    for training in trainings:
        training.send([training.points(2)], alive=True)
    repository.edit("a", {"property": {"name": "new"}}, by="test")

    assert (0, ["new"]) == (catalogue.ask_now(point_count), catalogue.ask_now(names_of("a")))
    assert 2 * arrivals.MANY == catalogue.ask(point_count)
    catalogue.close()
    for name in ("PAUSE_S", "PAUSE_MAX_S"):
        monkeypatch.setattr(arrivals, name, 0.0)
    for count in (3, 4):
        for training in trainings:
            training.send([training.points()], alive=True)
        wait_until(lambda: catalogue.ask_now(point_count) == count * arrivals.MANY, "the thread has read all")  # noqa: B023


def test_a_rebuilt_catalogue_has_all_runs(repository: Repository, catalogue: LiveCatalogue) -> None:
    """
    Discarding the file changes no answer.
    """
    catalogue.refresh()
    repository.new_run("c").close()

    assert 3 == catalogue.rebuild()
    assert {"a", "b", "c"} == catalogue.ask(hashes_of)


def test_a_damaged_file_is_made_again(catalogue: LiveCatalogue) -> None:
    """
    A question that meets damage is asked again of a new catalogue; when it always meets damage the error is raised.
    """
    tries: list[int] = []

    def meets_damage(table: RunTable) -> int:
        tries.append(table.run_count)
        if len(tries) < 3:
            raise DamagedSnapshot("test")
        return table.run_count

    def always(table: RunTable) -> int:
        raise DamagedSnapshot("test")

    assert 2 == catalogue.ask(meets_damage)
    assert [2, 2, 2] == tries
    with pytest.raises(DamagedSnapshot):
        catalogue.ask(always)
    assert 2 == catalogue.ask(count_of)


def test_the_sole_writer_of_a_sealed_run_is_told(
    repository: Repository, catalogue: LiveCatalogue, tmp_path: Path
) -> None:
    """
    A run that one writer has sealed, not just now, has one; others, and runs that are not there, have none.
    """
    writer = repository.new_run("sealed")
    writer.sequence("loss").track(1.0)
    writer.close()
    care.seal(repository, ["sealed"])
    folder = tmp_path / "work" / ".aim" / "runs" / "sealed"
    os.utime(folder, (0, folder.stat().st_mtime - 60))  # the time of a folder that has just changed proves nothing
    catalogue.refresh(full=True)
    sole = catalogue.sole_writer("sealed")

    assert sole is not None
    assert writer.id == sole[0]
    assert None is catalogue.sole_writer("a")
    assert None is catalogue.sole_writer("gone")


def test_a_closed_catalogue_begins_anew(catalogue: LiveCatalogue) -> None:
    """
    After closing, the next question is answered all the same.
    """
    catalogue.ask(count_of)
    catalogue.close()

    assert 2 == catalogue.ask(count_of)
    assert catalogue.address == catalogue.readers.backend.address
