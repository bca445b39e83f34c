"""
A page that stands open while runs record: it holds as much after many updates as after a few. `python -m bench live`
watches one for a quarter of an hour.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playwright import sync_api

from bench.live import DRAWN, SCALES, WINDOW, state_of
from tests.ui.conftest import WAIT_MS_MAX, Open, serving

RUNS, METRICS = 5, 12
UPDATES = 40
NODES_MORE_MAX = 60  # a tick may come between two looks


def test_a_page_that_stands_open_grows_by_nothing(open_page: Open, tmp_path: Path) -> None:
    """
    After forty more updates of its charts a page has the same listeners, as many nodes, and the reader's zoom.
    """
    root = tmp_path / "live"
    program = f"from bench.live import record; record({str(root)!r}, {RUNS}, {METRICS})"
    recorder = subprocess.Popen([sys.executable, "-c", program])
    try:
        with serving("--repo", str(tmp_path / "live"), "--yes") as address:
            page = open_page(f"{address}metrics?win={WINDOW[0]},{WINDOW[1]}")
            page.wait_for_function(f"() => {DRAWN}")
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            _updated(page)
            before, scales = state_of(session), page.evaluate(SCALES)
            _updated(page)
            after = state_of(session)
            assert scales == page.evaluate(SCALES)[: len(scales)]
            page.close()
    finally:
        recorder.kill()
        recorder.wait()

    assert before["listeners"] == after["listeners"]
    assert after["nodes"] <= before["nodes"] + NODES_MORE_MAX


def _updated(page: sync_api.Page) -> None:
    """Wait until the charts were updated `UPDATES` times."""
    for _ in range(UPDATES):
        page.wait_for_event("response", lambda answer: "/series?" in answer.url, timeout=WAIT_MS_MAX)
