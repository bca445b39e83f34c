"""
Live updates, and streams at the end of the server.
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
    """Listen, and go through the data of the ticks."""
    with browser.client.stream("GET", browser.base + address, headers=headers) as answer:
        assert "text/event-stream" == answer.headers["content-type"].partition(";")[0]
        yield (json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))


def test_a_page_without_a_cursor_gets_a_tick_at_once(browser: Browser) -> None:
    """
    The first tick is sent without a change, and says that any run may have changed.
    """
    with events(browser) as ticks:
        tick = next(ticks)

    assert (None, [], 3, 0) == (tick["changed"], tick["removed"], tick["total"], tick["live"])
    assert tick["cursor"] == browser.post("runs", {})["cursor"]


def test_ticks_name_changed_new_and_deleted_runs(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    Each tick names the runs that changed or were deleted since the tick before.
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


def test_after_a_reconnect_only_missed_changes_are_sent(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    With Last-Event-ID the first tick names the changes since that event, and no others.
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
    When the folder is moved the stream ends, and the next request is refused; when it is back, streams work again.
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


def test_an_open_stream_does_not_keep_the_server_running(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    When the server stops, streams end.
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
    Without a catalogue the first answers have the newest runs and the number of all; an export waits for all.
    """
    for age, run_hash in enumerate(("a", "b", "c")):
        run = make_run(run_hash)
        run.track(1.0, name="loss")
        run.close()
        os.utime(run.repo.path + f"/runs/{run_hash}", (age, age))
    monkeypatch.setattr("aim.storage.catalogue.catalogue_update.BATCH_RUNS", 1)
    monkeypatch.setattr("aim.engine.live_catalogue.PASS_S", 0.0)
    monkeypatch.setattr("aim.engine.live_catalogue.YIELD_S", 600.0)  # else the thread that reads on would end first
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


def test_ticks_report_the_progress_of_the_first_reading(
    make_run: MakeRun, make_browser: MakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Ticks report the progress of the first reading and its end; then answers have all runs.
    """
    for index in range(6):
        make_run(f"r{index}").close()
    monkeypatch.setattr("aim.storage.catalogue.catalogue_update.BATCH_RUNS", 1)
    monkeypatch.setattr("aim.engine.live_catalogue.PASS_S", 0.0)
    reports: list[tuple[str, int, int]] = []
    browser = make_browser(progress=lambda *how_far: reports.append(how_far))
    with events(browser) as ticks:
        seen = []
        for tick in ticks:
            seen.append(tick)
            if tick["indexing"] is None:
                break

    assert {None} == {tick["changed"] for tick in seen}
    assert 6 == seen[-1]["total"]
    assert ["r0", "r1", "r2", "r3", "r4", "r5"] == sorted(browser.post("runs", {})["hash"])
    assert [("demo", done, 6) for done in range(1, 7)] == reports


def test_a_document_that_anybody_writes_or_deletes_is_told(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    An annotation that is written, and one that is removed, send a tick each, with another stamp of the documents.
    """
    make_run("a").close()
    browser = make_browser()
    with events(browser) as ticks:
        stamps = [next(ticks)["documents"]]
        address = browser.base + "documents/annotation/drop"
        browser.client.put(address, json={"revision": None, "body": {"step": 3, "text": "lr dropped", "metric": None}})
        stamps.append(next(tick["documents"] for tick in ticks if tick["documents"] != stamps[-1]))
        browser.client.delete(address)
        stamps.append(next(tick["documents"] for tick in ticks if tick["documents"] != stamps[-1]))

    assert 3 == len(set(stamps))
