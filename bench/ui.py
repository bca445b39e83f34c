"""
What a person waits for in the browser: the first rows and charts, a chart of 1,000 curves, a hover, a zoom, scrolling.

    python -m bench ui [--aim3 PYTHON] [--runs 100 1000 10000]

*floor*: a page of one line, from the same server's loopback: what the browser itself takes. The goal of the first chart
is twice the floor, and of six charts three times.

The machine's headless Chromium, 1440 x 900, a new profile for each page, over the loopback. Times begin with the
navigation. A chart counts as painted when its pixels can be read back, so rasterising is in the figure. With `--aim3`,
an interpreter that has Aim 3.29.1, its `aim up` is opened on runs that its own SDK recorded, and ours on as many.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright import sync_api

from bench import report
from bench import repository as made
from bench.server import serving

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
LIMIT_MS = 120_000
RUNS = (100, 1_000, 10_000)
CHARTS = 9
CURVES, CURVE_POINTS = 1_000, 500
AIM3_RUNS, AIM3_METRICS, AIM3_STEPS = 100, CHARTS, 500
MOVES = 40
SCROLLS = 40
REPEATS = 3
EVERY_RUN = "run.archived in (True, False)"
GOALS = {"first row s, 10,000 runs": 1.0, "1,000 curves drawn ms": 500, "hover ms": 16, "first JavaScript kB": 120}

# Notes when each chart's pixels are there: a chart tells of each painting by an attribute.
WATCH = """
window.painted_ms = [];
new MutationObserver((changes) => {
    for (const { target } of changes) target.querySelector("canvas").getContext("2d").getImageData(0, 0, 1, 1);
    const { x } = JSON.parse(changes.at(-1).target.dataset.scales);
    window.painted_ms.push({ at_ms: performance.now(), highest: x[1] });
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-scales"] });
"""
OUR_ROW = "document.querySelector('.grid .row .name')"


def our_charts(count: int) -> str:
    """Return the condition that so many charts are drawn."""
    return f"""(() => {{
    const cards = [...document.querySelectorAll('.card')];
    const isDone = (card) => card.querySelector('[data-scales]') && !card.querySelector('.waiting');
    return cards.filter(isDone).length >= {count};
}})()"""


OUR_CHARTS = our_charts(CHARTS)
AIM3_ROW = "document.querySelector('.Table__cell.index-0')"
AIM3_CHARTS = "document.querySelectorAll('path[id^=Line-], path.Line').length >= {lines}"
SERIES = """performance.getEntriesByType('resource')
    .filter((one) => new URL(one.name).pathname.endsWith('/series'))"""
SCRIPT_BYTES = """performance.getEntriesByType('resource')
    .filter((one) => /[.]js([?]|$)/.test(one.name)).reduce((sum, one) => sum + one.encodedBodySize, 0)"""


@contextmanager
def browsing() -> Iterator[sync_api.Browser]:
    """Start the machine's Chromium, and end it."""
    path = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if path is None:
        raise SystemExit("There is no Chromium on this machine: apt install chromium.")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_ARGS)
        yield browser
        browser.close()


@contextmanager
def page_of(browser: sync_api.Browser, address: str, script: str = WATCH) -> Iterator[sync_api.Page]:
    """Open *address* as a new reader; nothing but that server is asked."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    home = "/".join(address.split("/")[:3]) + "/"
    context.route(lambda url: not url.startswith((home, "data:", "blob:")), lambda route: route.abort())
    context.add_init_script(script)
    page = context.new_page()
    page.set_default_timeout(LIMIT_MS)
    try:
        page.goto(address, wait_until="commit")
        yield page
    finally:
        context.close()


def seconds_until(page: sync_api.Page, condition: str) -> float:
    """Return the seconds from the navigation to the first frame in which *condition* holds."""
    handle = page.wait_for_function(f"() => ({condition}) && performance.now()", polling="raf", timeout=LIMIT_MS)
    return float(handle.json_value()) / 1e3


def median_of(browser: sync_api.Browser, address: str, condition: str) -> dict[str, float]:
    """Open a page some times; give the seconds until *condition*, and the bytes of its scripts."""
    taken, sizes = [], []
    for _ in range(REPEATS):
        with page_of(browser, address) as page:
            taken.append(seconds_until(page, condition))
            sizes.append(page.evaluate(SCRIPT_BYTES))
    return {"s": round(statistics.median(taken), 3), "least s": round(min(taken), 3), "kB": round(max(sizes) / 1e3, 1)}


HELLO = b"<!doctype html><title>floor</title><p>hello"


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer any address with the page of one line."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(HELLO)))
        self.end_headers()
        self.wfile.write(HELLO)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@contextmanager
def hello_server() -> Iterator[str]:
    """Serve a page of one line; give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hello) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def navigation(browser: sync_api.Browser, folder: Path, runs: int) -> dict[str, Any]:
    """Measure the first rows and the first charts of a repository with so many runs."""
    root = folder / f"runs-{runs}"
    made.build(root, made.Size(runs, params=20, sequences=CHARTS, points=50))
    with serving(root) as server, hello_server() as hello:
        address = server.base.split("api/")[0]
        floor = median_of(browser, hello, "document.querySelector('p')")
        table = median_of(browser, address + "runs", OUR_ROW)
        charts = {
            name: median_of(browser, address + "metrics", our_charts(count))
            for name, count in (("first chart", 1), ("six charts", 6), (f"first {CHARTS} charts", CHARTS))
        }
        work = interaction(browser, address)
    return {"floor": floor, "first row": table, **charts, "work": work}


