"""
Prophet: its model, the metrics that one tracks, its cross validation and its forecasts.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.adapters.readings import QUIET, points, steps, the_run

prophet = pytest.importorskip("prophet")
DAYS = 120


@pytest.fixture(name="model", scope="module")
def _model() -> Any:
    """
    A fitted model of some days.
    """
    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
    days = pd.date_range("2024-01-01", periods=DAYS)
    frame = pd.DataFrame({"ds": days, "y": np.sin(np.arange(DAYS) / 7) + np.arange(DAYS) / 50})
    holidays = pd.DataFrame({"holiday": ["new year"], "ds": days[:1]})
    model = prophet.Prophet(growth="linear", n_changepoints=5, holidays=holidays)
    model.fit(frame)
    return model


@pytest.fixture(name="logger")
def _logger(model: Any, repo: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """
    A logger of the model; a failure of recording is an error.
    """
    from aim.prophet import AimLogger

    monkeypatch.setenv("AIM_ADAPTER_STRICT", "1")
    return AimLogger(model, str(repo), "sales", **QUIET)


def test_the_arguments_of_the_model_are_params(logger: Any, repo: Path) -> None:
    """
    Params are the arguments and the seasonalities, and nothing of the data; holidays are a table.
    """
    run_hash = logger.experiment.hash
    logger.close()
    run = the_run(repo)

    assert ("linear", 5, 3) == tuple(run["hparams", name] for name in ("growth", "n_changepoints")) + (
        run["hparams", "seasonalities", "weekly", "fourier_order"],
    )
    assert not {"history", "stan_fit", "holidays"} & set(run["hparams"])
    assert "new year" == run.get_table_sequence("holidays", {}).values.values_list()[0]["holiday"][0]
    assert (run_hash, "sales") == (run.hash, run.experiment)


def test_metrics_have_the_subset_val_unless_a_context_is_given(logger: Any, repo: Path) -> None:
    """
    `track_metrics` records by name.
    """
    logger.track_metrics({"mae": 0.5})
    logger.track_metrics({"mae": 0.25}, context={"subset": "test"})
    logger.close()
    run = the_run(repo)

    assert [0.5, 0.25] == [points(run, "mae", subset=subset)[0][1] for subset in ("val", "test")]


def test_a_cross_validation_is_recorded_by_its_horizon(logger: Any, model: Any, repo: Path) -> None:
    """
    What `cross_validation` returns, and what `performance_metrics` makes of it: the step is the days of the horizon.
    """
    from prophet.diagnostics import cross_validation, performance_metrics

    frame = cross_validation(model, initial="90 days", period="10 days", horizon="10 days", disable_tqdm=True)
    logger.track_cross_validation(frame)
    logger.close()
    run = the_run(repo)
    expected = performance_metrics(frame)

    assert expected["horizon"].dt.days.tolist() == steps(run, "mae", subset="cross_validation")
    assert expected["mae"].tolist() == [value for _, value in points(run, "mae", subset="cross_validation")]


def test_a_forecast_is_a_picture_or_a_figure(logger: Any, model: Any, repo: Path) -> None:
    """
    A plot of matplotlib is an image, one of plotly a figure.
    """
    import plotly.graph_objects as go

    logger.log_forecast(model.plot(model.predict(model.make_future_dataframe(5))))
    logger.log_forecast(go.Figure(), name="interactive")
    logger.close()
    run = the_run(repo)

    assert run.get_image_sequence("forecast", {}) is not None
    assert run.get_figure_sequence("interactive", {}) is not None
