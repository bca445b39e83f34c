"""
Power cuts, built: of all that was not synced any part is on the disk, in sectors of 512 bytes or pages of 4 KiB.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from aim.storage.care.check import check_run
from aim.storage.care.repair import repair_run
from aim.storage.forms import events
from aim.storage.forms.records import scan
from aim.storage.forms.state import Damage
from aim.storage.recording.writer import Writer
from aim.storage.store import Store
from tests.crash import tally
from tests.crash.disks import ForgetfulDisk
from tests.crash.history import RUN, Facts, Story, found, missing
from tests.storage.recorded import seal_all

pytestmark = pytest.mark.usefixtures("no_thread")

ROUNDS = max(1, int(os.environ.get("AIM_CRASH_ROUNDS", "5")) // 5)
IMAGES = 80 * min(ROUNDS, 10)
MENDED_IMAGES = min(500, 5 * ROUNDS)  # of each seed: 2,000 in all when `make crash` asks for 500 rounds
SEEDS = range(4)


class Cut(BaseException):
    """The power is cut."""


class CutStory(Story):
    """A history that ends at its n-th point; None: after its end."""

    cut_at: int | None = None

    def _step(self, writer: Writer, number: int) -> None:
        if number == self.cut_at:
            raise Cut
        super()._step(writer, number)


def images(root: Path, disk: ForgetfulDisk, chance: random.Random, count: int) -> list[Facts | None]:
    """Return what fresh readers find in *count* states after a power cut; None where the run's folder is gone."""
    facts = []
    for number in range(count):
        after = disk.after_power_loss(root.with_name(f"after-{number}"), chance)
        folder = after / ".aim" / "runs" / RUN
        facts.append(found(folder) if folder.is_dir() else None)
        if folder.is_dir():
            assert [] == _crc_damage(folder)
    return facts


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_power_cut_leaves_is_sealed_and_repaired_without_a_loss(tmp_path: Path, seed: int) -> None:
    """
    Of each image, whose process is gone, all that was synced is there when it is read, when it was sealed, and in the
    copy that a repair makes; the copy is whole.
    """
    chance = random.Random(100 + seed)
    root = tmp_path / "disk"
    root.mkdir()
    disk = ForgetfulDisk(root)
    story = CutStory(root, disk, seconds=chance.choice([10, 60, 333]), points=1000)
    story.cut_at = chance.randrange(300, 1000)
    with pytest.raises(Cut):
        story.play()

    for number in range(MENDED_IMAGES):
        folder = disk.after_power_loss(tmp_path / "image", chance) / ".aim" / "runs" / RUN
        if not folder.is_dir():
            assert Facts() == story.synced
            continue
        for path in folder.glob("*.events.jsonl"):
            _end_process(path)
        assert [] == missing(story.synced, found(folder)), number
        seal_all(folder)
        assert [] == missing(story.synced, found(folder)), number
        copy = tmp_path / f"repaired-{number}" / RUN
        copy.parent.mkdir()
        repair_run(folder, copy)
        assert [] == missing(story.synced, found(copy)), number
        assert [] == check_run(copy), number
        shutil.rmtree(copy.parent)
        tally.count("power_images")


def _end_process(path: Path) -> None:
    """Make the process that wrote an event file one of an earlier boot; in truth it is the one that runs the tests."""
    content = path.read_bytes()
    line, _, rest = content.partition(b"\n")
    begin = events.decode(line)
    if begin is not None and "begin" in begin:
        begin["begin"]["boot"] = "an earlier one"
        path.write_bytes(events.encode(begin) + rest)


def _crc_damage(folder: Path) -> list[Damage]:
    writers = {path.name[:8] for path in folder.iterdir() if ".points-" in path.name}
    return [damage for writer in writers for damage in scan(folder, writer).damage]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_power_cut_loses_nothing_synced(tmp_path: Path, seed: int) -> None:
    """
    After a cut in the middle all that was there when the last second's work began is there, no point is wrong, and no
    page fails its CRC.
    """
    chance = random.Random(seed)
    root = tmp_path / "disk"
    root.mkdir()
    disk = ForgetfulDisk(root)
    story = CutStory(root, disk, seconds=chance.choice([10, 60, 333]), points=2500)
    story.cut_at = chance.randrange(2500)
    with pytest.raises(Cut):
        story.play()

    for facts in images(root, disk, chance, IMAGES):
        if facts is None:
            assert Facts() == story.synced
            continue
        assert [] == missing(story.synced, facts)
        assert [] == _wrong(facts, story.asked)


def _wrong(facts: Facts, asked: Facts) -> list[object]:
    # a sequence whose announcement was not synced is shown as unknown: its points must be right all the same
    known = {name: points for name, points in facts.points.items() if not name.startswith("(unknown")}
    values = {(step, value) for points in asked.points.values() for step, (value, _) in points.items()}
    strays = [
        (name, step, value)
        for name, points in facts.points.items()
        if name.startswith("(unknown")
        for step, (value, _) in points.items()
        if (step, value) not in values and not _is_place(value)
    ]
    # a picture whose blob was not synced is there as a point and has no bytes
    pictures = known.get("pictures", {})
    known["pictures"] = {step: point for step, point in pictures.items() if point[0] != b""}
    return strays + missing(Facts(known, facts.params, facts.tags, facts.name), asked)


def _is_place(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()


def test_a_power_cut_after_the_end_loses_nothing(tmp_path: Path) -> None:
    """
    When `close()` has returned, everything is on the disk, the end included.
    """
    chance = random.Random(5)
    root = tmp_path / "disk"
    root.mkdir()
    disk = ForgetfulDisk(root)
    story = Story(root, disk)
    story.play()

    for facts in images(root, disk, chance, IMAGES):
        assert facts is not None
        assert [] == missing(story.acknowledged, facts)
        assert [] == missing(facts, story.asked)


def test_a_run_of_params_alone_survives_a_power_cut(tmp_path: Path) -> None:
    """
    A run without a point keeps its params from the first second's work on: the name of its event file is synced too.
    """
    root = tmp_path / "disk"
    root.mkdir()
    disk = ForgetfulDisk(root)
    writer = Writer(Store(root / ".aim", create=True, disk=disk).create_run(RUN), RUN, disk=disk)
    writer.lines.set_param(("lr",), 0.1)
    writer.tick()

    for facts in images(root, disk, random.Random(1), 10):
        assert facts is not None
        assert {"lr": 0.1} == facts.params


def test_the_disk_of_these_tests_does_forget(tmp_path: Path) -> None:
    """
    What was not synced is not in every image: else these tests would show nothing.
    """
    root = tmp_path / "disk"
    root.mkdir()
    disk = ForgetfulDisk(root)
    story = CutStory(root, disk, seconds=100)
    story.cut_at = 199
    with pytest.raises(Cut):
        story.play()

    lost = [missing(story.acknowledged, facts or Facts()) for facts in images(root, disk, random.Random(3), 20)]
    assert any(lost)
    assert len({len(gone) for gone in lost}) > 5
