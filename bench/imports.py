"""
What importing costs: points a CPU second and the most memory, beside the reading alone by each tool's own reader.

    python -m bench imports                                 our own figures
    python -m bench imports --theirs PYTHON --aim3 PYTHON   also of the tools' readers: Pythons with tensorboard, mlflow
                                                            and pandas, and with Aim 3
    python -m bench imports --source csv --gib 10           one source of so many GiB: does the memory stay bounded?
    python -m bench imports --runs 10000                    how long it takes to see that nothing is new in many runs

    source          points       the tool's own reader
    tensorboard     1,000,000    EventFileLoader goes through the file
    wandb           1,000,000    none: W&B's is a program that syncs
    mlflow-files    1,000,000    MlflowClient.get_metric_history
    mlflow-sqlite   1,000,000    none of our own database; MLflow's are read by the same client
    csv, jsonl      1,000,000    pandas
    parquet         1,000,000    pandas
    aim3            200,000      `run.get_metric()` of Aim 3, with its values

An import reads, writes the sealed form, reads it back and compares; the tools' readers only read. The process that
reads chunks of Aim 3 counts, with its beginning. `again`: the same import a second time, as a share of the first.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import import_sources, report

POINTS = 1_000_000
OLD_POINTS = 200_000
OURS = """
import json, resource, sys, time
from aim.convert.importing import import_
begun, begun_s = time.process_time(), time.perf_counter()
done = import_(sys.argv[1], repo=sys.argv[2])
own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
cpu_s = time.process_time() - begun + others.ru_utime + others.ru_stime
states = sorted({run.state for run in done.runs})
wall_s = time.perf_counter() - begun_s
print(json.dumps([done.points, cpu_s, (own.ru_maxrss + others.ru_maxrss) / 1024, wall_s, states]))
"""
BEGIN = "import json, os, sys, time\nsource = sys.argv[1]\n"
END = "\nprint(json.dumps([count, time.process_time() - begun]))\n"
EVENTS = """
from pathlib import Path
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
begun, count = time.process_time(), 0
for event in EventFileLoader(str(next(Path(source).rglob("*tfevents*")))).Load():
    count += len(event.summary.value)
"""
MLFLOW = """
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
import mlflow
client = mlflow.MlflowClient("file://" + source)
begun = time.process_time()
count = sum(len(client.get_metric_history("a" * 32, f"m{number}")) for number in range(4))
"""
PANDAS = """
import pandas
begun = time.process_time()
count = len(pandas.read_{}) * 4
"""
AIM3 = """
from aim import Repo
begun, count = time.process_time(), 0
for run in Repo(source).iter_runs():
    for name, context, _ in run.iter_metrics_info():
        steps, values = run.get_metric(name, context).values.sparse_numpy()
        count += len(steps)
