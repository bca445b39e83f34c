"""
Aim 3.29.1 asked the same questions; run by the interpreter of an environment that has it. Prints figures as one line
of JSON.

    PYTHON bench/aim3_query.py RUNS RUN_QUERIES METRIC_QUERIES

It makes its own repository: 50 params, 20 metrics of 100 steps a run, as bench/repository.py, then indexes it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aim import Repo, Run  # type: ignore[attr-defined]

SUBSETS = ("train", "val", "test")
NAMES = ("loss", "accuracy", "f1", "recall", "precision", "lr", "grad_norm")
OPTIMIZERS = ("adam", "adamw", "sgd", "lion")
METRICS = 20
STEPS = 100
REPEATS = 3


def build(root: str, runs: int) -> None:
    """Record *runs* runs."""
    for number in range(runs):
        run = Run(repo=root, system_tracking_interval=None, capture_terminal_logs=False)
        share = (number * 7919 % 1000) / 1000
        run["hparams"] = {
            "lr": 10 ** (-5 + 4 * share),
            "optimizer": OPTIMIZERS[number % 4],
            "seed": number,
            "batch_size": 64,
        }
        for group in range(4):
            run[f"group_{group}"] = {f"option_{place}": number % (place + 2) for place in range(10)}
        for step in range(STEPS):
            for place in range(METRICS):
                value = (1 + place) / (1 + step) * share
                run.track(value, name=NAMES[place // 3], step=step, context={"subset": SUBSETS[place % 3]})
        run.close()


def timed(call: Callable[[], Any]) -> dict[str, float]:
    """Return the first time and the median of some more."""
    taken = []
    for _ in range(1 + REPEATS):
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1e3)
    return {"median_ms": round(statistics.median(taken[1:]), 2), "min_ms": round(min(taken[1:]), 2)}


def main() -> None:
    """Build, index, ask."""
    runs = int(sys.argv[1])
    run_queries, metric_queries = json.loads(sys.argv[2]), json.loads(sys.argv[3])
    figures: dict[str, Any] = {"runs": runs}
    with tempfile.TemporaryDirectory(prefix="aim3-bench-", ignore_cleanup_errors=True) as root:
        start = time.perf_counter()
        repo = Repo(root, init=True)
        build(root, runs)
        figures["build s"] = round(time.perf_counter() - start, 1)
        start = time.perf_counter()
        repo.close()
        # without an index 3.29.1 finds nothing
        command = [str(Path(sys.executable).parent / "aim"), "storage", "--repo", root, "reindex", "-y"]
        subprocess.run(command, check=True, stdout=sys.stderr)
        figures["indexing s"] = round(time.perf_counter() - start, 1)
        repo = Repo(root)
        for name, text in run_queries.items():
            text = text or "run.hash != ''"

            def ask_runs(text: str = text) -> int:
                return sum(1 for _ in repo.query_runs(text, report_mode=0).iter_runs())

            figures[f"run: {name}"] = timed(ask_runs)
            figures[f"run: {name}, matches"] = ask_runs()
        for name, text in metric_queries.items():

            def ask_metrics(text: str = text) -> int:
                return sum(1 for _ in repo.query_metrics(text, report_mode=0).iter())

            figures[f"metric: {name}"] = timed(ask_metrics)
            figures[f"metric: {name}, matches"] = ask_metrics()
        found = list(repo.query_metrics(metric_queries["one metric"], report_mode=0).iter())[:104]
        figures["104 series"] = timed(lambda: [metric.data.numpy() for metric in found])
        figures["last values"] = timed(
            lambda: [
                metric.values.last()
                for metric in repo.query_metrics(metric_queries["one metric"], report_mode=0).iter()
            ]
        )
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
