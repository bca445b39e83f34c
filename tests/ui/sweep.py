"""
A repository as people have it: a sweep of 60 runs with 150 params and 30 metrics each, made by the real SDK.

    settings    12: four learning rates, three batch sizes; each with five seeds
    params      differ also in the output directory and the host; seeds are about 10^30 and differ in the last digit
    tokens      a metric of integers beyond 2^53
    pictures    lists of 40, and of another sequence one a step, of the run `PICTURES_RUN`, which has a description in
                Markdown too
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from aim import Image, Run

LEARNING_RATES = (0.0001, 0.0003, 0.001, 0.003)
BATCH_SIZES = (32, 64, 128)
SEEDS = 5
FIRST_SEED = 10**30
SETTING_COUNT = len(LEARNING_RATES) * len(BATCH_SIZES)
STEP_COUNT = 20
NAMES = ("loss", "accuracy", "f1", "precision", "recall", "grad_norm", "lr", "throughput", "perplexity")
SUBSETS = ("train", "val", "test")
FIRST_TOKENS = 2**60
PICTURES_RUN = "vit-000"
LIST_LENGTH = 40
DESCRIPTION = "# A sweep\n\nAll runs are **alike**, see [the notes](https://example.org/notes)."
CLIPS = ("auto", 0.5, math.nan, math.inf, 1.0)


def params_of(index: int) -> dict[str, object]:
    """Return about 150 params, most of them the same in all runs."""
    setting, seed = divmod(index, SEEDS)
    learning_rate = LEARNING_RATES[setting % len(LEARNING_RATES)]
    batch_size = BATCH_SIZES[setting // len(LEARNING_RATES) % len(BATCH_SIZES)]
    warmup = {"warmup": setting // SETTING_COUNT} if setting >= SETTING_COUNT else {}  # of runs beyond the sweep
    layers = {
        f"layer_{number}": {"width": 64, "dropout": 0.1, "norm": "batch", "bias": True, "scale": 1 + number / 10}
        for number in range(26)
    }
    return {
        "hparams": {
            "lr": learning_rate,
            "batch_size": batch_size,
            "seed": FIRST_SEED + seed,
            "optimizer": "adam",
            **warmup,
        },
        "paths": {"output_dir": f"/scratch/{index * 7919:x}", "host": f"node{index % 7}", "data": "/data"},
        "arch": layers,
        "trainer": {"amp": True, "accumulate": 2, "epochs": 90, "every": 500, "log": True, "devices": 4},
    }


def record_run(repo: Path, index: int) -> None:
    """Record one run."""
    run = Run(repo=str(repo), experiment="sweep", system_tracking_interval=None, capture_terminal_logs=False)
    run.name = f"vit-{index:03d}"
    for key, value in params_of(index).items():
        run[key] = value
    run["clip"] = CLIPS[index // SEEDS % len(CLIPS)]
    for step in range(STEP_COUNT):
        for place, name in enumerate(NAMES):
            for subset in SUBSETS:
                value = math.exp(-step / 10) + place + index / 1000
                run.track(value, name=name, step=step, context={"subset": subset})
        run.track(FIRST_TOKENS + step, name="tokens", step=step)
    if run.name == PICTURES_RUN:
        run.description = DESCRIPTION
        random = np.random.default_rng(1)
        for step in (0, 10):
            pictures = [Image((random.random((28, 40)) * 255).astype("uint8")) for _ in range(LIST_LENGTH)]
            run.track(pictures, name="mistakes", step=step, context={"subset": "val"})
            run.track(Image((random.random((64, 48)) * 255).astype("uint8")), name="attention", step=step)
    run.close()


def record_sweep(repo: Path) -> None:
    """Record all runs."""
    for index in range(SETTING_COUNT * SEEDS):
        record_run(repo, index)
