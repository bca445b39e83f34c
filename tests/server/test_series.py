"""
Curves as frames.
"""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from aim.sdk.run import Run
from tests.server.conftest import Browser, MakeBrowser, MakeRun
from tests.server.frames import Frame, read


def curves(browser: Browser, **request: Any) -> Frame:
    """Ask for curves."""
    return read(browser.bytes("series", request))


def track(run: Run, values: list[float], name: str = "loss", **more: Any) -> None:
    """Track values at the steps 0, 1, ..."""
    for step, value in enumerate(values):
        run.track(value, name=name, step=step, **more)


def test_a_frame_holds_every_point_of_short_curves(browser: Browser) -> None:
    """
    A curve with no more points than two a bucket comes whole, newest run first, x stored once for all.
    """
    frame = curves(browser, metrics=[{"name": "loss"}])

    assert ["c", "b", "a"] == frame.header["runs"]
    assert (3, "i4", "f4") == (frame.header["total"], frame.header["x"], frame.header["y"])
    assert [0, 0, 0] == frame.header["series"]["x"]
    assert list(range(10)) == frame.of("a").x
    assert np.arange(10).astype("f4") * np.float32(0.1) == pytest.approx(frame.of("a").y)


def test_no_spike_and_no_nan_is_lost(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    However coarse a curve is asked for, its extremes, NaN and infinities are among the points, and each was recorded.
    """
    values = [math.sin(step / 50) for step in range(5000)]
    values[1234], values[4321], values[777], values[778] = 99.0, -99.0, math.nan, math.inf
    run = make_run("spiky")
    track(run, values)
    run.close()
    line = curves(make_browser(), metrics=[{"name": "loss"}], buckets=20).of("spiky")

    assert (5000, 1, 1) == (line.points, line.nan, line.inf)
    assert len(line.x) <= 20 * 7
    assert {99.0, -99.0, math.inf} <= set(line.y)
    assert math.isnan(line.y[line.x.index(777)])
    assert all(np.float32(values[int(x)]) == y or x == 777 for x, y in zip(line.x, line.y, strict=True))


def test_a_window_comes_with_its_neighbours_and_more_detail(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Zooming in gives all points of the window when they fit, and one more on each side, so that lines reach the edge.
    """
    run = make_run("long")
    track(run, [float(step % 7) for step in range(3000)])
    run.close()
    browser = make_browser()

    assert len(curves(browser, metrics=[{"name": "loss"}], buckets=10).of("long").x) < 100
    line = curves(browser, metrics=[{"name": "loss"}], buckets=10, window=[1000, 1009]).of("long")
    assert list(range(999, 1011)) == line.x
    assert 10 == line.points


def test_smoothing_is_over_all_points_and_skips_what_is_not_finite(
    make_run: MakeRun, make_browser: MakeBrowser
) -> None:
    """
    The smooth part is the debiased exponential mean over all points, also where the line was reduced.
    """
    values = [1.0, 3.0, math.nan, 5.0, *([2.0] * 3000)]
    run = make_run("rough")
    track(run, values)
    run.close()
    frame = curves(make_browser(), metrics=[{"name": "loss"}], smooth=0.5, buckets=4)
    smooth = dict(zip(frame.of("rough", "smooth").x, frame.of("rough", "smooth").y, strict=True))

    assert frame.of("rough").x == frame.of("rough", "smooth").x
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
    relative = curves(browser, x="relative", **asked).of("r").x
    absolute = curves(browser, x="time", **asked).of("r").x
    assert 3 == len(relative)
    assert [absolute[2] - absolute[0]] == pytest.approx([relative[2] - relative[0]], abs=1e-5)


def _xy(frame: Frame) -> tuple[list[float], list[float]]:
    return frame.of("r").x, frame.of("r").y


def test_values_that_four_bytes_would_blur_come_as_eight(make_run: MakeRun, make_browser: MakeBrowser) -> None:
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
    return frame.header["y"], frame.of(run).y


def test_a_step_beyond_four_bytes_comes_as_a_double(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    x is f8 when a step does not fit i4.
    """
    run = make_run("far")
    run.track(1.0, name="loss", step=2**40)
    run.close()
    frame = curves(make_browser())

    assert ("f8", [float(2**40)]) == (frame.header["x"], frame.of("far").x)


def test_runs_of_equal_fields_are_drawn_as_one(browser: Browser) -> None:
    """
    An aggregate gives a line and its band for each group, and says which runs are in it.
    """
    by = [["param", "hparams", "optimizer"]]
    aggregate = {"by": by, "value": "mean", "band": "minmax"}
    frame = curves(browser, metrics=[{"name": "loss"}], aggregate=aggregate)
    sgd = {one.part: one for one in frame.parts if one.group == 0}

    assert [{"key": ["sgd"], "runs": [0, 1]}, {"key": ["adam"], "runs": [2]}] == frame.header["groups"]
    assert pytest.approx([(0.01 + 0.001) / 2 * step for step in range(10)]) == sgd["line"].y
    assert pytest.approx([0.001 * step for step in range(10)]) == sgd["low"].y
    assert pytest.approx([0.01 * step for step in range(10)]) == sgd["high"].y
    assert 20 == sgd["line"].points


def test_only_the_rest_of_a_live_curve_is_sent_again(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Who asks with the cursor of the last answer gets the points recorded since, to be put in place of all from there on.
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
        later.of("live").begins_at,
        later.of("live").x,
        later.of("live").y,
        later.of("live").points,
    )
    assert [] == curves(browser, since=later.header["cursor"]).parts


def test_a_rewritten_point_makes_the_whole_curve_come(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    When what was sent is no longer true, the whole curve is sent again.
    """
    run = make_run("live")
    track(run, [float(step) for step in range(50)])
    browser = make_browser()
    first = curves(browser)
    run.track(-1.0, name="loss", step=7)
    run.track(50.0, name="loss", step=50)
    later = curves(browser, since=first.header["cursor"])

    assert (None, 51, -1.0) == (later.of("live").begins_at, len(later.of("live").x), later.of("live").y[7])


def test_an_unknown_cursor_gives_everything(browser: Browser) -> None:
    """
    A cursor of another start of the server is not an error: all curves come.
    """
    assert 6 == len(curves(browser, since="0123abcd.7").parts)


def test_system_metrics_come_only_when_they_are_named(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Without a list of metrics those of the system are left out.
    """
    run = make_run("r")
    run.track(50.0, name="__system__cpu", step=0)
    run.track(1.0, name="loss", step=0)
    run.close()
    browser = make_browser()

    assert ["loss"] == [one.metric for one in curves(browser).parts]
    assert ["__system__cpu"] == [one.metric for one in curves(browser, metrics=[{"name": "__system__cpu"}]).parts]


def test_a_query_about_images_draws_no_curve(browser: Browser) -> None:
    """
    Sequences of other types than the query names do not match.
    """
    assert 0 == curves(browser, query="images.name == 'loss'").header["total"]


def test_limit_takes_the_newest_runs(browser: Browser) -> None:
    """
    Of more curves than `limit` those of the newest runs come; `total` tells of all, `sent` of these, if they differ.
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
    What is wrong in a request is named.
    """
    error = browser.post("series", request_body, status=400)

    assert "request" == error["kind"]
    assert error["message"].startswith(message)


def test_many_pages_at_once_see_what_one_sees(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Curves, queries over values, objects and runs asked for by many at once, while a run records, are whole and equal.
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
            found = browser.post("runs", {"query": "metric.name == 'loss' and metric.values[-1] >= 0"})
            return bool(["live"] == found["hash"])
        line = curves(browser, buckets=10_000).of("live")
        return line.x == line.y == [float(step) for step in range(len(line.x))] and len(line.x) >= 300

    writer = threading.Thread(target=record)
    writer.start()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(60)))
    stop.set()
    writer.join()

    assert [True] * 60 == answers
