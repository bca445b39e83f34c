"""
A small sweep as people ask about it: six trainings, of which one fails, one computes NaN and one diverges; with logs,
images and what the GPU does. All of it is made by formulas, so the answers are the same each time.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from aim import Image, Run
from aim.sdk.objects.log_line import LogLine

RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
STEPS = 200


class OutOfMemory(RuntimeError):
    """What ends the training of the learning rate 0.3."""


def record_sweep(folder: Path) -> None:
    """Record the sweep into *folder*."""
    random = np.random.default_rng(3)
    for number, rate in enumerate(RATES):
        try:
            _record(folder, number, rate, random)
        except OutOfMemory:
            continue


def _record(folder: Path, number: int, rate: float, random: np.random.Generator) -> None:
    with Run(
        f"{number}e{'5a7d3c9b1f' * 2}{number}4",
        repo=folder,
        create=True,
        experiment="digits",
        system_tracking_interval=None,
        capture_terminal_logs=False,
    ) as run:
        run.name = f"lr-{rate:g}"
        run["hparams"] = {"lr": rate, "model": "small", "batch_size": 32}
        for step in range(STEPS):
            left = math.exp(-step * (0.01 + rate / 3))
            loss = 2.3 * left + 0.2 + 0.01 * float(random.normal())
            if rate == 1.0:
                loss = math.nan if step >= 90 else loss
            if rate == 0.1:
                loss += max(0, step - 120) / 20
            run.track(loss, name="loss", step=step, context={"subset": "val"})
            run.track(0.95 * (1 - left) - 0.02 * number, name="accuracy", step=step, context={"subset": "val"})
            if step % 20 == 0:
                run.track(LogLine(f"step {step}: loss {loss:.4f}"), name="logs", step=step)
            if rate == 0.3 and step == 60:
                run.track(LogLine("CUDA error: out of memory, tried to allocate 2.00 GiB"), name="logs", step=step + 1)
                raise OutOfMemory("out of memory")
        run.track(35.0 + 10 * number, name="__system__gpu", context={"gpu": 0})
        pixels = np.zeros((24, 32, 3), np.uint8)
        pixels[:, : 4 * number + 4] = (250, 200, 60)
        run.track(Image(pixels, caption="prediction"), name="predictions", step=STEPS - 1)
