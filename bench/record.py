"""
What recording and reading back cost, against Aim 3.29.1 and the physical floor, in one run.

    python -m bench record                        this version and the floor
    python -m bench record --aim3 PYTHON          and Aim 3.29.1, installed in the environment of that interpreter

Each figure is measured in a fresh process by `bench/recording.py`, which runs under either tracker; the trackers take
turns, so a slow minute of the machine hits both. Printed: the median of the repeats, and the ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from bench import report

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src"

GOALS = {
    "track_all_p50_ns": ("track(name, step, epoch, context), p50", "ns", 1200),
    "track_all_p99_ns": ("the same, p99", "ns", 10_000),
    "track_name_ns": ("track(value, name)", "ns", None),
    "track_handle_ns": ("a handle's track(value)", "ns", 500),
    "track_handle_step_ns": ("a handle's track(value, step)", "ns", None),
    "track_1000_metrics_ns": ("1,000 metrics in turn", "ns", None),
    "track_busy_thread_ns": ("beside a busy Python thread", "ns", None),
    "track_paced_p50_ns": ("paced, 2,000 calls a second, p50", "ns", None),
    "track_paced_p99_ns": ("paced, p99", "ns", None),
    "import_ms": ("import, over bare Python", "ms", 50),
    "rss_mb": ("memory after the first point", "MB", None),
    "first_point_ms": ("start of Python to the first point", "ms", None),
    "run_to_first_point_ms": ("import, Run(), first point", "ms", 100),
    "bytes_live": ("bytes a point, live", "B", None),
    "bytes_sealed": ("bytes a point, sealed", "B", 10),
    "read_100k_ms": ("read one metric of 100,000 points", "ms", 2),
    "read_1000_runs_ms": ("read one metric of 1,000 runs", "ms", 100),
    "processes_16_s": ("16 processes x 10,000 points, new repository", "s", 2),
    "floor_struct_ns": ("floor: 32 bytes into a mapped file", "ns", None),
}


def measure(python: str, what: str, options: argparse.Namespace) -> dict[str, float]:
    """Run one part of `recording.py` in a fresh process of *python*; give its figures."""
    environment = {**os.environ, "AIM_SEAL_ON_CLOSE": "0"}
    environment.pop("PYTHONPATH", None)
    if python == sys.executable:
        environment["PYTHONPATH"] = str(SOURCE)
    done = subprocess.run(
        [python, str(HERE / "recording.py"), what, str(options.scale)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr[-2000:])
        return {}
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


PARTS = ("start", "track", "busy", "paced", "many", "read", "runs", "processes")


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/record.json."""
    parser = argparse.ArgumentParser(prog="bench record", description=__doc__)
    parser.add_argument("--aim3", help="the interpreter of an environment with aim 3.29.1")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the counts; 0.1 for a quick look")
    parser.add_argument("--parts", default=",".join(PARTS))
    options = parser.parse_args(arguments)
    trackers = {"aim": sys.executable} | ({"aim3": options.aim3} if options.aim3 else {})
    samples: dict[str, dict[str, list[float]]] = {name: {} for name in trackers}
    for part in options.parts.split(","):
        for _ in range(options.repeats):
            for name, python in trackers.items():
                for figure, value in measure(python, part, options).items():
                    samples[name].setdefault(figure, []).append(value)
    figures = {name: {key: median(values) for key, values in found.items()} for name, found in samples.items()}
    rows = []
    for key, (label, unit, goal) in GOALS.items():
        ours, theirs = figures["aim"].get(key), figures.get("aim3", {}).get(key)
        if ours is not None:
            ratio = f"{theirs / ours:,.1f} x" if theirs else ""
            rows.append(
                [
                    label,
                    f"{ours:,.3g}" if ours < 100 else f"{ours:,.0f}",
                    unit,
                    f"{theirs:,.4g}" if theirs else "",
                    ratio,
                    goal or "",
                ]
            )
    report.table(["figure", "aim", "unit", "aim 3.29.1", "ratio", "goal"], rows)
    return report.store("record", {"figures": figures, "samples": samples, "scale": options.scale})


if __name__ == "__main__":
    main()
