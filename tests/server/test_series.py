"""
Curves as frames.
"""

from __future__ import annotations

import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.sdk.run import Run
from bench.repository import Size, build, seal_all
from tests.server.conftest import Browser, MakeBrowser, MakeRun
from tests.server.frames import Frame, read
from tests.storage.opened_files import OpenedFiles


def curves(browser: Browser, **request: Any) -> Frame:
    """Ask for curves."""
    return read(browser.bytes("series", request))


def track(run: Run, values: list[float], name: str = "loss", **more: Any) -> None:
    """Track values at the steps 0, 1, ..."""
    for step, value in enumerate(values):
        run.track(value, name=name, step=step, **more)


def test_curves_of_sealed_runs_cost_two_openings_a_run(tmp_path: Path, make_browser: MakeBrowser) -> None:
    """
    For all curves of sealed runs, each file is opened twice, for its end and for its points, and no lines are read.
    """
    repository = build(tmp_path / "demo", Size(5, params=5, sequences=8, points=1_000))
    seal_all(repository)
    for number, folder in enumerate(sorted((repository.files / "runs").iterdir())):
        os.utime(folder, (1e9 + number, 1e9 + number))  # old enough that its time counts
    browser = make_browser()
    everything = {"query": "run.archived in (True, False)"}
    browser.post("runs", everything)
    opened = OpenedFiles(repository.files / "runs")
    with opened.counting():
        frame = curves(browser, **everything)

    assert (40, 5) == (frame.header["total"], len(frame.header["runs"]))
    assert [] == [name for name in opened.names if not name.endswith(".parquet")]
    assert 10 == len(opened.names)
    with opened.counting():
        curves(browser, **everything, smooth=0.5)
    assert [] == opened.names


def test_a_frame_holds_every_point_of_short_curves(browser: Browser) -> None:
    """
    A curve with at most two points a bucket is sent whole, newest run first, with equal x stored once.
    """
    frame = curves(browser, metrics=[{"name": "loss"}])

    assert ["c", "b", "a"] == frame.header["runs"]
    assert (3, "i4", "f4") == (frame.header["total"], frame.header["x"], frame.header["y"])
    assert [0, 0, 0] == frame.header["series"]["x"]
    assert list(range(10)) == frame.only("a").x
    assert np.arange(10).astype("f4") * np.float32(0.1) == pytest.approx(frame.only("a").y)


