"""
Prophet: `AimLogger(model)`, beside a model that is fitted.

    model = Prophet(weekly_seasonality=True)
    logger = AimLogger(model)
    model.fit(frame)
    logger.track_metrics({"mae": 0.5})
    logger.track_cross_validation(cross_validation(model, horizon="30 days"))
    logger.log_forecast(model.plot(model.predict(future)))

    records                        as
    arguments of the model         hparams, with its seasonalities and regressors; holidays as the table `holidays`
    metrics                        their names, {"subset": "val"}
    cross validation               rmse, mae ..., {"subset": "cross_validation"}; step = days of the horizon
    figures                        forecast
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import AdapterOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

framework("prophet", "prophet", "aim.prophet")
VALIDATION = {"subset": "val"}
CROSS_VALIDATION = {"subset": "cross_validation"}
METRICS = ("mse", "rmse", "mae", "mape", "mdape", "smape", "coverage")


class AimLogger(RunHolder):
    """
    The run of a model of Prophet; it is made by the constructor.

    Args:
        prophet_model: whose params are recorded.
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        options: those of every adapter, such as `run`, `run_hash`, `run_name`, `tags` and `context`.
    """

    def __init__(
        self,
        prophet_model: Any,
        repo: Any = None,
        experiment: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        **options: Unpack[AdapterOptions],
    ) -> None:
        self._hold(
            "aim.prophet.AimLogger", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, options,
        )  # fmt: skip
        self._record_model(prophet_model)

    @hook
    def _record_model(self, model: Any) -> None:
        from aim.sdk.objects.table import Table

        self._session.set_params("hparams", model_params(model))
        holidays = getattr(model, "holidays", None)
        if holidays is not None:
            self._session.track({"holidays": Table(holidays)}, step=0)

    @hook
    def track_metrics(
        self, metrics: Mapping[str, Any], context: Mapping[str, Any] | None = None, step: int | None = None
    ) -> None:
        """Record values by name, by default with the subset val."""
        self._session.track(metrics, step=step, context=VALIDATION if context is None else context)

    @hook
    def track_cross_validation(self, frame: Any) -> None:
        """
        Record how good forecasts are by their horizon.

        Args:
            frame: what Prophet's `cross_validation` or `performance_metrics` returned.
        """
        if "cutoff" in frame.columns:
            diagnostics = framework("prophet.diagnostics", "prophet", "aim.prophet")
            frame = diagnostics.performance_metrics(frame)
        for row in frame.to_dict("records"):
            values = {name: row[name] for name in METRICS if name in row}
            self._session.track(values, step=row["horizon"].days, context=CROSS_VALIDATION)

    @hook
    def log_forecast(self, figure: Any, name: str = "forecast", step: int | None = None) -> None:
        """Record a figure of matplotlib as an image, or one of plotly as a figure."""
        from aim.sdk.objects.figure import Figure
        from aim.sdk.objects.image import Image

        self._session.track({name: Figure(figure) if hasattr(figure, "to_plotly_json") else Image(figure)}, step=step)


def model_params(model: Any) -> dict[str, Any]:
    """Return the arguments that a model was made with, with its seasonalities and regressors."""
    names = [name for name in inspect.signature(type(model).__init__).parameters if name not in ("self", "holidays")]
    params = {name: getattr(model, name) for name in names if hasattr(model, name)}
    return params | {name: getattr(model, name, None) for name in ("seasonalities", "extra_regressors")}
