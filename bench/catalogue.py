"""
What asking a repository costs: opening it with and without a catalogue, six queries, one changed run, memory.

    python -m bench catalogue                             1,000 and 10,000 runs on disk; 100,000 in the catalogue only
    python -m bench catalogue --compare PYTHON            and Aim 3.29.1, by that interpreter, at the sizes it manages

Runs on disk have 50 params, 20 metrics of 100 steps, in journals; those that are sealed have five metrics. The 100,000
have 50 params and 50 metrics each, 5 million sequences, in the catalogue's file; their folders are empty. Each size is
measured in a process of its own. Page caches are warm.
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
from typing import Any

from bench import report

ON_DISK = (1_000, 10_000)
CATALOGUE_ONLY = 100_000
COMPARED = (200,)
SEALED_METRICS = 5
ONE_METRIC_RUNS = 1_000
DISTINCT_PAIRS = 10_000
RUN_QUERIES = {
    "one run": "run.hparams.seed == 77",
    "selective": "run.hparams.lr > 0.05 and run.hparams.optimizer == 'adam'",
    "everything": "",
}
METRIC_QUERIES = {
    "selective": "run.hparams.lr > 0.05 and metric.name == 'loss' and metric.context.subset == 'val'",
    "by summary": "metric.name == 'loss' and metric.context.subset == 'val' and metric.last < 0.05",
    "one metric": "metric.name == 'loss' and metric.context.subset == 'val'",
}
GOALS_MS = {
    "cold open": {100_000: 1000.0, 10_000: 100.0},
    "run": {100_000: 20.0, 1_000: 1.0},
    "metric": {100_000: 50.0},
    "update": {100_000: 5.0},
    "last values": {1_000: 5.0},
    "104 series": {1_000: 30.0},
}
THEIR_PROGRAM = Path(__file__).parent / "aim3_query.py"


def once(call: Callable[[], object]) -> float:
    """Return the milliseconds of one call."""
    start = time.perf_counter()
    call()
    return round((time.perf_counter() - start) * 1e3, 3)


def measure(runs: int, on_disk: bool) -> dict[str, Any]:
    """Measure one size, in this process."""
    from bench import repository as made

    figures: dict[str, Any] = {"runs": runs, "on disk": on_disk}
    with tempfile.TemporaryDirectory(prefix="aim-bench-") as folder:
        root, cache = Path(folder) / "work", Path(folder) / "cache"
        root.mkdir()
        start = time.perf_counter()
        if on_disk:
            size = made.Size(runs)
            repository = made.build(root, size)
            figures["build s"] = round(time.perf_counter() - start, 1)
            wall_ms, processor_ms = first_open(repository, cache)
            figures["cold open without a catalogue"] = wall_ms
            figures["the same, processor time"] = processor_ms
            figures |= sealed(Path(folder), size)
        else:
            size = made.Size(runs, 50, 50, 1000)
            figures["build s"] = None
            subprocess.run([sys.executable, "-m", "bench.catalogue", "--fill", f"{root}:{cache}:{runs}"], check=True)
        figures["file MB"] = round(sum(path.stat().st_size for path in cache.iterdir()) / 1e6, 1)
        command = [sys.executable, "-m", "bench.catalogue", "--ask", f"{root}:{cache}:{int(on_disk)}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        asked: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return figures | asked


def first_open(repository: Any, cache: Path) -> tuple[float, float]:
    """Ask once with no catalogue in *cache*; give milliseconds, and those of the processor."""
    from aim.engine.live_catalogue import LiveCatalogue
    from aim.engine.scan import Scan

    scan = Scan(LiveCatalogue(repository.readers, cache=cache))
    begin_s = time.process_time()
    wall_ms = once(lambda: scan.runs("run.hparams.seed == 77"))
    scan.catalogue.close()
    return wall_ms, round((time.process_time() - begin_s) * 1e3, 1)


def sealed(folder: Path, size: Any) -> dict[str, float]:
    """Measure the first opening of sealed runs of `SEALED_METRICS` metrics, and one metric of 1,000 of them, cold."""
    from dataclasses import replace

    from aim.sdk.repo import Repo
    from bench import repository as made

    root = folder / "sealed"
    root.mkdir()
    repository = made.build(root, replace(size, sequences=SEALED_METRICS))
    made.seal_all(repository)
    wall_ms, processor_ms = first_open(repository, folder / "cache of sealed")
    os.environ["AIM_CACHE_DIR"] = str(folder / "cache of the sdk")
    repo = Repo(str(root))
    metrics = list(repo.query_metrics(METRIC_QUERIES["one metric"]).iter())[:ONE_METRIC_RUNS]
    begin_s = time.process_time()
    one_ms = once(lambda: [metric.values.sparse_numpy() for metric in metrics])
    return {
        f"sealed, {SEALED_METRICS} metrics: cold open without a catalogue": wall_ms,
        f"sealed, {SEALED_METRICS} metrics: the same, processor time": processor_ms,
        f"one metric of up to {ONE_METRIC_RUNS:,} sealed runs by the SDK, first": one_ms,
        "one metric of sealed runs: the same, processor time": round((time.process_time() - begin_s) * 1e3, 1),
    }


def distinct_pairs(count: int = DISTINCT_PAIRS) -> dict[str, float]:
    """Measure saving and loading a catalogue of *count* distinct pairs, such as a metric for each layer."""
    from aim.core import contexts
    from aim.core.summaries import Summary
    from aim.engine.repository import Repository
    from aim.storage.catalogue.catalogue import Catalogue
    from aim.storage.catalogue.catalogue_row import CatalogueRow, CatalogueSequence

    with tempfile.TemporaryDirectory(prefix="aim-bench-") as folder:
        repository = Repository(Path(folder) / "work", create=True)
        catalogue = Catalogue(repository.files, repository.readers.reader, cache=Path(folder) / "cache")
        catalogue.refresh()
        used = {contexts.text({"layer": layer}): {"layer": layer} for layer in range(count)}
        kind = catalogue.table.kinds.number("float")
        summary = CatalogueSequence(
            Summary(
                first=1.0,
                last=0.5,
                min=0.1,
                max=1.0,
                mean=0.3,
                std=0.2,
                median=0.3,
                point_count=10,
                first_step=0,
                last_step=9,
                argmin=1,
                argmax=0,
                has_nan=False,
                record_max_length=0,
            ),
            kind,
        )
        for run_hash in ("a", "b", "c"):
            (repository.files / "runs" / run_hash).mkdir()
            sequences = {("grad", text, "metric"): summary for text in used}
            catalogue.filler.put(CatalogueRow(run_hash, {"hash": run_hash}, {}, sequences, used))
            catalogue.adopt(run_hash, 5)
        saved_ms = once(catalogue.save)
        loaded_ms = once(Catalogue(repository.files, repository.readers.reader, cache=Path(folder) / "cache").refresh)
        return {"save ms": saved_ms, "load ms": loaded_ms}


def ask(root: Path, cache: Path, on_disk: bool) -> dict[str, Any]:
    """Open the catalogue and ask."""
    from aim.engine.live_catalogue import LiveCatalogue
    from aim.engine.repository import Repository
    from aim.engine.scan import Scan

    figures: dict[str, Any] = {}
    repository = Repository(root)
    before_mb = report.memory_mb()
    scan = Scan(LiveCatalogue(repository.readers, cache=cache))
    figures["cold open"] = once(lambda: scan.runs("run.hparams.seed == 77"))
    for kind, queries in (("run", RUN_QUERIES), ("metric", METRIC_QUERIES)):
        for name, text in queries.items():
            call = (
                (lambda text=text: scan.catalogue.ask(_runs(text)))
                if kind == "run"
                else (lambda text=text: scan.catalogue.ask(_pairs(text)))
            )
            figures[f"{kind}: {name}, first"] = once(call)
            figures[f"{kind}: {name}"] = report.timed(call, repeats=15)
            figures[f"{kind}: {name}, matches"] = scan.catalogue.ask(_runs(text) if kind == "run" else _pairs(text))
    figures["run: selective, as hashes"] = report.timed(lambda: scan.runs(RUN_QUERIES["selective"]), repeats=15)
    figures["metric: selective, as sequences"] = report.timed(lambda: scan.sequences(METRIC_QUERIES["selective"]), 15)
    figures["last values"] = report.timed(lambda: scan.summaries("loss", {"subset": "val"}), repeats=15)
    figures["memory of the columns asked, MB"] = round(report.memory_mb() - before_mb)
    figures["update"] = update(repository, scan)
    if on_disk:
        found = scan.sequences(METRIC_QUERIES["one metric"])[:104]
        figures["104 series, first"] = once(lambda: list(scan.series(found)))
        figures["104 series"] = report.timed(lambda: list(scan.series(found)), repeats=7)
    return figures


def _runs(text: str) -> Callable[[Any], int]:
    from aim.query.query import compile_query

    return lambda table: len(compile_query(text, "run").select_runs(table))


def _pairs(text: str) -> Callable[[Any], int]:
    from aim.query.query import compile_query

    return lambda table: len(compile_query(text, "metric").select_sequences(table)[0])


def update(repository: Any, scan: Any, repeats: int = 15) -> dict[str, float]:
    """Change a run that ended, as any process may, and measure the refresh that finds it."""
    taken = []
    for run_hash in scan.runs("")[5 : 8 + repeats]:
        repository.edit(run_hash, {"tags": {"add": ["seen"], "remove": []}}, by="bench")
        time.sleep(0.06)  # else the changes before are young as well, and asked again
        start = time.perf_counter()
        found = scan.catalogue.refresh()
        taken.append((time.perf_counter() - start) * 1e3)
        assert run_hash in found.changed
    taken = sorted(taken[3:])
    return {"median_ms": round(taken[len(taken) // 2], 4), "min_ms": round(taken[0], 4)}


def compare(python: str) -> dict[str, Any]:
    """Measure Aim 3.29.1 with repositories that it made itself."""
    found: dict[str, Any] = {}
    for runs in COMPARED:
        done = subprocess.run(
            [python, str(THEIR_PROGRAM), str(runs), json.dumps(RUN_QUERIES), json.dumps(METRIC_QUERIES)],
            capture_output=True,
            text=True,
            timeout=3600,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            check=False,
        )
        if done.returncode:
            sys.stderr.write(done.stderr[-2000:])
            continue
        found[str(runs)] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows_of(sizes: dict[str, dict[str, Any]], theirs: dict[str, Any]) -> list[list[object]]:
    """Return the table that is printed: a figure a row, a size a column."""
    names = list(dict.fromkeys(name for figures in sizes.values() for name in figures))
    rows: list[list[object]] = []
    for name in names:
        row: list[object] = [name]
        for figures in (*sizes.values(), *theirs.values()):
            value = figures.get(name)
            shown = value["median_ms"] if isinstance(value, dict) else value
            row.append("" if shown is None else f"{shown:,.2f}" if isinstance(shown, float) else f"{shown:,}")
        rows.append(row)
    return rows


def main(arguments: list[str] | None = None) -> dict[str, Any] | None:
    """Measure, print a table, store bench/results/catalogue.json."""
    parser = argparse.ArgumentParser(prog="bench catalogue", description=__doc__)
    parser.add_argument("--compare", metavar="PYTHON", default=os.environ.get("AIM3_PYTHON"))
    parser.add_argument("--sizes", default=",".join(map(str, (*ON_DISK, CATALOGUE_ONLY))))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    parser.add_argument("--fill", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.fill:
        from bench import repository as made

        root, cache, runs = options.fill.split(":")
        made.fill_catalogue(Path(root), made.Size(int(runs), 50, 50, 1000), Path(cache))
        return None
    if options.ask:
        root, cache, on_disk = options.ask.split(":")
        print(json.dumps(ask(Path(root), Path(cache), on_disk == "1")))
        return None
    if options.one:
        print(json.dumps(measure(options.one, options.one < CATALOGUE_ONLY)))
        return None
    sizes: dict[str, dict[str, Any]] = {}
    for runs in options.sizes.split(","):
        done = subprocess.run(
            [sys.executable, "-m", "bench.catalogue", "--one", runs], stdout=subprocess.PIPE, check=True
        )
        sizes[runs] = json.loads(done.stdout.splitlines()[-1])
    theirs = compare(options.compare) if options.compare else {}
    head = ["ms, unless said", *(f"{int(runs):,} runs" for runs in sizes), *(f"aim 3.29.1: {runs}" for runs in theirs)]
    report.table(head, rows_of(sizes, theirs))
    pairs = distinct_pairs()
    report.table((f"{DISTINCT_PAIRS:,} distinct pairs", "ms"), list(pairs.items()))
    found = {"sizes": sizes, "aim 3.29.1": theirs, "goals_ms": GOALS_MS, "10,000 distinct pairs": pairs}
    return report.store("catalogue", found)


if __name__ == "__main__":
    main()
