"""
What this version costs beside an earlier one: the benchmarks record, catalogue and server, in turns, in one run.

    git worktree add /tmp/earlier v4.0.0
    python -m bench earlier /tmp/earlier              all parts, 15 rounds
    python -m bench earlier /tmp/earlier --parts catalogue --rounds 31

Each checkout runs its own benchmarks in fresh processes, so names inside the package may differ between them. Figures
are processor time, which other work on the machine disturbs less than the clock. The two take turns within each round,
so a slow minute hits both. Printed: the median of each, and the median of the ratios of the rounds.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
RUNS, CURVE_RUNS = 1_000, 50
SEALED_METRICS = 5
PARTS = ("record", "catalogue", "server")
CLOCKED = {"p50", "p99"}  # a single call is too short for the clock of the processor
REQUESTS, FIRST_POINTS = 20, 10
FIRST_POINT = (
    "from aim import Run\n"
    "run = Run(repo={folder!r}, system_tracking_interval=None, capture_terminal_logs=False)\n"
    "run.track(1.0, name='loss', step=0, context={{'subset': 'train'}})\n"
    "import os; os._exit(0)"
)
Figures = dict[str, float]


def record(folder: Path) -> Figures:
    """Return ns and ms of recording and of reading back, and the processor time of a process with one point."""
    recording = importlib.import_module("bench.recording")
    figures: Figures = {}
    for part, scale in (("track", 0.5), ("many", 1.0), ("read", 1.0), ("runs", 0.2)):
        figures |= getattr(recording, part)(scale)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for number in range(FIRST_POINTS):
        program = FIRST_POINT.format(folder=str(folder / f"first-{os.getpid()}-{number}"))
        subprocess.run([sys.executable, "-c", program], check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures["process_to_first_point_ms"] = 1e3 * taken_s / FIRST_POINTS
    return {name: value for name, value in figures.items() if name.endswith(("_ns", "_ms"))}


def catalogue(folder: Path) -> Figures:
    """Return ms of opening a repository of `RUNS` runs, and of asking it."""
    measured = importlib.import_module("bench.catalogue")
    repositories = importlib.import_module("aim.engine.repository")
    figures: Figures = {}
    for name in ("journals", "sealed"):
        with tempfile.TemporaryDirectory() as cache:
            repository = repositories.Repository(folder / name)
            figures[f"first opening, {name}"] = measured.first_open(repository, Path(cache))[1]
            if name == "journals":
                asked = measured.ask(folder / name, Path(cache), True)
    for name, value in (asked | measured.distinct_pairs(2_000)).items():
        if isinstance(value, dict):
            figures[name] = value["median_ms"]
        elif "matches" not in name and "memory" not in name and not isinstance(value, bool):
            figures[name] = value
    return figures


def build(folder: Path) -> Figures:
    """Make the repositories that are measured, with the code of the checkout."""
    repository = importlib.import_module("bench.repository")
    repository.build(folder / "journals", repository.Size(RUNS))
    repository.build(folder / "table", repository.Size(RUNS, params=20, sequences=10, points=20))
    repository.build(folder / "curves", repository.Size(CURVE_RUNS, params=10, sequences=20, points=1_000))
    repository.seal_all(repository.build(folder / "sealed", repository.Size(RUNS, sequences=SEALED_METRICS)))
    return {}


WORKERS: dict[str, Callable[[Path], Figures]] = {"build": build, "record": record, "catalogue": catalogue}


def work(part: str, folder: Path) -> None:
    """Measure one part in this process, with the clock of the processor in place of the clock; print JSON."""
    time.perf_counter, time.perf_counter_ns = time.process_time, time.process_time_ns
    print(json.dumps(WORKERS[part](folder)), flush=True)


def environment(checkout: Path) -> dict[str, str]:
    """Return the environment in which `import aim` and `import bench` mean those of *checkout*."""
    variables = {**os.environ, "PYTHONPATH": f"{checkout / 'src'}{os.pathsep}{checkout}", "AIM_SEAL_ON_CLOSE": "0"}
    return variables


def measure(checkout: Path, part: str, folder: Path) -> Figures:
    """Measure one part in a fresh process of *checkout*."""
    command = [sys.executable, str(HERE / "earlier.py"), "--work", part, str(folder)]
    done = subprocess.run(command, env=environment(checkout), cwd=folder, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{checkout} cannot measure {part}:\n{done.stderr.decode()[-3000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return {name: value for name, value in figures.items() if not CLOCKED & set(name.split("_"))}


def requests_of_pages() -> dict[str, tuple[Path, str, dict[str, Any] | None]]:
    """Return what the server is asked: the repository, the path and the body of each request."""
    fields: list[list[Any]] = [["run", "name"], ["run", "status"], ["run", "created_at"], ["param", "hparams", "lr"]]
    fields += [["param", "hparams", "optimizer"], ["metric", "loss", {"subset": "val"}, "last"]]
    by_loss = [{"field": fields[-1], "descending": False}]
    everything = {"query": "run.archived in (True, False)", "metrics": None, "buckets": 250}
    means = {"by": [], "value": "mean", "band": "std"}
    table, curves = Path("table"), Path("curves")
    return {
        "100 rows": (table, "runs", {"fields": fields, "sort": by_loss, "limit": 100}),
        "all rows": (table, "runs", {"fields": fields, "limit": RUNS}),
        "query": (table, "runs", {"query": "run.hparams.lr > 0.05", "fields": fields, "limit": 100}),
        "fields": (table, "fields", {}),
        "alerts": (table, "alerts", None),
        "300 curves": (curves, "series", {"metrics": [{"name": "loss"}], "buckets": 250, "limit": 300}),
        "1,000 curves": (curves, "series", everything),
        "1,000 curves, smooth": (curves, "series", {**everything, "smooth": 0.6}),
        "20 means with a band": (curves, "series", {**everything, "aggregate": means}),
    }


def processor_ms(process: int) -> float:
    """Return the ms of processor time that another process of this machine has taken. Linux only."""
    return time.clock_gettime((~process << 3) | 2) * 1e3


def serve(checkouts: dict[str, Path], folders: dict[str, Path], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Start a server of each checkout on its own repositories, and ask the same of them in turns."""
    from bench.server import Server

    samples: dict[str, dict[str, list[float]]] = {name: {} for name in checkouts}
    for repository in ("table", "curves"):
        servers = {}
        for name, checkout in checkouts.items():
            os.environ["AIM_CACHE_DIR"] = str(folders[name] / "cache of the server")
            servers[name] = Server(folders[name] / repository, environment(checkout))
        try:
            for name, server in servers.items():
                server.indexed_s()
                started = samples[name].setdefault(f"start, {repository}", [])
                started.append(processor_ms(server.process.pid))
            for what, (place, path, body) in requests_of_pages().items():
                for _ in range(rounds if place.name == repository else 0):
                    for name, server in servers.items():
                        server.connection.close()  # it opens again; a server ends those that wait for long
                        server.ask(path, body)
                        before_ms = processor_ms(server.process.pid)
                        for _ in range(REQUESTS):
                            server.ask(path, body)
                        taken_ms = (processor_ms(server.process.pid) - before_ms) / REQUESTS
                        samples[name].setdefault(what, []).append(taken_ms)
        finally:
            for server in servers.values():
                server.process.kill()
                server.process.communicate()
    return samples


