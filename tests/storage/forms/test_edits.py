"""
Edits: a change of a run by somebody who is not its writer.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from aim.storage.disk import changes
from aim.storage.disk.files import Disk
from aim.storage.forms import edits, events
from aim.storage.forms.run_log import RunLog
from aim.storage.recording.writer import Writer
from tests.storage.disks import NotedDisk


def test_an_edit_is_one_checked_line_of_its_own(tmp_path: Path) -> None:
    """
    An edit is a file that any tool reads, named after its moment, with who edited.
    """
    at_s = edits.write(tmp_path, {"property": {"name": "best"}}, by="test")
    (path,) = tmp_path.iterdir()
    event = json.loads(path.read_text())

    assert (at_s, "test", {"name": "best"}) == (event["at"], event["by"], event["property"])
    assert path.name.startswith(f"edit-{round(at_s * 1e6)}-")
    assert events.decode(path.read_bytes().rstrip(b"\n")) is not None
    assert abs(time.time() - at_s) < 60


def test_an_edit_beats_what_its_editor_saw(tmp_path: Path) -> None:
    """
    However far ahead a writer's clock is, an edit made after seeing its line wins over it.
    """
    (tmp_path / "0a1b2c3d.events.jsonl").write_bytes(events.encode({"at": 4e9, "property": {"name": "from ahead"}}))
    seen = RunLog(tmp_path).refresh()
    edits.write(tmp_path, {"property": {"name": "edited"}}, by="test", seen_at_s=seen.latest_at_s)

    assert "edited" == RunLog(tmp_path).refresh().name


def test_many_editors_at_once_lose_nothing(tmp_path: Path) -> None:
    """
    16 threads that edit one live run at the same moment all leave their mark.
    """
    writer = Writer(tmp_path, "run")
    gate = threading.Barrier(16)

    def edit(number: int) -> None:
        gate.wait()
        edits.write(tmp_path, {"tags": {"add": [f"t{number}"]}}, by="test")
        edits.write(tmp_path, {"set": [f"p{number}"], "value": number}, by="test")

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()

    log = RunLog(tmp_path)
    assert {f"t{number}" for number in range(16)} == set(log.refresh().tags)
    assert {f"p{number}": number for number in range(16)} == log.params
    assert [] == [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


class DiskWithoutLinks(Disk):
    """
    A file system that gives no file a second name.
    """

    def link(self, source: Path, target: Path) -> None:
        source.rename(target)


@pytest.mark.parametrize(("disk", "file_count"), [(Disk(), 1), (DiskWithoutLinks(), 3)])
def test_an_edit_of_many_runs_is_one_file_where_a_file_can_have_many_names(
    tmp_path: Path, disk: Disk, file_count: int
) -> None:
    """
    Each run has the edit; a run that is gone is left out, and no scratch file stays.
    """
    folders = [tmp_path / name for name in ("a", "b", "gone", "c")]
    for folder in folders:
        if folder.name != "gone":
            folder.mkdir()
    edited = edits.write_shared(folders, {"property": {"name": "same"}}, by="test", disk=disk)

    assert ["a", "b", "c"] == [folder.name for folder in edited]
    assert ["same"] * 3 == [RunLog(folder).refresh().name for folder in edited]
    files = [path for folder in edited for path in folder.iterdir()]
    assert (3, file_count) == (len(files), len({path.stat().st_ino for path in files}))


@pytest.fixture(name="folders")
def _folders(tmp_path: Path) -> list[Path]:
    """
    Three runs of a repository.
    """
    folders = [tmp_path / "runs" / name for name in "abc"]
    for folder in folders:
        folder.mkdir(parents=True)
    return folders


def test_an_edit_is_on_the_disk_before_readers_hear_of_it(folders: list[Path]) -> None:
    """
    File, name and then the stamps of the run: a reader that sees a stamp finds the edit.
    """
    disk = NotedDisk()
    edits.write(folders[0], {"tags": {"add": ["x"]}}, by="test", disk=disk)
    calls = [call.split(" ")[0] for call in disk.calls]

    assert ["create", "sync", "unlink", "sync_folder", "stamp", "stamp"] == calls
    assert f"stamp {changes.stamp_name(changes.slot('a'))}" == disk.calls[-2]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_an_edit_of_many_runs_is_written_once_and_synced_in_each_folder(folders: list[Path], count: int) -> None:
    """
    One file is made and synced, each folder is synced, and each run has its stamp then.
    """
    disk = NotedDisk()
    edited = edits.write_shared(folders[:count], {"tags": {"add": ["x"]}}, by="test", disk=disk)
    made = [call for call in disk.calls if call.startswith("create")]
    synced = sorted(call for call in disk.calls if call.startswith("sync_folder"))
    stamped = {call for call in disk.calls if call.startswith("stamp")} - {"stamp changes"}

    assert (folders[:count], min(count, 1)) == (edited, len(made))
    assert [f"sync_folder {folder.name}" for folder in folders[:count]] == synced
    assert {f"stamp {changes.stamp_name(changes.slot(folder.name))}" for folder in folders[:count]} == stamped
    assert [1] * count == [len(list(folder.iterdir())) for folder in folders[:count]]


def test_an_edit_of_many_runs_has_one_moment_in_its_name_and_its_line(folders: list[Path]) -> None:
    """
    The microseconds of the edit stand in the name of its file; it is later than what its editor saw.
    """
    edits.write_shared(folders, {"tags": {"add": ["x"]}}, by="test", seen_at_s=4e9)
    names = {path.name for folder in folders for path in folder.iterdir()}
    (event,) = events.read(next(folders[2].iterdir())).events

    assert {"edit-4000000000000001"} == {name.rpartition("-")[0] for name in names}
    assert (4000000000.000001, "test") == (event["at"], event["by"])


def test_a_refused_edit_of_many_runs_leaves_no_scratch_file(folders: list[Path]) -> None:
    """
    Where the disk refuses a sync, the error is raised and the runs have the edit.
    """
    disk = NotedDisk("sync_folder")
    with pytest.raises(OSError, match="No space left"):
        edits.write_shared(folders, {"tags": {"add": ["x"]}}, by="test", disk=disk)

    assert [1, 1, 1] == [len(list(folder.iterdir())) for folder in folders]
