"""
What reading many runs costs in Python: going through them, their last values, frames, and a new process.

    python -m bench many_runs                            this version
    python -m bench many_runs --before FOLDER            and the checkout in FOLDER, in turn

Each figure is processor time in ms, the least of some calls in one process, the median of some processes:

    10,000 runs gone through     `for run in repo.query_runs("").iter_runs()`      floor: a list of as many objects
    1,000 runs' last values      `metric.values.last()` of each; `repo.last_values`    floor: a dict of as many
    1,000 runs' params           `run["hparams"]` of each
    a frame of last values       `query_metrics(...).dataframe(only_last=True)`
    new process                  after `import aim`: the first query of 1,000 runs; their last values

The processes of both versions take turns. Results are stored in bench/results/many_runs.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

REPEATS, ROUNDS = 5, 5
SELECTIVE = "run.hparams.lr > 0.01 and run.hparams.optimizer == 'adam'"
LOSS = "metric.name == 'loss'"
FLOORS = {
    "10,000 runs": "10,000 objects",
    "1,000 values.last()": "dict",
    "1,000 last_values": "dict",
    "new process: query": "bare numpy",
    "new process: last_values": "bare numpy",
}
Figures = dict[str, float]


def _ms(call: Callable[[], object], repeats: int = REPEATS) -> float:
    taken = []
    for _ in range(repeats):
        begin_s = time.process_time()
        call()
        taken.append((time.process_time() - begin_s) * 1e3)
    return min(taken)


def _measure(folder: Path) -> Figures:
    from aim import Repo

    figures: Figures = {}
    repo = Repo(str(folder / "many"))
    hashes = repo.door.questions().runs()
    figures["10,000 runs"] = _ms(lambda: [runs.run.hash for runs in repo.query_runs("").iter_runs()])
    figures["10,000 objects"] = _ms(lambda: [(run_hash, object()) for run_hash in hashes])
    repo = Repo(str(folder / "sealed"))
    figures["1,000 values.last()"] = _ms(lambda: [metric.values.last() for metric in repo.query_metrics(LOSS).iter()])
    last: dict[str, float] = {}
    if hasattr(repo, "last_values"):
        figures["1,000 last_values"] = _ms(lambda: last.update(repo.last_values("loss", {"subset": "train"})))
    figures["dict"] = _ms(lambda: dict(zip(hashes[:1000], [0.5] * 1000, strict=True)))
    figures["1,000 runs' params"] = _ms(lambda: [runs.run["hparams"] for runs in repo.query_runs("").iter_runs()])
    figures["frame of last values"] = _ms(lambda: repo.query_metrics(LOSS).dataframe(only_last=True))
    return figures


def _first_query(folder: Path) -> Figures:
    from aim import Repo

    begin_s = time.process_time()
    assert len(list(Repo(str(folder / "sealed")).query_runs(SELECTIVE).iter_runs()))
    return {"new process: query": (time.process_time() - begin_s) * 1e3}


def _first_last_values(folder: Path) -> Figures:
    from aim import Repo

    begin_s = time.process_time()
    assert len(Repo(str(folder / "sealed")).last_values("loss", {"subset": "train"}))
    return {"new process: last_values": (time.process_time() - begin_s) * 1e3}


def _bare_numpy(_: Path) -> Figures:
    begin_s = time.process_time()
    __import__("numpy")
    return {"bare numpy": (time.process_time() - begin_s) * 1e3}


PARTS: dict[str, Callable[[Path], Figures]] = {
    "measure": _measure,
    "query": _first_query,
    "last": _first_last_values,
    "numpy": _bare_numpy,
}


def _build(folder: Path) -> None:
    from bench.repository import Size, build, seal_all

    build(folder / "many", Size(10_000, params=20, sequences=1, points=5))
    seal_all(build(folder / "sealed", Size(1_000, params=20, sequences=2, points=200)))


def _in_a_process(checkout: Path, part: str, folder: Path) -> Figures:
    here = Path(__file__).resolve()
    variables = {**os.environ, "PYTHONPATH": f"{checkout / 'src'}{os.pathsep}{here.parent.parent}"}
    variables |= {"AIM_CACHE_DIR": str(folder / "cache"), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    command = [sys.executable, str(here), "--part", part, str(folder)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{checkout} cannot measure {part}:\n{done.stderr[-3000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def main(words: list[str]) -> None:
    """Measure, print a table, and store it."""
    parser = argparse.ArgumentParser(prog="python -m bench many_runs")
    parser.add_argument("--before", type=Path, help="a checkout of an earlier version")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.part:
        print(json.dumps(PARTS[options.part[0]](Path(options.part[1]))))
        return
    from bench import report

    checkouts = {"after": Path(__file__).resolve().parent.parent}
    if options.before is not None:
        checkouts = {"before": options.before.resolve(), **checkouts}
    taken: dict[str, list[Figures]] = {version: [] for version in checkouts}
    with tempfile.TemporaryDirectory() as scratch:
        _build(Path(scratch))
        for number in range(-1, options.rounds):
            for version, checkout in checkouts.items():
                figures: Figures = {}
                for part in PARTS:
                    figures |= _in_a_process(checkout, part, Path(scratch))
                if number >= 0:  # the first round fills caches
                    taken[version].append(figures)
    medians: dict[str, dict[str, Any]] = {
        version: {case: round(median(figures[case] for figures in all_figures), 3) for case in all_figures[0]}
        for version, all_figures in taken.items()
    }
    after = medians["after"]
    rows = [
        [
            case,
            *(medians[version].get(case, "") for version in checkouts),
            round(value / max(0.001, after[FLOORS[case]]), 1) if case in FLOORS else "",
        ]
        for case, value in after.items()
    ]
    report.table(["ms of the processor", *checkouts, "times the floor"], rows)
    report.store("many_runs", medians)


if __name__ == "__main__":
    main(sys.argv[1:])
