"""
Live updates, and the end of the server.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aim.server.live import event_text
from tests.server.conftest import Browser, MakeBrowser, MakeRun


@contextmanager
def events(browser: Browser, address: str = "events", **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
    """Listen, and go through the data of the ticks as they come."""
    with browser.client.stream("GET", browser.base + address, headers=headers) as answer:
        assert "text/event-stream" == answer.headers["content-type"].partition(";")[0]
        yield (json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))


def test_a_page_without_a_cursor_is_told_at_once(browser: Browser) -> None:
    """
    The first tick comes without waiting for a change, and says that anything may have changed.
    """
    with events(browser) as ticks:
        tick = next(ticks)

    assert (None, [], 3, 0) == (tick["changed"], tick["removed"], tick["total"], tick["live"])
    assert tick["cursor"] == browser.post("runs", {})["cursor"]


def test_new_points_and_new_and_deleted_runs_are_told(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Each tick names the runs that changed or are gone since the one before.
    """
    run = make_run("live")
    run.track(1.0, name="loss")
    make_run("old").close()
    browser = make_browser()
    with events(browser) as ticks:
        next(ticks)
        run.track(0.5, name="loss")
        tick = next(ticks)
        assert (["live"], [], 2, 1) == (tick["changed"], tick["removed"], tick["total"], tick["live"])
        make_run("new")
        assert "new" in next(ticks)["changed"]
        browser.post("edits", {"runs": ["old"], "change": {"deleted": True}})
        assert ["old"] == next(tick for tick in ticks if tick["removed"])["removed"]
        run.close()
        assert 1 == next(tick for tick in ticks if tick["live"] < 2)["live"]


def test_after_a_break_only_what_was_missed_is_told(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A browser that comes back with Last-Event-ID hears of the changes since then, and of no others.
    """
    for run_hash in ("a", "b"):
        make_run(run_hash).close()
    browser = make_browser()
    cursor = browser.post("runs", {})["cursor"]
    browser.post("edits", {"runs": ["b"], "change": {"name": "later"}})
    with events(browser, "events?cursor=unknown", **{"Last-Event-ID": cursor}) as ticks:
        tick = next(ticks)

    assert ["b"] == tick["changed"]


def test_a_stream_ends_with_its_repository(root: Path, make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    When the folder is moved nothing is live, and the next request is told why; when it is back there is a stream again.
    """
    make_run("a").close()
    browser = make_browser()
    with events(browser) as ticks:
        next(ticks)
        (root / ".aim").rename(root / "moved")
        assert [] == list(ticks)
    browser.get("events", status=404)
    (root / "moved").rename(root / ".aim")
    with events(browser) as ticks:
        assert 1 == next(ticks)["total"]


def test_an_open_stream_does_not_keep_the_server(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    When the server is told to stop, streams end and nothing runs on.
    """
    make_run("a").close()
    browser = make_browser()
    with events(browser) as ticks:
        next(ticks)
        assert browser.server.stop()
        assert [] == list(ticks)


def test_an_event_is_written_as_browsers_read_it() -> None:
    """
    An event has a name, an id if it is a state, and one line of data.
    """
    assert b'event: tick\nid: 7\ndata: {"a":"x\\ny"}\n\n' == event_text("tick", {"a": "x\ny"}, "7")
    assert b"event: reload\ndata: {}\n\n" == event_text("reload", {})


def test_a_large_repository_is_shown_while_it_is_read(
    make_run: MakeRun, make_browser: MakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Without a catalogue the first answers have the newest runs and say how many there are; an export waits for all.
    """
    for place, run_hash in enumerate(("a", "b", "c")):
        run = make_run(run_hash)
        run.track(1.0, name="loss")
        run.close()
        os.utime(run.repo.path + f"/runs/{run_hash}", (place, place))
    monkeypatch.setattr("aim.storage.catalogue.catalogue.BATCH_RUNS", 1)
    monkeypatch.setattr("aim.engine.live_catalogue.PASS_S", 0.0)
    monkeypatch.setattr(
        "aim.engine.live_catalogue.YIELD_S", 600.0
    )  # the thread that reads on is told to end, or never does
    browser = make_browser()
    runs = browser.post("runs", {})

    assert ([1, 3], ["c"], 1) == (runs["indexing"], runs["hash"], runs["total"])
    assert [(3, [1, 3])] == [
        (repo["runs"], repo["indexing"]) for repo in browser.client.get("api/info").json()["repos"]
    ]
    with events(browser) as ticks:
        tick = next(ticks)
    assert ([1, 3], 1) == (tick["indexing"], tick["total"])
    assert ["c", "b", "a"] == [row["hash"] for row in browser.get("export/runs.json")]


def test_the_end_of_the_first_reading_is_told(
    make_run: MakeRun, make_browser: MakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Ticks tell how far the reading is, and that it has ended; then all runs are there.
    """
    for place in range(6):
        make_run(f"r{place}").close()
    monkeypatch.setattr("aim.storage.catalogue.catalogue.BATCH_RUNS", 1)
    monkeypatch.setattr("aim.engine.live_catalogue.PASS_S", 0.0)
    told: list[tuple[str, int, int]] = []
    browser = make_browser(progress=lambda *how_far: told.append(how_far))
    with events(browser) as ticks:
        seen = []
        for tick in ticks:
            seen.append(tick)
            if tick["indexing"] is None:
                break

    assert {None} == {tick["changed"] for tick in seen}
    assert 6 == seen[-1]["total"]
    assert ["r0", "r1", "r2", "r3", "r4", "r5"] == sorted(browser.post("runs", {})["hash"])
    assert [("demo", done, 6) for done in range(1, 7)] == told
