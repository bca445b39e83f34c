"""
A project as people have it, made by the real SDK: 200 runs with 150 params and 30 metrics each, and one that is running.

    sweep      200 runs of `sweep.py`: settings with five seeds
    samples    of the first three runs: a table of 200 answers at two steps, sounds, and pictures a step
    failed     the run `broken`, whose training raised
    live       the run `now`, which records until its process is ended
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from aim import Audio, Image, Run, Table
from tests.ui.recording import record_failure
from tests.ui.sweep import record_run

RUN_COUNT = 200
SAMPLED = 3
ANSWERS = 200

# One step a fifth of a second, of thirty metrics.
LIVE_PROGRAM = """
import sys, time
from aim import Run

run = Run(repo=sys.argv[1], experiment="live", system_tracking_interval=None, capture_terminal_logs=False)
run.name = "now"
run["hparams"] = {"lr": 0.001, "batch_size": 32, "seed": 1, "optimizer": "adam"}
print("recording", flush=True)
for step in range(1_000_000):
    for place in range(30):
        run.track(1 / (1 + step) + place, name="loss" if place == 0 else f"live_{place}", step=step,
                  context={"subset": "val"})
    time.sleep(0.2)
"""


def record_project(repo: Path) -> None:
    """Record all runs but the one that is running."""
    for index in range(RUN_COUNT):
        record_run(repo, index)
    for index in range(SAMPLED):
        record_samples(repo, index)
    record_failure(repo)


def record_samples(repo: Path, index: int) -> None:
    """Record a run of a language model, with samples."""
    random = np.random.default_rng(index)
    with Run(repo=str(repo), experiment="lm", system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.name = f"lm-{index}"
        run["hparams"] = {"lr": 10.0 ** -(index + 2), "batch_size": 32, "seed": index, "optimizer": "adamw"}
        for step in (0, 100):
            rows = [[f"What is {place}?", f"Answer {place} of {index} at {step}", place / 200] for place in range(ANSWERS)]
            run.track(Table(rows, ["prompt", "answer", "score"]), name="samples", step=step)
            wave = np.sin(np.arange(4000) * (0.05 + index / 100)).astype(np.float32)
            run.track(Audio(wave, rate=8000, caption="spoken"), name="speech", step=step)
            picture = (random.random((40, 60, 3)) * 255).astype("uint8")
            run.track(Image(picture, caption="attention"), name="heads", step=step)
            run.track(3.0 - step / 100, name="perplexity", step=step, context={"subset": "val"})


@contextmanager
def recording_live(repo: Path) -> Iterator[None]:
    """Record the running run until the end of the block."""
    command = [sys.executable, "-c", LIVE_PROGRAM, str(repo)]
    training = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert training.stdout is not None
    try:
        training.stdout.readline()
        yield
    finally:
        training.kill()
        training.wait()
        training.stdout.close()
