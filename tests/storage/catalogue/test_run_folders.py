"""
Folders of runs: which are followed, what is read of each, and what is forgotten.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aim.storage.catalogue import run_folders, run_watch
from aim.storage.catalogue.catalogue_row import KindNumbers
from aim.storage.catalogue.run_folders import OPEN_STAMP, RunFolders
from aim.storage.disk.freshness import folder_time
from aim.storage.recording import background
from aim.storage.recording.writer import Writer

OLD_S = 1e9 + 0.5


class Repository:
    """A folder of runs, of which each ends unless it is said otherwise."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "runs").mkdir(parents=True)
        self.live: dict[str, Writer] = {}

    def folder(self, run_hash: str) -> Path:
        """Return the folder of a run."""
        return self.path / "runs" / run_hash

    def record(self, run_hash: str, *, points: int = 1, is_live: bool = False) -> None:
        """Record a run; its folder is old then, unless it is live."""
        self.folder(run_hash).mkdir(exist_ok=True)
        writer = Writer(self.folder(run_hash), run_hash)
        background.unregister(writer)
        for _ in range(points):
            writer.sequence("loss").track(0.5)
        if is_live:
            self.live[run_hash] = writer
        else:
            writer.close()
            self.age(run_hash)

    def age(self, run_hash: str, at_s: float = OLD_S) -> None:
        """Let the folder of a run have changed long ago."""
        os.utime(self.folder(run_hash), (at_s, at_s))


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Iterator[Repository]:
    repository = Repository(tmp_path / ".aim")
    yield repository
    for writer in repository.live.values():
        writer.close()


@pytest.fixture(name="folders")
def _folders(repository: Repository) -> RunFolders:
    return RunFolders(repository.path, {}, KindNumbers())


def test_an_ended_run_is_read_once(repository: Repository, folders: RunFolders) -> None:
    """
    Its row and the time of its folder are returned, and it is not followed.
    """
    repository.record("ended", points=3)
    run = folders.read(["ended"])["ended"]

    assert run is not None
    assert ("ended", False, False) == (run.row.run_hash, run.row.is_open, run.is_followed)
    assert folder_time(repository.folder("ended")).stamp == run.stamp
    assert [3] == [sequence.summary.point_count for sequence in run.row.sequences.values()]
    assert ([], False) == (folders.followed(), folders.is_followed("ended"))


def test_a_live_run_is_followed_until_it_ends(repository: Repository, folders: RunFolders) -> None:
    """
    A followed run is read from where it was read to; when it has ended and is old it is not followed any more.
    """
    repository.record("live", is_live=True)
    repository.record("ended")
    runs = folders.read(["live", "ended"])
    assert [True, False] == [run is not None and run.is_followed for run in runs.values()]
    assert (["live"], True, OPEN_STAMP) == (folders.followed(), folders.is_followed("live"), folders.stamp("live"))
    repository.live["live"].sequence("loss").track(0.25)
    again = folders.read(["live"])["live"]
    assert again is not None
    assert [2] == [sequence.summary.point_count for sequence in again.row.sequences.values()]
    repository.live.pop("live").close()
    repository.age("live")
    folders.read(["live"])

    assert [] == folders.followed()


def test_a_young_folder_is_followed(repository: Repository, folders: RunFolders) -> None:
    """
    Another change may hide behind the same time, so a run that ended a moment ago is read again.
    """
    repository.record("ended")
    os.utime(repository.folder("ended"))
    assert [True] == [run is not None and run.is_followed for run in folders.read(["ended"]).values()]
    repository.age("ended")
    folders.read(["ended"])

    assert [] == folders.followed()


def test_another_run_under_the_name_of_a_followed_one_is_read_anew(
    repository: Repository, folders: RunFolders, tmp_path: Path
) -> None:
    """
    A folder with another inode is another run, however alike its name.
    """
    repository.record("run", points=5, is_live=True)
    folders.read(["run"])
    repository.folder("run").rename(tmp_path / "elsewhere")
    repository.record("run", points=2)
    run = folders.read(["run"])["run"]

    assert run is not None
    assert [2] == [sequence.summary.point_count for sequence in run.row.sequences.values()]


