"""
A repository in a folder, as the engine asks it: runs, trash, documents, files.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aim.core.errors import RepoNotFound, RunExists, RunNotFound
from aim.storage.disk import changes
from aim.storage.folder import FolderBackend
from tests.storage.disks import NotedDisk

KEY = ("loss", "{}")


@pytest.fixture(name="backend")
def _backend(tmp_path: Path) -> FolderBackend:
    """Return a repository with one run, `a`, that has ended."""
    backend = FolderBackend(tmp_path / ".aim", create=True)
    record(backend, "a")
    return backend


def record(backend: FolderBackend, run_hash: str) -> None:
    """Record one point into a new run."""
    writer = backend.new_writer(run_hash)
    writer.sequence("loss").track(0.5)
    writer.close()


def test_a_training_imports_nothing_heavy_with_it() -> None:
    """
    Importing the module loads neither numpy nor pyarrow.
    """
    program = "import sys, aim.storage.folder; sys.exit(bool({'numpy', 'pyarrow', 'zipfile'} & sys.modules.keys()))"

    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    """
    Without *create* there has to be a repository.
    """
    with pytest.raises(RepoNotFound):
        FolderBackend(tmp_path / ".aim")


def test_points_that_were_recorded_are_read(backend: FolderBackend) -> None:
    """
    The reader of a run returns what its writer recorded.
    """
    points = backend.reader("a", may_seal=False).points(KEY)
    assert points is not None

    assert [0.5] == points.values.tolist()


def test_a_resumed_run_has_both_writers_points(backend: FolderBackend) -> None:
    """
    A writer that resumes a run adds to it.
    """
    writer = backend.resume_writer("a")
    writer.sequence("loss").track(0.25, 1)
    writer.close()
    points = backend.reader("a", may_seal=False).points(KEY)
    assert points is not None

    assert [0.5, 0.25] == points.values.tolist()


def test_an_edit_changes_the_state(backend: FolderBackend) -> None:
    """
    What `edit` says is in the state that a log reads.
    """
    backend.edit("a", {"property": {"name": "first"}}, by="test")

    assert "first" == backend.log("a").refresh().name


@pytest.mark.parametrize("method", ["check_exists", "delete_run", "log", "reader", "resume_writer"])
def test_a_run_that_is_not_there_is_named(backend: FolderBackend, method: str) -> None:
    """
    What is asked of an unknown run raises RunNotFound.
    """
    with pytest.raises(RunNotFound, match="b"):
        getattr(backend, method)("b")


def test_the_catalogue_has_the_runs(backend: FolderBackend, tmp_path: Path) -> None:
    """
    After a refresh the table has each run.
    """
    catalogue = backend.catalogue(backend.reader, cache=tmp_path / "cache")
    catalogue.refresh()

    assert ["a"] == list(catalogue.table.hashes())
    catalogue.close()


def test_runs_are_copied_and_forked(backend: FolderBackend, tmp_path: Path) -> None:
    """
    A copy has the same hash in the other repository; a fork is a new run in this one.
    """
    target = FolderBackend(tmp_path / "other" / ".aim", create=True)
    backend.copy_run("a", target)
    child = backend.fork_run("a", 5, name="child")

    assert (["a"], sorted(["a", child])) == (target.run_hashes(), sorted(backend.run_hashes()))


def test_a_deleted_run_comes_back_from_the_trash(backend: FolderBackend) -> None:
    """
    A run in the trash is no run of the repository until it is brought back.
    """
    trash_name = backend.trash.put_away("a")
    while_away = backend.has_run("a")
    run_hash = backend.trash.bring_back(trash_name)

    assert (False, "a", True) == (while_away, run_hash, backend.has_run("a"))


def test_a_run_does_not_come_back_over_a_new_one(backend: FolderBackend) -> None:
    """
    When there is a new run of that hash, the old one stays in the trash.
    """
    trash_name = backend.trash.put_away("a")
    record(backend, "a")
    with pytest.raises(RunExists):
        backend.trash.bring_back(trash_name)


@pytest.mark.parametrize("is_emptied", [False, True])
def test_a_run_that_was_removed_does_not_come_back(backend: FolderBackend, is_emptied: bool) -> None:
    """
    Removing one run, or emptying the trash, is for good.
    """
    trash_name = backend.trash.put_away("a")
    if is_emptied:
        backend.trash.empty()
    else:
        backend.trash.remove(trash_name)
    with pytest.raises(RunNotFound):
        backend.trash.bring_back(trash_name)


def test_a_run_that_is_not_there_is_not_put_away(backend: FolderBackend) -> None:
    """
    Deleting an unknown run raises RunNotFound.
    """
    with pytest.raises(RunNotFound):
        backend.trash.put_away("b")


def test_documents_are_written_and_replaced(backend: FolderBackend) -> None:
    """
    A document is what was written last.
    """
    documents = backend.documents
    before = (documents.names(), documents.read("view-a.json"))
    documents.write("view-a.json", b"1")
    documents.write("view-a.json", b"2")
    written = (documents.names(), documents.read("view-a.json"))

    assert (([], None), (["view-a.json"], b"2")) == (before, written)


def test_the_files_are_checked_repaired_and_archived(backend: FolderBackend, tmp_path: Path) -> None:
    """
    A repository without damage says so, and a run can be mended into another repository and packed.
    """
    target = FolderBackend(tmp_path / "mended" / ".aim", create=True)
    report = backend.files.repair_run("a", target.files)
    packed = backend.files.write_archive(tmp_path / "all.zip")

    assert [("", []), ("a", [])] == list(backend.files.check())
    assert ([], 1, 1, ["a"]) == (backend.files.check_run("a"), report.points_kept, packed, target.run_hashes())


def test_files_have_their_folders(backend: FolderBackend, tmp_path: Path) -> None:
    """
    The folders of a run and of its artifacts are below the repository.
    """
    folders = (backend.files.run_folder("a"), backend.files.artifacts_folder("a"))

    assert (tmp_path / ".aim" / "runs" / "a", tmp_path / ".aim" / "runs" / "a" / "files") == folders


def test_a_repository_that_was_moved_is_not_available(backend: FolderBackend, tmp_path: Path) -> None:
    """
    `is_available` is asked of the disk.
    """
    before = backend.is_available()
    (tmp_path / ".aim").rename(tmp_path / "moved")

    assert (True, False) == (before, backend.is_available())


def test_what_the_trash_does_is_seen_by_readers(tmp_path: Path) -> None:
    """
    A run that leaves, and one that comes back, touch the stamps of the run.
    """
    disk = NotedDisk()
    backend = FolderBackend(tmp_path / ".aim", create=True, disk=disk)
    record(backend, "a")
    stamps = [f"stamp {changes.stamp_name(changes.slot('a'))}", "stamp changes"]
    disk.calls.clear()
    name = backend.trash.put_away("a")
    assert stamps == disk.calls[-2:]
    assert [] == backend.run_hashes()
    disk.calls.clear()
    backend.trash.bring_back(name)
    assert stamps == disk.calls[-2:]
    assert ["a"] == backend.run_hashes()


def test_many_runs_are_edited_at_once(backend: FolderBackend) -> None:
    """
    The runs that have the edit are returned; those that are not there are left out.
    """
    record(backend, "b")

    assert ["a", "b"] == backend.edit_runs(["a", "gone", "b", "../a"], {"tags": {"add": ["x"]}}, by="test")
    assert [["x"], ["x"]] == [list(backend.log(run_hash).refresh().tags) for run_hash in "ab"]


def test_a_damaged_format_is_repaired_once(backend: FolderBackend) -> None:
    """
    The answer says whether anything was written.
    """
    path = backend.files.path / "FORMAT"
    whole = path.read_bytes()
    path.write_bytes(b"{")

    assert [True, False] == [backend.files.repair_format(), backend.files.repair_format()]
    assert whole == path.read_bytes()
