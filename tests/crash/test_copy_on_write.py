"""
File systems that write to new blocks: on a full one a store into a mapped page ends the process, a `pwrite` does not.

Real file systems on loop devices, made and mounted by root; elsewhere these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aim.storage.disk import reserved_room
from aim.storage.reading.folder_source import open_run
from aim.storage.recording.writer import Writer
from aim.storage.store import Store
from tests.crash.history import RUN

ROOT = Path(__file__).resolve().parents[2]
IMAGE_BYTES = 400 << 20
POINTS = 20_000

TRAIN = """
import subprocess, sys
from pathlib import Path
from aim.storage.disk import reserved_room
from aim.storage.recording.writer import Writer
from aim.storage.store import Store
from tests.crash.test_copy_on_write import POINTS, fill

disk, after = Path(sys.argv[1]), sys.argv[2]
reserved_room.SCARCE_BYTES = int(sys.argv[3])
writer = Writer(Store(disk / ".aim", create=True).create_run("run"), "run")
loss = writer.sequence("loss")
for step in range(POINTS):
    loss.track(0.5, step)
writer.flush()
if after:
    subprocess.run(after.format(disk=disk), shell=True, check=True, capture_output=True)
fill(disk)
writer.tick()
for step in range(POINTS, 2 * POINTS):
    loss.track(0.5, step)
writer.tick()
(disk / "filler").unlink()
writer.close()
print("trained")
"""


def fill(disk: Path) -> None:
    """Fill a disk to its last byte."""
    with open(disk / "filler", "ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
                    if size == 1:
                        os.fsync(file.fileno())
            except OSError:
                pass


Mounted = Callable[[str], Path]


@pytest.fixture(name="mounted")
def _mounted(tmp_path: Path) -> Iterator[Mounted]:
    """
    Make and mount a file system of a type.
    """
    targets: list[Path] = []

    def mount(kind: str) -> Path:
        image, target = tmp_path / f"{kind}.img", tmp_path / kind
        target.mkdir()
        if not shutil.which(f"mkfs.{kind}") or os.geteuid() != 0:
            pytest.skip(f"only root can mount, and mkfs.{kind} is needed")
        with open(image, "wb") as file:
            file.truncate(IMAGE_BYTES)
        force = "-F" if kind == "ext4" else "-f"
        subprocess.run([f"mkfs.{kind}", "-q", force, image], check=True, capture_output=True)
        if subprocess.run(["mount", "-o", "loop", image, target], capture_output=True, check=False).returncode:
            pytest.skip(f"no {kind} can be mounted here")
        targets.append(target)
        return target

    yield mount
    for target in targets:
        subprocess.run(["umount", "-l", str(target)], check=True)


def _train(disk: Path, after: str = "", scarce_bytes: int = reserved_room.SCARCE_BYTES) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    process = subprocess.run(
        [sys.executable, "-c", TRAIN, str(disk), after, str(scarce_bytes)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (0, "trained\n") == (process.returncode, process.stdout), process.stderr


@pytest.mark.parametrize(
    ("kind", "after", "scarce_bytes"),
    [
        ("btrfs", "", 4 << 30),
        ("btrfs", "btrfs subvolume snapshot {disk} {disk}/snapshot", 4 << 30),
        ("btrfs", "btrfs subvolume snapshot {disk} {disk}/snapshot", 100 << 20),
        ("xfs", "cp -r --reflink=always {disk}/.aim {disk}/copy", 4 << 30),
        ("xfs", "cp -r --reflink=always {disk}/.aim {disk}/copy", 100 << 20),
        ("ext4", "", 4 << 30),
    ],
)
def test_a_full_disk_ends_no_training(mounted: Mounted, kind: str, after: str, scarce_bytes: int) -> None:
    """
    20,000 points, a snapshot or copy that shares their blocks, a full disk, and 20,000 points more: the training ends
    by itself, and all points are there when there is room again. The last size of scarce room has maps at first.
    """
    disk = mounted(kind)
    _train(disk, after, scarce_bytes)

    reader = open_run(disk / ".aim" / "runs" / RUN)
    points = reader.points(("loss", "{}"))
    assert points is not None
    assert list(range(POINTS)) == points.steps.tolist()[:POINTS]
    lost = sum(gap.point_count for gap in reader.state().gaps)
    assert 2 * POINTS == len(points) + lost
    assert set(points.values.tolist()) == {0.5}


@pytest.mark.usefixtures("no_thread")
def test_stores_go_through_the_map_again_when_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A writer whose disk has little room writes each record to the file; with room again its next segment is mapped.
    """
    monkeypatch.setattr(reserved_room, "RESERVING", frozenset())
    writer = Writer(Store(tmp_path / ".aim", create=True).create_run(RUN), RUN)
    loss = writer.sequence("loss")
    loss.track(0.5, 0)
    is_mapped = [writer.files.segments.segment.mapped]
    monkeypatch.setattr(reserved_room, "SCARCE_BYTES", 1 << 60)
    writer.tick()
    is_mapped.append(writer.files.segments.segment.mapped)
    for step in range(1, 384):
        loss.track(0.5, step)
    monkeypatch.setattr(reserved_room, "SCARCE_BYTES", 0)
    writer.tick()
    loss.track(0.5, 384)
    is_mapped.append(writer.files.segments.segment.mapped)
    writer.close()

    assert [True, False, True] == is_mapped
    points = open_run(writer.files.folder).points(("loss", "{}"))
    assert points is not None
    assert list(range(385)) == points.steps.tolist()
