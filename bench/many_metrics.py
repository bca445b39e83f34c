"""
What a run of thousands of metrics costs the pages: the catalogue opened, the fields, and the page of the run.

    python -m bench many_metrics                                10,000 and 100,000 metrics
    python -m bench many_metrics --before FOLDER                and the checkout in FOLDER, in turn

Figures are ms of the processor in fresh processes that call what answers the requests; *first*: the first answer of the
process, from a catalogue on disk; *again*: the least of two more. The floor is `json.dumps` of the same answer.
*sent*: compressed, as browsers get it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

METRICS = (10_000, 100_000)
POINTS, ROUNDS = 5, 3
Figures = dict[str, float]


def _ms(call: Callable[[], Any]) -> tuple[float, Any]:
    begin_s = time.process_time()
    answer = call()
    return (time.process_time() - begin_s) * 1e3, answer


def measure(root: Path) -> Figures:
    """Return the figures of the repository in *root*, for the sources that this process has imported."""
    from aim.engine.repository import Repository
    from aim.server import run_page, runs, serve
    from aim.server.bodies import Body
    from aim.server.open_repository import OpenRepository

    if hasattr(serve, "COLLECT_EACH"):
        import gc

        gc.set_threshold(serve.COLLECT_EACH)
    repo = OpenRepository("bench", Repository(root), "bench")
    figures: Figures = {"open": _ms(repo.warm)[0]}
    requests: dict[str, Callable[[], Any]] = {
        "fields": lambda: runs._fields(repo, Body({"query": ""}), None),
        "page": lambda: run_page._run(repo, "many"),
    }
    for name, ask in requests.items():
        figures[f"{name}, first"], answer = _ms(ask)
        figures[f"{name}, again"] = min(_ms(ask)[0] for _ in range(2))
        tree = json.loads(answer.body)
        figures[f"{name}, floor"] = _ms(lambda tree=tree: json.dumps(tree))[0]
        figures[f"{name}, kB"] = len(answer.body) / 1e3
        figures[f"{name}, sent kB"] = len(zlib.compress(answer.body, 1)) / 1e3
    figures["memory MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def build(root: Path, metrics: int) -> None:
    """Record and seal a run of so many metrics, and read it into the catalogue."""
    from aim.engine.repository import Repository
    from aim.engine.sealing import seal_run
    from aim.storage.catalogue.catalogue import Catalogue

    repository = Repository(root, create=True)
    writer = repository.new_run("many")
    for number in range(metrics):
        track = writer.sequence(f"layers.{number // 4}/{('weight', 'bias', 'grad', 'norm')[number % 4]}").track
        for step in range(POINTS):
            track(step * 0.5 + number, step=step)
    writer.close()
    seal_run(repository.files / "runs" / "many")
    time.sleep(2)  # until the folder is no longer young
    catalogue = Catalogue(repository.files, repository.readers.reader)
    catalogue.refresh()
    catalogue.save()
    catalogue.close()


def _in_a_process(checkout: Path, folder: Path, *words: str) -> str:
    here = Path(__file__).resolve()
    variables = {**os.environ, "PYTHONPATH": f"{checkout / 'src'}{os.pathsep}{here.parent.parent}"}
    variables |= {"AIM_CACHE_DIR": str(folder / "cache"), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    done = subprocess.run([sys.executable, str(here), *words], env=variables, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{checkout} can't do {words}:\n{done.stderr[-3000:]}")
    return done.stdout


def main(words: list[str]) -> None:
    """Measure, print a table, and store it."""
    parser = argparse.ArgumentParser(prog="python -m bench many_metrics")
    parser.add_argument("--before", type=Path, help="a checkout of an earlier version")
    parser.add_argument("--metrics", type=int, nargs="*", default=METRICS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--build", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    if options.build:
        build(Path(options.build[0]), int(options.build[1]))
        return
    from bench import report

    checkouts = {"after": Path(__file__).resolve().parent.parent}
    if options.before is not None:
        checkouts = {"before": options.before.resolve(), **checkouts}
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for metrics in options.metrics:
            folder = Path(scratch, str(metrics))
            root = folder / "work"
            root.mkdir(parents=True)
            _in_a_process(checkouts["after"], folder, "--build", str(root), str(metrics))
            taken: dict[str, list[Figures]] = {version: [] for version in checkouts}
            for _ in range(options.rounds):
                for version, checkout in checkouts.items():
                    taken[version].append(json.loads(_in_a_process(checkout, folder, "--measure", str(root))))
            results[f"{metrics:,} metrics"] = {
                version: {case: round(median(each[case] for each in figures), 1) for case in figures[0]}
                for version, figures in taken.items()
            }
    rows = [
        [f"{size}: {case}", *(figures[version][case] for version in checkouts)]
        for size, figures in results.items()
        for case in figures["after"]
    ]
    report.table(["ms of the processor", *checkouts], rows)
    report.store("many_metrics", results)


if __name__ == "__main__":
    main(sys.argv[1:])
