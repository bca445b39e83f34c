"""
Signal handlers that record, close and leave while the same thread is in the middle of recording, by real signals.

Preemption on Slurm and Kubernetes is a SIGTERM whose handler closes the run. A timer of the process sends the signal,
so each trial strikes elsewhere. A handler asks for the next signal at its end: else it would come before the handler of
the last one has ended, again and again, until Python's recursion limit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aim import Repo
from aim.core.statuses import FINISHED
from aim.storage.reading.folder_source import open_run

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 120
TRIALS = int(os.environ.get("AIM_SIGNAL_TRIALS", "6"))

TRAINING = """
import itertools, json, os, signal, sys
import numpy as np
from aim import Distribution, Image, Run, Text

repo, mode, delay_s = sys.argv[1], sys.argv[2], float(sys.argv[3])
run = Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False)
counts = {"image": 0, "text": 0, "loss": 0, "exact": 0, "params": 0, "handled": 0}
handled = itertools.count()
pixels = np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)

def leave(*_):
    run.close()
    print(json.dumps(counts), flush=True)
    os.environ["AIM_LEFT"] = "1"
    sys.exit(0)

def record(*_):
    step = next(handled)
    run.track(step + 0.5, name="handled loss", step=step)
    run.track(Text("handled"), name="handled text", step=step)
    run.track(Image(pixels), name="handled image", step=step)
    run["handled", str(step)] = step
    counts["handled"] += 1
    signal.setitimer(signal.ITIMER_PROF, 0.002)

signal.signal(signal.SIGPROF, leave if mode == "leave" else record)
signal.setitimer(signal.ITIMER_PROF, delay_s)
while mode == "leave" or counts["handled"] < 30:
    run.track(Image(pixels), name="image", step=counts["image"])
    counts["image"] += 1
    run.track(Text("text"), name="text", step=counts["text"])
    counts["text"] += 1
    run.track(0.5, name="loss", step=counts["loss"])
    counts["loss"] += 1
    run.track(2**60 + counts["exact"], name="exact", step=counts["exact"])
    counts["exact"] += 1
    run["params", str(counts["params"])] = counts["params"]
    counts["params"] += 1
signal.setitimer(signal.ITIMER_PROF, 0)
leave()
"""


def train(repo: Path, mode: str, delay_s: float) -> tuple[dict[str, int], str]:
    """Run the training; return what its calls had recorded when they returned, and what it wrote to stderr."""
    trained = subprocess.run(
        [sys.executable, "-c", TRAINING, str(repo), mode, str(delay_s)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert 0 == trained.returncode, trained.stderr
    counts: dict[str, int] = json.loads(trained.stdout.splitlines()[0])
    return counts, trained.stderr


def steps_of(repo: Path) -> dict[str, set[int]]:
    """Return the steps of each sequence of the only run."""
    (folder,) = (repo / ".aim" / "runs").iterdir()
    reader = open_run(folder)
    assert FINISHED == reader.state().status()[0]
    points = {name: reader.points((name, context)) for name, context in reader.state().sequences}
    return {name: set(found.steps.tolist()) for name, found in points.items() if found is not None}


@pytest.mark.parametrize("trial", range(TRIALS))
def test_a_handler_may_close_the_run_and_leave(tmp_path: Path, trial: int) -> None:
    """
    Wherever the signal strikes, all that `track` has returned for is there, the run is finished, and nothing is waited
    for in vain.
    """
    counts, errors = train(tmp_path, "leave", 0.05 + 0.037 * trial)

    assert "" == errors
    steps = steps_of(tmp_path)
    for name in ("image", "text", "loss", "exact"):
        assert set(range(counts[name])) <= steps.get(name, set()), name
    (run,) = Repo(str(tmp_path)).iter_runs()
    assert counts["params"] <= len(run.get("params", {}))


@pytest.mark.parametrize("trial", range(max(1, TRIALS // 3)))
def test_a_handler_may_record(tmp_path: Path, trial: int) -> None:
    """
    What a handler records in the middle of another call of the same thread is recorded, and so is that call.
    """
    counts, errors = train(tmp_path, "record", 0.02 + 0.011 * trial)

    assert "" == errors
    steps = steps_of(tmp_path)
    for name in ("image", "text", "loss", "exact"):
        assert set(range(counts[name])) <= steps.get(name, set()), name
    for name in ("handled loss", "handled text", "handled image"):
        assert set(range(counts["handled"])) <= steps.get(name, set()), name
    (run,) = Repo(str(tmp_path)).iter_runs()
    assert counts["handled"] == len(run["handled"])
