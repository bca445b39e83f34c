"""
KerasTuner: each trial of a search is a run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.adapters.conftest import runs_of
from tests.adapters.readings import QUIET, metrics, steps
from tests.adapters.trainings import FEATURES, LABELS

keras = pytest.importorskip("keras")
keras_tuner = pytest.importorskip("keras_tuner")
EXECUTIONS = 2


def build(values: Any) -> Any:
    """Return a compiled network of a width and a learning rate that the tuner chooses."""
    width = values.Int("units", 2, 8, step=2)
    model = keras.Sequential([keras.layers.Dense(width), keras.layers.Dense(1, activation="sigmoid")])
    rate = values.Choice("lr", [0.1, 0.01])
    model.compile(optimizer=keras.optimizers.SGD(rate), loss="binary_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture(name="tuner")
def _tuner(repo: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """
    A tuner that has searched: three trials of two executions.
    """
    from aim.keras_tuner import AimCallback

    monkeypatch.setenv("AIM_ADAPTER_STRICT", "1")
    tuner = keras_tuner.RandomSearch(
        build, objective="val_accuracy", max_trials=3, executions_per_trial=EXECUTIONS, seed=1,
        directory=repo / "tuner", project_name="search",
    )  # fmt: skip
    callback = AimCallback(tuner, str(repo), "tuning", **QUIET)
    tuner.search(FEATURES, LABELS, epochs=2, validation_split=0.25, callbacks=[callback], verbose=0)
    return tuner


def test_each_trial_is_a_run_with_its_score(tuner: Any, repo: Path) -> None:
    """
    Executions of a trial share its run, which has the trial's values as params and the score that the tuner gives it.
    """
    runs = {run.name: run for run in runs_of(repo)}
    trials = tuner.oracle.trials

    assert {f"trial-{name}" for name in trials} == set(runs)
    for name, trial in trials.items():
        run = runs[f"trial-{name}"]
        assert trial.hyperparameters.values == {key: run["hparams", key] for key in ("units", "lr")}
        described = {"id": name, "project": "search", "objective": "val_accuracy"}
        assert {**described, "score": pytest.approx(trial.score)} == run["trial"]
        assert ("finished", "tuning") == (run.status, run.experiment)


def test_a_trial_has_the_metrics_of_keras(tuner: Any, repo: Path) -> None:
    """
    The logs of the epochs are recorded as by `aim.keras`.
    """
    run = runs_of(repo)[0]

    assert [0, 1] == steps(run, "loss", subset="train") == steps(run, "loss", subset="val")
    assert {("lr", (("subset", "train"),)), ("accuracy", (("subset", "val"),))} < metrics(run)
