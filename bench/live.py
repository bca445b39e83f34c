"""
A page that stands open while many runs record: its memory, its frames, and the reader's zoom.

    python -m bench live [--minutes 15] [--runs 30] [--metrics 50]

A process records *runs* runs with *metrics* metrics each, one step a second, and the machine's headless Chromium shows
the metrics page, zoomed. Once a minute the garbage is collected and the page is measured: its heap, its DOM nodes, its
listeners. In the last minute the browser traces its main thread: how long each task took, on the clock and as CPU time
of that thread, which is what it would take on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright import sync_api

from aim.engine.repository import Repository
from bench import report
from bench.server import serving
from bench.ui import browsing, page_of

MINUTES, RUNS, METRICS = 15.0, 30, 50
STEP_S = 1.0
WINDOW = (0, 10_000)
LONG_MS = 50
TRACED_S = 60.0
CATEGORIES = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]
GOALS = {"growth of the heap, MB": 5, "tasks over 50 ms of CPU": 0, "zoom": "untouched"}

# The longest pauses between two frames, and the tasks that the browser itself calls long.
WATCH = """
window.pauses_ms = [];
let before_ms = performance.now();
const frame = (now_ms) => {
    if (now_ms - before_ms > 50) window.pauses_ms.push(now_ms - before_ms);
    before_ms = now_ms;
    requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""
DRAWN = "document.querySelectorAll('.card [data-scales]').length >= 6"
SCALES = (
    "[...document.querySelectorAll('.card [data-scales]')].map((card) => JSON.parse(card.dataset.scales).x.slice(0, 2))"
)


def record(root: str, runs: int, metrics: int) -> None:
    """Record until the process is ended: one step of all metrics of all runs each second."""
    repository = Repository(Path(root), create=True)
    writers = [repository.new_run() for _ in range(runs)]
    sequences = [
        [writer.sequence(f"group{place % 5}/metric_{place}") for place in range(metrics)] for writer in writers
    ]
    begin_s, step = time.monotonic(), 0
    while True:
        for number, recorded in enumerate(sequences):
            for place, sequence in enumerate(recorded):
                sequence.track(1 / (1 + step / 50) + number / 100 + place, step=step)
        step += 1
        time.sleep(max(0.0, begin_s + step * STEP_S - time.monotonic()))


def state_of(session: sync_api.CDPSession) -> dict[str, float]:
    """Return what the page holds after its garbage was collected."""
    session.send("HeapProfiler.collectGarbage")
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    return {
        "heap MB": round(metrics["JSHeapUsedSize"] / 1e6, 2),
        "nodes": int(metrics["Nodes"]),
        "listeners": int(metrics["JSEventListeners"]),
        "main thread CPU s": round(metrics["TaskDuration"], 2),
    }


def tasks_of(trace: bytes) -> dict[str, float]:
    """Return how long the tasks of the main thread of the page took, on the clock and as CPU time."""
    events = json.loads(trace)["traceEvents"]
    names = {
        (event["pid"], event["tid"]): event["args"]["name"]
        for event in events
        if event.get("ph") == "M" and event.get("name") == "thread_name"
    }
    tasks = [
        event
        for event in events
        if event.get("ph") == "X"
        and event["name"].endswith("RunTask")
        and names.get((event["pid"], event["tid"])) == "CrRendererMain"
    ]
    cpu_ms = [event.get("tdur", 0) / 1e3 for event in tasks]
    clock_ms = [event.get("dur", 0) / 1e3 for event in tasks]
    return {
        "tasks": len(tasks),
        "longest ms of CPU": round(max(cpu_ms, default=0), 1),
        "tasks over 50 ms of CPU": sum(ms > LONG_MS for ms in cpu_ms),
        "longest ms on the clock": round(max(clock_ms, default=0), 1),
        "tasks over 50 ms on the clock": sum(ms > LONG_MS for ms in clock_ms),
    }


def watched(browser: sync_api.Browser, address: str, minutes: float) -> dict[str, Any]:
    """Look at the page for some minutes."""
    zoomed = f"{address}metrics?win={WINDOW[0]},{WINDOW[1]}"
    with page_of(browser, zoomed, WATCH) as page:
        page.wait_for_function(f"() => {DRAWN}")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.wait_for_timeout(20_000)
        begin_s = time.monotonic()
        scales = page.evaluate(SCALES)
        states = [{"minute": 0.0, **state_of(session)}]
        page.evaluate("window.pauses_ms.length = 0")
        while time.monotonic() - begin_s < minutes * 60 - TRACED_S:
            page.wait_for_timeout(min(60_000, max(1000, (begin_s + minutes * 60 - TRACED_S - time.monotonic()) * 1000)))
            states.append({"minute": round((time.monotonic() - begin_s) / 60, 1), **state_of(session)})
        pauses_ms = page.evaluate("window.pauses_ms")
        browser.start_tracing(page=page, categories=CATEGORIES)
        page.wait_for_timeout(TRACED_S * 1000)
        traced = tasks_of(browser.stop_tracing())
        steps = page.evaluate("document.querySelectorAll('.card .behind').length")
        return {
            "minutes": states,
            "heap growth MB": round(states[-1]["heap MB"] - states[min(1, len(states) - 1)]["heap MB"], 2),
            "nodes growth": states[-1]["nodes"] - states[min(1, len(states) - 1)]["nodes"],
            "listeners growth": states[-1]["listeners"] - states[min(1, len(states) - 1)]["listeners"],
            "zoom untouched": bool(scales) and scales == page.evaluate(SCALES)[: len(scales)],
            "cards that say they are behind": steps,
            "pauses of frames over 50 ms": len(pauses_ms),
            "longest pause ms": round(max(pauses_ms, default=0), 1),
            "last minute": traced,
        }


def main(words: list[str]) -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(prog="python -m bench live")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--metrics", type=int, default=METRICS)
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, browsing() as browser:
        os.environ["AIM_CACHE_DIR"] = str(Path(place) / "cache")
        root = Path(place) / "live"
        program = f"from bench.live import record; record({str(root)!r}, {options.runs}, {options.metrics})"
        recorder = subprocess.Popen([sys.executable, "-c", program])
        try:
            while not root.exists():
                time.sleep(0.2)
            with serving(root) as server:
                watch = watched(browser, server.base.split("api/")[0], options.minutes)
        finally:
            recorder.kill()
            recorder.wait()
    results = {
        "runs": options.runs,
        "metrics": options.metrics,
        "load of the machine": [round(share, 1) for share in os.getloadavg()],
        "goals": GOALS,
        **watch,
    }
    states = watch.pop("minutes")
    report.table(tuple(states[0]), [tuple(state.values()) for state in states])
    report.table(("", ""), [(name, value) for name, value in watch.items() if name != "last minute"])
    report.table(("the last minute", ""), list(watch["last minute"].items()))
    report.store("live", results)


if __name__ == "__main__":
    main(sys.argv[1:])
