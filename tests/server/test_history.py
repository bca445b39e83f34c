"""
Rewound runs, forks and deleted points as the pages see them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aim.sdk.objects.image import Image
from aim.sdk.objects.text import Text
from aim.sdk.run import Run
from tests.server.conftest import Browser, MakeBrowser, MakeRun
from tests.server.frames import Frame, read

VAL = {"subset": "val"}
PIXELS = np.zeros((4, 4), np.uint8)


def curves(browser: Browser, **request: Any) -> Frame:
    """Ask for curves."""
    return read(browser.bytes("series", request))


def branches(frame: Frame) -> list[tuple[int | None, list[float]]]:
    """Return branch and values of each part."""
    return [(branch, part.y) for branch, part in zip(frame.header["series"]["branch"], frame.parts, strict=True)]


@pytest.fixture(name="rewound")
def _rewound(make_run: MakeRun) -> Run:
    """
    A live run that was taken back twice.
    """
    run = make_run("r")
    for value in range(5):
        run.track(float(value), name="loss")
    run.rewind(2)
    run.track(30.0, name="loss")
    run.rewind(1)
    run.track(20.0, name="loss")
    return run


def test_curves_and_summaries_are_those_of_now(rewound: Run, make_browser: MakeBrowser) -> None:
    """
    Curves, the run's page, tables and exports have no hidden points; the page lists the rewinds.
    """
    browser = make_browser()
    page = browser.get("runs/r")
    (loss,) = page["sequences"]
    rows = browser.bytes('export/series.csv?request={"query":""}').decode().splitlines()[1:]

    assert [0.0, 1.0, 20.0] == curves(browser).only("r").y
    assert (3, 20.0, 2, 20.0) == (loss["count"], loss["last"], loss["last_step"], loss["max"])
    assert ["0.0", "1.0", "20.0"] == [row.split(",")[-1] for row in rows]
    assert [{"step": rewind.step, "time": rewind.time_s} for rewind in rewound.rewinds] == page["rewinds"]
    assert page["forked_from"] is None
    assert ["r"] == browser.post("runs", {"query": "metric.last == 20 and metric.values[1] == 1"})["hash"]


def test_branches_are_sent_on_request(rewound: Run, make_browser: MakeBrowser) -> None:
    """
    With `branches` each series is followed by itself as it was before the latest rewinds, oldest first.
    """
    browser = make_browser()
    now, first, second = [0.0, 1.0, 20.0], [0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 30.0]

    assert [(None, now), (0, first), (1, second)] == branches(curves(browser, branches=50))
    assert [(None, now), (1, second)] == branches(curves(browser, branches=1))
    assert "branch" not in curves(browser).header["series"]
    assert [0.0, 1.0, 2.0, 3.0, 4.0] == curves(browser, branches=2, x="relative").parts[1].y
    assert 4 == len(curves(browser, branches=1, smooth=0.5).parts)
    error = browser.post("series", {"branches": 51}, status=400)
    assert error["message"].startswith("`branches`")


def test_a_branch_leaves_out_what_was_deleted_since(rewound: Run, make_browser: MakeBrowser) -> None:
    """
    A deleted point is not in branches that were read before; undo restores it.
    """
    browser = make_browser()
    curves(browser, branches=50)
    change = {"points": [{"name": "loss", "context": {}, "steps": [1]}]}
    done = browser.post("edits", {"runs": ["r"], "change": change})
    hidden = branches(curves(browser, branches=50))
    browser.post("undo", {"undo": done["undo"]})

    assert 1 == done["count"]
    assert [(None, [0.0, 20.0]), (0, [0.0, 2.0, 3.0, 4.0]), (1, [0.0, 2.0, 30.0])] == hidden
    assert [0.0, 1.0, 2.0, 30.0] == curves(browser, branches=50).parts[2].y


def test_after_a_rewind_all_series_are_sent(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A request with a cursor from before a rewind is answered with all series, so that deleted series vanish;
    the next one with tails again.
    """
    run = make_run("r")
    for value in range(100):
        run.track(float(value), name="loss")
    run.track(1.0, name="late", step=60)
    other = make_run("other")
    other.track(5.0, name="loss")
    browser = make_browser()
    first = curves(browser)
    run.rewind(49)
    run.track(-1.0, name="loss")
    second = curves(browser, since=first.header["cursor"])
    run.track(-2.0, name="loss")
    third = curves(browser, since=second.header["cursor"])

    assert {("r", "loss"), ("r", "late"), ("other", "loss")} == {(part.run, part.metric) for part in first.parts}
    assert second.header["whole"] is True
    assert {("r", "loss"), ("other", "loss")} == {(part.run, part.metric) for part in second.parts}
    assert (None, 51, -1.0) == (second.only("r").begins_at, len(second.only("r").x), second.only("r").y[-1])
    assert "whole" not in third.header
    assert (51.0, [-2.0]) == (third.only("r").begins_at, third.only("r").y)
    assert curves(browser, runs=["other"], since=first.header["cursor"]).parts == []
    assert "whole" not in curves(browser, runs=["other"], since=first.header["cursor"]).header


