"""
`aim demo`: example runs to look at before you have your own. They are computed by formulas, not trained.

    runs       12: two models, three learning rates, two seeds; the highest rate diverges, in one run to NaN
    metrics    loss of train and val, accuracy of val
    objects    of the first runs: images with boxes and masks, texts, distributions, sound
"""

from __future__ import annotations

import math
from pathlib import Path

import click

from aim.cli import output
from aim.cli.formats import json_option
from aim.cli.main import FOLDER_ADDRESS
from aim.engine.opening import repository_exists
from aim.engine.repository import Repository
from aim.sdk.objects.audio import Audio
from aim.sdk.objects.distribution import Distribution
from aim.sdk.objects.image import Image
from aim.sdk.objects.text import Text
from aim.sdk.run import Run

EXPERIMENT = "demo"
MODELS = ("small", "large")
LEARNING_RATES = (0.0003, 0.003, 0.03)
SEEDS = (0, 1)
STEP_COUNT = 240
OBJECT_INTERVAL = 60  # steps
SOUND_RATE_HZ = 8000
LABELS = {1: "ball", 2: "floor"}


@click.command(short_help="Record a dozen example runs.")
@click.option(
    "--repo",
    type=FOLDER_ADDRESS,
    default=None,
    help="The folder that contains .aim; created if it does not exist.  [default: the current folder]",
)
@json_option
def demo(repo: Path | None, as_json: bool) -> None:
    """Record a dozen example runs with curves, images, texts and audio. `aim runs rm` deletes them."""
    root = repo if repo is not None else Path.cwd()
    if not repository_exists(root):
        root.mkdir(parents=True, exist_ok=True)
        Repository(root, create=True)
    count = 0
    for learning_rate in LEARNING_RATES:
        for model in MODELS:
            for seed in SEEDS:
                record(root, model, learning_rate, seed)
                count += 1
    text = f"{count} runs recorded in {root.resolve()}, experiment {EXPERIMENT!r}. View them: aim up --repo {root}"
    recorded = {"repo": str(root.resolve()), "experiment": EXPERIMENT, "runs": count}
    output.say(output.json_line(recorded) if as_json else text)


def record(root: Path, model: str, learning_rate: float, seed: int) -> None:
    """Record one run of the demo."""
    import numpy as np

    random = np.random.default_rng([MODELS.index(model), LEARNING_RATES.index(learning_rate), seed])
    with Run(repo=str(root), experiment=EXPERIMENT, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.name = f"{model}-{learning_rate:g}-{seed}"
        run["hparams"] = {"model": model, "lr": learning_rate, "seed": seed, "batch_size": 32}
        goal = 0.7 + 0.15 * MODELS.index(model) - 0.08 * abs(math.log10(learning_rate) + 2.5) + 0.01 * seed
        speed = 20 / math.sqrt(learning_rate / 0.003)
        for step in range(STEP_COUNT):
            remaining = math.exp(-step / speed)
            loss = 2.3 * remaining + (1 - goal) + 0.03 * float(random.normal())
            if learning_rate == LEARNING_RATES[-1]:
                loss = math.nan if seed and step > 180 else loss * (1 + max(0, step - 120) / 90)
            run.track(loss, name="loss", step=step, epoch=step // 60, context={"subset": "train"})
            if step % 4 == 0:
                run.track(loss + 0.12, name="loss", step=step, epoch=step // 60, context={"subset": "val"})
                accuracy = goal * (1 - remaining) + 0.01 * float(random.normal())
                run.track(accuracy, name="accuracy", step=step, epoch=step // 60, context={"subset": "val"})
            if step % OBJECT_INTERVAL == 0 and learning_rate == LEARNING_RATES[1]:
                record_objects(run, step, random)


def record_objects(run: Run, step: int, random: object) -> None:
    """Record the images, texts, distributions and sound of one step."""
    import numpy as np

    assert isinstance(random, np.random.Generator)
    across, down = 30 + step / 3, 34 + 14 * math.cos(step / 40)
    rows, columns = np.mgrid[0:72, 0:128]
    ball = (columns - across) ** 2 + (rows - down) ** 2 < 14**2
    picture = np.stack([60 + rows, 90 + columns // 2, np.full_like(rows, 150)], axis=-1).astype(np.uint8)
    picture[ball] = (250, 200, 60)
    box = {"box": (across - 14, down - 14, 28, 28), "label": "ball", "score": 0.5 + step / 500}
    mask = np.where(ball, 1, np.where(rows > 62, 2, 0))
    seen = Image(picture, caption=f"step {step}", boxes=[box], masks={"prediction": mask}, labels=LABELS)
    run.track(seen, name="detections", step=step, context={"subset": "val"})
    run.track(Text(f"After {step} steps: the ball is at ({across:.0f}, {down:.0f})."), name="answers", step=step)
    run.track(Distribution(random.normal(step / STEP_COUNT, 1, 2000)), name="weights", step=step)
    moments = np.arange(SOUND_RATE_HZ) / SOUND_RATE_HZ
    wave = np.sin(2 * np.pi * (220 + step) * moments) * np.exp(-4 * moments)
    run.track(Audio(wave.astype(np.float32), rate=SOUND_RATE_HZ, caption=f"{220 + step} Hz"), name="tone", step=step)