def interaction(browser: sync_api.Browser, address: str) -> dict[str, float]:
    """Measure the main thread's work for a zoom of nine charts and for scrolling the table, and the page's memory."""
    with page_of(browser, address + "metrics") as page:
        page.wait_for_function(f"() => {OUR_CHARTS}", timeout=LIMIT_MS)
        busy = busy_clock(page)
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        heap_bytes = session.send("Runtime.getHeapUsage")["usedSize"]
        box = page.locator(".card canvas").last.bounding_box()
        assert box is not None
        before = busy()
        page.mouse.move(box["x"] + 80, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 220, box["y"] + 60, steps=5)
        page.mouse.up()
        page.wait_for_function("() => new URL(location.href).searchParams.has('win')", timeout=LIMIT_MS)
        page.wait_for_timeout(2000)
        zoom_ms = busy() - before
    with page_of(browser, address + "runs") as page:
        page.wait_for_function(f"() => {OUR_ROW}", timeout=LIMIT_MS)
        page.wait_for_timeout(3000)
        busy = busy_clock(page)
        before = busy()
        for place in range(SCROLLS):
            page.locator(".grid").evaluate(f"grid => grid.scrollTop = grid.scrollHeight * {place / SCROLLS}")
            page.wait_for_timeout(30)
        scroll_ms = (busy() - before) / SCROLLS
    return {"zoom ms": round(zoom_ms, 1), "scroll step ms": round(scroll_ms, 2), "heap MB": round(heap_bytes / 1e6, 1)}


def busy_clock(page: sync_api.Page) -> Callable[[], float]:
    """Return what tells the CPU time of the main thread so far, in milliseconds."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy_ms() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return float(next(entry["value"] for entry in metrics if entry["name"] == "TaskDuration")) * 1e3

    return busy_ms


def many_curves(browser: sync_api.Browser, folder: Path) -> dict[str, Any]:
    """Measure one chart of 1,000 curves: from its bytes' arrival to its pixels, and the work of a move over it."""
    root = folder / "curves"
    made.build(root, made.Size(CURVES, params=4, sequences=1, points=CURVE_POINTS))
    drawn = []
    with serving(root) as server:
        address = server.base.split("api/")[0] + f"metrics?q={quote(EVERY_RUN)}"
        for _ in range(REPEATS):
            with page_of(browser, address) as page:
                page.wait_for_function(f"() => {SERIES}.length > 0", timeout=LIMIT_MS)
                drawn.append(drawn_ms(page))
                hover = hover_ms(page)
    return {"drawn ms": round(statistics.median(drawn), 1), "drawn least ms": round(min(drawn), 1), **hover}


def drawn_ms(page: sync_api.Page) -> float:
    """Return the milliseconds from the arrival of a chart's bytes to the first painting after it."""
    found = page.wait_for_function(
        """() => {
            const [{ responseEnd }] = SERIES;
            const painted = window.painted_ms.find(({ at_ms, highest }) => at_ms > responseEnd && highest > LAST / 2);
            return painted && painted.at_ms - responseEnd;
        }""".replace("LAST", str(CURVE_POINTS)).replace("SERIES", SERIES),
        timeout=LIMIT_MS,
    )
    return float(found.json_value())


def hover_ms(page: sync_api.Page) -> dict[str, float]:
    """Move the mouse over the first chart; give the main thread's work for a move, less what it does anyway."""
    busy_ms = busy_clock(page)
    box = page.locator(".card canvas").last.bounding_box()
    assert box is not None
    page.wait_for_timeout(1500)
    start_s, before = time.perf_counter(), busy_ms()
    page.wait_for_timeout(1000)
    idle = (busy_ms() - before) / (time.perf_counter() - start_s)
    start_s, before = time.perf_counter(), busy_ms()
    for place in range(MOVES):
        page.mouse.move(box["x"] + 60 + place * 5, box["y"] + 40 + place * 2)
    work = busy_ms() - before - idle * (time.perf_counter() - start_s)
    return {"hover ms": round(work / MOVES, 2)}