def test_a_fork_says_where_it_came_from(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    The page of a forked run names its parent and step.
    """
    run = make_run("r")
    for value in range(5):
        run.track(float(value), name="loss")
    child = run.fork(2, system_tracking_interval=None, capture_terminal_logs=False)
    child.close()
    browser = make_browser()
    page = browser.get(f"runs/{child.hash}")

    assert child.forked_from is not None
    assert {"run": "r", "step": 2, "time": child.forked_from.time_s} == page["forked_from"]
    assert [0.0, 1.0, 2.0] == curves(browser).only(child.hash).y


def test_a_deleted_object_is_not_sent(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A deleted image is in no answer, and neither its bytes nor its thumbnail are sent; undo restores all of them.
    """
    run = make_run("r")
    for step in range(3):
        run.track([Image(PIXELS, caption=f"{step}-{index}") for index in range(3)], name="mistakes", step=step)
        run.track(Text(f"said {step}"), name="said", step=step)
    run.close()
    browser = make_browser()

    def items(kind: str, name: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = browser.post("objects", {"type": kind})["items"]
        return [item for item in listed if name in item]

    before = {item["caption"]: item["blob"] for item in items("images", "blob")}
    assert {200} == {browser.client.get(f"{browser.base}thumbs/{blob}").status_code for blob in before.values()}
    points = [{"name": "mistakes", "context": {}, "steps": [1], "items": [0]}, {"name": "said", "steps": [2]}]
    done = browser.post("edits", {"runs": ["r"], "change": {"points": points}})
    after = items("images", "blob")

    assert 2 == done["count"]
    assert before.keys() - {"1-0"} == {item["caption"] for item in after}
    assert [(1, 1), (1, 2)] == [(item["step"], item["index"]) for item in after if item["step"] == 1]
    assert ["said 0", "said 1"] == [item["text"] for item in items("texts", "text")]
    for path in (f"blobs/{before['1-0']}", f"thumbs/{before['1-0']}"):
        assert "not-found" == browser.get(path, status=404)["kind"]
    assert 200 == browser.client.get(f"{browser.base}blobs/{before['1-1']}").status_code

    browser.post("undo", {"undo": done["undo"]})
    assert before == {item["caption"]: item["blob"] for item in items("images", "blob")}
    assert 200 == browser.client.get(f"{browser.base}blobs/{before['1-0']}").status_code


def test_a_deleted_object_of_a_run_recorded_again_is_not_sent(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    After a run was deleted and recorded again under its hash, the deletions of the new run count.
    """
    browser: Browser | None = None
    statuses = []
    for _ in range(2):
        run = make_run("r")
        run.track(Image(PIXELS), name="mistakes", step=0)
        run.close()
        browser = browser or make_browser()
        blob = browser.post("objects", {"type": "images"})["items"][0]["blob"]
        browser.post("edits", {"runs": ["r"], "change": {"points": [{"name": "mistakes", "steps": [0]}]}})
        statuses.append(browser.client.get(f"{browser.base}blobs/{blob}").status_code)
        browser.post("edits", {"runs": ["r"], "change": {"deleted": True}})

    assert [404, 404] == statuses


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": [], "name": "x"}, "`points` must stand alone"),
        ({"points": [{"context": {}}]}, "`change.points[0]`"),
        ({"points": [{"name": "loss", "steps": []}]}, "`change.points[0].steps`"),
        ({"points": [{"name": "loss", "steps": ["a"]}]}, "`change.points[0].steps[0]`"),
        ({"points": [{"name": "loss", "context": VAL, "steps": [1], "items": [0]}]}, "'loss' holds float"),
    ],
)
def test_a_wrong_deletion_is_refused(browser: Browser, change: dict[str, Any], message: str) -> None:
    """
    The error names what is wrong in a deletion, and nothing is deleted.
    """
    error = browser.post("edits", {"runs": ["a"], "change": change}, status=400)

    assert message in error["message"]
    assert 10 == len(curves(browser).only("a").y)


def test_nothing_is_deleted_from_a_read_only_repository(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    With `--read-only` no point can be deleted.
    """
    make_run("r").track(1.0, name="loss")
    browser = make_browser(read_only=True)
    change = {"points": [{"name": "loss", "steps": [0]}]}

    assert "read-only" == browser.post("edits", {"runs": ["r"], "change": change}, status=403)["kind"]
