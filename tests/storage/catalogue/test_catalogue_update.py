"""
Bringing a table up to date: which runs are read in which order, how many at a time, and what is said of them.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from aim.storage.catalogue import catalogue_update
from aim.storage.catalogue.catalogue_file import CatalogueFile
from aim.storage.catalogue.catalogue_update import CatalogueChanges, CatalogueUpdate
from aim.storage.catalogue.run_folders import RunFolders
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.table_filler import TableFiller
from aim.storage.forms import edits
from aim.storage.recording import background
from aim.storage.recording.writer import Writer
from tests.storage.catalogue.table_model import no_reader


class Updated:
    """A repository, and a table of its runs that is brought up to date."""

    def __init__(self, path: Path) -> None:
        self.runs = path / ".aim" / "runs"
        self.runs.mkdir(parents=True)
        filler = TableFiller(RunTable(no_reader))
        self.folders = RunFolders(path / ".aim", {}, filler.table.kinds)
        self.update = CatalogueUpdate(filler, self.folders, CatalogueFile(path / ".aim", path / "cache", no_reader))
        self.progress: list[tuple[int, int]] = []

    def record(self, run_hash: str, at_s: float = 1e9 + 0.5) -> Path:
        """Record a run of one point, whose folder has changed long ago."""
        folder = self.runs / run_hash
        folder.mkdir()
        writer = Writer(folder, run_hash)
        background.unregister(writer)
        writer.sequence("loss").track(0.5)
        writer.close()
        os.utime(folder, (at_s, at_s))
        return folder

    def run(self, *, within_s: float | None = None) -> tuple[CatalogueChanges, int]:
        """Look at all folders, and read."""
        return self.update.run(full=True, progress=lambda *counts: self.progress.append(counts), within_s=within_s)

    def hashes(self) -> list[str]:
        """Return the runs of the table, in the order in which they were put."""
        return self.update.filler.table.hashes()


@pytest.fixture(name="updated")
def _updated(tmp_path: Path) -> Updated:
    return Updated(tmp_path)


@pytest.fixture(name="batches")
def _batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read two runs at a time, and pack after four."""
    monkeypatch.setattr(catalogue_update, "BATCH_RUNS", 2)
    monkeypatch.setattr(catalogue_update, "PACK_RUNS", 4)


def test_new_changed_and_deleted_runs_are_told_apart(updated: Updated, tmp_path: Path) -> None:
    """
    A run that is new or differs is changed, one that is gone was removed; a look at the same runs finds nothing.
    """
    folders = [updated.record(name) for name in "abc"]
    changes, read_count = updated.run()
    assert (["a", "b", "c"], [], 3) == (sorted(changes.changed), changes.removed, read_count)
    assert (CatalogueChanges(), 0) == updated.run()
    edits.write(folders[0], {"tags": {"add": ["x"]}}, by="test")
    os.utime(folders[0], (2e9, 1.5e9))
    folders[1].rename(tmp_path / "elsewhere")
    changes, read_count = updated.run()

    assert (["a"], ["b"], 1) == (changes.changed, changes.removed, read_count)
    assert ["a", "c"] == sorted(updated.hashes())


@pytest.mark.usefixtures("batches")
def test_the_newest_runs_are_read_first_and_progress_is_told(updated: Updated) -> None:
    """
    Many runs are read from the newest folder to the oldest, some at a time, and the caller hears how many there are.
    """
    for number, name in enumerate("cadbe"):
        updated.record(name, 1e9 + number + 0.5)
    _, read_count = updated.run()

    assert (["e", "b", "d", "a", "c"], 5) == (updated.hashes(), read_count)
    assert [(2, 5), (4, 5), (5, 5)] == updated.progress


@pytest.mark.usefixtures("batches")
def test_a_refresh_that_has_to_end_goes_on_the_next_time(updated: Updated) -> None:
    """
    With no time left one batch is read; the table has it, and the others are counted until all are read.
    """
    for number, name in enumerate("abcde"):
        updated.record(name, 1e9 + number + 0.5)
    seen = []
    for _ in range(3):
        changes, read_count = updated.run(within_s=0.0)
        assert changes.unread_count == updated.update.unread_count
        seen.append((changes.changed, changes.unread_count, read_count))

    assert [(["e", "d"], 3, 0), (["c", "b"], 1, 0), (["a"], 0, 5)] == seen
    assert 0 == updated.update.read_count


@pytest.mark.usefixtures("batches")
def test_a_run_that_goes_before_it_was_read_is_not_waited_for(updated: Updated, tmp_path: Path) -> None:
    """
    What was deleted leaves the queue, and was never in the table.
    """
    for number, name in enumerate("abcd"):
        updated.record(name, 1e9 + number + 0.5)
    updated.run(within_s=0.0)
    (updated.runs / "a").rename(tmp_path / "elsewhere")
    changes, _ = updated.run()

    assert (["b"], []) == (changes.changed, changes.removed)
    assert ["b", "c", "d"] == sorted(updated.hashes())


@pytest.mark.usefixtures("batches")
def test_an_interrupted_reading_begins_again_with_its_batch(updated: Updated, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A batch leaves the queue when it was read: Ctrl-C costs no run, and the garbage collector is on again.
    """
    for number, name in enumerate("abcd"):
        updated.record(name, 1e9 + number + 0.5)
    whole = RunFolders.read

    def interrupt(self: RunFolders, run_hashes: list[str]) -> object:
        assert not gc.isenabled()
        if "b" in run_hashes:
            raise KeyboardInterrupt
        return whole(self, run_hashes)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolders, "read", interrupt)
        with pytest.raises(KeyboardInterrupt):
            updated.run()
    assert gc.isenabled()
    assert ["c", "d"] == sorted(updated.hashes())
    updated.run()

    assert ["a", "b", "c", "d"] == sorted(updated.hashes())


@pytest.mark.usefixtures("batches")
def test_the_first_table_is_packed_on_the_way(updated: Updated, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    While all comes from folders memory is packed after some thousand runs; later refreshes and files pack nothing.
    """
    packed: list[int] = []
    monkeypatch.setattr(TableFiller, "pack", lambda self: packed.append(self.table.run_count))
    for number in range(9):
        updated.record(f"run{number}", 1e9 + number + 0.5)
    updated.run()
    assert [4, 8] == packed
    for number in range(9, 15):
        updated.record(f"run{number}", 1e9 + number + 0.5)
    updated.run()

    assert [4, 8] == packed


def test_hidden_points_are_said_once(updated: Updated) -> None:
    """
    A run of which points were hidden or shown again is retracted, at the refresh that finds it.
    """
    folder = updated.record("a")
    updated.run()
    edits.write(folder, {"drop": [{"name": "loss", "context": {}}]}, by="test")
    os.utime(folder, (1.5e9, 1.5e9))
    answers = [updated.run()[0].retracted for _ in range(2)]

    assert [["a"], []] == answers


def test_a_table_that_is_read_is_left_alone(updated: Updated) -> None:
    """
    A refresh that finds something changes a copy of a table that is read; one that finds nothing makes none.
    """
    table = updated.update.filler.table
    with table.reading():
        updated.run()
        assert table is updated.update.filler.table
        updated.record("a")
        updated.run()

    assert ([], ["a"]) == (table.hashes(), updated.hashes())
