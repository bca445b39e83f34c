"""
What the beginning of a run costs the steps of its training: packages, git, hardware and psutil are read by threads, and
a thread of Python that computes keeps the training from going on.

    python -m bench steps                     beside the same steps without a run
    python -m bench steps --vs CHECKOUT       and beside those of an earlier version, each in turn

A step takes 10 ms of Python and numpy. What a step took longer than the median of its process counts, of the first 100
steps of some processes; the floor is what other programs of the machine make them wait: these are for a quiet machine.
*pieces* are for any: the processor time that the collecting thread takes between two rests, which is the most that a
step can wait for it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from bench import report

STEPS, PROCESSES = 100, 4
GOAL_MS = 2.0

PROGRAM = """
import json, sys, time
import numpy as np

root = sys.argv[1]
array = np.random.default_rng(0).random((180, 180))

def work(loops):
    total = 0
    for number in range(loops):
        total += number & 7
    for _ in range(4):
        array @ array
    return total

def seconds(loops):
    begun_s = time.perf_counter()
    work(loops)
    return time.perf_counter() - begun_s

loops = 100_000
loops = int(loops * 0.01 / min(seconds(loops) for _ in range(20)))
if root:
    from aim import Run
    run = Run(repo=root, log_system_params=True, capture_terminal_logs=False)
taken = []
for step in range(int(sys.argv[2])):
    begun_s = time.perf_counter()
    work(loops)
    if root:
        run.track(0.5, name="loss", step=step)
    taken.append(time.perf_counter() - begun_s)
if root:
    run.close()
print(json.dumps(taken))
"""

PIECES = """
import json, sys, time
from aim import Run
from aim.sdk.capture import environment, resources
from aim.sdk.capture.pace import Pace

class Watched(Pace):
    def rest(self):
        pieces.append(time.thread_time())

def packages():
    environment.packages(Watched())

def system_metrics():
    tracker = resources.ResourceTracker(lambda *_: None)
    tracker._ends.wait = lambda _: pieces.append(time.thread_time())
    tracker._load()
    tracker._open()
    pieces.append(time.thread_time())
    for gauge in tracker._gauges:
        tracker._sample(gauge)

pieces = [time.thread_time()]
locals()[sys.argv[1]]()
pieces.append(time.thread_time())
lengths = [after - before for before, after in zip(pieces, pieces[1:])]
print(json.dumps({"pieces": len(lengths), "longest ms": max(lengths) * 1e3, "all ms": sum(lengths) * 1e3}))
"""


def pieces(what: str) -> dict[str, float]:
    """Return how many pieces the reading of *what* has, and what they take of the processor."""
    done = subprocess.run([sys.executable, "-c", PIECES, what], stdout=subprocess.PIPE, check=True)
    read: dict[str, float] = json.loads(done.stdout)
    return {name: round(value, 3) for name, value in read.items()}


def later_ms(root: str, checkout: Path | None) -> list[float]:
    """Return how much longer than their median the steps of one process took, in ms."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    if checkout is not None:
        environment["PYTHONPATH"] = str(checkout / "src")
    command = [sys.executable, "-c", PROGRAM, root, str(STEPS)]
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    taken = np.array(json.loads(done.stdout)) * 1e3
    later: list[float] = (taken - np.median(taken)).tolist()
    return later


def summary(later: list[float]) -> dict[str, float]:
    """Return the longest steps."""
    values = np.array(later)
    figures = {f"p{share:g} ms": float(np.percentile(values, share)) for share in (90, 99, 99.9)}
    return {name: round(value, 3) for name, value in {**figures, "max ms": float(values.max())}.items()}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/steps.json."""
    parser = argparse.ArgumentParser(prog="bench steps", description=__doc__)
    parser.add_argument("--vs", type=Path, help="the checkout of an earlier version")
    parser.add_argument("--processes", type=int, default=PROCESSES)
    options = parser.parse_args(arguments)
    kinds: dict[str, Path | None] = {"floor": None, "now": None}
    if options.vs is not None:
        kinds["before"] = options.vs
    later: dict[str, list[float]] = {kind: [] for kind in kinds}
    first: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(options.processes):
        for kind, checkout in kinds.items():
            with tempfile.TemporaryDirectory() as folder:
                steps = later_ms("" if kind == "floor" else folder, checkout)
            later[kind] += steps
            first[kind].append(sum(step for step in steps[:20] if step > 0))
    figures = {
        kind: {**summary(steps), "first 20 steps, ms in all": round(float(np.median(first[kind])), 2)}
        for kind, steps in later.items()
    }
    columns = list(figures["floor"])
    report.table(["", *columns], [[kind, *(f"{taken[name]:g}" for name in columns)] for kind, taken in figures.items()])
    best = {
        what: min((pieces(what) for _ in range(5)), key=lambda taken: taken["longest ms"])
        for what in ("packages", "system_metrics")
    }
    for what, taken in best.items():
        report.table([what, ""], list(taken.items()))
    return report.store("steps", {"figures": figures, **best, "goal ms": GOAL_MS, "processes": options.processes})


if __name__ == "__main__":
    main()