def test_a_run_that_is_gone_is_none(repository: Repository, folders: RunFolders) -> None:
    """
    A name without a folder, and one whose folder goes while it is read, stand for nothing.
    """
    repository.record("ended")

    assert [True, False] == [run is None for run in folders.read(["gone", "ended"]).values()]


def test_a_run_that_can_not_be_read_is_left_out_with_one_warning(
    repository: Repository, folders: RunFolders, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Whatever the reason, the other runs are read, and the warning names the run once.
    """
    for run_hash in ("a", "b"):
        repository.record(run_hash, is_live=True)

    def refuse(self: run_watch.RunWatch) -> None:
        if self.folder.name in errors:
            raise errors[self.folder.name]
        whole(self)

    errors: dict[str, Exception] = {"a": PermissionError(13, "Permission denied")}
    whole = run_watch.RunWatch.look
    monkeypatch.setattr(run_watch.RunWatch, "look", refuse)
    for _ in range(2):
        assert [True, False] == [run is None for run in folders.read(["a", "b"]).values()]
    errors["b"] = KeyError("missing")
    folders.read(["b"])

    assert [
        "Aim can't read run a and leaves it out: Permission denied.",
        "Aim can't read run b and leaves it out: KeyError('missing').",
    ] == [record.getMessage() for record in caplog.records]


def test_runs_come_in_the_order_in_which_their_folders_changed(repository: Repository, folders: RunFolders) -> None:
    """
    The oldest first; those of one moment by hash, and one that is gone before all.
    """
    for run_hash, at_s in (("c", 30.0), ("a", 20.0), ("b", 20.0), ("d", 10.0)):
        repository.folder(run_hash).mkdir()
        repository.age(run_hash, at_s)

    assert ["gone", "d", "a", "b", "c"] == folders.oldest_first(["a", "gone", "b", "c", "d"])


def test_what_is_due_follows_from_stamps(repository: Repository, folders: RunFolders) -> None:
    """
    A run is due until its stamp is set, and again when its folder has another time; a forgotten one is new.
    """
    for run_hash in ("a", "b"):
        repository.record(run_hash)
    os.utime(repository.path / "runs", (OLD_S, OLD_S))
    assert ({"a", "b"}, set()) == folders.look(full=True)
    for run_hash, run in folders.read(["a", "b"]).items():
        assert run is not None
        folders.set_stamp(run_hash, run.stamp)
        assert run.stamp == folders.stamp(run_hash)
    assert (set(), set()) == folders.look(full=True)
    repository.age("b", OLD_S + 5)
    assert ({"b"}, set()) == folders.look(full=True)
    folders.forget("a")
    assert OPEN_STAMP == folders.stamp("a")

    assert ({"a", "b"}, set()) == folders.look(full=True)


def test_a_followed_run_is_due_at_each_look_and_forgotten_with_its_folder(
    repository: Repository, folders: RunFolders
) -> None:
    """
    An open run is read at every refresh; when it is gone it is no longer followed.
    """
    repository.record("live", is_live=True)
    folders.read(["live"])
    folders.set_stamp("live", 5)
    assert ({"live"}, OPEN_STAMP) == (folders.look(full=False)[0], folders.stamp("live"))
    folders.forget("live")

    assert ([], False) == (folders.followed(), folders.is_followed("live"))
    folders.forget("live")


def test_a_file_brings_stamps_of_its_own(repository: Repository, folders: RunFolders) -> None:
    """
    After `restart` the stamps of the file count; followed runs stay followed.
    """
    repository.record("live", is_live=True)
    repository.record("ended")
    folders.read(["live"])
    folders.restart({"ended": folder_time(repository.folder("ended")).stamp}, KindNumbers())

    assert ({"live"}, set()) == folders.look(full=True)
    assert (["live"], OPEN_STAMP) == (folders.followed(), run_folders.OPEN_STAMP)
