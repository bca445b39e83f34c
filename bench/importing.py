"""
What imports and exports of a million points cost, in points a second of processor time, and the most memory.

    python -m bench importing
    python -m bench importing --mlflow PYTHON     also by MLflow's own reader, of a Python that has mlflow

Each is a process of its own, so that the memory is its own. Processor time, since wall time on a shared machine says
how busy the others are.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import report

POINTS = 1_000_000
METRICS = 4
RUN = "a" * 32
META = (
    f"run_id: {RUN}\nrun_uuid: {RUN}\nexperiment_id: '1'\nlifecycle_stage: active\nstatus: 3\nstart_time: 0\n"
    "end_time: 1\nartifact_uri: /x\nrun_name: n\nuser_id: u\nsource_name: ''\nsource_type: 4\nsource_version: ''\n"
    "entry_point_name: ''\ntags: []\n"
)
TABLES = """
create table experiments(experiment_id integer primary key, name text, lifecycle_stage text);
create table runs(run_uuid text primary key, name text, status text, start_time integer, end_time integer,
    lifecycle_stage text, artifact_uri text, experiment_id integer);
create table metrics(key text, value double, timestamp integer, run_uuid text, step integer, is_nan boolean,
    primary key(key, timestamp, step, run_uuid, value, is_nan));
create table params(key text, value text, run_uuid text);
create table tags(key text, value text, run_uuid text);
create index of_run on metrics(run_uuid);
insert into experiments values(1, 'e', 'active');
insert into runs values('a', 'n', 'FINISHED', 0, 1, 'active', '/x', 1);
"""
MEASURED = """
import json, resource, sys, time
from aim.convert import export, import_
what, source, target = sys.argv[1:]
begun = time.process_time()
points = import_(source, repo=target).points if what == "import" else export(source, target, format=what).points
taken = time.process_time() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"points": points, "seconds": taken, "peak_mb": peak}))
"""
OWN_READER = """
import json, os, sys, time
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
import mlflow
client = mlflow.MlflowClient("file://" + sys.argv[1])
begun = time.process_time()
points = sum(len(client.get_metric_history("a" * 32, f"m{number}")) for number in range(4))
print(json.dumps({"points": points, "seconds": time.process_time() - begun, "peak_mb": 0}))
"""


def write_file_store(folder: Path) -> Path:
    """Write a file store of MLflow."""
    run = folder / "mlruns" / "1" / RUN
    for name in ("metrics", "params", "tags", "artifacts"):
        (run / name).mkdir(parents=True)
    experiment = "name: e\nexperiment_id: '1'\nlifecycle_stage: active\nartifact_location: /x\n"
    (run.parent / "meta.yaml").write_text(experiment)
    (run / "meta.yaml").write_text(META)
    chance = random.Random(1)
    for number in range(METRICS):
        with open(run / "metrics" / f"m{number}", "w") as file:
            for step in range(POINTS // METRICS):
                file.write(f"{1_700_000_000_000 + step} {chance.random()!r} {step}\n")
    return folder / "mlruns"


def write_database(folder: Path) -> Path:
    """Write a database of MLflow."""
    chance = random.Random(1)
    (folder / "database").mkdir()
    database = sqlite3.connect(folder / "database" / "mlflow.db")
    database.executescript(TABLES)
    for number in range(METRICS):
        rows = ((f"m{number}", chance.random(), step, "a", step, 0) for step in range(POINTS // METRICS))
        database.executemany("insert into metrics values(?, ?, ?, ?, ?, ?)", rows)
    database.commit()
    database.close()
    return folder / "database"


def write_table(folder: Path) -> Path:
    """Write a wide table."""
    chance = random.Random(1)
    path = folder / "table.csv"
    with open(path, "w") as file:
        file.write("step,a,b,c,d\n")
        for step in range(POINTS // METRICS):
            file.write(f"{step},{','.join(repr(chance.random()) for _ in range(METRICS))}\n")
    return path


def measured(python: str, program: str, *arguments: object) -> dict[str, float]:
    """Run a program of this module, and return what it printed."""
    words = [python, "-c", program, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**figures, "points_a_second": round(figures["points"] / figures["seconds"])}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/importing.json."""
    parser = argparse.ArgumentParser(prog="bench importing", description=__doc__)
    parser.add_argument("--mlflow", help="a Python with mlflow")
    options = parser.parse_args(arguments)
    sources: dict[str, Callable[[Path], Path]] = {
        "MLflow files": write_file_store,
        "MLflow SQLite": write_database,
        "CSV": write_table,
    }
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, write in sources.items():
            source = write(folder)
            figures[f"import {name}"] = measured(sys.executable, MEASURED, "import", source, folder / f"of {name}")
        for name in ("csv", "jsonl", "parquet", "tensorboard", "mlflow", "zip"):
            repository = folder / "of MLflow files"
            figures[f"export {name}"] = measured(sys.executable, MEASURED, name, repository, folder / f"to {name}")
        if options.mlflow:
            figures["MLflow's own reader of files"] = measured(options.mlflow, OWN_READER, folder / "mlruns")
    rows = [[name, f"{taken['points_a_second']:,}", f"{taken['peak_mb']:,.0f}"] for name, taken in figures.items()]
    report.table(["what", "points a CPU second", "peak MB"], rows)
    return report.store("importing", {"figures": figures, "points": POINTS})


if __name__ == "__main__":
    main()
