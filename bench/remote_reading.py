"""
What reading a repository on a server costs over reading its folder: the same calls, by an address and by a path.

    python -m bench remote_reading                 1,000 and 10,000 runs

Each figure is the least of some calls in ms, by the clock and of processor time, which other programs change less; that
of the address is of both processes together. The server is on this machine, so what is added is its work and HTTP, not
a network. `requests`: how often the server is asked, which is what a network adds to. Results are stored in
bench/results/remote_reading.json.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from aim import Repo
from aim.engine.remote.connection import ServerConnection, ServerRequest, ServerStream
from bench import report
from bench import repository as made
from bench.server import serving

RUNS = (1_000, 10_000)
REPEATS = 2
SELECTIVE = "run.hparams.lr > 0.01 and run.hparams.optimizer == 'adam'"
CURVES = "metric.name == 'loss' and run.hparams.optimizer == 'adam' and run.hparams.lr > 0.001"


def calls(repo: Repo) -> dict[str, Callable[[], object]]:
    """Return the calls that are timed, by name."""
    questions = repo.door.questions()
    one = questions.runs()[0]
    return {
        "hashes of a query": lambda: questions.runs(SELECTIVE),
        "runs of a query, with a param each": lambda: [
            runs.run["hparams", "lr"] for runs in repo.query_runs(SELECTIVE).iter_runs()
        ],
        "frame of last values of a query": lambda: repo.query_metrics(CURVES).dataframe(only_last=True),
        "curves of a query": lambda: [metric.values.tolist() for metric in repo.query_metrics(CURVES).iter()],
        "one run opened": lambda: repo.get_run(one),
    }


class Requests:
    """
    Counts the requests of this process.

    Attributes:
        count: how many there were.
    """

    def __init__(self) -> None:
        self.count = 0
        stream = ServerConnection.stream

        def counted(connection: ServerConnection, request: ServerRequest) -> ServerStream:
            self.count += 1
            return stream(connection, request)

        ServerConnection.stream = counted  # type: ignore[method-assign]


def measure(root: Path, address: str, server: psutil.Process) -> dict[str, dict[str, float]]:
    """Time each call in turn by the folder and by the address."""
    requests = Requests()
    by_path, by_address = calls(Repo(str(root))), calls(Repo(address))
    figures: dict[str, dict[str, float]] = {}
    for name in by_path:
        taken: dict[str, list[float]] = {}
        for _ in range(1 + REPEATS):
            requests.count = 0
            for key, call in (("folder", by_path[name]), ("server", by_address[name])):
                begun_s, cpu_s = time.perf_counter(), _cpu_s(server)
                call()
                taken.setdefault(f"{key}_ms", []).append((time.perf_counter() - begun_s) * 1e3)
                taken.setdefault(f"{key}_cpu_ms", []).append((_cpu_s(server) - cpu_s) * 1e3)
        figures[name] = {key: round(min(times[1:]), 2) for key, times in taken.items()} | {"requests": requests.count}
    return figures


def _cpu_s(server: psutil.Process) -> float:
    times = server.cpu_times()
    return time.process_time() + times.user + times.system


def main(words: list[str]) -> None:
    """Measure, print, and store."""
    parser = argparse.ArgumentParser(prog="python -m bench remote_reading", description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=RUNS)
    options = parser.parse_args(words)
    os.environ["AIM_CACHE_DIR"] = tempfile.mkdtemp()
    results: dict[str, Any] = {}
    for runs in options.runs:
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch) / "vision"
            made.build(root, made.Size(runs, params=20, sequences=5, points=100))
            with serving(root) as server:
                server.indexed_s()
                host, _, project = server.base.rstrip("/").partition("/api/repos/")
                results[str(runs)] = measure(root, f"{host}/{project}", psutil.Process(server.process.pid))
        rows = [[name, *row.values()] for name, row in results[str(runs)].items()]
        report.table([f"{runs:,} runs", *next(iter(results[str(runs)].values()))], rows)
        print()
    report.store("remote_reading", {"figures": results})
