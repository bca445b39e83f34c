"""
What a person should look at, of runs that the SDK records.
"""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aim.engine.alerts import Alert, Alerts
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.points import PointStore
from aim.engine.repository import Repository
from aim.engine.suspects import ENDED_WITHIN_S
from aim.engine.tail import Watch
from aim.sdk.run import Run

MakeRun = Callable[[str], Run]
KILLED = """
import os, sys
from aim import Run
run = Run("gone", repo=sys.argv[1], system_tracking_interval=None, capture_terminal_logs=False, create=True)
run.track(1.0, name="loss", step=0)
os._exit(9)
"""


class Watcher:
    """
    Asks for the alerts of a repository, at any time of day.
    """

    def __init__(self, root: Path) -> None:
        self.repository = Repository(root, create=True)
        self.catalogue = LiveCatalogue(self.repository.readers, cache=root / "cache")
        self.points = PointStore(self.repository, Watch(self.catalogue))
        self.later_s = 0.0
        self.alerts = Alerts(self.points, lambda: time.time() + self.later_s)

    def ask(self, later_s: float = 0.0) -> list[Alert]:
        """Return what there is to look at in so many seconds."""
        self.later_s = later_s
        return self.catalogue.ask(self.alerts.ask)


@pytest.fixture(name="watcher")
def _watcher(tmp_path: Path) -> Watcher:
    """
    Who asks for the alerts of a repository of this test's own.
    """
    return Watcher(tmp_path)


@pytest.fixture(name="make_run")
def _make_run(tmp_path: Path) -> Iterator[MakeRun]:
    """
    Makes runs that record nothing by themselves; those left open are closed at the end.
    """
    made: list[Run] = []

    def make(run_hash: str) -> Run:
        run = Run(run_hash, repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False, create=True)
        made.append(run)
        return run

    yield make
    for run in made:
        run.close()


def _kinds(alerts: list[Alert]) -> list[tuple[str, str]]:
    return [(alert.run_hash, alert.kind) for alert in alerts]


def test_runs_that_are_well_are_not_told_of(watcher: Watcher, make_run: MakeRun) -> None:
    """
    Runs that ended, run, or had a NaN that went by, are nothing to look at.
    """
    for run_hash in ("ended", "running"):
        run = make_run(run_hash)
        for step in range(100):
            run.track(math.nan if step == 50 else math.exp(-step / 20), name="loss", step=step)
            run.track(math.nan, name="__system__gpu", step=step)
    run = make_run("ended")
    run.close()

    assert [] == watcher.ask()


def test_the_first_metric_that_was_lost_is_named(watcher: Watcher, make_run: MakeRun) -> None:
    """
    Of many metrics that are NaN the first one is told, with its step, and how many others there are.
    """
    run = make_run("odd")
    for step in range(100):
        run.track(math.inf if step >= 60 else 1.0, name="grad", step=step, context={"part": "head"})
        run.track(math.nan if step >= 62 else 1.0, name="loss", step=step)
        run.track(1.0, name="lr", step=step)
    [alert] = watcher.ask()

    assert ("nan", ("grad", {"part": "head"}), 60, math.inf, 1) == (
        alert.kind,
        alert.metric,
        alert.step,
        alert.value,
        alert.others,
    )
    assert alert.window is not None
    assert alert.window[0] < 60 < alert.window[1]


def test_an_alert_gets_worse_and_goes(watcher: Watcher, make_run: MakeRun) -> None:
    """
    One more metric that is lost raises the level of the same alert; a number after it takes it away.
    """
    run = make_run("odd")
    for step in range(5):
        run.track(1.0, name="loss", step=step)
        run.track(1.0, name="grad", step=step)
    run.track(math.nan, name="loss", step=5)
    [before] = watcher.ask()
    run.track(math.nan, name="grad", step=5)
    [worse] = watcher.ask()
    run.track(1.0, name="loss", step=6)
    run.track(1.0, name="grad", step=6)

    assert before.id == worse.id
    assert worse.level > before.level
    assert [] == watcher.ask()


def test_after_a_rewind_the_place_is_another(watcher: Watcher, make_run: MakeRun) -> None:
    """
    A run that was taken back and then is NaN again, from another step on, is told of that step, as something new.
    """
    run = make_run("odd")
    for step in range(10):
        run.track(math.nan if step >= 8 else 1.0, name="loss", step=step)
    [before] = watcher.ask()
    run.rewind(2)
    for step in range(3, 10):
        run.track(math.nan if step >= 5 else 1.0, name="loss", step=step)
    [after] = watcher.ask()

    assert (8, 5) == (before.step, after.step)
    assert before.id != after.id


