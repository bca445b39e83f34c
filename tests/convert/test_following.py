"""
Following a folder: what comes into it is recorded once, soon, and by reading only what is new.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aim.convert.detecting import recognised
from aim.convert.following import Follower, follow_changes
from aim.convert.formats import ImportOptions
from aim.convert.names import FULL
from aim.convert.report import IMPORTED, Report
from aim.engine.repository import Repository
from tests.convert.sources import (
    DATA,
    expected_runs,
    hash_of_only,
    import_source,
    last_values,
    same,
    shown,
    values,
)

SOURCE = next((DATA / "tb-torch" / "lenet" / "v1").glob("*tfevents*"))
KILLS = int(os.environ.get("AIM_KILLS", "6"))
WAIT_S = 120.0


def wait_for(is_so: Callable[[], bool]) -> bool:
    """Wait until something is so, and return whether it came."""
    until_s = time.monotonic() + WAIT_S
    while time.monotonic() < until_s:
        if is_so():
            return True
        time.sleep(0.05)
    return False


def numbers(repository: Repository) -> dict[tuple[str, str], list[tuple[int, str, int]]]:
    """Return step, value as a float, and time of all points of the only run: JSON does not tell 1.0 from 1."""
    points = repository.run(hash_of_only(repository)).points_of_many()
    return {
        key: [
            (step, repr(float(value)), time_us)
            for step, value, time_us in zip(each.steps.tolist(), each.values.tolist(), each.times_us.tolist())
        ]
        for key, each in points.items()
    }


class Growing:
    """
    A source of one file in a folder, which grows by pieces.

    Attributes:
        folder: what is followed.
    """

    def __init__(self, original: Path, folder: Path, relative: str) -> None:
        self.folder = folder
        self.path = folder / relative
        self.path.parent.mkdir(parents=True)
        self._content = original.read_bytes()
        self.size = len(self._content)

    def grow(self, size: int) -> None:
        """Let the file have its first *size* bytes."""
        with open(self.path, "ab") as file:
            file.write(self._content[self.path.stat().st_size : size])


def tensorboard(tmp_path: Path) -> Growing:
    """Return an event file that grows."""
    return Growing(SOURCE, tmp_path / "logs", "events.out.tfevents.1.box.1.0")


def wandb(tmp_path: Path) -> Growing:
    """Return a file of W&B that grows, with scalars, a nested config, texts and system metrics."""
    original = next((DATA / "wandb" / "wandb").glob("*base0001/run-*.wandb"))
    return Growing(original, tmp_path / "wandb", f"{original.parent.name}/{original.name}")


@pytest.fixture(name="growing", params=[tensorboard, wandb])
def _growing(request: pytest.FixtureRequest, tmp_path: Path) -> Growing:
    """
    A source of each format that is read on from where its reading ended.
    """
    source: Growing = request.param(tmp_path)
    return source


def test_what_comes_is_recorded_until_nothing_comes(tmp_path: Path) -> None:
    """
    A file that grows by pieces is there whole and once, and the follower ends by itself when it is idle.
    """
    growing = tensorboard(tmp_path)
    growing.grow(500)
    waiting = [1200, growing.size]
    reports: list[Report] = []

    def take(report: Report) -> None:
        reports.append(report)
        if waiting:
            growing.grow(waiting.pop(0))

    follower = threading.Thread(
        target=follow_changes,
        args=(lambda: recognised(growing.folder), tmp_path / "repo", ImportOptions(naming=FULL), take, 5.0),
    )
    follower.start()
    follower.join(300)

    assert not follower.is_alive()
    assert 3 == len(reports)
    repository = Repository(tmp_path / "repo")
    logged = expected_runs(DATA / "tb-torch")["lenet/v1"]["metrics"][0]["logged"]
    assert same(last_values(logged), values(repository, reports[0].runs[0].run_hash, "loss/train"))
    assert 1 == repository.run_count()


def test_only_what_is_new_is_read(growing: Growing, tmp_path: Path) -> None:
    """
    Grown by small pieces, each point is reported once; while the run grows it shows what has come, and at the end it is
    as one import makes it.
    """
    reports: list[Report] = []
    follower = Follower(
        lambda: recognised(growing.folder), tmp_path / "repo", ImportOptions(naming=FULL), reports.append
    )
    for part in range(1, 9):
        growing.grow(growing.size * part // 8)
        follower.look()
    grown = numbers(Repository(tmp_path / "repo"))
    follower.look(is_last=True)
    follower.end()
    once = import_source(growing.folder, tmp_path / "once")

    assert len(reports) > 2
    assert {IMPORTED} == {run.state for report in reports for run in report.runs}
    assert once.points == sum(report.points for report in reports)
    first, second = (Repository(tmp_path / name) for name in ("repo", "once"))
    assert numbers(second) == grown
    assert shown(second, hash_of_only(second)) == shown(first, hash_of_only(first))


def test_a_file_that_is_written_anew_is_imported_as_a_whole(tmp_path: Path) -> None:
    """
    What the shorter file has takes the place of what was there.
    """
    growing = tensorboard(tmp_path)
    follower = Follower(
        lambda: recognised(growing.folder), tmp_path / "repo", ImportOptions(naming=FULL), lambda report: None
    )
    for size in (900, 1500, growing.size):
        growing.grow(size)
        follower.look()
    growing.path.write_bytes(b"")
    growing.grow(900)
    follower.look()
    follower.end()
    import_source(growing.folder, tmp_path / "once")
    first, second = (Repository(tmp_path / name) for name in ("repo", "once"))

    assert shown(second, hash_of_only(second)) == shown(first, hash_of_only(second))


def test_a_run_that_is_followed_is_left_to_its_follower(tmp_path: Path) -> None:
    """
    Another process that imports the same source meanwhile refuses that run, and says which process follows it.
    """
    growing = tensorboard(tmp_path)
    follower = Follower(
        lambda: recognised(growing.folder), tmp_path / "repo", ImportOptions(naming=FULL), lambda report: None
    )
    growing.grow(900)
    follower.look()
    growing.grow(1500)
    follower.look()
    growing.grow(growing.size)
    command = [sys.executable, "-m", "aim.cli", "import", str(growing.folder), "--repo", str(tmp_path / "repo")]
    refused = subprocess.run(command, capture_output=True, text=True)
    follower.end()
    taken = subprocess.run(command, capture_output=True, text=True)

    assert (1, True) == (refused.returncode, f"process {os.getpid()} follows" in refused.stdout), refused.stdout
    assert (0, True) == (taken.returncode, "1 imported" in taken.stdout), taken.stdout


def test_a_killed_follower_loses_nothing_and_doubles_nothing(growing: Growing, tmp_path: Path) -> None:
    """
    Killed at random moments while the source grows, and started again each time, the end is that of one import.
    """
    chance = random.Random(11)
    root = tmp_path / "repo"
    command = [sys.executable, "-m", "aim.cli", "import", str(growing.folder), "--repo", str(root), "--name-as", "full"]
    begun = growing.size // 4
    growing.grow(begun)
    for number in range(KILLS):
        with subprocess.Popen([*command, "--follow", "-q"], stderr=subprocess.DEVNULL) as process:
            has_begun = wait_for(lambda: Repository(root, create=True).run_count() > 0)
            for part in range(3):
                growing.grow(begun + (growing.size - begun) * (3 * number + part + 1) // (3 * KILLS + 1))
                time.sleep(chance.uniform(0, 1.5))
            process.send_signal(signal.SIGKILL)
        assert has_begun
    growing.grow(growing.size)
    done = subprocess.run([*command, "--follow", "--idle", "0.1", "-q"], capture_output=True, text=True)
    import_source(growing.folder, tmp_path / "once")
    first, second = Repository(root), Repository(tmp_path / "once")

    assert 0 == done.returncode, done.stderr
    assert shown(second, hash_of_only(second)) == shown(first, hash_of_only(first))
