"""
What the pages wait for: the server's start, the table of runs, curves, and its memory; asked over the loopback, as a
browser does. And what it takes of the machine while nobody asks anything.

    python -m bench server        100, 1,000 and 10,000 runs, 2,000 curves of 1,000 points, one of 1 M points

The server is a process of its own. The first answer of each kind is *cold*: nothing is kept yet, only the disk's cache
is warm.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench import report
from bench import repository as made

RUNS = (100, 1_000, 10_000)
CURVE_RUNS, CURVES_A_RUN, POINTS = 100, 20, 1_000
LONG_POINTS = 1_000_000
SETTLE_S, IDLE_S = 25, 30  # the looks become rarer after 20 s
BUCKETS = 250
EVERY_RUN = "run.archived in (True, False)"
GOALS = {"idle %": 1.0, "ready s": 1.0, "2,000 curves cold ms": 300.0}


def own_environment() -> dict[str, str]:
    """Return the environment of a server of this checkout that has no channels of alerts, which it would look for."""
    paths = os.pathsep.join(part for part in sys.path if part)
    return {**os.environ, "PYTHONPATH": paths, "XDG_CONFIG_HOME": tempfile.gettempdir()}


class Server:
    """A server that was started; of the code that *environment* leads to, of this checkout unless it is given."""

    def __init__(self, root: Path, environment: Mapping[str, str] | None = None, options: Sequence[str] = ()) -> None:
        self.started_s = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "aim.cli", "up", "--repo", str(root), "-p", "0", "--no-open", *options],
            stderr=subprocess.PIPE,
            text=True,
            env=environment or own_environment(),
        )
        assert self.process.stderr is not None
        address = next(line for line in self.process.stderr if line.startswith("Open ")).split()[1]
        self.info = f"{address}api/info"
        with urllib.request.urlopen(self.info) as answer:
            repo = json.load(answer)["repos"][0]["id"]
        self.ready_s = time.perf_counter() - self.started_s
        self.base = f"{address}api/repos/{repo}/"
        self.connection = self.connect()

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection that stays open, as a browser's does."""
        parts = urlsplit(self.base)
        return http.client.HTTPConnection(parts.hostname or "", parts.port)

    def ask(
        self, path: str, body: Mapping[str, Any] | None = None, connection: http.client.HTTPConnection | None = None
    ) -> bytes:
        """Send a request over a connection that is kept; return the bytes of the answer."""
        connection = connection or self.connection
        content = None if body is None else json.dumps(body).encode()
        method = "GET" if body is None else "POST"
        connection.request(method, urlsplit(self.base + path).path, content, {"Content-Type": "application/json"})
        with connection.getresponse() as answer:
            data = answer.read()
            assert answer.status == 200, data
            return data

    def requests_a_second(self, path: str, body: Mapping[str, Any], readers: int = 1, seconds: float = 2.0) -> float:
        """Ask again and again from *readers* connections; return how many answers came in a second."""
        until_s = time.perf_counter() + seconds
        counts = [0] * readers

        def read(reader: int) -> None:
            connection = self.connect()
            while time.perf_counter() < until_s:
                self.ask(path, body, connection)
                counts[reader] += 1
            connection.close()

        threads = [threading.Thread(target=read, args=(reader,)) for reader in range(readers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return round(sum(counts) / seconds, 1)

    def time(self, path: str, body: Mapping[str, Any] | None = None, repeats: int = 7) -> dict[str, float]:
        """Time a request: the first one, and the median of those after it."""
        start = time.perf_counter()
        size = len(self.ask(path, body))
        cold_ms = round((time.perf_counter() - start) * 1e3, 2)
        warm = report.timed(lambda: self.ask(path, body), repeats)
        return {"cold_ms": cold_ms, "warm_ms": warm["median_ms"], "kilobytes": round(size / 1e3, 1)}

    def indexed_s(self) -> float:
        """Wait until the catalogue has all runs; give the seconds since the start."""
        while True:
            with urllib.request.urlopen(self.info) as answer:
                if json.load(answer)["repos"][0]["indexing"] is None:
                    return round(time.perf_counter() - self.started_s, 2)
            time.sleep(0.02)

    def memory_mb(self) -> float:
        """Return the server's resident memory."""
        return float(round(psutil.Process(self.process.pid).memory_info().rss / 1e6, 1))

    def idle_percent(self, *, listens: bool) -> float:
        """Return the percent of a core that the server takes while nobody asks anything; *listens*: a page is open."""
        stream = urllib.request.urlopen(self.base + "events") if listens else None
        if stream is not None:  # what nobody reads would fill its buffers
            threading.Thread(target=lambda: list(stream), daemon=True).start()
        time.sleep(SETTLE_S)
        process = psutil.Process(self.process.pid)
        before = process.cpu_times()
        time.sleep(IDLE_S)
        after = process.cpu_times()
        return float(round(100 * (after.user + after.system - before.user - before.system) / IDLE_S, 2))

    def stop(self) -> float:
        """Ask it to end; give the seconds until it is gone."""
        start = time.perf_counter()
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=30)
        return round(time.perf_counter() - start, 2)


@contextmanager
def serving(root: Path) -> Iterator[Server]:
    """Start the server, and end it."""
    server = Server(root)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def table_of_runs(folder: Path, runs: int) -> dict[str, Any]:
    """Measure the table of so many runs."""
    root = folder / f"table-{runs}"
    made.build(root, made.Size(runs, params=20, sequences=10, points=20))
    fields: list[list[Any]] = [["run", "name"], ["run", "status"], ["run", "created_at"], ["param", "hparams", "lr"]]
    fields += [["param", "hparams", "optimizer"], ["metric", "loss", {"subset": "val"}, "last"]]
    by_loss = [{"field": fields[-1], "descending": False}]
    with serving(root) as server:
        # with no catalogue yet: the newest runs are answered while the others are being read
        first = server.time("runs", {"fields": fields, "sort": by_loss, "limit": 100}, repeats=1)
        found = {
            "ready_s": round(server.ready_s, 2),
            "indexed_s": server.indexed_s(),
            "first 100 rows": first,
            "100 rows": server.time("runs", {"fields": fields, "sort": by_loss, "limit": 100}),
            "45 rows": server.time("runs", {"fields": fields, "sort": by_loss, "limit": 45}),
            "45 rows, requests/s": server.requests_a_second("runs", {"fields": fields, "sort": by_loss, "limit": 45}),
            "all rows": server.time("runs", {"fields": fields, "limit": runs}),
            "query": server.time("runs", {"query": "run.hparams.lr > 0.05", "fields": fields, "limit": 100}),
            "fields": server.time("fields", {}),
            "alerts": server.time("alerts"),
            "memory_mb": server.memory_mb(),
            "idle %": server.idle_percent(listens=False),
            "idle %, a page open": server.idle_percent(listens=True),
        }
        found["stop_s"] = server.stop()
        return found


def curves(folder: Path) -> dict[str, Any]:
    """Measure 2,000 curves, sampled and whole, and one of a million points at three zooms."""
    root = folder / "curves"
    made.build(root, made.Size(CURVE_RUNS, params=10, sequences=CURVES_A_RUN, points=POINTS))
    with serving(root) as server:
        nine = {"metrics": [{"name": "loss"}], "buckets": BUCKETS, "limit": 300}
        everything = {"query": EVERY_RUN, "metrics": None, "buckets": BUCKETS}
        found = {
            "300 curves": server.time("series", nine),
            "2,000 curves": server.time("series", everything),
            "2,000 curves, smooth": server.time("series", {**everything, "smooth": 0.6}),
            "20 means with a band": server.time(
                "series", {**everything, "aggregate": {"by": [], "value": "mean", "band": "std"}}
            ),
            "2,000 curves, answers/s of 16 readers": server.requests_a_second("series", everything, 16, 8.0),
            "memory_mb": server.memory_mb(),
        }
    root = folder / "long"
    made.build(root, made.Size(1, params=1, sequences=1, points=LONG_POINTS))
    with serving(root) as server:
        for name, window in (("1 M points", None), ("a tenth", [400_000, 500_000]), ("1,000 points", [1_000, 2_000])):
            found[name] = server.time("series", {"query": EVERY_RUN, "buckets": 600, "window": window})
        found["memory_mb of 1 M points"] = server.memory_mb()
    return found


def main(words: list[str]) -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(prog="python -m bench server")
    parser.add_argument("--runs", type=int, nargs="*", default=RUNS)
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["AIM_CACHE_DIR"] = str(folder / "cache")
        results: dict[str, Any] = {f"{runs} runs": table_of_runs(folder, runs) for runs in options.runs}
        results["curves"] = curves(folder)
    rows = [
        (f"{part}: {name}", figures["cold_ms"], figures["warm_ms"], figures["kilobytes"])
        for part, all_figures in results.items()
        for name, figures in all_figures.items()
        if isinstance(figures, dict) and "warm_ms" in figures
    ]
    report.table(("request", "cold ms", "warm ms", "kB"), rows)
    others = [
        (f"{part}: {name}", value)
        for part, figures in results.items()
        for name, value in figures.items()
        if not isinstance(value, dict)
    ]
    report.table(("besides", ""), others)
    results["goals"] = GOALS
    report.store("server", results)


if __name__ == "__main__":
    main(sys.argv[1:])
