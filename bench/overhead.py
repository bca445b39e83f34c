"""
What recording costs the training besides its numbers, against Aim 3.29.1 in the same run.

    python -m bench overhead                        this version
    python -m bench overhead --aim3 PYTHON          and Aim 3.29.1, installed in the environment of that interpreter

    image     the time that the loop loses to one image of 512 x 512 x 3, with pauses in which the thread can encode,
    and without system    the share of a core that system metrics take, at 1 s and at the default 10 s
    lines     a print with capture, less a print without
    start     Run() in a repository that is there, with nothing and with everything on

Each figure is taken in a fresh process; the trackers take turns. Aim 3.29.1 is measured once, unless --aim3-repeats
says otherwise: it takes minutes. Results are stored after each part, so what was measured is kept whatever comes; a
part that takes too long is left out, and said.
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

QUIET: dict[str, Any] = {"system_tracking_interval": None, "capture_terminal_logs": False}
IMAGES = 40
LINES = 5_000
SYSTEM_S = 5.0
STARTS = 5
PART_S_MAX = 240.0
STEP_S = 0.05  # of computing between two images


def is_ours() -> bool:
    """Return whether the tracker that is measured is this one."""
    import aim

    return not str(getattr(aim.__version__, "__version__", aim.__version__)).startswith("3.")


def new_run(folder: str | None = None, **options: Any) -> Any:
    """Make a run, in a folder of its own unless *folder* is given."""
    from aim import Run

    return Run(repo=folder or tempfile.mkdtemp(), **{**QUIET, **options})


def _images(track: Callable[[Any, int], None], pause_s: float) -> float:
    import numpy as np

    from aim import Image

    pixels = np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    smooth = np.cumsum(pixels, axis=1, dtype=np.int64).astype(np.uint8)
    track(Image(smooth), 0)
    taken = []
    for step in range(1, IMAGES):
        begin = time.perf_counter()
        track(Image(smooth), step)
        taken.append(time.perf_counter() - begin)
        if pause_s:
            time.sleep(pause_s)
    return median(taken) * 1e3


def image() -> dict[str, float]:
    """The loop's time for one image: made and tracked."""
    run = new_run()
    figures = {
        "image_paced_ms": _images(lambda picture, step: run.track(picture, name="a", step=step), STEP_S),
        "image_burst_ms": _images(lambda picture, step: run.track(picture, name="b", step=step), 0.0),
    }
    if is_ours():
        figures["image_sync_ms"] = _images(
            lambda picture, step: run.track(picture, name="c", step=step, sync=True), 0.0
        )
    run.close()
    return figures


def _cpu_s() -> float:
    return time.process_time()  # to the nanosecond; os.times() counts in hundredths


def system() -> dict[str, float]:
    """The share of a core that system metrics take while the training sleeps."""

    def share(interval_s: float | None) -> float:
        run = new_run(system_tracking_interval=interval_s)
        time.sleep(1.0)  # psutil's import, and whatever else a run does once
        begin, used_s = time.perf_counter(), _cpu_s()
        time.sleep(SYSTEM_S)
        found = (_cpu_s() - used_s) / (time.perf_counter() - begin)
        run.close()
        return found

    nothing, each_second = share(None), share(1.0)
    cost = max(0.0, each_second - nothing) * 100
    return {"system_1s_percent": cost, "system_10s_percent": cost / 10}


def lines() -> dict[str, float]:
    """A line printed to a file, with and without capture."""

    def per_line_ns() -> float:
        begin = time.perf_counter_ns()
        for number in range(LINES):
            sys.stdout.write(f"step {number}: loss 0.12345\n")
        return (time.perf_counter_ns() - begin) / LINES

    real, sys.stdout = sys.stdout, open(os.devnull, "w")  # noqa: SIM115  closed below
    per_line_ns()
    plain_ns = min(per_line_ns() for _ in range(5))
    run = new_run(capture_terminal_logs=True)
    cpu_s = _cpu_s()
    taken = []
    for _ in range(5):
        taken.append(per_line_ns())
        time.sleep(1.2)
    run.close()
    whole_s = _cpu_s() - cpu_s
    sys.stdout.close()
    sys.stdout = real
    return {"line_ns": min(taken) - plain_ns, "line_cpu_us": whole_s / (5 * LINES) * 1e6}


