"""
What runs cost at their end, as shipped: sixteen trainings that end together, and a sweep of short runs.

    python -m bench closing --earlier CHECKOUT --repeats 5

CHECKOUT is another checkout of Aim, which is measured in turn with this one: the machine's speed changes by half within
minutes. The floors are sixteen Pythons that are started and end together: bare ones; those that append the same bytes
to a file, packed as Aim's records are; and those that only import `Run`.

    16 processes   10,000 points each into a new repository: wall clock until the last has ended, and processor time of
                   all processes of that time, those that seal included
    sweep          1,000 runs of 100 points, closed by one process: what is unsealed when it ends, and how long until
                   all are sealed; 60 s at most
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import report

HERE = Path(__file__).resolve().parent
PROCESSES = 16
POINTS = 10_000
SWEEP_PATIENCE_S = 60.0
RECORD = """
from aim import Run
run = Run(repo={folder!r}, system_tracking_interval=None, capture_terminal_logs=False)
for step in range({points}): run.track(0.5, name='loss', step=step)
run.close()
"""
FLOORS = {
    "floor": "pass",
    "floor, the same bytes": """
import os, struct, time
pack, now = struct.Struct("@dqdfI").pack, time.time
with open(os.path.join({folder!r}, str(os.getpid())), "wb") as file:
    for step in range({points}): file.write(pack(0.5, step, now(), 0.0, 1))
""",
    "floor, only the import": "from aim import Run",
}
SWEEP = """
from aim import Run
for number in range({runs}):
    run = Run(repo={folder!r}, system_tracking_interval=None, capture_terminal_logs=False)
    for step in range(100): run.track(step / 2, name='loss', step=step)
    run.close()
"""


def together(program: str, environment: dict[str, str]) -> dict[str, float]:
    """Start sixteen Pythons that run *program*; give wall clock and processor time until the last has ended."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun_s = time.perf_counter()
    children = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.DEVNULL)
        for _ in range(PROCESSES)
    ]
    assert not any(child.wait() for child in children)
    wall_s = time.perf_counter() - begun_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall_s": wall_s, "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def environment_of(checkout: Path, caches: str) -> dict[str, str]:
    """Return the environment in which `import aim` means that of *checkout*, with caches of its own."""
    variables = {**os.environ, "PYTHONPATH": str(checkout / "src"), "AIM_SEAL_ON_CLOSE": "1", "AIM_CACHE_DIR": caches}
    return variables


def processes(checkout: Path, program: str = RECORD) -> dict[str, float]:
    """Measure sixteen processes."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = environment_of(checkout, os.path.join(folder, "caches"))
        return together(program.format(folder=folder, points=POINTS), environment)


def sweep(checkout: Path, runs: int) -> dict[str, float]:
    """Measure a sweep."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = environment_of(checkout, os.path.join(folder, "caches"))
        begun_s = time.perf_counter()
        subprocess.run([sys.executable, "-c", SWEEP.format(folder=folder, runs=runs)], env=environment, check=True)
        ended_s = time.perf_counter()

        def unsealed() -> int:
            return len({path.parent for path in Path(folder, ".aim", "runs").glob("*/*.points-0*")})

        figures: dict[str, float] = {"sweep_s": ended_s - begun_s, "unsealed_at_the_end": unsealed()}
        left = unsealed()
        while left and time.perf_counter() - ended_s < SWEEP_PATIENCE_S:
            time.sleep(0.2)
            left = unsealed()
        return {**figures, "sealed_after_s": time.perf_counter() - ended_s, "unsealed_after_60_s": left}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure in turn, print a table, store bench/results/closing.json."""
    parser = argparse.ArgumentParser(prog="bench closing", description=__doc__)
    parser.add_argument("--earlier", type=Path, help="another checkout of Aim")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--runs", type=int, default=1_000, help="of the sweep")
    options = parser.parse_args(arguments)
    checkouts = {"now": HERE.parent} | ({"earlier": options.earlier.resolve()} if options.earlier else {})
    samples: dict[str, list[dict[str, float]]] = {name: [] for name in (*FLOORS, *checkouts)}
    for _ in range(options.repeats):
        for name, program in FLOORS.items():
            samples[name].append(processes(HERE.parent, program))
        for name, checkout in checkouts.items():
            samples[name].append(processes(checkout))
    medians = {
        name: {key: statistics.median(figures[key] for figures in found) for key in found[0]}
        for name, found in samples.items()
    }
    sweeps = {name: sweep(checkout, options.runs) for name, checkout in checkouts.items()}
    rows = [
        [f"16 processes, {name}", *(f"{value:.3g}" for value in figures.values())] for name, figures in medians.items()
    ]
    report.table(["", "wall s", "cpu s"], rows)
    heads = ["sweep s", "unsealed then", "all sealed after s", "unsealed after 60 s"]
    report.table(
        ["", *heads], [[name, *(f"{value:.4g}" for value in found.values())] for name, found in sweeps.items()]
    )
    return report.store("closing", {"processes": medians, "sweep": sweeps, "samples": samples, "runs": options.runs})


if __name__ == "__main__":
    main()