def test_a_divergence_is_told_while_it_lasts(watcher: Watcher, make_run: MakeRun) -> None:
    """
    A loss that climbs away is told with its best level; one of a metric that may rise is not.
    """
    run = make_run("diverging")
    for step in range(200):
        loss = math.exp(-step / 20) + 0.1 if step < 150 else 0.1 + (step - 149) * 0.5
        run.track(loss, name="loss", step=step)
        run.track(loss, name="reward", step=step)
    [alert] = watcher.ask()

    assert ("diverged", ("loss", {}), 0) == (alert.kind, alert.metric, alert.others)
    assert alert.step is not None
    assert 150 <= alert.step <= 156
    assert alert.best == pytest.approx(0.1, abs=0.02)


def test_an_overdue_run_stands_still(watcher: Watcher, make_run: MakeRun) -> None:
    """
    A run that promised a sign within a minute is told after it, is worse the longer it takes, and well with the sign.
    """
    run = make_run("slow")
    run.report_progress(expect_next_in=60)
    assert [] == watcher.ask()
    [late] = watcher.ask(later_s=61)
    [later] = watcher.ask(later_s=3600)
    run.report_progress(expect_next_in=7200)

    assert ("stalled", late.id) == (late.kind, later.id)
    assert later.level > late.level
    assert [] == watcher.ask(later_s=3600)


def test_a_finished_report_owes_nothing(watcher: Watcher, make_run: MakeRun) -> None:
    """
    A run that says that its work is done, or that ends, is not overdue.
    """
    make_run("done").report_successful_finish()
    run = make_run("closed")
    run.report_progress(expect_next_in=1)
    run.close()

    assert [] == watcher.ask(later_s=100)


def test_a_silent_run_stands_still(watcher: Watcher, make_run: MakeRun) -> None:
    """
    Without a promise a run is told when its metrics were silent for long; any new point ends that.
    """
    run = make_run("silent")
    for step in range(50):
        run.track(1.0, name="loss", step=step)
    run.track(1.0, name="rare", step=0)
    assert [] == watcher.ask(later_s=60)
    [alert] = watcher.ask(later_s=300)
    [worse] = watcher.ask(later_s=3000)
    run.track(1.0, name="rare", step=1)

    assert ("stalled", ("loss", {}), 49, 120.0) == (alert.kind, alert.metric, alert.step, alert.limit_s)
    assert (alert.id, True) == (worse.id, worse.level > alert.level)
    assert [] == watcher.ask(later_s=60)


def test_failed_and_lost_runs_are_told_for_a_week(watcher: Watcher, make_run: MakeRun, tmp_path: Path) -> None:
    """
    A run that raised is told with its error, one whose process vanished as lost; both for a week, unless archived.
    """
    with pytest.raises(ValueError, match="no"), make_run("raised"):
        raise ValueError("no")
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    alerts = watcher.ask()

    assert [("gone", "lost"), ("raised", "failed")] == sorted(_kinds(alerts))
    assert "ValueError" in [alert.error for alert in alerts]
    assert [] == watcher.ask(later_s=ENDED_WITHIN_S + 60)
    Repository(tmp_path).edit("raised", {"property": {"archived": True}}, by="test")
    assert [("gone", "lost")] == _kinds(watcher.ask())


def test_points_are_read_once_for_each_state(watcher: Watcher, make_run: MakeRun) -> None:
    """
    Asked again, a repository that did not change costs no reading of points, and says the same.
    """
    run = make_run("odd")
    for step in range(100):
        run.track(math.nan, name="loss", step=step)
    before = watcher.ask()
    watcher.points.read = _no_reading  # type: ignore[method-assign,assignment]

    assert before == watcher.ask()
    assert 1 == len(before)


def _no_reading(*_: object) -> dict[object, object]:
    raise AssertionError("points were read")


def test_a_run_that_a_disk_refused_has_an_alert(watcher: Watcher) -> None:
    """
    It says what is lost, since when, and gets worse with the number of losses; the table of runs says it as well.
    """
    for count in (1, 1_000):
        writer = watcher.repository.new_run(f"lost-{count}")
        writer.refusals.reason = "No space left on device"
        for _ in range(count):
            writer.refusals.count_lost()
        writer.close()
    alerts = {alert.run_hash: alert for alert in watcher.ask()}

    assert {("losses", 0), ("losses", 4)} == {(alert.kind, alert.level) for alert in alerts.values()}
    assert "1,000 points are lost: No space left on device." == alerts["lost-1000"].error
    since_s = watcher.repository.readers.state("lost-1000").gaps[0].from_s
    assert since_s == alerts["lost-1000"].time_s
    rows = watcher.repository.questions().table(["hash", "losses"], sort="hash").rows
    assert {"hash": "lost-1", "losses": "1 point is lost: No space left on device."} == rows[0]