def start() -> dict[str, float]:
    """What making a run costs the caller, with everything on and with nothing."""
    folder = tempfile.mkdtemp()
    new_run(folder).close()

    def made_ms(**options: Any) -> float:
        taken = []
        for _ in range(STARTS):
            begin = time.perf_counter()
            run = new_run(folder, **options)
            taken.append(time.perf_counter() - begin)
            run.close()
        return median(taken) * 1e3

    everything = {"system_tracking_interval": 10, "capture_terminal_logs": True}
    return {"run_quiet_ms": made_ms(), "run_all_ms": made_ms(**everything)}


PARTS: dict[str, Callable[[], dict[str, float]]] = {"image": image, "system": system, "lines": lines, "start": start}
LABELS = {
    "image_paced_ms": ("an image of 512 x 512 x 3 for the loop, every 50 ms", "ms", 2.0),
    "image_burst_ms": ("the same, as fast as they come", "ms", None),
    "image_sync_ms": ("the same, sync=True", "ms", None),
    "system_1s_percent": ("system metrics every second, share of a core", "%", None),
    "system_10s_percent": ("system metrics every 10 s, share of a core", "%", 1.0),
    "line_ns": ("a captured line, for who prints", "ns", 1000),
    "line_cpu_us": ("a captured line, all threads together", "us", None),
    "run_quiet_ms": ("Run() with nothing", "ms", None),
    "run_all_ms": ("Run() with system metrics and capture", "ms", None),
}


def measure(python: str, part: str) -> dict[str, float]:
    """Take one part's figures in a fresh process of *python*."""
    environment = {**os.environ, "AIM_SEAL_ON_CLOSE": "0"}
    if python == sys.executable:
        environment["PYTHONPATH"] = str(Path(__file__).parent.parent / "src")
    else:
        environment.pop("PYTHONPATH", None)
    try:
        done = subprocess.run(
            [python, __file__, part], env=environment, capture_output=True, text=True, timeout=PART_S_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        print(f"{part} of {python} took more than {PART_S_MAX:.0f} s: left out", file=sys.stderr)
        return {}
    if done.returncode:
        sys.stderr.write(done.stderr[-2000:])
        return {}
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/overhead.json."""
    from bench import report

    parser = argparse.ArgumentParser(prog="bench overhead", description=__doc__)
    parser.add_argument("--aim3", help="the interpreter of an environment with aim 3.29.1")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--aim3-repeats", type=int, default=1)
    parser.add_argument("--parts", default=",".join(PARTS))
    options = parser.parse_args(arguments)
    trackers = {"aim": sys.executable} | ({"aim3": options.aim3} if options.aim3 else {})
    repeats = {"aim": options.repeats, "aim3": options.aim3_repeats}
    samples: dict[str, dict[str, list[float]]] = {name: {} for name in trackers}
    stored: dict[str, Any] = {}
    for part in options.parts.split(","):
        for turn in range(max(repeats.values())):
            for name, python in trackers.items():
                if turn < repeats[name]:
                    found = measure(python, part)
                    for figure, value in found.items():
                        samples[name].setdefault(figure, []).append(value)
                    shown = ", ".join(f"{figure} {value:,.4g}" for figure, value in found.items())
                    print(f"{part} {name} {turn + 1}/{repeats[name]}: {shown}", flush=True)
        figures = {name: {key: median(values) for key, values in by_name.items()} for name, by_name in samples.items()}
        stored = report.store("overhead", {"figures": figures, "samples": samples})
    _show(figures)
    return stored


def _show(figures: dict[str, dict[str, float]]) -> None:
    from bench import report

    rows = []
    for key, (label, unit, goal) in LABELS.items():
        ours, theirs = figures["aim"].get(key), figures.get("aim3", {}).get(key)
        if ours is not None:
            ratio = f"{theirs / ours:,.1f} x" if theirs and ours > 0 else ""
            rows.append(
                [label, f"{ours:,.3g}", unit, f"{theirs:,.4g}" if theirs is not None else "", ratio, goal or ""]
            )
    report.table(["figure", "aim", "unit", "aim 3.29.1", "ratio", "goal"], rows)


if __name__ == "__main__":
    found = PARTS[sys.argv[1]]()
    print(json.dumps(found), flush=True)
    os._exit(0)  # what is measured has ended; Aim 3 may hang at exit
