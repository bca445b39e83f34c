"""
What the pages say of a run that a disk has cost something, of a repository that cannot be changed, and of times.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import zlib
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright import sync_api

from aim import Repo, Run, Text
from tests.ui.conftest import WAIT_MS_MAX, Open, in_both_themes, serving
from tests.ui.sweep import DESCRIPTION, PICTURES_RUN

expect = sync_api.expect
LOST = {"points": 4620, "lines": 1, "from": 1795380950.2, "until": 1795380960.7, "why": "No space left on device"}
ZONE = "Asia/Kathmandu"  # 5:45 before UTC, so that minutes differ too


def write_event(run: Run, event: dict[str, object]) -> None:
    """Write an event line of a run, as its writer would."""
    (events,) = Path(run.repo.path, "runs", run.hash).glob("*.events.jsonl")
    text = b"," + json.dumps({"at": time.time(), **event}, separators=(",", ":"))[1:].encode()
    with events.open("ab") as file:
        file.write(b'{"crc":"%08x"' % zlib.crc32(text) + text + b"\n")


@in_both_themes
def test_pages_say_what_a_disk_refused(open_page: Open, tmp_path: Path) -> None:
    """
    A sign beside the state in the table says that values are lost; on the run's page stands how much, when and why. The
    slider of over 2,000 steps says that it has evenly spread ones.
    """
    run = Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False)
    for step in range(2_500):
        run.track(Text("hello"), name="words", step=step)
    run.track(1.0, name="loss", step=0)
    run.close()
    write_event(run, {"gap": LOST})
    with serving("--repo", str(tmp_path)) as address:
        page = open_page(f"{address}text")
        expect(page.get_by_text("2,000 of 2,500 steps")).to_be_visible(timeout=WAIT_MS_MAX)
        page.goto(f"{address}runs")
        state = page.locator(".grid .row .state")
        expect(state.get_by_role("img")).to_have_accessible_name(re.compile("4,620 points"), timeout=WAIT_MS_MAX)
        page.goto(f"{address}run/{run.hash}")
        expect(page.locator(".run-head .title")).to_contain_text("4,620 points and 1 event line lost", timeout=60_000)
        panel = page.get_by_role("region", name="What is lost")
        expect(panel).to_contain_text("No space left on device")
        expect(panel).to_contain_text("from 2026-")
        page.close()


def test_a_repository_that_cannot_be_changed_says_so(open_page: Open, tmp_path: Path) -> None:
    """
    A server that refuses changes is marked in the bar of every page, and offers none.
    """
    run = Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False)
    run.track(1.0, name="loss", step=0)
    run.close()
    with serving("--repo", str(tmp_path), "--read-only") as address:
        page = open_page(f"{address}run/{run.hash}")
        expect(page.get_by_text("read-only", exact=True)).to_be_visible(timeout=60_000)
        expect(page.locator(".run-head h1")).to_be_visible(timeout=60_000)
        expect(page.get_by_role("button", name="Archive")).to_have_count(0)
        page.close()


@in_both_themes
def test_the_description_of_a_run_is_markdown(open_page: Open, sweep_server: str) -> None:
    """
    Headings, bold words and links stand as such, as in notes.
    """
    page = open_page(f'{sweep_server}runs?q=run.name == "{PICTURES_RUN}"')
    page.locator(".grid .row .name").first.click(timeout=60_000)
    description = page.locator(".panel", has=page.get_by_role("heading", name="Description"))
    expect(description.get_by_role("heading", name="A sweep")).to_be_visible(timeout=60_000)
    expect(description.locator("strong")).to_have_text("alike")
    expect(description.get_by_role("link", name="the notes")).to_have_attribute("href", "https://example.org/notes")
    description.get_by_role("button", name="Change the description").click()
    expect(description.get_by_role("textbox", name="Description")).to_have_value(DESCRIPTION)


def test_queries_are_on_the_clock_of_the_browser(open_page: Open, server: str, repository: Path) -> None:
    """
    Minutes of a run's beginning are those of the reader's zone, not those of the server.
    """
    begun = [
        datetime.fromtimestamp(found.run.creation_time, ZoneInfo(ZONE))
        for found in Repo(str(repository)).query_runs().iter_runs()
    ]
    minute = begun[0].minute
    count = sum(moment.minute == minute for moment in begun)
    page = open_page(server + "settings")
    page.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", {"timezoneId": ZONE})
    page.goto(f"{server}runs?q=run.created_at.minute == {minute}")

    expect(page.locator(".query .count")).to_contain_text(f"{count} run", timeout=60_000)


def test_a_failed_run_says_why_in_the_list(open_page: Open, tmp_path: Path) -> None:
    """
    Beside the state stands the exception, on a telephone too, and the run's page reads across the window there.
    """
    message = "CUDA out of memory. Tried to allocate 2.50 GiB; 74.31 GiB are allocated, and 1.12 GiB are free"
    program = (
        f"from aim import Run\nrun = Run(repo={str(tmp_path)!r}, system_tracking_interval=None)\n"
        f"run['lr'] = 0.1\nraise RuntimeError({message!r})"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 1
    with serving("--repo", str(tmp_path)) as address:
        page = open_page(f"{address}runs")
        page.set_viewport_size({"width": 390, "height": 800})
        why = page.locator(".grid .row .why")
        expect(why).to_have_text("RuntimeError")
        box = why.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
        page.locator(".grid .row .name").click()
        panel = page.get_by_role("region", name="Why it failed")
        expect(panel).to_contain_text(message)
        box = panel.locator(".message").bounding_box()
        assert box is not None
        assert box["width"] > 390 / 2
        page.close()
