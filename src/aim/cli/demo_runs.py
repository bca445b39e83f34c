"""
What the runs of `aim demo` record: everything that a run can hold. It is computed by formulas, and is not trained.

    a sweep     18 runs: two models, three learning rates, three seeds; the highest rate diverges
    baseline    one run with everything: objects of each kind, files, printed lines, log records, system metrics, the
                environment, tags, notes, a rewind
    fork        a run that continues the baseline from the middle
    failed      an exception ended it
    lost        its process was killed
    live        goes on for some minutes, in a process of its own

    python -m aim.cli.demo_runs <folder> lost            what that process does
    python -m aim.cli.demo_runs <folder> live <minutes>

The numbers come from fixed seeds, so that two demos differ in times and hashes only.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aim.cli import demo_objects
from aim.core.reserved import SYSTEM_PARAMS, SYSTEM_PREFIX
from aim.sdk.objects.log_line import LogLine
from aim.sdk.run import Run

if TYPE_CHECKING:
    import numpy as np

EXPERIMENT = "demo"
MODELS = ("small", "large")
LEARNING_RATES = (0.0003, 0.003, 0.03)
SEEDS = (0, 1, 2)
STEP_COUNT = 240
VALIDATION_INTERVAL = 4  # steps
OBJECT_INTERVAL = 60  # steps
EPOCH_LENGTH = 60  # steps
LIVE_INTERVAL_S = 2.0
ENVIRONMENT = {
    "packages": {"aim": "4.0", "numpy": "2.1.0", "torch": "2.5.1", "torchvision": "0.20.1"},
    "env_variables": {"LANG": "en_GB.UTF-8", "USER": "ada"},
    "git_info": {
        "branch": "main",
        "remote_origin_url": "https://example.org/ball.git",
        "commit": {"hash": "5f1c0e2a", "timestamp": "2026-01-05T09:30:00", "author": "Ada <ada@example.org>"},
        "is_dirty": False,
    },
    "executable": "/usr/bin/python3",
    "arguments": ["train.py", "--model", "small", "--lr", "0.003"],
    "working_folder": "/home/ada/ball",
    "python": {"version": "3.12.4", "implementation": "CPython"},
    "hardware": {"host": "gpu-7", "system": "Linux", "machine": "x86_64", "cores": 16, "memory_bytes": 68_719_476_736},
}
NOTES = """## What I tried

The **middle** learning rate is best. The highest diverges after about 120 steps, with every seed.

