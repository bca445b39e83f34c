"""
What exports of a million points cost, in points a second of processor time, and the most memory.

    python -m bench exporting

Each is a process of its own, so that the memory is its own. Processor time, since wall time on a shared machine says
how busy the others are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from aim.convert.importing import import_
from bench import import_sources, report

POINTS = 1_000_000
FORMATS = ("csv", "jsonl", "parquet", "tensorboard", "mlflow", "zip")
MEASURED = """
import json, resource, sys, time
from aim.convert import export
format, source, target = sys.argv[1:]
begun = time.process_time()
points = export(source, target, format=format).points
taken = time.process_time() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"points": points, "seconds": taken, "peak_mb": peak}))
"""


def measured(*arguments: object) -> dict[str, float]:
    """Export in a process, and return what it printed."""
    words = [sys.executable, "-c", MEASURED, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**figures, "points_a_second": round(figures["points"] / figures["seconds"])}


def main(_: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/exporting.json."""
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        import_(import_sources.write_file_store(folder, POINTS), repo=folder / "repository")
        for name in FORMATS:
            figures[name] = measured(name, folder / "repository", folder / f"to {name}")
    rows = [[name, f"{taken['points_a_second']:,}", f"{taken['peak_mb']:,.0f}"] for name, taken in figures.items()]
    report.table(["format", "points a CPU second", "peak MB"], rows)
    return report.store("exporting", {"figures": figures, "points": POINTS})


if __name__ == "__main__":
    main()
