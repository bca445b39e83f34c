"""
Edits: a change of a run by somebody who is not its writer.
"""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from aim.storage.disk.files import Disk
from aim.storage.forms import edits, events
from aim.storage.forms.run_log import RunLog
from aim.storage.recording.writer import Writer


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
