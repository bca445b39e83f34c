"""
A clock that is set back, or jumps: the order of recording decides within a writer, and all readers agree.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aim.core.values import Deferred, Stored
from aim.engine import sealing
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.repository import Repository
from aim.engine.scan import Scan
from aim.storage.reading.folder_source import open_run
from aim.storage.recording import segment_chain, sequence_writer

NOW_S = 1_800_000_000.0
HOUR_S = 3_600.0
LOSS = ("loss", "{}")


class Clock:
    """A clock that stands where it is put, and goes on by a millisecond when it is read."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        self.now_s += 1e-3
        return self.now_s


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """One clock in the place of all that recording asks."""
    clock = Clock()
    for module in (sequence_writer, segment_chain):
        monkeypatch.setattr(module, "now", clock)
    monkeypatch.setattr(time, "time", clock)
    yield clock
    monkeypatch.undo()


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    """An empty repository."""
    return Repository(tmp_path / "work", create=True)


def answers(repository: Repository, run_hash: str, cache: Path) -> list[Any]:
    """Return the curve by a fresh reader, and its summaries by the catalogue in use and by one made from nothing."""
    points = open_run(repository.backend.files.run_folder(run_hash)).points(LOSS)
    assert points is not None
    curve = dict(zip(points.steps.tolist(), points.values.tolist(), strict=True))
    fresh = Scan(LiveCatalogue(repository.readers, cache=cache))
    summaries = []
    for scan in (repository.questions(), fresh):
        values = [scan.summaries("loss", {}, name)[1].tolist() for name in ("first", "last", "max", "count")]
        summaries.append([value for (value,) in values])
        assert [run_hash] == scan.runs(f"metric.name == 'loss' and metric.last == {curve[max(curve)]}")
    fresh.catalogue.close()
    return [curve, *summaries]


def test_a_step_recorded_again_has_the_new_value_though_the_clock_was_set_back(
    repository: Repository, clock: Clock, tmp_path: Path
) -> None:
    """
    The journal of a live and of an ended run, the sealed file and the catalogue all have the value recorded last.
    """
    writer = repository.new_run()
    for step in range(3):
        writer.sequence("loss").track(float(step), step=step)
    clock.now_s -= HOUR_S
    for step in (0, 2):
        writer.sequence("loss").track(100.0 + step, step=step)
    expected = [{0: 100.0, 1: 1.0, 2: 102.0}, *[[100.0, 102.0, 102.0, 3]] * 2]

    assert expected == answers(repository, writer.run_hash, tmp_path / "live")
    writer.close()
    assert expected == answers(repository, writer.run_hash, tmp_path / "ended")
    assert 1 == sealing.seal_run(repository.backend.files.run_folder(writer.run_hash))
    assert expected == answers(repository, writer.run_hash, tmp_path / "sealed")


def test_between_writers_the_time_decides(repository: Repository, clock: Clock, tmp_path: Path) -> None:
    """
    Of two writers that recorded one step the later one counts, also where the other recorded it twice.
    """
    first, second = repository.new_run("both"), repository.new_run("both")
    first.sequence("loss").track(1.0, step=0)
    second.sequence("loss").track(2.0, step=0)
    clock.now_s -= HOUR_S
    first.sequence("loss").track(3.0, step=0)
    for writer in (first, second):
        writer.close()

    assert {0: 2.0} == answers(repository, "both", tmp_path / "cache")[0]


def test_between_the_integers_and_the_fractions_of_a_writer_the_time_decides(
    repository: Repository, clock: Clock, tmp_path: Path
) -> None:
    """
    They are two series of one name, so at a step that has both the one of the later time counts, as events.md says.
    """
    writer = repository.new_run()
    writer.sequence("loss").track(1, step=0)
    writer.sequence("loss").track(1, step=1)
    clock.now_s -= HOUR_S
    writer.sequence("loss").track(0.5, step=0)
    clock.now_s += 2 * HOUR_S
    writer.sequence("loss").track(0.5, step=1)
    expected = {0: 1, 1: 0.5}

    assert expected == answers(repository, writer.run_hash, tmp_path / "live")[0]
    writer.close()
    assert 1 == sealing.seal_run(repository.backend.files.run_folder(writer.run_hash))
    assert expected == answers(repository, writer.run_hash, tmp_path / "sealed")[0]


@pytest.mark.parametrize("jump_s", [1e12, 1e15])
def test_a_clock_that_jumps_beyond_all_times_leaves_the_run_its_times(
    repository: Repository, clock: Clock, tmp_path: Path, jump_s: float
) -> None:
    """
    While the clock is in the year 33,658 params are set and a point is tracked; then it is right again. The run ends
    when it ended, its params are the last ones, and other runs are found by their times.
    """
    writer = repository.new_run()
    writer.lines.set_param(("lr",), 1)
    writer.sequence("loss").track(1.0)
    clock.now_s += jump_s
    writer.lines.set_param(("lr",), 2)
    writer.lines.set_param(("lr",), 3)
    writer.sequence("loss").track(2.0)
    clock.now_s -= jump_s
    writer.sequence("loss").track(3.0)
    writer.close()

    state = repository.readers.state(writer.run_hash)
    assert ("finished", {"lr": 3}) == (state.status(NOW_S)[0], state.tree)
    assert NOW_S < (state.status(NOW_S)[1] or 0.0) < NOW_S + 60
    assert {0: 1.0, 1: 2.0, 2: 3.0} == answers(repository, writer.run_hash, tmp_path / "cache")[0]
    for query in ("run.end_time > 1.7e9", "run.created_at.year == 2027", "run.finalized_at.year == 2027"):
        assert [writer.run_hash] == repository.questions().runs(query)


def test_a_run_that_begins_while_the_clock_is_beyond_all_times(
    repository: Repository, clock: Clock, tmp_path: Path
) -> None:
    """
    Its time of creation is that of its folder, for its reader and for the catalogue.
    """
    clock.now_s += 1e12
    writer = repository.new_run()
    writer.sequence("loss").track(1.0)
    clock.now_s -= 1e12
    writer.close()

    folder_s = repository.backend.files.run_folder(writer.run_hash).stat().st_mtime
    assert folder_s == repository.readers.state(writer.run_hash).created_at_s
    assert [writer.run_hash] == repository.questions().runs(f"run.creation_time == {folder_s!r}")


class _Picture:
    """An object whose bytes are made when *before* has returned."""

    def __init__(self, data: bytes, before: Callable[[], object]) -> None:
        self._data = data
        self._before = before

    def stored(self) -> Stored:
        """Return the object's stored form."""
        self._before()
        return Stored("test.picture", {}, self._data, "raw")

    def deferred(self) -> Deferred:
        """Return what makes the bytes in the background."""
        return Deferred("test.picture", 1, self.stored)


def test_an_object_tracked_again_counts_though_the_first_is_made_later(repository: Repository, clock: Clock) -> None:
    """
    The first is still being made in the background when the second one of that step is tracked at once, with `sync`.
    """
    writer = repository.new_run()
    is_second_made = threading.Event()
    pictures = writer.sequence("picture")
    pictures.track(_Picture(b"first", lambda: is_second_made.wait(60)), step=0)
    clock.now_s -= HOUR_S
    pictures.track(_Picture(b"second", is_second_made.set), step=0, sync=True)
    writer.close()

    reader = open_run(repository.backend.files.run_folder(writer.run_hash))
    points = reader.points(("picture", "{}"))
    assert points is not None
    (item,) = reader.record(points, 0)["items"]
    assert b"second" == reader.read_data(writer.id, 0, item["data"])
