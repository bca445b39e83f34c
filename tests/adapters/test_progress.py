"""
How far a training is, which adapters report where their framework knows it.
"""

from __future__ import annotations

import importlib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from aim import Run
from tests.adapters.readings import QUIET, the_run
from tests.adapters.trainings import TRAININGS, Training

LENGTHS = {
    "aim.lightgbm": (2.0, "iterations"),
    "aim.keras": (2.0, "batches"),
    "aim.sb3": (128.0, "steps"),
    "aim.pytorch_ignite": (6.0, "iterations"),
    "aim.fastai": (4.0, "batches"),
}


def progress_of(repo: Path) -> tuple[float, float, str] | None:
    """Return what is done, of how much, and in what unit, of the only run; None: it did not say."""
    check_in = the_run(repo).check_in
    progress = None if check_in is None else check_in.progress
    return None if progress is None else (progress.done, progress.total, progress.unit)


KNOWING = [training for training in TRAININGS if training.module in LENGTHS]


@pytest.mark.parametrize("training", KNOWING, ids=str)
def test_a_training_of_a_length_that_is_told_reports_its_progress(training: Training, repo: Path) -> None:
    """
    At its end all of it is done.
    """
    adapter = getattr(importlib.import_module(training.module), training.name)(repo=str(repo), **QUIET)
    training.train(adapter)
    adapter.close()
    total, unit = LENGTHS[training.module]

    assert (total, total, unit) == progress_of(repo)


@pytest.mark.parametrize("length", [{"max_epochs": 2}, {"max_steps": 8}], ids=str)
def test_a_trainer_of_lightning_reports_its_progress(length: dict[str, int], repo: Path) -> None:
    """
    By its number of steps, or by the batches of its epochs.
    """
    pl: Any = import_module("lightning.pytorch")
    lightning: Any = import_module("tests.adapters.test_lightning")
    logger = import_module("aim.pytorch_lightning").AimLogger(str(repo), **QUIET)
    trainer = pl.Trainer(logger=logger, enable_checkpointing=False, **length, **lightning.SILENT)
    trainer.fit(lightning.model_of(pl), lightning.data())
    trainer.test(lightning.model_of(pl), lightning.data(), verbose=False)
    logger.close()

    assert (8.0, 8.0, "steps" if "max_steps" in length else "batches") == progress_of(repo)


def test_a_trainer_of_transformers_reports_its_progress(repo: Path) -> None:
    """
    By its steps.
    """
    trainings: Any = import_module("tests.adapters.test_hugging_face")
    adapter = import_module("aim.hugging_face").AimCallback(str(repo), **QUIET)
    trainer = trainings.trainer_of(repo, adapter)
    trainer.train()
    adapter.close()

    assert (trainer.state.max_steps, trainer.state.max_steps, "steps") == progress_of(repo)


def test_a_training_that_checks_in_by_itself_is_the_only_one_that_does(repo: Path) -> None:
    """
    Its own report and its promise stay the latest ones.
    """
    lightgbm = next(training for training in TRAININGS if training.module == "aim.lightgbm")
    with Run(repo=str(repo), **QUIET) as run:
        run.report_progress(1, 5, unit="folds", expect_next_in=600)
        lightgbm.train(import_module("aim.lightgbm").AimCallback(run=run))
    check_in = the_run(repo).check_in

    assert (1.0, 5.0, "folds") == progress_of(repo)
    assert check_in is not None
    assert 600.0 == check_in.expect_next_in_s
