"""
What all benchmarks share: timing, tables on the terminal, and results in bench/results/.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def timed(call: Callable[[], object], repeats: int = 7, warm_up: int = 1) -> dict[str, float]:
    """
    Call *repeats* times, after *warm_up* calls that do not count; give `median_ms` and `min_ms`.
    """
    for _ in range(warm_up):
        call()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append((time.perf_counter() - start) * 1e3)
    return {"median_ms": round(statistics.median(taken), 4), "min_ms": round(min(taken), 4)}


def memory_mb() -> float:
    """Return the memory that this process uses now, in MB; where the system does not tell, the most it has used."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize() / 1e6
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a head, the first column to the left, the others to the right."""
    texts = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[place]) for row in texts) for place in range(len(head))]
    for number, row in enumerate(texts):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def machine() -> dict[str, Any]:
    """Describe where the figures were taken."""
    return {
        "when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
    }


def stored(name: str) -> dict[str, Any]:
    """Return the results that were stored under *name*, without the machine; nothing when there are none."""
    path = RESULTS / f"{name}.json"
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {part: figures for part, figures in results.items() if part != "machine"}


def store(name: str, results: dict[str, Any]) -> dict[str, Any]:
    """Write results with a description of the machine to bench/results/<name>.json, and give both."""
    whole = {"machine": machine(), **results}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"-> {path.relative_to(Path(__file__).parent.parent)}")
    return whole
