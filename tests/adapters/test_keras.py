"""
The callback of Keras 3 with the torch backend, on a network of a few weights.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aim import Run
from aim.core.errors import UsageError
from tests.adapters.readings import QUIET, metrics, points, steps, the_run
from tests.adapters.trainings import FEATURES, LABELS, keras_model

keras = pytest.importorskip("keras")
adapter = pytest.importorskip("aim.keras")
TRAIN, VAL = {"subset": "train"}, {"subset": "val"}


def fit(model: Any, callback: Any, **options: Any) -> Any:
    """Train two epochs of two batches."""
    settings = {"epochs": 2, "batch_size": 10, "validation_split": 0.5, "verbose": 0, **options}
    return model.fit(FEATURES, LABELS, callbacks=[callback], **settings)


def test_a_training_is_recorded(repo: Path) -> None:
    """
    Logs of epochs, the learning rate, the params and the architecture are there; `evaluate` is the subset test.
    """
    callback = adapter.AimCallback(str(repo), "digits", log_model=True, **QUIET)
    model = keras_model()
    history = fit(model, callback).history
    loss, _ = model.evaluate(FEATURES, LABELS, verbose=0, callbacks=[callback])
    callback.close()
    run = the_run(repo)

    assert list(enumerate(history["val_loss"])) == points(run, "loss", **VAL)
    assert [(0, 0.25), (1, 0.25)] == points(run, "lr", **TRAIN)
    assert [loss] == pytest.approx([value for _, value in points(run, "loss", subset="test")])
    assert {(name, (("subset", subset),)) for name in ("loss", "accuracy") for subset in ("train", "val", "test")} | {
        ("lr", (("subset", "train"),))
    } == metrics(run)
    assert [0.0, 1.0] == run.get_metric("loss", TRAIN).epochs.values_list()
    assert ("SGD", 2) == (run["hparams", "optimizer", "class"], run["hparams", "fit", "epochs"])
    assert {"name": "sequential", "class": "Sequential", "parameters": 11} == {**run["model"], "name": "sequential"}
    assert ["Dense", "Dense"] == run.get_table_sequence("layers", {}).values.values_list()[-1]["class"]
    assert "Dense" in run.get_text_sequence("model", {}).values.values_list()[-1].data
    assert ["checkpoints/model.keras"] == list(run.artifacts)


def test_batches_are_recorded_at_an_interval(repo: Path) -> None:
    """
    The step of a batch counts all batches, and goes on in the next epoch.
    """
    callback = adapter.AimCallback(str(repo), log_freq=2, log_model="all", **QUIET)
    fit(keras_model(), callback)
    callback.close()
    run = the_run(repo)

    assert [0, 2] == steps(run, "batch/loss", **TRAIN)
    assert ["checkpoints/model-0000.keras", "checkpoints/model-0001.keras"] == sorted(run.artifacts)


def test_weights_and_gradients_are_distributions(repo: Path) -> None:
    """
    Each variable has one of its weights and one of its gradient, by its path.
    """
    callback = adapter.AimCallback(str(repo), log_weights=True, log_gradients=True, **QUIET)
    model = keras_model()
    fit(model, callback)
    callback.close()
    run = the_run(repo)

    for variable in model.trainable_variables:
        for kind in ("data", "gradients"):
            sequence = run.get_distribution_sequence(variable.path, {"type": kind})
            assert [0, 1] == list(sequence.values.indices_list() if hasattr(sequence.values, "indices_list") else [])


def test_a_resumed_training_is_one_curve(repo: Path) -> None:
    """
    With `initial_epoch` what an aborted training recorded later is hidden.
    """
    first = adapter.AimCallback(str(repo), **QUIET)
    fit(keras_model(), first, epochs=4)
    first.close()
    second = adapter.AimCallback(str(repo), run_hash=first._run_hash, **QUIET)
    fit(keras_model(), second, epochs=3, initial_epoch=2)
    second.close()

    assert [0, 1, 2] == steps(the_run(repo), "loss", **TRAIN)


def test_the_learning_rate_of_a_schedule_is_a_number(repo: Path) -> None:
    """
    What changes during the training is recorded as it is at the end of each epoch.
    """
    callback = adapter.AimCallback(str(repo), **QUIET)
    model = keras_model()
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    model.compile(optimizer=keras.optimizers.SGD(schedule), loss="mse")
    fit(model, callback)
    callback.close()

    assert [0.5**3, 0.5**5] == [pytest.approx(value) for _, value in points(the_run(repo), "lr", **TRAIN)]


def test_names_stay_whole_on_request(repo: Path) -> None:
    """
    `metric_names="keep"` makes no contexts.
    """
    callback = adapter.AimCallback(str(repo), metric_names="keep", **QUIET)
    fit(keras_model(), callback)
    callback.close()

    assert {("loss", ()), ("val_loss", ()), ("accuracy", ()), ("val_accuracy", ())} <= metrics(the_run(repo))


def test_a_wrong_interval_is_an_error() -> None:
    """
    `log_freq` is a word or a number of batches.
    """
    for wrong in ("epochs", 0, True):
        with pytest.raises(UsageError, match="log_freq"):
            adapter.AimCallback(log_freq=wrong)


def test_the_names_of_aim_3_are_there(repo: Path) -> None:
    """
    AimTracker is the callback, `metrics` makes one, and the mixin records into `self.experiment`.
    """
    mixin: Any = importlib.import_module("aim.sdk.adapters.keras_mixins").TrackerKerasCallbackMetricsEpochEndMixin
    callback: Any = keras.callbacks.Callback

    class Mine(mixin, callback):
        """A callback of the user."""

        def __init__(self, run: Run) -> None:
            super().__init__()
            self.experiment = run

    with Run(repo=str(repo), system_tracking_interval=None) as run:
        fit(keras_model(), Mine(run))
        assert {("loss", (("subset", "val"),)), ("lr", (("subset", "train"),))} <= metrics(run)
        assert run is adapter.AimCallback.metrics(run=run).experiment
    assert adapter.AimTracker is adapter.AimCallback


def test_the_legacy_rate_of_a_schedule_is_called() -> None:
    """
    In tf_keras the rate of a schedule is the schedule itself, and a wrapper hides the optimizer.
    """
    from aim.sdk.adapters.session.keras_hooks import learning_rate

    inner = SimpleNamespace(iterations=4, learning_rate=lambda step: 1.0 / step)
    model = SimpleNamespace(optimizer=SimpleNamespace(inner_optimizer=inner))

    assert 0.25 == learning_rate(model)
    assert learning_rate(SimpleNamespace()) is None
