"""
The readers of a repository's runs: one for each run while it is in use.
"""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from aim.core.errors import RunNotFound
from aim.engine import run_readers
from aim.engine.repository import Repository
from aim.engine.run_readers import RunReaders
from aim.storage.reading.reader import held_bytes

LOSS = ("loss", "{}")


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """
    A repository with the runs "a" and "b".
    """
    repository = Repository(tmp_path, create=True)
    for run_hash in ("a", "b"):
        writer = repository.new_run(run_hash)
        for step in range(4):
            writer.sequence("loss").track(float(step), step=step)
        writer.close()
    return repository


@pytest.fixture(name="readers")
def _readers(repository: Repository) -> RunReaders:
    """
    Readers to which nobody says which writer sealed a run.
    """
    return RunReaders(repository.backend, None, lambda run_hash: None)


def test_a_run_has_one_reader_while_it_is_in_use(readers: RunReaders) -> None:
    """
    The second question gets the same reader and log, another run another one.
    """
    assert readers.reader("a") is readers.reader("a") is not readers.reader("b")
    assert readers.log("a") is readers.log("a") is not readers.log("b")


def test_a_log_that_nobody_uses_is_not_kept(readers: RunReaders) -> None:
    """
    Logs of runs are held weakly; the state is read anew.
    """
    unused, used = weakref.ref(readers.log("a")), readers.log("b")
    gc.collect()

    assert None is unused()
    assert used is readers.log("b")
    assert readers.state("a") is not readers.state("a")


def test_an_earlier_state_has_a_reader_of_its_own(repository: Repository, readers: RunReaders) -> None:
    """
    The reader of a run before a rewind has the points that the rewind hides, and is one while it is in use.
    """
    repository.edit("a", {"rewind": 1}, by="test")
    (rewind,) = readers.state("a").rewinds
    before, now = readers.reader_before("a", rewind).points(LOSS), readers.reader("a").points(LOSS)

    assert before is not None
    assert now is not None
    assert ([0, 1, 2, 3], [0, 1]) == (before.steps.tolist(), now.steps.tolist())
    assert readers.reader_before("a", rewind) is readers.reader_before("a", rewind) is not readers.reader("a")


def test_a_deleted_run_has_no_reader_any_more(repository: Repository, readers: RunReaders) -> None:
    """
    Its readers are refused, and a new run of its name gets other ones.
    """
    repository.edit("a", {"rewind": 1}, by="test")
    (rewind,) = readers.state("a").rewinds
    first, first_before, log = readers.reader("a"), readers.reader_before("a", rewind), readers.log("a")
    other = readers.reader("b")
    repository.delete_run("a")
    for ask in (readers.reader, readers.log, readers.state):
        with pytest.raises(RunNotFound):
            ask("a")
    with pytest.raises(RunNotFound):
        readers.reader_before("a", rewind)
    readers.forget("a")
    repository.new_run("a").close()

    assert readers.reader("a") is not first
    assert readers.reader_before("a", rewind) is not first_before
    assert readers.log("a") is not log
    assert readers.reader("b") is other


def test_the_sole_writer_is_asked_for_each_reader(repository: Repository) -> None:
    """
    Who knows the writer that sealed a run is asked with its hash, whenever its reader is.
    """
    asked: list[str] = []
    readers = RunReaders(repository.backend, None, lambda run_hash: asked.append(run_hash))
    readers.reader("a")
    readers.reader("a")
    readers.log("b")

    assert ["a", "a"] == asked


def test_artifacts_are_in_the_folder_of_the_run(repository: Repository, readers: RunReaders) -> None:
    """
    The folder of a run's own artifacts is below that of the run, which has to be there.
    """
    assert repository.files / "runs" / "a" / "files" == readers.artifacts_folder("a")
    with pytest.raises(RunNotFound):
        readers.artifacts_folder("gone")


def test_readers_that_hold_much_are_dropped(
    repository: Repository, readers: RunReaders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Of readers that together hold more than the bound, only those that were used last are kept, the newest in any case.
    """
    monkeypatch.setattr(run_readers, "LOOKS_BETWEEN", 1)
    first = weakref.ref(readers.reader("a"))
    assert first() is readers.reader("a")
    assert first() is not None
    points = readers.reader("b").points(LOSS)
    monkeypatch.setattr(run_readers, "READERS_BYTES_MAX", held_bytes(readers.reader("b")) + 1)

    newest = readers.reader("b")
    gc.collect()

    assert None is first()
    assert newest is readers.reader("b")
    assert points is not None
    assert 4 == len(points)
