"""
LightGBM: `lightgbm.train(..., callbacks=[AimCallback()])`, `cv`, and `LGBMClassifier().fit(..., callbacks=[...])`.

    records                       as
    l2 of the set "valid_0"       l2, context {"subset": "valid_0", "data_name": "valid_0"}, step = iteration
    in cv: mean and deviation     l2-mean and l2-stdv
    params                        hparams
    after the last iteration      a table feature_importance (gain and split); the model with log_model

LightGBM does not tell its callbacks when early stopping ends a training: `callback.log_summary(booster)` records what
comes at the end then. A training that goes on from a model (`init_model=`) continues its steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aim.sdk.adapters.session import boosters, progress
from aim.sdk.adapters.session.checkpoints import Checkpoints, record_model
from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import AdapterOptions
from aim.sdk.adapters.session.steps import restart

if TYPE_CHECKING:
    from typing_extensions import Unpack

lightgbm: Any = framework("lightgbm", "lightgbm", "aim.lightgbm")
MODEL_FILE = "model.txt"
ORDER = 25  # after the values are printed, before early stopping may end the training
CV_NAME = "cv_agg"  # of the data set in the results of cv, before LightGBM 4.7


class AimCallback(RunHolder):
    """
    A callback of LightGBM that records a training.

    Args:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        log_model: store the model when the training is over.
        log_feature_importance: record how important each feature is.
        options: those of every adapter, such as `run`, `run_hash`, `run_name`, `tags` and `context`.

    Subclasses may override `before_tracking(env)` and `after_tracking(env)`.
    """

    order = ORDER
    before_iteration = False

    def __init__(
        self,
        repo: Any = None,
        experiment: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        *,
        log_model: bool | str = False,
        log_feature_importance: bool = True,
        **options: Unpack[AdapterOptions],
    ) -> None:
        self._hold(
            "aim.lightgbm.AimCallback", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, options,
        )  # fmt: skip
        self._checkpoints = Checkpoints(self._session, log_model)
        self._takes_importance = log_feature_importance

    def before_tracking(self, env: Any) -> None:
        """Do nothing; called before the values of an iteration are recorded."""

    def after_tracking(self, env: Any) -> None:
        """Do nothing; called after the values of an iteration were recorded."""

    @hook
    def __call__(self, env: Any) -> None:
        """Record the metrics of an iteration, and what comes at the end after the last one."""
        if env.iteration == env.begin_iteration:
            restart(self._session, env.begin_iteration)
            self._session.set_params("hparams", plain_params(env.params))
        self.before_tracking(env=env)
        for data_name, values in _scores(env.evaluation_result_list or ()):
            context = {"subset": data_name, "data_name": data_name}
            self._session.track(values, step=env.iteration, context=context)
        self.after_tracking(env=env)
        progress.report(self._session, env.iteration + 1, env.end_iteration, "iterations")
        if env.iteration == env.end_iteration - 1:
            self.log_summary(env.model)

    @hook
    def log_summary(self, model: Any) -> None:
        """
        Record the best iteration, the importances and the model.

        Args:
            model: a `Booster`, or an estimator that was fitted.
        """
        booster = getattr(model, "booster_", model)
        if hasattr(booster, "boosters"):  # of cv: there is no one model
            return
        if booster.best_iteration > 0:
            boosters.record_best(
                self._session,
                booster.best_iteration - 1,
                {name: dict(scores) for name, scores in booster.best_score.items()},
            )
        if self._takes_importance:
            names = booster.feature_name()
            importances = {
                kind: dict(zip(names, map(float, booster.feature_importance(importance_type=kind))))
                for kind in ("gain", "split")
            }
            boosters.record_importance(self._session, importances)
        step = self._session.last_step
        record_model(self._checkpoints, booster.save_model, MODEL_FILE, step=step)


def _scores(results: Any) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the name of the data set of each result, with its values by the names that Aim 3 has."""
    for data_name, metric, value, _, *deviation in results:
        if not deviation:
            yield data_name, {metric: value}
            continue
        if data_name == CV_NAME:
            data_name, _, metric = metric.partition(" ")
        yield data_name, {f"{metric}-mean": value, f"{metric}-stdv": deviation[0]}


def plain_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the params of a training without those that are not set."""
    return {str(name): value for name, value in params.items() if value is not None}