* next: a schedule for the learning rate
* ask Grace about the mask of the floor
"""


class DemoRun:
    """
    The training that one run of the demo is of.

    Args:
        options: of `Run`.
    """

    def __init__(self, root: Path, model: str, learning_rate: float, seed: int, **options: Any) -> None:
        import numpy as np

        self.learning_rate = learning_rate
        self.seed = seed
        self.random: np.random.Generator = np.random.default_rng(
            [MODELS.index(model), LEARNING_RATES.index(learning_rate), seed]
        )
        self._goal = 0.7 + 0.15 * MODELS.index(model) - 0.08 * abs(math.log10(learning_rate) + 2.5) + 0.01 * seed
        self._speed = 20 / math.sqrt(learning_rate / 0.003)
        self.run = Run(
            repo=str(root),
            experiment=EXPERIMENT,
            system_tracking_interval=None,
            capture_terminal_logs=False,
            **{"name": f"{model}-{learning_rate:g}-{seed}", **options},
        )
        self.run["hparams"] = {"model": model, "lr": learning_rate, "seed": seed, "batch_size": 32}

    def step(self, step: int) -> float:
        """Record one step, and return its loss."""
        remaining = math.exp(-step / self._speed)
        loss = 2.3 * remaining + (1 - self._goal) + 0.03 * float(self.random.normal())
        if self.learning_rate == LEARNING_RATES[-1]:
            loss = math.nan if self.seed == 1 and step > 180 else loss * (1 + max(0, step - 120) / 90)
        epoch = step // EPOCH_LENGTH
        self.run.track(loss, name="loss", step=step, epoch=epoch, context={"subset": "train"})
        if step % VALIDATION_INTERVAL == 0:
            accuracy = self._goal * (1 - remaining) + 0.01 * float(self.random.normal())
            self.run.track(loss + 0.12, name="loss", step=step, epoch=epoch, context={"subset": "val"})
            self.run.track(accuracy, name="accuracy", step=step, epoch=epoch, context={"subset": "val"})
        return loss


def record_all(root: Path) -> Iterator[str]:
    """Record the runs that end, and yield the hash of each."""
    for learning_rate in LEARNING_RATES:
        for model in MODELS:
            for seed in SEEDS:
                demo = DemoRun(root, model, learning_rate, seed, tags=["sweep"])
                with demo.run:
                    for step in range(STEP_COUNT):
                        demo.step(step)
                yield demo.run.hash
    yield from record_baseline(root)
    yield record_failed(root)


def record_baseline(root: Path) -> Iterator[str]:
    """Record the run with everything, and the one that was forked from it."""
    demo = DemoRun(
        root,
        "small",
        LEARNING_RATES[1],
        SEEDS[0],
        name="baseline",
        tags=["baseline", "paper"],
        description="Everything that a run can hold.",
        notes=NOTES,
    )
    run = demo.run
    run.repo.set_tag("paper", color="green", description="is in the paper")
    run.repo.set_tag("sweep", color="blue", description="two models, three rates, three seeds")
    run[SYSTEM_PARAMS] = ENVIRONMENT
    with run:
        run.log_info("The training begins.", model="small")
        for step in range(STEP_COUNT // 2):
            record_step(demo, step)
        for step in range(STEP_COUNT // 2, STEP_COUNT // 2 + 30):  # went wrong, and is taken back
            run.track(2.5 + 0.1 * float(demo.random.normal()), name="loss", step=step, context={"subset": "train"})
        run.log_warning("The loss jumped: back to the last checkpoint.", step=STEP_COUNT // 2)
        run.rewind(STEP_COUNT // 2 - 1)
        for step in range(STEP_COUNT // 2, STEP_COUNT):
            record_step(demo, step)
        record_files(run)
        run.summary["verdict"] = "good enough for the paper"
        run.log_info("The training ends.")
    yield run.hash
    fork = run.fork(
        STEP_COUNT // 2, name="baseline, lower rate", system_tracking_interval=None, capture_terminal_logs=False
    )
    with fork:
        fork["hparams", "lr"] = LEARNING_RATES[1] / 3
        for step in range(STEP_COUNT // 2 + 1, STEP_COUNT):
            fork.track(0.22 + 0.02 * float(demo.random.normal()), name="loss", step=step, context={"subset": "train"})
    yield fork.hash


def record_step(demo: DemoRun, step: int) -> None:
    """Record a step of the baseline: values, and what a machine, a terminal and objects show of it."""
    loss = demo.step(step)
    wave = math.sin(step / 9)
    for name, value, context in (
        ("cpu", 240 + 40 * wave, None),
        ("memory_percent", 41 + step / 40, None),
        ("gpu", 88 + 6 * wave, {"gpu": 0}),
        ("gpu_memory_percent", 63.0, {"gpu": 0}),
        ("gpu_temp", 66 + 3 * wave, {"gpu": 0}),
    ):
        demo.run.track(value, name=f"{SYSTEM_PREFIX}{name}", step=step, context=context)
    if step % 12 == 0:
        line = f"step {step:4d}  \x1b[32mloss {loss:.4f}\x1b[0m"
        demo.run.track(LogLine(line), name="logs", step=step // 12)
    if step % OBJECT_INTERVAL == 0:
        demo_objects.record(demo.run, step, demo.random)


def record_files(run: Run) -> None:
    """Record two files with the run."""
    with tempfile.TemporaryDirectory(prefix="aim-demo-") as folder:
        settings, weights = Path(folder, "settings.json"), Path(folder, "weights.bin")
        settings.write_text('{"model": "small", "lr": 0.003}\n', encoding="utf-8")
        weights.write_bytes(bytes(range(256)) * 64)
        run.log_artifact(settings, "config/settings.json", block=True)
        run.log_artifact(weights, "model/weights.bin", block=True)


def record_failed(root: Path) -> str:
    """Record a run that an exception ends."""
    demo = DemoRun(root, "large", LEARNING_RATES[2], SEEDS[0], name="failed", tags=["to check"])
    try:
        with demo.run:
            for step in range(90):
                demo.step(step)
            demo.run.log_error("CUDA out of memory.", asked_mib=2048)
            raise MemoryError("CUDA out of memory.")
    except MemoryError:
        pass
    return demo.run.hash


def record_lost(root: Path) -> None:
    """Record a run, and end this process as a kill does."""
    demo = DemoRun(root, "small", LEARNING_RATES[0], SEEDS[0], name="lost")
    for step in range(150):
        demo.step(step)
    demo.run.flush()
    os._exit(0)


def record_live(root: Path, minutes: float) -> None:
    """Record a run that goes on for *minutes*."""
    demo = DemoRun(root, "small", LEARNING_RATES[1], SEEDS[0], name="live", tags=["live"])
    end_s = time.monotonic() + 60 * minutes
    step = 0
    with demo.run:
        while time.monotonic() < end_s and root.exists():
            demo.step(step)
            demo.run.report_progress(expect_next_in=10 * LIVE_INTERVAL_S)
            step += 1
            time.sleep(LIVE_INTERVAL_S if step > STEP_COUNT // 4 else 0.0)


if __name__ == "__main__":
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    if kind == "lost":
        record_lost(folder)
    else:
        record_live(folder, float(sys.argv[3]))
