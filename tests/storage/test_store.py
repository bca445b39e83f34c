"""
The repository folder: create, find, list, delete, copy and move runs.
"""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from aim.core.errors import RepoNotFound, RunExists, RunNotFound, UnsupportedFormat, UsageError
from aim.storage.disk.files import Disk
from aim.storage.reading.folder_source import open_run
from aim.storage.recording.writer import Writer
from aim.storage.store import Store, find_root, folder_name, is_repository
from tests.storage.disks import NotedDisk


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    """
    A new repository.
    """
    return Store(tmp_path / "here" / ".aim", create=True)


@pytest.fixture(name="other")
def _other(tmp_path: Path) -> Store:
    """
    Another one.
    """
    return Store(tmp_path / "there" / ".aim", create=True)


def record(store: Store, run_hash: str = "run", *, close: bool = True) -> Writer:
    """Record a run of 500 points and one param."""
    writer = Writer(store.create_run(run_hash), run_hash)
    for step in range(500):
        writer.sequence("loss").track(step * 1.1, step)
    writer.lines.set_param(("lr",), 0.1)
    if close:
        writer.close()
    return writer


def assert_there(store: Store, run_hash: str = "run") -> None:
    """The run that `record` made is there, whole."""
    reader = open_run(store.run_folder(run_hash))
    points = reader.points(("loss", "{}"))
    assert points is not None
    assert [step * 1.1 for step in range(500)] == points.values.tolist()
    assert {"lr": 0.1} == reader.params()


def test_a_new_repository_has_its_format(store: Store) -> None:
    """
    The format is written once, whole, and opening the repository again changes nothing.
    """
    assert b'{"format": 1}\n' == (store.path / "FORMAT").read_bytes()
    before = (store.path / "FORMAT").stat().st_mtime_ns
    Store(store.path, create=True)
    Store(store.path)

    assert before == (store.path / "FORMAT").stat().st_mtime_ns
    assert [] == store.run_hashes()


def test_a_missing_repository_says_what_to_do(tmp_path: Path) -> None:
    """
    Without `create` nothing is made.
    """
    with pytest.raises(RuntimeError, match="Cannot find repository .* Run `aim init` there"):
        Store(tmp_path / ".aim")
    with pytest.raises(RepoNotFound):
        Store(tmp_path / ".aim")

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ('{"format": 2}\n', UnsupportedFormat, "has format 2; this version of Aim reads up to 1. Install a newer Aim"),
        ('{"format": 1, "new": true}\n', None, ""),
    ],
)
def test_a_newer_format_is_refused(store: Store, text: str, error: type[Exception] | None, message: str) -> None:
    """
    A repository of a newer version is not touched; unknown keys are fine.
    """
    (store.path / "FORMAT").write_text(text)
    if error is None:
        Store(store.path)
    else:
        with pytest.raises(error, match=message):
            Store(store.path, create=True)

    assert text == (store.path / "FORMAT").read_text()


