"""
The repository that the tests in a browser look at, made by the real SDK.

    runs        24: three models, four learning rates, two seeds; `resnet18-0.001-0` and so on
    metrics     loss of train and val, accuracy of val: better for larger models, best at lr 0.001
    a spike     in the training loss of `SPIKED_RUN`, one step high
    a NaN tail  in the gradient of `NAN_RUN`
    objects     images, texts and distributions of the first runs; of `OBJECTS_RUN` also an image with boxes and masks,
                sounds, a video, points and a table
    a failure   a run that printed and then raised, in a process of its own
"""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np

from aim import Audio, Distribution, Image, Object3D, Run, Table, Text, Video

MODELS = ("resnet18", "resnet50", "vit-s")
LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003)
SEEDS = (0, 1)
STEP_COUNT = 200
SPIKED_RUN = "resnet18-0.0001-1"
SPIKE_STEP = 66
SPIKE_VALUE = 8.25
NAN_RUN = "resnet50-0.0001-0"
OBJECTS_RUN = "resnet18-0.0001-0"
LABELS = {0: "ground", 1: "cat", 2: "dog"}
SOUND_S = 2
BEST_RUN = "vit-s-0.001-0"
FAILED_RUN = "diverged"
FAILURE = "loss is not finite any more"

# A training that fails: what it printed and the exception are what a person wants to read.
FAILING_PROGRAM = """
import sys
from aim import Run

with Run(repo=sys.argv[1], experiment="failing", system_tracking_interval=None) as run:
    run.name = sys.argv[2]
    for step in range(30):
        run.track(1 / (step + 1), name="loss", step=step, context={"subset": "train"})
        print(f"\\033[32mINFO\\033[0m step {step}", flush=True)
    print(sys.argv[3], file=sys.stderr, flush=True)
    raise RuntimeError(sys.argv[3])
"""


def quality(model: str, learning_rate: float) -> float:
    """Return the accuracy that a run ends at: larger models are better, and 0.001 is the best learning rate."""
    return 0.4 + 0.1 * MODELS.index(model) + 0.2 * (1 - abs(math.log10(learning_rate) + 3))


def record_run(repo: Path, model: str, learning_rate: float, seed: int, has_objects: bool) -> None:
    """Record one run of the table."""
    random = np.random.default_rng([MODELS.index(model), LEARNING_RATES.index(learning_rate), seed])
    run = Run(
        repo=str(repo), experiment="baseline" if seed == 0 else "sweep", system_tracking_interval=None,
        capture_terminal_logs=False,
    )  # fmt: skip
    name = f"{model}-{learning_rate:g}-{seed}"
    run.name = name
    run["hparams"] = {"model": model, "lr": learning_rate, "seed": seed, "batch_size": 32, "layers": [64, 64]}
    goal = quality(model, learning_rate) - 0.004 * seed
    for step in range(STEP_COUNT):
        decay = math.exp(-step / (STEP_COUNT * 0.2))
        loss = 1.5 * decay + 1 - goal + float(random.normal()) * 0.01
        if name == SPIKED_RUN and step == SPIKE_STEP:
            loss = SPIKE_VALUE
        run.track(loss, name="loss", step=step, epoch=step // 10, context={"subset": "train"})
        if step % 2 == 0:
            run.track(loss + 0.1, name="loss", step=step, epoch=step // 10, context={"subset": "val"})
            run.track(goal * (1 - decay), name="accuracy", step=step, epoch=step // 10, context={"subset": "val"})
        if name in (SPIKED_RUN, NAN_RUN):
            is_lost = name == NAN_RUN and step > STEP_COUNT // 2
            run.track(math.nan if is_lost else float(np.exp(random.normal() * 0.3)), name="gradient", step=step)
    for step in range(0, STEP_COUNT, 50) if has_objects else ():
        pictures = [
            Image((random.random((28, 28)) * 255).astype("uint8"), caption=f"{k} or {k + 1}?") for k in range(3)
        ]
        run.track(pictures, name="mistakes", step=step, context={"subset": "val"})
        run.track(Text(f"step {step}: a sample of {name}, seed {seed}"), name="samples", step=step)
        run.track(Distribution(random.normal(step / STEP_COUNT, 1, 500)), name="weights", step=step)
    if name == OBJECTS_RUN:
        record_objects(run)
    run.close()


def record_objects(run: Run) -> None:
    """Record what few runs have: overlays, sound, video, points, a table."""
    mask = np.zeros((60, 80), np.uint8)
    mask[10:40, 5:35], mask[20:50, 45:75] = 1, 2
    boxes = {
        "guess": [
            {"box": (5, 10, 30, 30), "label": "cat", "score": 0.9},
            {"box": (45, 20, 30, 30), "label": "dog", "score": 0.4},
        ],
        "truth": [{"box": (6, 11, 28, 28), "label": "cat"}],
    }
    street = np.full((60, 80, 3), 90, np.uint8)
    run.track(Image(street, caption="street", boxes=boxes, masks={"guess": mask}, labels=LABELS), name="seen", step=0)
    moments = np.arange(8000 * SOUND_S) / 8000
    for step in (0, 50, 100):
        wave = np.sin(2 * np.pi * (220 + step) * moments) * np.exp(-moments)
        run.track(Audio(wave.astype(np.float32), rate=8000, caption=f"tone {step}"), name="tone", step=step)
    run.track(Video(np.zeros((6, 16, 24, 3), np.uint8), format="gif", fps=5, caption="walk"), name="walked", step=0)
    run.track(Object3D(np.eye(3), caption="corners"), name="scanned", step=0)
    rows = [{"question": f"what is {place}?", "sure": place / 150, "look": Image(street)} for place in range(150)]
    run.track(Table(rows, caption="answers"), name="asked", step=0)


def record_failure(repo: Path) -> None:
    """Record a run that raises, in a process of its own, as a training does."""
    program = [sys.executable, "-c", FAILING_PROGRAM, str(repo), FAILED_RUN, FAILURE]
    subprocess.run(program, check=False, capture_output=True)


def record_repository(repo: Path) -> None:
    """Record all runs; the best one last but one, the failed one last."""
    for learning_rate in LEARNING_RATES:
        for seed in SEEDS:
            for model in MODELS:
                record_run(repo, model, learning_rate, seed, has_objects=learning_rate == LEARNING_RATES[0])
    record_failure(repo)
