"""
Recording in a process that has no descriptors left: by way of memory, and spare descriptors.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aim.storage.care.check import check_run
from aim.storage.disk.files import Disk
from aim.storage.reading.folder_source import open_run
from aim.storage.recording import background, segment_supply
from aim.storage.recording.writer import Writer
from tests.storage.writing import state, values

TRAINING = """
import os, resource, sys
from pathlib import Path
from aim.storage.recording.writer import Writer
from tests.storage.writing import Picture

resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
folder = Path(sys.argv[1])
writer = Writer(folder, folder.name)
loss = writer.sequence("loss")
loss.track(0.0, step=0)
try:
    while True:
        os.open(os.devnull, os.O_RDONLY)
except OSError:
    pass
for step in range(1, 200_000):
    loss.track(step / 2, step=step)
writer.sequence("pictures").track(Picture(b"bytes"), step=0)
writer.lines.set_param(("lr",), 0.1)
{end}
"""


class Refusing(Disk):
    """A disk of a process that has no descriptors for segments."""

    def __init__(self) -> None:
        self.refuses = True

    def create(self, path: Path) -> int:
        """Refuse segments."""
        if self.refuses and ".points-" in path.name:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().create(path)


@pytest.mark.parametrize(("end", "status"), [("writer.close()", "finished"), ("writer.flush(); os._exit(9)", "lost")])
def test_a_process_without_descriptors_loses_nothing(tmp_path: Path, end: str, status: str) -> None:
    """
    Of 200,000 points that are tracked as fast as can be, while every descriptor is taken, none is lost; nor are the
    object and the param that follow.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", TRAINING.replace("{end}", end), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (0 if status == "finished" else 9, "") == (done.returncode, done.stderr)

    points = open_run(folder).points(("loss", "{}"))
    assert points is not None
    assert 200_000 == len(points)
    assert bool((points.values == points.steps / 2).all())
    assert {0: b"bytes"} == values(folder, "pictures")
    run = state(folder)
    assert (status, {"lr": 0.1}, ()) == (run.status()[0], run.tree, run.gaps)
    assert [] == check_run(folder)


@pytest.fixture(name="writer")
def _writer(tmp_path: Path) -> Writer:
    """A writer without a thread, whose segments are refused."""
    folder = tmp_path / "run"
    folder.mkdir()
    writer = Writer(folder, "run", disk=Refusing())
    background.unregister(writer)
    return writer


def test_memory_is_bounded_and_what_finds_no_room_is_a_gap(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Points are kept in memory up to a bound; those beyond it are counted. When there are descriptors again, all that was
    kept is written.
    """
    monkeypatch.setattr(segment_supply, "BUFFER_BYTES_MAX", 100 << 10)  # two segments: 384 and 1,920 points
    loss = writer.sequence("loss")
    for step in range(3_000):
        loss.track(float(step), step=step)
    assert isinstance(writer.files.lines.log.path, Path)
    disk = writer.files._disk
    assert isinstance(disk, Refusing)
    disk.refuses = False
    writer.close()

    assert list(range(2_304)) == list(values(writer.files.folder))
    (gap,) = state(writer.files.folder).gaps
    assert (3_000 - 2_304, "Too many open files") == (gap.point_count, gap.reason)


def test_an_end_without_descriptors_says_what_is_lost(writer: Writer) -> None:
    """
    When no file can be made before the end, the points are a gap of the run, whose files are whole.
    """
    for step in range(500):
        writer.sequence("loss").track(float(step), step=step)
    writer.tick()
    writer.close()

    run = state(writer.files.folder)
    assert ("finished", 500) == (run.status()[0], sum(gap.point_count for gap in run.gaps))
    assert ["500 points are lost: Too many open files"] == [damage.problem for damage in check_run(writer.files.folder)]