@pytest.mark.parametrize("text", ["", "garbage", "[]", '{"format": null}', "\0" * 14, '{"format"; 1}\n'])
def test_a_damaged_format_hides_nothing_and_can_be_written_anew(
    store: Store, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """
    The runs are there all the same, a warning says so once, and `write_format` mends the file once.
    """
    run_folder = store.create_run("one")
    (store.path / "FORMAT").write_text(text)
    damaged = [Store(store.path), Store(store.path)]

    assert [run_folder.name] == damaged[0].run_hashes()
    assert [
        f"Aim: {store.path / 'FORMAT'} is damaged, and the repository is read anyway. `aim repair` mends it."
    ] == caplog.messages
    assert [True, False] == [one.write_format() for one in damaged]
    assert b'{"format": 1}\n' == (store.path / "FORMAT").read_bytes()


@pytest.mark.parametrize("number", [3, 5, 9])
def test_one_bit_that_makes_a_newer_format_is_damage_where_runs_say_so(store: Store, number: int) -> None:
    """
    The first lines of the newest runs decide; without a run, or with one of that format, it is a newer repository.
    """
    (store.path / "FORMAT").write_text(f'{{"format": {number}}}\n')
    with pytest.raises(UnsupportedFormat, match=f"has format {number}"):
        Store(store.path)
    Writer(store.create_run("one"), "one").close()
    assert ["one"] == Store(store.path).run_hashes()
    line = f'{{"crc":"00000000","at":1.5,"begin":{{"format":{number},"run":"two"}}}}\n'
    (store.create_run("two") / "01234567.events.jsonl").write_text(line)
    with pytest.raises(UnsupportedFormat, match=f"has format {number}"):
        Store(store.path)


@pytest.mark.parametrize("name", ["run_metadata.sqlite", "VERSION"])
def test_a_repository_of_aim_3_is_left_alone(tmp_path: Path, name: str) -> None:
    """
    New runs never go into a folder of Aim 3.
    """
    (tmp_path / ".aim").mkdir()
    (tmp_path / ".aim" / name).write_text("x")
    with pytest.raises(UnsupportedFormat, match="was written by Aim 3"):
        Store(tmp_path / ".aim", create=True)

    assert [name] == os.listdir(tmp_path / ".aim")


def test_the_nearest_repository_is_found(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A repository is looked for upward; the variable names its folder.
    """
    root = store.path.parent
    deep = root / "a" / "b"
    deep.mkdir(parents=True)

    assert root == find_root(deep) == find_root(root)
    assert is_repository(store.path)
    assert not is_repository(root)
    monkeypatch.setenv("__AIM_REPO_NAME__", ".mine")
    assert ".mine" == folder_name()
    assert find_root(deep) in (None, *Path("/").iterdir())


def test_runs_are_listed_and_known(store: Store) -> None:
    """
    Runs are the folders whose names can be runs'; files and hidden folders beside them are none.
    """
    for name in ("a", "3df703c1b2a94c5d8e6f7a80", "job-7"):
        store.create_run(name)
    (store.runs / ".scratch").mkdir()
    (store.runs / "file").write_text("x")

    assert {"a", "3df703c1b2a94c5d8e6f7a80", "job-7"} == set(store.run_hashes())
    assert store.has_run("a")
    for unknown in ("b", "file", ".scratch", "../runs", "", None, 5):
        assert not store.has_run(unknown)
    assert store.runs / "a" == store.run_folder("a") == store.create_run("a")
    assert 24 == len(store.create_run().name)


@pytest.mark.parametrize("name", ["nope", "", "..", "../here", None])
def test_an_unknown_run_says_so(store: Store, name: Any) -> None:
    """
    Asking for, deleting, copying or moving what is not there is `RunNotFound`, with the command that lists runs.
    """
    for call in (store.run_folder, store.delete_run, lambda run: store.copy_run(run, store)):
        with pytest.raises(RunNotFound, match="`aim runs ls` lists the runs"):
            call(name)


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden"])
def test_a_run_is_made_under_a_runs_name_only(store: Store, name: str) -> None:
    """
    No name leads out of the folder.
    """
    with pytest.raises(UsageError):
        store.create_run(name)

    assert ["FORMAT", "runs"] == sorted(os.listdir(store.path))[:2]


def test_a_deleted_run_is_gone_at_once(store: Store) -> None:
    """
    Deleting takes the run away whole; the second time there is none; a new one may have its name.
    """
    record(store)
    store.delete_run("run")
    with pytest.raises(RunNotFound):
        store.delete_run("run")

    assert [] == store.run_hashes()
    assert [] == [path for path in store.trash.iterdir() if path.is_dir()]
    record(store)
    assert_there(store)


def test_what_a_killed_delete_left_is_swept_up(store: Store) -> None:
    """
    A run whose deleter died is in the trash, no run any more, and `empty_trash` removes it.
    """
    record(store)
    store.trash.mkdir()
    os.rename(store.runs / "run", store.trash / "run.0a1b2c3d")
    assert [] == store.run_hashes()
    store.empty_trash()
    store.empty_trash()

    assert [] == [path for path in store.trash.iterdir() if path.is_dir()]


def test_one_of_many_deleters_succeeds(store: Store) -> None:
    """
    Of 16 threads that delete one run one does; the others are told that it is gone.
    """
    record(store)
    gate = threading.Barrier(16)
    results: list[str] = []

    def delete() -> None:
        gate.wait()
        try:
            store.delete_run("run")
            results.append("done")
        except RunNotFound:
            results.append("gone")

    threads = [threading.Thread(target=delete) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ["done", *["gone"] * 15] == sorted(results)
    assert [] == [path for path in store.trash.iterdir() if path.is_dir()]


def test_a_copied_run_is_whole_in_both(store: Store, other: Store) -> None:
    """
    A copy has the same hash and content, without scratch files, with the times of its files.
    """
    writer = record(store)
    (writer.files.folder / ".scratch").write_text("x")
    os.utime(writer.lines.log.path, (1e9, 1e9))
    store.copy_run("run", other)

    assert_there(store)
    assert_there(other)
    assert 1e9 == (other.runs / "run" / writer.lines.log.path.name).stat().st_mtime
    assert not (other.runs / "run" / ".scratch").exists()
    assert [] == [name for name in os.listdir(other.path) if name.startswith(".")]
    with pytest.raises(RunExists, match="Delete it there first"):
        store.copy_run("run", other)


def test_a_copied_run_is_synced_there(tmp_path: Path, store: Store) -> None:
    """
    Each file of the copy is on the disk when the copy is done, so that the original may go.
    """
    synced: list[str] = []

    class Told(Disk):
        def sync(self, descriptor: int) -> None:
            synced.append(os.readlink(f"/proc/self/fd/{descriptor}") if os.path.exists("/proc/self/fd") else "")
            super().sync(descriptor)

    other = Store(tmp_path / "there" / ".aim", create=True, disk=Told())
    writer = record(store)
    names = {path.name for path in writer.files.folder.iterdir()}
    synced.clear()
    store.copy_run("run", other)

    assert_there(other)
    assert names <= {os.path.basename(path) for path in synced} or not os.path.exists("/proc/self/fd")


def test_a_live_run_is_copied_as_it_is(store: Store, other: Store) -> None:
    """
    Copying a run that records gives what was recorded so far; the run goes on.
    """
    writer = record(store, close=False)
    store.copy_run("run", other)
    writer.sequence("loss").track(0.5, 1000)
    writer.close()

    assert_there(other)
    assert 501 == len(open_run(store.run_folder("run")).points(("loss", "{}")) or ())


def test_a_run_that_is_sealed_while_it_is_copied_is_copied_again(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    When files vanish under the copier it looks again, and gives up with the system's error only when they always do.
    """
    record(store)
    copy, failures = shutil.copytree, [1, 1]

    def vanishing(source: Path, target: Path, **named: Any) -> Any:
        result = copy(source, target, **named)
        if failures:
            failures.pop()
            raise shutil.Error([("a", "b", "gone")])
        return result

    monkeypatch.setattr(shutil, "copytree", vanishing)
    store.copy_run("run", other)
    assert_there(other)
    failures[:] = [1] * 10
    other.delete_run("run")
    with pytest.raises(OSError, match="gone"):
        store.copy_run("run", other)

    assert [] == other.run_hashes()
    assert [] == [name for name in os.listdir(other.path) if name.startswith(".")]


def test_one_of_many_copiers_succeeds(store: Store, other: Store) -> None:
    """
    Of 8 threads that copy one run to one place one does; the others are told that it has come; it is whole.
    """
    record(store)
    gate = threading.Barrier(8)
    results: list[str] = []

    def copy() -> None:
        gate.wait()
        try:
            store.copy_run("run", other)
            results.append("done")
        except RunExists:
            results.append("there")

    threads = [threading.Thread(target=copy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ["done", *["there"] * 7] == sorted(results)
    assert_there(other)
    assert [] == [name for name in os.listdir(other.path) if name.startswith(".")]


def test_a_run_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    """
    The folder of a new run is made and its name synced; of one that is there nothing is done.
    """
    disk = NotedDisk()
    store = Store(tmp_path / ".aim", create=True, disk=disk)
    disk.calls.clear()
    first = store.create_run("run")
    assert ["sync_folder runs"] == disk.calls

    assert first == store.create_run("run")
    assert ["sync_folder runs"] == disk.calls


def test_a_format_that_is_written_anew_is_on_the_disk(tmp_path: Path) -> None:
    """
    Content first, then the name.
    """
    disk = NotedDisk()
    store = Store(tmp_path / ".aim", create=True, disk=disk)
    (store.path / "FORMAT").write_bytes(b"{")
    disk.calls.clear()
    assert store.write_format()

    assert ["create", "sync", "sync_folder"] == [call.split(" ")[0] for call in disk.calls]
    assert "sync_folder .aim" == disk.calls[-1]


def test_a_copy_leaves_no_file_open(store: Store, other: Store) -> None:
    """
    Each file of a copy is synced by a descriptor that is closed then.
    """
    store.create_run("run")
    for name in "abc":
        (store.runs / "run" / name).write_text(name)
    count = len(os.listdir("/proc/self/fd"))
    store.copy_run("run", other)

    assert count == len(os.listdir("/proc/self/fd"))
    assert ["a", "b", "c"] == sorted(os.listdir(other.runs / "run"))
