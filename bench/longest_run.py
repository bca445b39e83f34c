"""
One run as long as any: recorded, sealed, drawn, zoomed. Outside CI: 10^8 points take some minutes and 5 GB of disk.

    python -m bench longest_run                                  100,000,000 points of one metric
    python -m bench longest_run --points 10000000 --folder /big

    record    `run.track()` in a loop, with the loop; processor time a point
    seal      the process that seals; processor time a point, and the most memory that it has, with pyarrow
    first     the first picture of 1,000 parts of the whole curve, in a new process; and the memory of that process
    zoom      1,000 parts of half of the curve, then of a thousandth: medians of some windows
    last      `metric.values.last()` in a new process, without the imports

Each phase is a process of its own. Times are of the processor, since the machine may be busy.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.long_runs import PARTS, REPEATS, _ms

POINTS = 100_000_000
GOALS = {"seal us a point": 0.5, "seal MiB": 150, "zoom ms": 5, "last ms": 1}


def _peak_mib() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def record(root: Path, points: int) -> dict[str, float]:
    """Record the run."""
    from aim import Run

    run = Run("longest", repo=root, create=True, system_tracking_interval=None, capture_terminal_logs=False)
    track = run.track
    begun_s = time.process_time()
    for step in range(points):
        track(step % 977 / 31 + 1e6 / (step + 1), name="loss", step=step)
    taken_s = time.process_time() - begun_s
    run.close()
    return {"record us a point": round(taken_s / points * 1e6, 4), "record MiB": _peak_mib()}


def seal(root: Path, points: int) -> dict[str, float]:
    """Seal it."""
    from aim.engine.sealing import seal_run

    folder = root / ".aim" / "runs" / "longest"
    journal_bytes = sum(path.stat().st_size for path in folder.iterdir())
    begun_s = time.process_time()
    assert seal_run(folder) == 1
    taken_s = time.process_time() - begun_s
    sealed_bytes = sum(path.stat().st_size for path in folder.iterdir())
    return {
        "seal us a point": round(taken_s / points * 1e6, 4),
        "seal MiB": _peak_mib(),
        "journal bytes a point": round(journal_bytes / points, 2),
        "sealed bytes a point": round(sealed_bytes / points, 2),
    }


def draw(root: Path, points: int) -> dict[str, float]:
    """Draw all of it, and zoom."""
    from aim.engine.curves import CurveRequest, View
    from aim.engine.curves import draw as drawn
    from aim.engine.points import PointStore
    from aim.engine.repository import Repository
    from aim.engine.tail import Watch

    repository = Repository(root)
    store = PointStore(repository, Watch(repository.questions().catalogue))
    request = CurveRequest("longest", 0.0, ("loss", "{}"))
    numbers = iter(range(1_000))

    def window(share: float) -> Callable[[], object]:
        def look() -> object:
            low = next(numbers) * points / 4_000
            return drawn(store, [request], View(window=(low, low + points * share), buckets=PARTS))

        return look

    first_ms = _ms(lambda: drawn(store, [request], View(buckets=PARTS)), 1)
    return {
        "first picture ms": round(first_ms, 1),
        "again ms": round(_ms(lambda: drawn(store, [request], View(buckets=PARTS))), 2),
        "zoom ms": round(_ms(window(0.5), REPEATS), 2),
        "near zoom ms": round(_ms(window(0.001), REPEATS), 2),
        "draw MiB": _peak_mib(),
    }


def last(root: Path, points: int) -> dict[str, float]:
    """Ask for its last value."""
    from aim import Repo

    run = Repo(root).get_run("longest")
    assert run is not None
    metric: Any = run.get_metric("loss")
    figures = {"last ms": round(_ms(lambda: metric.values.last(), 1), 3), "last MiB": _peak_mib()}
    assert metric.values.last()[0] == points - 1
    return figures


PHASES = {"record": record, "seal": seal, "draw": draw, "last": last}


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Run the phases, print a table, store bench/results/longest_run.json."""
    parser = argparse.ArgumentParser(prog="bench longest_run", description=__doc__)
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--folder", type=Path, help="of a disk with room for 70 bytes a point")
    parser.add_argument("--phase", choices=PHASES, help="run one phase in this process, and print JSON")
    options = parser.parse_args(arguments)
    if options.phase is not None:
        print(json.dumps(PHASES[options.phase](options.folder, options.points)))
        return {}
    from bench import report

    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        environment = {**os.environ, "AIM_SEAL_ON_CLOSE": "0", "AIM_CACHE_DIR": str(Path(folder, "cache"))}
        for phase in PHASES:
            command = [sys.executable, "-m", "bench.longest_run", "--phase", phase]
            command += ["--folder", folder, "--points", str(options.points)]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
            figures |= json.loads(done.stdout.splitlines()[-1])
            print(phase, done.stdout.decode().strip(), flush=True)
    report.table(["longest run", ""], list(figures.items()))
    name = "longest_run" if options.points == POINTS else f"longest_run_{options.points}"
    return report.store(name, {"points": options.points, "figures": figures, "goals": GOALS})


if __name__ == "__main__":
    main()
