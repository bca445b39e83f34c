"""
Adapters whose frameworks are not installed with the others: their hooks are called as the frameworks call them.

What stands in for a framework has the classes that the adapter derives from, and nothing of ours.
"""

from __future__ import annotations

import copy
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from tests.adapters.conftest import runs_of
from tests.adapters.readings import QUIET, metrics, points, steps, the_run


class HapiCallback:
    """What PaddlePaddle's callbacks derive from: it is told the params of the training."""

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}


class Forecaster:
    """A model with the arguments of Prophet's."""

    def __init__(self, growth: str = "linear", n_changepoints: int = 25, holidays: Any = None) -> None:
        self.growth = growth
        self.n_changepoints = n_changepoints
        self.holidays = holidays
        self.seasonalities = {"weekly": {"period": 7}}
        self.history = pd.DataFrame({"y": range(3)})


def stand_in(name: str, **members: Any) -> ModuleType:
    """Return a module with *members*."""
    module = ModuleType(name)
    vars(module).update(members)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    return module


@pytest.fixture(name="framework")
def _framework(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """
    A function that installs a stand-in and imports the adapter; both are gone after the test.
    """

    def install(adapter: str, *modules: ModuleType) -> Any:
        for module in modules:
            monkeypatch.setitem(sys.modules, module.__name__, module)
        for name in (f"aim.{adapter}", f"aim.sdk.adapters.{adapter}"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setenv("AIM_ADAPTER_STRICT", "1")
        return importlib.import_module(f"aim.{adapter}")

    yield install
    for name in ("paddle", "prophet", "keras_tuner", "tensorflow"):
        for path in (f"aim.{name}", f"aim.sdk.adapters.{name}"):
            sys.modules.pop(path, None)


def test_paddle_records_batches_and_evaluations(framework: Any, repo: Path) -> None:
    """
    Steps go on over the epochs, a list of one value is that value, several are numbered.
    """
    callbacks = stand_in("paddle.callbacks", Callback=HapiCallback)
    adapter = framework("paddle", stand_in("paddle", callbacks=callbacks), callbacks)
    callback = adapter.AimCallback(str(repo), experiment_name="paddle", **QUIET)
    callback.params = {"epochs": 2, "metrics": ["loss", "acc"]}
    callback.on_train_begin()
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for step in range(2):
            callback.on_train_batch_end(step, {"loss": [0.5 / (1 + step)], "acc": [0.1, 0.2], "batch_size": 8})
        callback.on_eval_end({"loss": [0.25], "note": "a text"})
    callback.close()
    run = the_run(repo)

    assert [0, 1, 2, 3] == steps(run, "loss", subset="train")
    assert [(1, 0.25), (3, 0.25)] == points(run, "loss", subset="valid")
    assert {(name, (("subset", "train"),)) for name in ("loss", "acc_0", "acc_1")} | {
        ("loss", (("subset", "valid"),))
    } == metrics(run)
    assert (2, "paddle") == (run["hparams", "epochs"], run.experiment)


def test_prophet_records_its_model_and_its_forecasts(framework: Any, repo: Path) -> None:
    """
    The arguments of the model are params, and nothing of its data; horizons of a cross validation are steps.
    """
    import plotly.graph_objects as go

    frame = pd.DataFrame({"horizon": pd.to_timedelta([1, 2], "D"), "mae": [0.5, 0.75], "rmse": [1.0, 2.0]})
    diagnostics = stand_in("prophet.diagnostics", performance_metrics=lambda cutoffs: frame)
    adapter = framework("prophet", stand_in("prophet", diagnostics=diagnostics), diagnostics)
    logger = adapter.AimLogger(Forecaster(holidays=pd.DataFrame({"holiday": ["new year"]})), str(repo), **QUIET)
    run_hash = logger.experiment.hash
    logger.track_metrics({"mae": 0.5})
    logger.track_metrics({"mae": 0.25}, context={"subset": "test"})
    logger.track_cross_validation(pd.DataFrame({"cutoff": [1]}))
    logger.track_cross_validation(frame.assign(horizon=pd.to_timedelta([3, 4], "D")))
    logger.log_forecast(go.Figure())
    logger.close()
    run = the_run(repo)

    assert {"growth": "linear", "n_changepoints": 25, "seasonalities": {"weekly": {"period": 7}}} == {
        name: value for name, value in run["hparams"].items() if value is not None
    }
    assert [0.5, 0.25] == [points(run, "mae", subset=subset)[0][1] for subset in ("val", "test")]
    assert [(1, 0.5), (2, 0.75), (3, 0.5), (4, 0.75)] == points(run, "mae", subset="cross_validation")
    assert ["new year"] == run.get_table_sequence("holidays", {}).values.values_list()[0]["holiday"]
    assert run.get_figure_sequence("forecast", {}) is not None
    assert run_hash == run.hash


def test_keras_tuner_makes_a_run_for_each_trial(framework: Any, repo: Path) -> None:
    """
    Executions get copies of the callback; those of one trial share a run, and each tuner knows its own trial.
    """
    keras = pytest.importorskip("keras")
    from tests.adapters.trainings import FEATURES, LABELS, keras_model

    adapter = framework("keras_tuner", stand_in("keras_tuner"))
    oracle = SimpleNamespace(ongoing_trials={}, objective=SimpleNamespace(name="val_loss"))
    tuner = SimpleNamespace(oracle=oracle, tuner_id="tuner1", project_name="search")
    callback = adapter.AimCallback(tuner, str(repo), "tuning", **QUIET)
    for number, executions in (("00", 2), ("01", 1)):
        oracle.ongoing_trials = {
            "tuner0": SimpleNamespace(trial_id="other", hyperparameters=SimpleNamespace(values={})),
            "tuner1": SimpleNamespace(trial_id=number, hyperparameters=SimpleNamespace(values={"units": int(number)})),
        }
        for _ in range(executions):
            keras_model().fit(FEATURES, LABELS, epochs=2, verbose=0, callbacks=[copy.deepcopy(callback)])
    runs = {run.name: run for run in runs_of(repo)}

    assert issubclass(adapter.AimCallback, keras.callbacks.Callback)
    assert {"trial-00": {"units": 0}, "trial-01": {"units": 1}} == {
        name: {"units": run["hparams", "units"]} for name, run in runs.items()
    }
    assert {"id": "01", "project": "search", "objective": "val_loss"} == runs["trial-01"]["trial"]
    assert [[0, 1], [0, 1]] == [steps(run, "loss", subset="train") for run in runs.values()]
    assert {"finished"} == {run.status for run in runs.values()}


def test_tensorflow_has_the_callback_of_its_own_keras(framework: Any, repo: Path) -> None:
    """
    `aim.tensorflow` derives from what `tf.keras` is.
    """
    keras = pytest.importorskip("keras")
    from tests.adapters.trainings import train_keras

    adapter = framework("tensorflow", stand_in("tensorflow", keras=keras))
    callback = adapter.AimTracker(str(repo), **QUIET)
    train_keras(callback)
    callback.close()

    assert issubclass(adapter.AimCallback, keras.callbacks.Callback)
    assert [0, 1] == steps(the_run(repo), "loss", subset="train")


@pytest.mark.parametrize(("name", "says"), [("mxnet", "retired in 2023"), ("acme", "last release in 2022")])
@pytest.mark.parametrize("path", ["aim", "aim.sdk.adapters"])
def test_a_retired_framework_says_so(name: str, says: str, path: str) -> None:
    """
    The error is an ImportError and a RuntimeError, with what to use instead.
    """
    for kind in (ImportError, RuntimeError):
        with pytest.raises(kind, match=rf"aim\.{name} is not available.*{says}.*aim\.Run"):
            importlib.import_module(f"{path}.{name}")


@pytest.mark.parametrize("name", ["prophet", "paddle", "keras_tuner"])
def test_a_framework_that_is_not_installed_is_named(name: str) -> None:
    """
    The error says which package to install.
    """
    if importlib.util.find_spec(name) is not None:
        pytest.skip("optional: the framework is installed here")
    with pytest.raises(ImportError, match="pip install"):
        importlib.import_module(f"aim.{name}")
