"""
Which runs have to be read again: found by names, by stamps, by a slow walk through all folders, and at once on request.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aim.storage.disk import changes, freshness
from aim.storage.disk.freshness import (
    NEVER,
    SWEEP_BUDGET_S,
    SWEEP_INTERVAL_S,
    SWEEP_LOOKS,
    Freshness,
    folder_time,
    time_of,
)

OLD_NS = 1_700_000_000_123_456_789
NOW_NS = 1_800_000_000_000_000_000


class Clock:
    """The clocks of the module, which a test sets; a look at the monotonic one takes *look_s*."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.look_s = 0.0
        self.now_ns = NOW_NS

    def monotonic(self) -> float:
        """Return seconds."""
        self.now_s += self.look_s
        return self.now_s

    def time_ns(self) -> int:
        """Return Unix nanoseconds."""
        return self.now_ns


class Runs:
    """A repository with runs, and a reader that has read some of them. All its folders are old."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stamps: dict[str, int] = {}
        for name in ("runs", "changes"):
            (path / name).mkdir()
        self.freshness = Freshness(path, self.stamps)
        self._moment_ns = OLD_NS

    def age(self, *paths: Path) -> None:
        """Give folders another time, which is long ago."""
        for path in paths:
            self._moment_ns += 1_000_000_001
            os.utime(path, ns=(self._moment_ns, self._moment_ns))

    def add(self, *run_hashes: str) -> None:
        """Make the folders of runs."""
        for run_hash in run_hashes:
            (self.path / "runs" / run_hash).mkdir()
            self.change(run_hash)
        self.age(self.path / "runs")

    def change(self, run_hash: str, *, is_stamped: bool = False) -> None:
        """Change a run, with its stamps or without them."""
        folder = self.path / "runs" / run_hash
        self.age(folder)
        if is_stamped:
            changes.touch(folder)
            self.age(self.path / "changes" / changes.stamp_name(changes.slot(run_hash)), self.path / "changes")

    def look(self, *, opened: tuple[str, ...] = (), full: bool = False) -> tuple[list[str], list[str]]:
        """Ask what changed, and read it, as a catalogue does; return what was to be read, and what is gone."""
        changed = self.freshness.changed_runs(opened, full=full)
        for run_hash in changed.to_read:
            self.stamps[run_hash] = folder_time(self.path / "runs" / run_hash).stamp
            self.freshness.added(run_hash)
        for run_hash in changed.gone:
            self.stamps.pop(run_hash, None)
            self.freshness.removed(run_hash)
        return sorted(changed.to_read), sorted(changed.gone)


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(freshness, "time", SimpleNamespace(monotonic=clock.monotonic, time_ns=clock.time_ns))
    return clock


@pytest.fixture(name="runs")
def _runs(tmp_path: Path, clock: Clock) -> Runs:
    """
    A repository with the runs a, b and c, which were read.
    """
    runs = Runs(tmp_path)
    runs.add("a", "b", "c")
    assert (["a", "b", "c"], []) == runs.look()
    return runs


# the time of a folder


def stat(changed_ns: int, meta_ns: int = 5, inode: int = 7) -> Any:
    """Return the parts of a `stat` that count."""
    return SimpleNamespace(st_mtime_ns=changed_ns, st_ctime_ns=meta_ns, st_ino=inode)


@pytest.mark.parametrize(
    ("changed_ns", "age_ns", "is_young"),
    [
        (NOW_NS + 1, 0, True),
        (NOW_NS + 1, 49_999_999, True),
        (NOW_NS + 1, 50_000_000, False),
        (NOW_NS, 49_999_999, True),
        (NOW_NS, 2_099_999_999, True),
        (NOW_NS, 2_100_000_000, False),
        (NOW_NS + 1, -5, True),
    ],
)
def test_a_time_is_young_for_as_long_as_the_clock_of_its_file_system_may_stand_still(
    clock: Clock, changed_ns: int, age_ns: int, is_young: bool
) -> None:
    """
    50 ms where times have fractions of a second, and 2.1 s where they seem to have none.
    """
    clock.now_ns = changed_ns + age_ns

    assert is_young == time_of(stat(changed_ns)).is_young


def test_a_stamp_differs_when_any_part_does(clock: Clock) -> None:
    """
    Content, metadata and identity of a folder count, each of them; a stamp has 63 bits and is never that of "never".
    """
    stats = [stat(OLD_NS), stat(OLD_NS + 1), stat(OLD_NS, meta_ns=6), stat(OLD_NS, inode=8), stat(OLD_NS, meta_ns=0)]
    stamps = [time_of(each).stamp for each in stats]

    assert 5 == len(set(stamps))
    assert all(0 <= stamp < 1 << 63 for stamp in stamps)
    assert NEVER.stamp not in stamps


def test_a_folder_that_is_not_there_has_no_time(tmp_path: Path) -> None:
    """
    A missing folder is an error, for the caller to decide about.
    """
    with pytest.raises(FileNotFoundError):
        folder_time(tmp_path / "nothing")


# names


def test_new_runs_and_runs_that_are_gone_are_found_by_the_time_of_the_folder(runs: Runs) -> None:
    """
    A change of `runs/` shows names that are new and names that are missing; without one nothing is listed.
    """
    assert ([], []) == runs.look()
    runs.add("d")
    (runs.path / "runs" / "b").rmdir()
    runs.age(runs.path / "runs")

    assert (["d"], ["b"]) == runs.look()
    assert ([], []) == runs.look()


def test_a_folder_that_changed_a_moment_ago_is_listed_again(runs: Runs, clock: Clock) -> None:
    """
    Another run in the same tick leaves the time of `runs/` as it is, so a young time proves nothing.
    """
    folder = runs.path / "runs"
    moment_ns = NOW_NS + 5
    os.utime(folder, ns=(moment_ns, moment_ns))
    clock.now_ns = moment_ns + 1_000_000
    assert ([], []) == runs.look()
    runs.add("d")
    os.utime(folder, ns=(moment_ns, moment_ns))

    assert (["d"], []) == runs.look()


def test_what_is_no_run_is_not_listed(runs: Runs) -> None:
    """
    Files, and folders whose names can't name a run, are left out.
    """
    for name in (".hidden", "a b", "x" * 65):
        (runs.path / "runs" / name).mkdir()
    (runs.path / "runs" / "file").touch()
    runs.age(runs.path / "runs")

    assert ([], []) == runs.look()
    assert ([], []) == runs.look(full=True)


@pytest.mark.parametrize("full", [False, True])
def test_a_repository_that_is_away_has_no_runs(runs: Runs, full: bool) -> None:
    """
    When the folders are gone, so are the runs, and nothing is raised; when they come back the runs are new.
    """
    away = runs.path.with_name("away")
    runs.path.rename(away)
    assert ([], ["a", "b", "c"]) == runs.look(full=full)
    away.rename(runs.path)

    assert (["a", "b", "c"], []) == runs.look(full=full)


# stamps


def test_a_stamped_change_is_found_at_once(runs: Runs) -> None:
    """
    Only the run whose folder changed is read, once.
    """
    runs.change("b", is_stamped=True)

    assert (["b"], []) == runs.look()
    assert ([], []) == runs.look()


def test_a_stamp_of_another_run_of_the_slot_is_no_change(runs: Runs) -> None:
    """
    A stamp stands for many runs: those whose folder has the time that was read are not read again.
    """
    changes.touch(runs.path / "runs" / "b")
    runs.age(runs.path / "changes")

    assert ([], []) == runs.look()


def test_a_stamp_that_changed_a_moment_ago_is_asked_again(runs: Runs, clock: Clock) -> None:
    """
    While stamps are young, a second change in the same tick is found too.
    """
    runs.change("b", is_stamped=True)
    stamp = runs.path / "changes" / changes.stamp_name(changes.slot("b"))
    moment_ns = NOW_NS + 5
    for path in (stamp, stamp.parent):
        os.utime(path, ns=(moment_ns, moment_ns))
    clock.now_ns = moment_ns + 1_000_000
    assert (["b"], []) == runs.look()
    runs.change("b")
    for path in (stamp, stamp.parent):
        os.utime(path, ns=(moment_ns, moment_ns))

    assert (["b"], []) == runs.look()


def test_runs_that_come_and_go_are_known_to_the_stamps(runs: Runs) -> None:
    """
    A run that was read after the stamps were first asked is found by its stamp; one that is gone is not asked for.
    """
    runs.change("a", is_stamped=True)
    runs.look()
    runs.add("d")
    runs.look()
    runs.change("d", is_stamped=True)
    assert (["d"], []) == runs.look()
    (runs.path / "runs" / "d").rmdir()
    runs.age(runs.path / "runs")
    assert ([], ["d"]) == runs.look()
    changes.touch(runs.path / "runs" / "d")
    runs.age(runs.path / "changes")

    assert ([], []) == runs.look()


def test_a_stamped_run_that_is_gone_is_noticed(runs: Runs) -> None:
    """
    Where the time of `runs/` has not changed, the stamp of a deleted run shows that it is gone.
    """
    folder = runs.path / "runs"
    before = folder.stat()
    runs.change("b", is_stamped=True)
    (folder / "b").rmdir()
    os.utime(folder, ns=(before.st_mtime_ns, before.st_mtime_ns))
    runs.freshness._runs_time = folder_time(folder)

    assert ([], ["b"]) == runs.look()


# all folders


def test_a_change_without_a_stamp_is_found_by_the_walk(runs: Runs, clock: Clock) -> None:
    """
    What `rsync` changed is found after a second, not before.
    """
    runs.change("c")
    clock.now_s += SWEEP_INTERVAL_S - 0.001
    assert ([], []) == runs.look()
    clock.now_s += 0.001

    assert (["c"], []) == runs.look()
    assert ([], []) == runs.look()


def test_the_walk_stops_when_its_time_is_over_and_goes_on_later(tmp_path: Path, clock: Clock) -> None:
    """
    A walk takes 20 ms at most; the rest of the folders is looked at by the next ones, each folder once.
    """
    runs = Runs(tmp_path)
    names = [f"run{number:03d}" for number in range(3 * SWEEP_LOOKS)]
    runs.add(*names)
    runs.look()
    for name in names:
        runs.change(name)
    clock.look_s = SWEEP_BUDGET_S + 0.001
    counts = []
    for _ in range(4):
        clock.now_s += 100
        counts.append(len(runs.look()[0]))

    assert [SWEEP_LOOKS, SWEEP_LOOKS, SWEEP_LOOKS, 0] == counts


@pytest.mark.parametrize(("look_s", "pause_s"), [(0.0, 1.0), (0.0075, 1.5), (0.1, 2.0)])
def test_the_next_walk_waits_so_long_that_all_take_a_hundredth_of_the_time(
    runs: Runs, clock: Clock, look_s: float, pause_s: float
) -> None:
    """
    The pause is a second, or a hundred times what the walk took, of which 20 ms count at most.
    """
    clock.now_s += 10
    clock.look_s = look_s
    runs.look()
    clock.look_s = 0.0
    ended_s = clock.now_s
    runs.change("c")
    clock.now_s = ended_s + pause_s - 0.001
    assert ([], []) == runs.look()
    clock.now_s = ended_s + pause_s + 0.001

    assert (["c"], []) == runs.look()


def test_a_full_look_finds_all_at_once(runs: Runs, clock: Clock) -> None:
    """
    On request each folder is looked at: changed, new and missing ones are found, and the next walk is a second away.
    """
    runs.change("b")
    runs.add("d")
    (runs.path / "runs" / "c").rmdir()
    clock.now_s += 10

    assert (["b", "d"], ["c"]) == runs.look(full=True)
    runs.change("a")
    clock.now_s += SWEEP_INTERVAL_S - 0.001
    assert ([], []) == runs.look()
    clock.now_s += 0.001
    assert (["a"], []) == runs.look()


def test_a_full_look_leaves_nothing_for_the_stamps(runs: Runs) -> None:
    """
    The stamps that changed before a full look are not asked again after it.
    """
    runs.change("b", is_stamped=True)
    assert (["b"], []) == runs.look(full=True)
    runs.stamps["b"] = 0  # it would be read again if it were asked

    assert ([], []) == runs.look()


@pytest.mark.parametrize("full", [False, True])
def test_open_runs_are_read_in_any_case_unless_they_are_gone(runs: Runs, full: bool) -> None:
    """
    The caller's open runs are among those to read; a run that is gone is not.
    """
    assert (["a"], []) == runs.look(opened=("a",), full=full)
    (runs.path / "runs" / "a").rmdir()
    runs.age(runs.path / "runs")

    assert (["b"], ["a"]) == runs.look(opened=("a", "b"), full=full)
