"""
What a power cut takes of the last points: an object or a declaration that is not there makes a hole, not damage.
"""

from __future__ import annotations

import math
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from aim.core.values import Stored
from aim.storage.care.check import check_run
from aim.storage.disk import layout
from aim.storage.forms import blobs, events, journal, torn_tail
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.sealing import seal
from tests.storage.event_files import ONE
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

    assert [("pictures", "{}")] == list(open_run(killed).sequences())
    assert [] == check_run(killed)
    state = RunLog(killed).refresh()
    assert seal.seal_writer(killed, next(iter(state.writers)), state)
    assert [("pictures", "{}")] == list(open_run(killed).sequences())
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

    assert {("pictures", "{}"), ("(unknown 2)", "{}")} == set(open_run(killed).sequences())
    assert [path.name] == [damage.file for damage in check_run(killed)]


# single points


@pytest.fixture(name="positions")
def _positions(tmp_path: Path) -> list[int]:
    """
    Where the records of four objects are, in the blob file of a writer; the file is 400 bytes or more.
    """
    file = blobs.BlobFile(tmp_path, ONE)
    positions = [file.append("a", [step], [Stored("x", {}, b"0123456789", "raw")], "x") for step in range(4)]
    file.abandon()
    return positions


def stored(folder: Path, positions: Sequence[float], *, ages_s: list[float] | None = None) -> list[bool]:
    """Return which of the points have their objects; each was recorded so many seconds before the last."""
    times_us = np.array([round(1e15 - 1e6 * age_s) for age_s in ages_s or [0.0] * len(positions)], np.int64)
    are_stored: list[bool] = torn_tail.stored_objects(folder, ONE, np.array(positions, float), times_us).tolist()
    return are_stored


def test_whole_objects_are_stored(tmp_path: Path, positions: list[int]) -> None:
    """
    Of a whole file, and of no points, nothing is missing.
    """
    assert [True] * 4 == stored(tmp_path, positions)
    assert [] == stored(tmp_path, [])


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_objects_after_the_cut_are_missing_in_whichever_order_they_stand(
    tmp_path: Path, positions: list[int], order: list[int]
) -> None:
    """
    The file ends after the second object: the others are missing, wherever their points are.
    """
    path = layout.blob_file(tmp_path, ONE, 0)
    path.write_bytes(path.read_bytes()[: blobs.walk(path)[0][3].end])

    assert [index < 2 for index in order] == stored(tmp_path, [positions[index] for index in order])


def test_a_file_that_never_came_is_missing(tmp_path: Path, positions: list[int]) -> None:
    """
    Points of a second file that is not there are missing; those of the first one are there.
    """
    second = [blobs.pack_position(1, offset) for offset in (0, 100)]

    assert [True] * 4 + [False] * 2 == stored(tmp_path, [*positions, *second])


@pytest.mark.parametrize(
    ("back", "torn"),
    [(0, True), (1, True), (29, True), (30, True), (31, True), (60, True)],
)
def test_an_entry_that_is_cut_anywhere_is_missing(tmp_path: Path, positions: list[int], back: int, torn: bool) -> None:
    """
    Within its header, its name or its data: where the file ends in the middle of a record, the record is not there.
    """
    path = layout.blob_file(tmp_path, ONE, 0)
    content = path.read_bytes()
    path.write_bytes(content[: blobs.split_position(positions[3])[1] + back])

    assert [True, True, True, not torn] == stored(tmp_path, positions)


def test_zeros_at_the_end_are_no_entry(tmp_path: Path, positions: list[int]) -> None:
    """
    A file that has its length and not its content ends with zeros: what lies there is missing.
    """
    path = layout.blob_file(tmp_path, ONE, 0)
    content = path.read_bytes()
    start = blobs.split_position(positions[3])[1]
    path.write_bytes(content[:start] + bytes(len(content) - start))

    assert [True, True, True, False] == stored(tmp_path, positions)


def test_a_changed_byte_is_damage_and_no_hole(tmp_path: Path, positions: list[int]) -> None:
    """
    A record that is all there and does not check counts as stored: damage is shown, not hidden.
    """
    path = layout.blob_file(tmp_path, ONE, 0)
    content = bytearray(path.read_bytes())
    content[blobs.split_position(positions[3])[1] + 5] ^= 1
    path.write_bytes(content)

    assert [True] * 4 == stored(tmp_path, positions)


@pytest.mark.parametrize(("age_s", "expected"), [(30.0, False), (30.000001, True)])
def test_what_is_older_than_30_seconds_was_synced(
    tmp_path: Path, positions: list[int], age_s: float, expected: bool
) -> None:
    """
    An old point whose object is not there is damage: a power cut takes the last seconds only.
    """
    layout.blob_file(tmp_path, ONE, 0).unlink()

    assert [expected, False] == stored(tmp_path, [*positions[:2]], ages_s=[age_s, 0.0])


@pytest.mark.parametrize("position", [-1.0, float(2**53), math.inf, math.nan])
def test_a_position_that_can_not_be_one_is_damage(tmp_path: Path, positions: list[int], position: float) -> None:
    """
    A damaged value counts as stored, and the points before it are looked at all the same.
    """
    layout.blob_file(tmp_path, ONE, 0).unlink()

    assert [False, True] == stored(tmp_path, [positions[0], position])


def test_a_file_that_can_not_be_read_says_nothing(tmp_path: Path) -> None:
    """
    A folder in the place of the file, as any other refusal, does not say that the objects are not there.
    """
    layout.blob_file(tmp_path, ONE, 0).mkdir()

    assert [True] == stored(tmp_path, [0.0])