"""
THEIRS = {
    "tensorboard": EVENTS,
    "mlflow-files": MLFLOW,
    "csv": PANDAS.format("csv(source)"),
    "jsonl": PANDAS.format("json(source, lines=True)"),
    "parquet": PANDAS.format("parquet(source)"),
    "aim3": AIM3,
}
SOURCES: dict[str, Callable[[Path, int], Path]] = {
    "tensorboard": import_sources.write_event_file,
    "wandb": import_sources.write_wandb_file,
    "mlflow-files": import_sources.write_file_store,
    "mlflow-sqlite": import_sources.write_database,
    "csv": import_sources.write_csv,
    "jsonl": import_sources.write_json_lines,
    "parquet": import_sources.write_parquet,
    "aim3": import_sources.write_old_repository,
}


def printed(python: str, code: str, *arguments: Path) -> Any:
    """Return what a program prints."""
    words = [python, "-c", code, *map(str, arguments)]
    environment = None if python == sys.executable else import_sources.without_our_path()
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def measured(name: str, folder: Path, source: Path, theirs: str | None) -> dict[str, float]:
    """Return the figures of a source: imported, imported again, and read by its own reader."""
    repository = folder / f"of {name}"
    points, cpu_s, memory_mib, _, _ = printed(sys.executable, OURS, source, repository)
    _, again_s, _, _, states = printed(sys.executable, OURS, source, repository)
    assert states == ["unchanged"], states
    figures = {
        "points": points,
        "points_a_cpu_s": round(points / cpu_s),
        "memory_mib": round(memory_mib),
        "again_percent": round(100 * again_s / cpu_s, 1),
    }
    if theirs is not None and name in THEIRS:
        print(name, figures, flush=True)
        count, their_s = printed(theirs, BEGIN + THEIRS[name] + END, source)
        figures["of_their_reader"] = round(points / cpu_s / (count / their_s), 2)
    return figures


def size_gib(source: Path) -> float:
    """Return the size of a file, or of all files below a folder."""
    files = [source] if source.is_file() else [path for path in source.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files) / 2**30


def large(name: str, folder: Path, gib: float) -> dict[str, float]:
    """Return the figures of a source of about so many GiB."""
    probe = folder / "probe"
    probe.mkdir()
    points = round(POINTS * gib / size_gib(SOURCES[name](probe, POINTS)))
    source = SOURCES[name](folder, points)
    points, cpu_s, memory_mib, wall_s, _ = printed(sys.executable, OURS, source, folder / "large")
    return {
        "gib": round(size_gib(source), 2),
        "points": points,
        "points_a_cpu_s": round(points / cpu_s),
        "memory_mib": round(memory_mib),
        "wall_s": round(wall_s),
    }


def many(folder: Path, count: int) -> dict[str, float]:
    """Return how long an import takes that finds all of many runs unchanged."""
    source = folder / "many"
    for number in range(count):
        run = source / f"{number:05d}"
        run.mkdir(parents=True)
        (run / "metrics.csv").write_text("step,loss\n0,0.5\n1,0.25\n")
        (run / "hparams.yaml").write_text("lr: 0.1\n")
    printed(sys.executable, OURS, source, folder / "of many")
    _, cpu_s, _, wall_s, states = printed(sys.executable, OURS, source, folder / "of many")
    assert states == ["unchanged"], states
    return {"runs": count, "cpu_s": round(cpu_s, 2), "wall_s": round(wall_s, 2)}


def earlier() -> dict[str, Any]:
    """Return what was measured before: each call measures what it is asked for."""
    path = report.RESULTS / "imports.json"
    taken: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return {name: taken.get(name, {}) for name in ("figures", "large", "many")}


def keep(kind: str, name: str, figures: dict[str, float]) -> None:
    """Add figures to those that are stored."""
    print(name, figures, flush=True)
    results = earlier()
    results[kind][name] = figures
    report.store("imports", results)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/imports.json."""
    parser = argparse.ArgumentParser(prog="bench imports", description=__doc__)
    parser.add_argument("--theirs", help="a Python that has tensorboard, mlflow and pandas")
    parser.add_argument("--aim3", help="a Python that has Aim 3")
    parser.add_argument("--source", action="append", choices=sorted(SOURCES))
    parser.add_argument("--gib", type=float)
    parser.add_argument("--runs", type=int)
    options = parser.parse_args(arguments)
    names = options.source or ([] if options.runs else list(SOURCES))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if options.runs:
            keep("many", "lightning", many(folder, options.runs))
        for name in names:
            if options.gib:
                keep("large", name, large(name, folder, options.gib))
            elif name == "aim3":
                source = import_sources.write_old_repository(folder, OLD_POINTS, options.aim3)
                keep("figures", name, measured(name, folder, source, options.aim3))
            else:
                source = SOURCES[name](folder, POINTS)
                keep("figures", name, measured(name, folder, source, options.theirs))
    results = earlier()
    columns = ("points_a_cpu_s", "of_their_reader", "memory_mib", "again_percent")
    rows = [[name, *(f"{taken.get(column, '')}" for column in columns)] for name, taken in results["figures"].items()]
    report.table(["source", "points a CPU second", "of their reader", "MiB", "again, %"], rows)
    return results


if __name__ == "__main__":
    main()