def encoded(value: Any) -> str:
    """Return a setting as Aim 3's pages keep it in their address."""
    return "O-" + base64.b64encode(quote(json.dumps(value), safe="!'()*~;,/?:@&=+$#").encode()).decode()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def aim3_serving(python: str, root: Path) -> Iterator[str]:
    """Start Aim 3's `aim up`; give its address, and end all that it started."""
    port = free_port()
    tool = str(Path(python).parent / "aim")
    home = {**os.environ, "HOME": str(root.parent), "AIM_UI_TELEMETRY_ENABLED": "0"}
    home.pop("PYTHONPATH", None)
    command = [tool, "up", "--repo", str(root), "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(
        command, cwd=root.parent, env=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    address = f"http://127.0.0.1:{port}/"
    try:
        until_s = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(address + "api/projects/", timeout=5).close()
                break
            except OSError:
                if time.monotonic() > until_s or server.poll() is not None:
                    raise SystemExit("Aim 3's server did not start.") from None
                time.sleep(0.2)
        yield address
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def aim3(browser: sync_api.Browser, folder: Path, python: str) -> dict[str, Any]:
    """Measure Aim 3's pages, and ours, on as many runs, metrics and steps."""
    root = folder / "aim3"
    root.mkdir()
    recorder = [python, str(Path(__file__).with_name("aim3_ui.py")), str(root)]
    clean = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    sizes = [str(AIM3_RUNS), str(AIM3_METRICS), str(AIM3_STEPS)]
    subprocess.run([*recorder, *sizes], check=True, timeout=900, env=clean, stdout=sys.stderr)
    index = [str(Path(python).parent / "aim"), "storage", "--repo", str(root), "reindex", "-y"]
    subprocess.run(index, check=True, timeout=300, env=clean, stdout=sys.stderr)
    options = [
        {"label": f"metric_{place}", "group": "metric", "type": "metrics", "color": "#3E72E7", "key": f"metric_{place}",
         "value": {"option_name": f"metric_{place}", "context": None}}
        for place in range(CHARTS)
    ]  # fmt: skip
    select = encoded({"options": options, "query": "", "advancedMode": False, "advancedQuery": ""})
    channels = ("color", "stroke", "chart")
    grouping = encoded(
        {
            **{channel: ["name"] if channel == "chart" else [] for channel in channels},
            "reverseMode": dict.fromkeys(channels, False),
            "isApplied": dict.fromkeys(channels, True),
            "persistence": {"color": False, "stroke": False},
            "seed": {"color": 10, "stroke": 10},
            "paletteIndex": 0,
        }
    )
    with aim3_serving(python, root) as address:
        theirs = {
            "first row": median_of(browser, address + "runs", AIM3_ROW),
            f"first {CHARTS} charts": median_of(
                browser,
                f"{address}metrics?select={select}&grouping={grouping}",
                AIM3_CHARTS.format(lines=AIM3_RUNS * CHARTS),
            ),
        }
    same = folder / "as-aim3"
    made.build(same, made.Size(AIM3_RUNS, params=12, sequences=AIM3_METRICS, points=AIM3_STEPS))
    with serving(same) as server:
        address = server.base.split("api/")[0]
        ours = {
            "first row": median_of(browser, address + "runs", OUR_ROW),
            f"first {CHARTS} charts": median_of(browser, address + "metrics", OUR_CHARTS),
        }
    ratios = {name: round(theirs[name]["s"] / ours[name]["s"], 1) for name in ours}
    return {"runs": AIM3_RUNS, "Aim 3.29.1": theirs, "ours": ours, "ratios": ratios}


def show(results: dict[str, Any]) -> None:
    """Print the figures."""
    rows = [
        (f"{runs}: {name}", figures["s"], figures["least s"], figures["kB"])
        for runs, parts in results["navigation"].items()
        for name, figures in parts.items()
        if name not in ("work", "when")
    ]
    compared = results.get("compared", {})
    for who in ("ours", "Aim 3.29.1"):
        for name, figures in compared.get(who, {}).items():
            rows.append((f"{who}, {compared['runs']} runs: {name}", figures["s"], figures["least s"], figures["kB"]))
    report.table(("from the navigation to", "s", "least s", "scripts kB"), rows)
    report.table(("1,000 curves x 500 points", "ms"), list(results["1,000 curves"].items()))
    for runs, parts in results["navigation"].items():
        report.table((f"{runs}, nine charts", ""), list(parts.get("work", {}).items()))
    for name, ratio in compared.get("ratios", {}).items():
        print(f"{name}: Aim 3.29.1 takes {ratio} times as long")


def main(words: list[str]) -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(prog="python -m bench ui")
    parser.add_argument("--runs", type=int, nargs="*", default=RUNS)
    parser.add_argument("--aim3", metavar="PYTHON", help="an interpreter that has Aim 3.29.1")
    options = parser.parse_args(words)
    results: dict[str, Any] = {**report.stored("ui"), "goals": GOALS}  # what is not measured now stays
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, browsing() as browser:
        folder = Path(place)
        os.environ["AIM_CACHE_DIR"] = str(folder / "cache")
        when = report.machine()["when"]
        measured = {f"{runs} runs": {**navigation(browser, folder, runs), "when": when} for runs in options.runs}
        results["navigation"] = {**results.get("navigation", {}), **measured}
        results["1,000 curves"] = {**many_curves(browser, folder), "when": when}
        if options.aim3:
            results["compared"] = {**aim3(browser, folder, options.aim3), "when": when}
    show(results)
    report.store("ui", results)


if __name__ == "__main__":
    main(sys.argv[1:])
