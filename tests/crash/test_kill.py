"""
SIGKILL at any moment loses nothing that a call has returned for: real processes, killed at full speed.

`AIM_CRASH_ROUNDS` says how often each kind of child is killed (`make crash` asks for hundreds).
"""

from __future__ import annotations

import mmap
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from aim.core.statuses import FINISHED, LOST
from aim.storage.forms import records
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.reader import RunReader
from tests.crash import child, tally

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("AIM_CRASH_ROUNDS", "5"))
DEADLINE_S = 60.0


@contextmanager
def killed(mode: str, folder: Path, calls: int) -> Iterator[memoryview]:
    """
    Start a child in *mode*, kill it when *calls* of its calls have returned, and give its page.
    """
    page = folder.with_name("page")
    page.write_bytes(bytes(child.PAGE_BYTES))
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    command = [sys.executable, "-m", "tests.crash.child", mode, str(folder), str(page)]
    with open(page, "r+b") as file, mmap.mmap(file.fileno(), child.PAGE_BYTES) as shared:
        acknowledged = memoryview(shared).cast("q")
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path})
        try:
            until_s = time.monotonic() + DEADLINE_S
            while acknowledged[0] < calls and process.poll() is None:
                assert time.monotonic() < until_s, f"{mode} made {acknowledged[0]} of {calls} calls"
        finally:
            process.kill()
            process.wait()
        assert -signal.SIGKILL == process.returncode
        tally.count("kills")
        yield acknowledged
        acknowledged.release()


class Columns(NamedTuple):
    """The points of a sequence from step 0 on; the one before it gave the sequence its first number."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    times_s: NDArray[np.float64]
    epochs: NDArray[np.float64]


def points_of(reader: RunReader, name: str) -> Columns:
    """Return the points of the sequence *name* of the empty context."""
    points = reader.points((name, "{}"))
    assert points is not None
    first = int(np.searchsorted(points.steps, 0))
    return Columns(points.steps[first:], points.values[first:], points.times_s[first:], points.epochs[first:])


def assert_no_damage(folder: Path) -> None:
    """Every page whose CRC was taken still matches it."""
    for path in folder.glob("*.events.jsonl"):
        assert [] == records.scan(folder, path.name[:8]).damage


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_points_with_steps_survive_sigkill(tmp_path: Path, round_number: int) -> None:
    """
    Each point of two sequences whose `track()` returned is there, whole and right, and at most the next one besides.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    begun_s = time.time()
    with killed("points", folder, random.randrange(1, 200_000)) as acknowledged:
        count = acknowledged[0]
    reader = open_run(folder, may_seal=False)

    found = [points_of(reader, "s0"), points_of(reader, "s1")]
    counts = np.sort(np.concatenate([points.steps for points in found]))
    assert len(counts) in (count, count + 1)
    assert np.array_equal(np.arange(len(counts)), counts)
    for parity, points in enumerate(found):
        assert np.all(points.steps % 2 == parity)
        assert np.array_equal((points.steps + 1) * 1.1, points.values)
        assert np.array_equal(points.steps % 1000 + 0.5, points.epochs)
        assert np.all(points.times_s > begun_s - 1)
        assert np.all(points.times_s < time.time() + 1)
        assert np.all(np.diff(points.times_s) >= 0)
    assert_no_damage(folder)
    assert LOST == reader.state().status()[0]


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_automatic_steps_survive_sigkill(tmp_path: Path, round_number: int) -> None:
    """
    Points without a step of their own are all there, without a gap.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    with killed("automatic", folder, random.randrange(1, 200_000)) as acknowledged:
        count = acknowledged[0]

    points = points_of(open_run(folder, may_seal=False), "s0")
    assert len(points.steps) in (count, count + 1)
    assert np.array_equal(np.arange(len(points.steps)), points.steps)
    assert np.array_equal((points.steps + 1) * 1.1, points.values)
    assert np.all(np.isnan(points.epochs))
    assert_no_damage(folder)


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_objects_survive_sigkill(tmp_path: Path, round_number: int) -> None:
    """
    Each object whose `track()` returned is there with all its bytes; a visible point always has its object.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    with killed("objects", folder, random.randrange(1, 3_000)) as acknowledged:
        count = acknowledged[0]
    reader = open_run(folder, may_seal=False)

    points = reader.points(("pictures", "{}"))
    assert points is not None
    assert len(points) in (count, count + 1)
    for index in range(len(points)):
        (item,) = reader.record(points, index)["items"]
        stored = child.Picture(int(points.steps[index])).stored()
        assert stored.fields["caption"] == item["caption"]
        assert stored.data == reader.read_data(points.writer_ids[0], 0, item["data"])


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_params_survive_sigkill(tmp_path: Path, round_number: int) -> None:
    """
    The last param that was set is there, or the one whose call had not returned.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    with killed("params", folder, random.randrange(1, 5_000)) as acknowledged:
        count = acknowledged[0]
    reader = open_run(folder, may_seal=False)

    found = reader.params()["count"]
    assert found["is"] in (count - 1, count)
    assert "x" * (found["is"] % 5000) == found["text"]
    assert [] == reader.state().damage


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_runs_survive_sigkill_while_they_begin_and_end(tmp_path: Path, round_number: int) -> None:
    """
    Of many short runs each that was closed is finished, and all points of all of them are there.
    """
    folder = tmp_path / "run"
    with killed("runs", folder, random.randrange(1, 20_000)) as acknowledged:
        count, closed_count = acknowledged[0], acknowledged[1]

    total = 0
    for number in range(-(-count // child.RUN_POINTS)):
        reader = open_run(tmp_path / f"run-{number}", may_seal=False)
        points = points_of(reader, "s0")
        total += len(points.steps)
        assert np.array_equal(np.arange(len(points.steps)) + number * child.RUN_POINTS, points.steps)
        assert np.array_equal((points.steps + 1) * 1.1, points.values)
        assert_no_damage(tmp_path / f"run-{number}")
        if number < closed_count:
            assert FINISHED == reader.state().status()[0]
    assert total in (count, count + 1)