def compared(samples: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    """Return for each figure that both have the medians, and the median of the ratios of the rounds."""
    earlier, here = samples["earlier"], samples["here"]
    return {
        name: {
            "earlier": round(median(earlier[name]), 4),
            "here": round(median(values), 4),
            "ratio": round(median(new / old for old, new in zip(earlier[name], values, strict=True)), 3),
            "ratio of the best": round(min(values) / min(earlier[name]), 3),
        }
        for name, values in here.items()
        if name in earlier and all(earlier[name])
    }


def main(words: list[str]) -> None:
    """Measure, print, store bench/results/earlier.json."""
    from bench import report

    parser = argparse.ArgumentParser(prog="python -m bench earlier", description=__doc__)
    parser.add_argument("checkout", type=Path, help="a checkout of the earlier version")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--parts", default=",".join(PARTS))
    options = parser.parse_args(words)
    checkouts = {"earlier": options.checkout.resolve(), "here": HERE.parent}
    results: dict[str, Any] = {"rounds": options.rounds, "commits": {}}
    for name, checkout in checkouts.items():
        command = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
        results["commits"][name] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="aim-bench-") as place:
        folders = {name: Path(place) / name for name in checkouts}
        for name, checkout in checkouts.items():
            folders[name].mkdir()
            measure(checkout, "build", folders[name])
        for part in options.parts.split(","):
            samples: dict[str, dict[str, list[float]]] = {name: {} for name in checkouts}
            for number in range(0 if part == "server" else options.rounds):
                for name in sorted(checkouts, reverse=bool(number % 2)):
                    for figure, value in measure(checkouts[name], part, folders[name]).items():
                        samples[name].setdefault(figure, []).append(value)
            if part == "server":
                samples = serve(checkouts, folders, options.rounds)
            results[part] = compared(samples)
            rows = [(figure, *found.values()) for figure, found in results[part].items()]
            report.table((f"{part}, processor time", "earlier", "here", "ratio", "of the best"), rows)
    report.store("earlier", results)


if __name__ == "__main__":
    if sys.argv[1] == "--work":
        work(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1:])
