"""
SIGKILL at any moment loses nothing that a call has returned for: real processes, killed at full speed.

`AIM_CRASH_ROUNDS` says how often each kind of child is killed (`make crash` asks for thousands).
"""

from __future__ import annotations

import math
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
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from aim.core.statuses import FINISHED, LOST
from aim.core.values import Storable, Stored
from aim.storage.forms import records
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.reader import RunReader
from tests.crash import child, tally

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("AIM_CRASH_ROUNDS", "5"))
DEADLINE_S = 60.0
LOOK_INTERVAL_S = 0.0005
NOT_FIELDS = ("data", "size", "extension", "$kind")  # what a record has beside the fields of its object


class Killer:
    """Starts children that record, and kills them."""

    def __init__(self) -> None:
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.child"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path, "AIM_SEAL_ON_CLOSE": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """Let the parent of the children end."""
        self._parent.communicate()

    def _told(self) -> int:
        assert self._parent.stdout is not None
        return int(self._parent.stdout.readline())

    @contextmanager
    def killed(self, mode: str, folder: Path, calls: int) -> Iterator[memoryview]:
        """
        Start a child in *mode*, kill it when *calls* of its calls have returned, and give its page.
        """
        page = folder.with_name("page")
        page.write_bytes(bytes(child.PAGE_BYTES))
        with open(page, "r+b") as file, mmap.mmap(file.fileno(), child.PAGE_BYTES) as shared:
            acknowledged = memoryview(shared).cast("q")
            assert self._parent.stdin is not None
            self._parent.stdin.write(f"{mode}\t{folder}\t{page}\n")
            self._parent.stdin.flush()
            pid = self._told()
            until_s = time.monotonic() + DEADLINE_S
            while acknowledged[0] < calls and time.monotonic() < until_s:
                time.sleep(LOOK_INTERVAL_S)
            os.kill(pid, signal.SIGKILL)
            assert -signal.SIGKILL == self._told()
            assert acknowledged[0] >= calls, f"{mode} made {acknowledged[0]} of {calls} calls"
            tally.count(f"kills {mode}")
            yield acknowledged
            acknowledged.release()


@pytest.fixture(name="killer", scope="module")
def _killer() -> Iterator[Killer]:
    """
    What starts and kills.
    """
    killer = Killer()
    yield killer
    killer.close()


def calls_until(maximum: int) -> int:
    """Return after how many calls to kill: as often among the first ten as among the last nine tenths."""
    return int(math.exp(random.uniform(0, math.log(maximum))))


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
def test_points_with_steps_survive_sigkill(tmp_path: Path, killer: Killer, round_number: int) -> None:
    """
    Each point of two sequences whose `track()` returned is there, whole and right, and at most the next one besides.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    begun_s = time.time()
    with killer.killed("points", folder, calls_until(200_000)) as acknowledged:
        count = acknowledged[0]
    reader = open_run(folder)

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
def test_automatic_steps_survive_sigkill(tmp_path: Path, killer: Killer, round_number: int) -> None:
    """
    Points without a step of their own are all there, without a gap.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    with killer.killed("automatic", folder, calls_until(200_000)) as acknowledged:
        count = acknowledged[0]

    points = points_of(open_run(folder), "s0")
    assert len(points.steps) in (count, count + 1)
    assert np.array_equal(np.arange(len(points.steps)), points.steps)
    assert np.array_equal((points.steps + 1) * 1.1, points.values)
    assert np.all(np.isnan(points.epochs))
    assert_no_damage(folder)


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_objects_survive_sigkill(tmp_path: Path, killer: Killer, round_number: int) -> None:
    """
    Each object whose `track()` returned is there with all its bytes; a visible point always has its object.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    with killer.killed("objects", folder, calls_until(3_000)) as acknowledged:
        count = acknowledged[0]
    reader = open_run(folder)

    points = reader.points(("pictures", "{}"))
    assert points is not None
    assert len(points) in (count, count + 1)
    for index in range(len(points)):
        (item,) = reader.record(points, index)["items"]
        stored = child.Picture(int(points.steps[index])).stored()
        assert stored.fields["caption"] == item["caption"]
        assert stored.data == reader.read_data(points.writer_ids[0], 0, item["data"])


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_params_survive_sigkill(tmp_path: Path, killer: Killer, round_number: int) -> None:
    """
    The last param that was set is there, or the one whose call had not returned.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    with killer.killed("params", folder, calls_until(5_000)) as acknowledged:
        count = acknowledged[0]
    reader = open_run(folder)

    found = reader.params()["count"]
    assert found["is"] in (count - 1, count)
    assert "x" * (found["is"] % 5000) == found["text"]
    assert [] == reader.state().damage


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_runs_survive_sigkill_while_they_begin_and_end(tmp_path: Path, killer: Killer, round_number: int) -> None:
    """
    Of many short runs each that was closed is finished, and all points of all of them are there.
    """
    folder = tmp_path / "run"
    with killer.killed("runs", folder, calls_until(20_000)) as acknowledged:
        count, closed_count = acknowledged[0], acknowledged[1]

    total = 0
    for number in range(-(-count // child.RUN_POINTS)):
        reader = open_run(tmp_path / f"run-{number}")
        points = points_of(reader, "s0")
        total += len(points.steps)
        assert np.array_equal(np.arange(len(points.steps)) + number * child.RUN_POINTS, points.steps)
        assert np.array_equal((points.steps + 1) * 1.1, points.values)
        assert_no_damage(tmp_path / f"run-{number}")
        if number < closed_count:
            assert FINISHED == reader.state().status()[0]
    assert total in (count, count + 1)


def objects_of(reader: RunReader, name: str) -> list[list[tuple[dict[str, object], bytes | None]]]:
    """Return, of each point of an object sequence, the fields and the bytes of its objects."""
    points = reader.points((name, "{}"))
    if points is None:
        return []
    return [
        [
            (
                {key: value for key, value in item.items() if key not in NOT_FIELDS},
                reader.read_data(points.writer_ids[0], 0, item["data"]) if item["data"] is not None else None,
            )
            for item in reader.record(points, index)["items"]
        ]
        for index in range(len(points))
    ]


def expected_objects(made: Any) -> list[tuple[dict[str, object], bytes | None]]:
    """Return the fields and the bytes of the objects that were tracked at once."""
    listed = made if isinstance(made, list) else [made]
    stored = [item.stored() if isinstance(item, Storable) else Stored("", {"value": item}) for item in listed]
    return [(dict(item.fields), item.data) for item in stored]


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_all_kinds_of_values_survive_sigkill(tmp_path: Path, killer: Killer, round_number: int) -> None:
    """
    Numbers of each type, integers of 64 bits, texts, images, distributions and lists whose `track()` returned are
    there, with their bytes, and so are params, tags and the name.
    """
    folder = tmp_path / "run"
    folder.mkdir()
    with killer.killed("kinds", folder, calls_until(1_000)) as acknowledged:
        count = acknowledged[0]
    reader = open_run(folder)

    cycle = len(child.VALUES) + len(child.CHANGES)
    for index, (name, make) in enumerate(child.VALUES.items()):
        done = max(0, -(-(count - index) // cycle))  # how many rounds have come as far as this name
        if isinstance(make(0), (int, float, np.floating)):
            points = reader.points((name, "{}"))
            recorded: list[Any] = [] if points is None else points.values.tolist()
            expected = [make(number) for number in range(len(recorded))]
        else:
            recorded = objects_of(reader, name)
            expected = [expected_objects(make(number)) for number in range(len(recorded))]
        assert len(recorded) in (done, done + 1), name
        assert expected == recorded, name
    rounds = count // cycle
    if rounds:
        assert reader.params()["p"] in [{"is": number, "list": [number] * 3} for number in (rounds - 1, rounds)]
        assert {f"t{number}" for number in range(min(rounds, 50))} <= set(reader.state().tags)
        assert reader.state().properties["name"] in (f"n{rounds - 1}", f"n{rounds}")
    assert_no_damage(folder)
    assert [] == reader.state().damage