def test_no_spike_and_no_nan_is_lost(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A reduced curve has its extremes, NaN and infinities, and every point of it was recorded.
    """
    values = [math.sin(step / 50) for step in range(5000)]
    values[1234], values[4321], values[777], values[778] = 99.0, -99.0, math.nan, math.inf
    run = make_run("spiky")
    track(run, values)
    run.close()
    line = curves(make_browser(), metrics=[{"name": "loss"}], buckets=20).only("spiky")

    assert (5000, 1, 1) == (line.points, line.nan, line.inf)
    assert len(line.x) <= 20 * 7
    assert {99.0, -99.0, math.inf} <= set(line.y)
    assert math.isnan(line.y[line.x.index(777)])
    assert all(np.float32(values[int(x)]) == y or x == 777 for x, y in zip(line.x, line.y, strict=True))


def test_a_window_has_its_neighbours_and_more_detail(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A small window has all its points, and one more on each side, so that lines reach the edge.
    """
    run = make_run("long")
    track(run, [float(step % 7) for step in range(3000)])
    run.close()
    browser = make_browser()

    assert len(curves(browser, metrics=[{"name": "loss"}], buckets=10).only("long").x) < 100
    line = curves(browser, metrics=[{"name": "loss"}], buckets=10, window=[1000, 1009]).only("long")
    assert list(range(999, 1011)) == line.x
    assert 10 == line.points


def test_smoothing_is_over_all_points_and_skips_what_is_not_finite(
    make_run: MakeRun, make_browser: MakeBrowser
) -> None:
    """
    The smooth part is the debiased exponential mean over all points, even if the line is reduced.
    """
    values = [1.0, 3.0, math.nan, 5.0, *([2.0] * 3000)]
    run = make_run("rough")
    track(run, values)
    run.close()
    frame = curves(make_browser(), metrics=[{"name": "loss"}], smooth=0.5, buckets=4)
    smooth = dict(zip(frame.only("rough", "smooth").x, frame.only("rough", "smooth").y, strict=True))

    assert frame.only("rough").x == frame.only("rough", "smooth").x
    assert 1.0 == smooth[0]
    mean, weight = 0.0, 0
    expected = {}
    for step, value in enumerate(values):
        if math.isfinite(value):
            mean, weight = 0.5 * mean + 0.5 * value, weight + 1
        expected[step] = mean / (1 - 0.5**weight)
    assert {x: pytest.approx(expected[int(x)]) for x in smooth} == smooth


def test_x_may_be_epoch_time_or_another_metric(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Points without an epoch or without a partner at their step are dropped.
    """
    run = make_run("r")
    run.track(5.0, name="loss", step=0)
    run.track(4.0, name="loss", step=1, epoch=0.5)
    run.track(3.0, name="loss", step=2, epoch=1)
    run.track(70.0, name="size", step=2)
    run.track(80.0, name="size", step=0)
    run.close()
    browser = make_browser()
    asked = {"metrics": [{"name": "loss"}]}

    assert ([0.5, 1.0], [4.0, 3.0]) == _xy(curves(browser, x="epoch", **asked))
    assert ([80.0, 70.0], [5.0, 3.0]) == _xy(curves(browser, x={"name": "size"}, **asked))
    relative = curves(browser, x="relative", **asked).only("r").x
    absolute = curves(browser, x="time", **asked).only("r").x
    assert 3 == len(relative)
    assert [absolute[2] - absolute[0]] == pytest.approx([relative[2] - relative[0]], abs=1e-5)


def _xy(frame: Frame) -> tuple[list[float], list[float]]:
    return frame.only("r").x, frame.only("r").y


def test_values_that_need_eight_bytes_are_sent_as_doubles(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    y is f8 when a curve's values are close to each other, or too large for f4.
    """
    close = make_run("close")
    track(close, [1_000_000.0, 1_000_000.01])
    close.close()
    browser = make_browser()

    assert ("f8", [1_000_000.0, 1_000_000.01]) == _kind_and_values(browser, "close")
    large = make_run("large")
    track(large, [1e300])
    large.close()
    assert ("f8", [1e300]) == _kind_and_values(browser, "large")


def _kind_and_values(browser: Browser, run: str) -> tuple[str, list[float]]:
    frame = curves(browser, runs=[run], metrics=[{"name": "loss"}])
    return frame.header["y"], frame.only(run).y


def test_a_step_beyond_four_bytes_is_sent_as_a_double(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    x is f8 when a step does not fit i4.
    """
    run = make_run("far")
    run.track(1.0, name="loss", step=2**40)
    run.close()
    frame = curves(make_browser())

    assert ("f8", [float(2**40)]) == (frame.header["x"], frame.only("far").x)


def realistic_params(number: int, seed: int) -> dict[str, object]:
    """Return 150 params of the setting *number*: a tree with lists, texts, and what a launcher adds."""
    options = {
        f"group_{group}": {f"option_{item}": (group, item, "fixed") for item in range(10)} for group in range(12)
    }
    varied = {f"ablation_{item}": number * item for item in range(12)}
    launcher = {"output_dir": f"/runs/{number}/{seed}", "host": f"node{seed % 2}", "slurm_job_id": 1000 * number + seed}
    setting = {"lr": 10.0**-number, "optimizer": ("adam", "sgd")[number % 2], "layers": [64] * (number + 1)}
    return {**options, **varied, **launcher, **setting, "seed": seed, "tracking_name": f"try {number}-{seed}"}


def record_seeds(make_run: MakeRun, *, settings: int, seeds: int) -> None:
    """Record a run for each setting and seed; only those of even seeds have the metric `acc`."""
    for number in range(settings):
        for seed in range(seeds):
            run = make_run(f"s{number}-{seed}", **realistic_params(number, seed))
            run.track(float(number), name="loss", step=0)
            if seed % 2 == 0:
                run.track(float(seed), name="acc", step=0)
            run.close()


def test_all_but_the_seed_is_a_group_with_a_hundred_and_fifty_params(
    make_run: MakeRun, make_browser: MakeBrowser
) -> None:
    """
    Runs that differ in the seed, and in what is of each run alone, are drawn as one; the header says what was ignored.
    """
    record_seeds(make_run, settings=3, seeds=4)
    browser = make_browser()
    aggregate = {"by": {"equal": "params"}, "band": "minmax"}
    loss = curves(browser, metrics=[{"name": "loss"}], aggregate=aggregate).header
    accuracy = curves(browser, metrics=[{"name": "acc"}], aggregate=aggregate).header

    assert [4, 4, 4] == [len(group["runs"]) for group in loss["groups"]]
    assert [2, 2, 2] == [len(group["runs"]) for group in accuracy["groups"]]
    assert {
        "output_dir": "machine",
        "host": "machine",
        "slurm_job_id": "machine",
        "seed": "seed",
        "tracking_name": "unique",
    } == {param["path"][-1]: param["why"] for param in loss["ignored"]}
    assert loss["ignored"] == accuracy["ignored"]
    assert {"lr", "optimizer", "layers", *(f"ablation_{item}" for item in range(1, 12))} == {
        key for *_, key in loss["by"]
    }
    keys = [dict(zip((key for *_, key in loss["by"]), group["key"], strict=True)) for group in loss["groups"]]
    assert [(0.01, [64, 64, 64]), (0.1, [64, 64]), (1.0, [64])] == [(key["lr"], key["layers"]) for key in keys]


def test_the_ignored_params_can_be_chosen(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A list of paths takes the place of the rule: without the seed in it each run is alone; with more, groups are larger.
    """
    record_seeds(make_run, settings=2, seeds=2)
    browser = make_browser()

    def group_sizes(ignored: list[str]) -> list[int]:
        paths = [["hparams", name] for name in ignored]
        header = curves(
            browser, metrics=[{"name": "loss"}], aggregate={"by": {"equal": "params", "ignored": paths}}
        ).header
        assert [{"path": path, "why": "chosen"} for path in paths] == header["ignored"]
        return [len(group["runs"]) for group in header["groups"]]

    launcher = ["output_dir", "host", "slurm_job_id", "tracking_name"]
    assert [1, 1, 1, 1] == group_sizes(launcher)
    assert [2, 2] == group_sizes([*launcher, "seed"])
    setting = ["lr", "optimizer", "layers", *(f"ablation_{item}" for item in range(12))]
    assert [4] == group_sizes([*launcher, *setting, "seed"])


def test_what_differs_is_the_setting_when_the_seed_does_not(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    With one recorded seed, a value that each run has for itself is not ignored; a fraction never is.
    """
    for number, batch_size in enumerate((32, 64, 128)):
        run = make_run(f"r{number}", batch_size=batch_size, seed=1, lr=0.5 / (number + 1))
        run.track(1.0, name="loss", step=0)
        run.close()
    browser = make_browser()
    header = curves(browser, metrics=[{"name": "loss"}], aggregate={"by": {"equal": "params"}}).header

    assert ([], 3) == (header["ignored"], len(header["groups"]))


@pytest.mark.parametrize("by", [{}, {"equal": "runs"}, {"equal": "params", "ignored": ["seed"]}])
def test_groups_of_another_form_are_refused(browser: Browser, by: object) -> None:
    """
    `by` is a list of fields, or `equal` with the paths of params.
    """
    body = {"metrics": [{"name": "loss"}], "aggregate": {"by": by}}

    assert "`aggregate.by" in browser.post("series", body, status=400)["message"]


def test_an_equal_request_of_one_state_is_answered_with_the_same_bytes(
    make_run: MakeRun, make_browser: MakeBrowser
) -> None:
    """
    The time that the drawing took is in the frame, so equal bytes were drawn once; a change of a run draws anew.
    """
    run = make_run("r")
    track(run, [1.0, 2.0])
    browser = make_browser()
    first = browser.bytes("series", {"metrics": [{"name": "loss"}]})

    assert first == browser.bytes("series", {"metrics": [{"name": "loss"}]})
    assert first != browser.bytes("series", {"metrics": [{"name": "loss"}], "smooth": 0.5})
    run.track(3.0, name="loss", step=2)
    assert [1.0, 2.0, 3.0] == curves(browser, metrics=[{"name": "loss"}]).only("r").y


def test_runs_of_equal_fields_are_drawn_as_one(browser: Browser) -> None:
    """
    An aggregate has a line and a band for each group, and the runs of the group.
    """
    by = [["param", "hparams", "optimizer"]]
    aggregate = {"by": by, "value": "mean", "band": "minmax"}
    frame = curves(browser, metrics=[{"name": "loss"}], aggregate=aggregate)
    sgd = {part.part: part for part in frame.parts if part.group == 0}

    assert [{"key": ["sgd"], "runs": [0, 1]}, {"key": ["adam"], "runs": [2]}] == frame.header["groups"]
    assert pytest.approx([(0.01 + 0.001) / 2 * step for step in range(10)]) == sgd["line"].y
    assert pytest.approx([0.001 * step for step in range(10)]) == sgd["low"].y
    assert pytest.approx([0.01 * step for step in range(10)]) == sgd["high"].y
    assert 20 == sgd["line"].points


def test_only_the_tail_of_a_live_curve_is_sent_again(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A request with the cursor of the last answer gets the points recorded since then, which replace all from there on.
    """
    run = make_run("live")
    track(run, [float(step) for step in range(100)])
    browser = make_browser()
    first = curves(browser)
    assert [] == curves(browser, since=first.header["cursor"]).parts
    for step in (100, 101):
        run.track(float(step), name="loss", step=step)
    later = curves(browser, since=first.header["cursor"])

    assert ["live"] == later.header["runs"]
    assert (100.0, [100, 101], [100.0, 101.0], 102) == (
        later.only("live").begins_at,
        later.only("live").x,
        later.only("live").y,
        later.only("live").points,
    )
    assert [] == curves(browser, since=later.header["cursor"]).parts


def test_after_a_rewritten_point_the_whole_curve_is_sent(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    When a point that was sent has changed, the whole curve is sent again.
    """
    run = make_run("live")
    track(run, [float(step) for step in range(50)])
    browser = make_browser()
    first = curves(browser)
    run.track(-1.0, name="loss", step=7)
    run.track(50.0, name="loss", step=50)
    later = curves(browser, since=first.header["cursor"])

    assert (None, 51, -1.0) == (later.only("live").begins_at, len(later.only("live").x), later.only("live").y[7])


def test_with_an_unknown_cursor_all_curves_are_sent(browser: Browser) -> None:
    """
    A cursor from before a restart of the server is not an error.
    """
    assert 6 == len(curves(browser, since="0123abcd.7").parts)


def test_system_metrics_are_sent_only_by_name(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Without a list of metrics those of the machine are left out.
    """
    run = make_run("r")
    run.track(50.0, name="__system__cpu", step=0)
    run.track(1.0, name="loss", step=0)
    run.close()
    browser = make_browser()

    assert ["loss"] == [part.metric for part in curves(browser).parts]
    assert ["__system__cpu"] == [part.metric for part in curves(browser, metrics=[{"name": "__system__cpu"}]).parts]


def test_a_query_about_images_draws_no_curve(browser: Browser) -> None:
    """
    Metrics do not match a query about images.
    """
    assert 0 == curves(browser, query="images.name == 'loss'").header["total"]


def test_limit_selects_the_newest_runs(browser: Browser) -> None:
    """
    Above `limit` the curves of the newest runs are sent; `total` counts all curves, `sent` those that were sent.
    """
    frame = curves(browser, metrics=[{"name": "loss"}], limit=1)

    assert (["c"], 3, 1) == (frame.header["runs"], frame.header["total"], frame.header["sent"])
    assert "sent" not in curves(browser, metrics=[{"name": "loss"}], limit=3).header


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        ({"smooth": 1}, "`smooth`"),
        ({"buckets": 0}, "`buckets` must be 1 or more"),
        ({"window": [2, 1]}, "`window`"),
        ({"x": "hours"}, "`x` must be one of step, epoch, time, relative"),
        ({"metrics": [{"context": {}}]}, "`metrics[0]`"),
        ({"aggregate": {"value": "mode"}}, "`aggregate.value`"),
        ({"query": "x" * 30_000}, "`query` has 30,000 characters"),
    ],
)
def test_a_wrong_request_is_refused(browser: Browser, request_body: dict[str, Any], message: str) -> None:
    """
    The error names what is wrong.
    """
    error = browser.post("series", request_body, status=400)

    assert "request" == error["kind"]
    assert error["message"].startswith(message)


def test_many_pages_at_once_see_what_one_sees(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Many requests at once for curves and runs get whole answers while a run records.
    """
    run = make_run("live")
    track(run, [float(step) for step in range(300)])
    browser = make_browser()
    stop = threading.Event()

    def record() -> None:
        step = 300
        while not stop.is_set() and step < 15_000:
            run.track(float(step), name="loss", step=step)
            step += 1

    def ask(number: int) -> bool:
        if number % 3 == 0:
            answer = browser.post("runs", {"query": "metric.name == 'loss' and metric.values[-1] >= 0"})
            return bool(["live"] == answer["hash"])
        line = curves(browser, buckets=10_000).only("live")
        return line.x == line.y == [float(step) for step in range(len(line.x))] and len(line.x) >= 300

    writer = threading.Thread(target=record)
    writer.start()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(60)))
    stop.set()
    writer.join()

    assert [True] * 60 == answers
