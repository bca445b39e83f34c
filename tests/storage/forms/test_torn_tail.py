"""
What a power cut takes of the last points: an object or a declaration that is not there makes a hole, not damage.
"""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from aim.storage.care.check import check_run
from aim.storage.disk import layout
from aim.storage.forms import blobs, events, journal
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.sealing import seal
from tests.storage.writing import values

KILLED = """
import os, signal, sys
from pathlib import Path
from aim.storage.recording.writer import Writer
from tests.storage.writing import Picture

folder = Path(sys.argv[1])
writer = Writer(folder, folder.name)
pictures = writer.sequence("pictures")
for step in range(11):
    pictures.track(Picture(b"picture %d" % step), step=step)
    writer.flush()
writer.sequence("late").track(0.5, step=0)
writer.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(name="killed")
def _killed(tmp_path: Path) -> Path:
    """
    A run of 11 pictures and a metric, whose process was killed.
    """
    folder = tmp_path / "runs" / "run"
    folder.mkdir(parents=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.run([sys.executable, "-c", KILLED, str(folder)], env=environment, check=False)
    assert -signal.SIGKILL == process.returncode
    return folder


def blob_file(folder: Path) -> Path:
    """Return the one blob file of the run."""
    (path,) = folder.glob("*.blobs-0000.zip")
    return path


def ten_pictures() -> dict[int, object]:
    """Return what is there without the last picture."""
    return {step: b"picture %d" % step for step in range(10)}


@pytest.mark.parametrize("loss", ["cut", "cut within", "zeros"])
def test_a_last_point_without_its_object_is_a_hole(killed: Path, loss: str) -> None:
    """
    The eleventh picture did not reach the disk: the ten others are read, sealed and checked as a whole run.
    """
    path = blob_file(killed)
    content = path.read_bytes()
    start = blobs.walk(path)[0][19].end  # each picture is an entry, and its record another
    torn = {"cut": b"", "cut within": content[start : start + 60], "zeros": bytes(len(content) - start)}
    path.write_bytes(content[:start] + torn[loss])

    assert ten_pictures() == values(killed, "pictures")
    assert [] == check_run(killed)
    state = RunLog(killed).refresh()
    assert seal.seal_writer(killed, next(iter(state.writers)), state)
    assert ten_pictures() == values(killed, "pictures")
    assert [] == check_run(killed)
    assert 20 == len(blobs.walk(path)[0])


def test_a_damaged_last_object_is_damage(killed: Path) -> None:
    """
    A changed byte in the last picture is not what a power cut leaves.
    """
    path = blob_file(killed)
    content = bytearray(path.read_bytes())
    content[content.index(b"picture 10")] ^= 1
    path.write_bytes(content)

    assert [path.name] == [damage.file for damage in check_run(killed)]


def test_last_points_without_their_declaration_are_holes(killed: Path) -> None:
    """
    The line that declares the metric did not reach the disk: there is no sequence `(unknown 2)`, nor damage.
    """
    (path,) = killed.glob("*.events.jsonl")
    lines = [line for line in events.read(path).events if line.get("name") != "late"]
    path.write_bytes(b"".join(map(events.encode, lines)))

    assert [("pictures", "{}")] == list(open_run(killed, may_seal=False).sequences())
    assert [] == check_run(killed)
    state = RunLog(killed).refresh()
    assert seal.seal_writer(killed, next(iter(state.writers)), state)
    assert [("pictures", "{}")] == list(open_run(killed, may_seal=False).sequences())
    assert layout.sealed_file(killed, next(iter(state.writers))).exists()


def test_points_in_a_page_that_has_its_crc_keep_their_place(killed: Path) -> None:
    """
    A page gets its CRC after the lines were synced, so a line that is gone then was damaged, not lost: its points stay
    as `(unknown 2)`, and the check names them.
    """
    (path,) = killed.glob("*.events.jsonl")
    lines = [line for line in events.read(path).events if line.get("name") != "late"]
    path.write_bytes(b"".join(map(events.encode, lines)))
    (segment,) = killed.glob("*.points-0000")
    content = bytearray(segment.read_bytes())
    page = journal.PAGE_BYTES
    struct.pack_into("<I", content, journal.CRC_TABLE_OFFSET, journal.page_crc(bytes(content[page : 2 * page])))
    segment.write_bytes(content)

    assert {("pictures", "{}"), ("(unknown 2)", "{}")} == set(open_run(killed, may_seal=False).sequences())
    assert [path.name] == [damage.file for damage in check_run(killed)]
