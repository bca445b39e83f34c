"""
XGBoost: `xgboost.train(..., callbacks=[AimCallback()])`, `cv`, and `XGBClassifier(callbacks=[AimCallback()])`.

    records                       as
    logloss of the set "valid"    logloss, context {"subset": "valid"}, step = iteration
    in cv: mean and deviation     logloss with {"subset": ..., "stdv": False}, and with {"stdv": True}
    params of the booster         hparams
    at the end                    best_iteration, best_score, a table feature_importance; the model with log_model

A training that goes on from a model (`xgb_model=`) continues its steps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aim.sdk.adapters.session import boosters
from aim.sdk.adapters.session.checkpoints import Checkpoints, record_model
from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import AdapterOptions
from aim.sdk.adapters.session.steps import restart

if TYPE_CHECKING:
    from typing_extensions import Unpack

xgboost: Any = framework("xgboost", "xgboost", "aim.xgboost")
MODEL_FILE = "model.ubj"


class AimCallback(RunHolder, xgboost.callback.TrainingCallback):
    """
    A callback of XGBoost that records a training.

    Args:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        log_model: store the model when the training is over.
        log_feature_importance: record how important each feature is.
        importance_type: gain, weight, cover, total_gain or total_cover.
        options: those of every adapter, such as `run`, `run_hash`, `run_name`, `tags` and `context`.

    Cost: some microseconds a metric and iteration; the importances once.
    """

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
        importance_type: str = "gain",
        **options: Unpack[AdapterOptions],
    ) -> None:
        super().__init__()
        self._hold(
            "aim.xgboost.AimCallback", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, options,
        )  # fmt: skip
        self._checkpoints = Checkpoints(self._session, log_model)
        self._importance_type = importance_type if log_feature_importance else None
        self._first_iteration = 0

    def before_training(self, model: Any) -> Any:
        """Record the params of the booster; return *model*."""
        self._begin(model)
        return model

    @hook
    def _begin(self, model: Any) -> None:
        booster = _booster(model)
        self._first_iteration = int(booster.num_boosted_rounds())
        restart(self._session, self._first_iteration)
        self._session.set_params("hparams", booster_params(booster))

    @hook
    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, Any]]) -> bool:
        """Record the metrics of an iteration; return False, so that the training goes on."""
        step = self._first_iteration + int(epoch)
        for data_name, metrics in evals_log.items():
            for context, values in _latest(metrics):
                self._session.track(values, step=step, context={"subset": data_name, **context})
        return False

    def after_training(self, model: Any) -> Any:
        """Record the best iteration, the importances and the model; return *model*."""
        self._finish(model)
        return model

    @hook
    def _finish(self, model: Any) -> None:
        if hasattr(model, "cvfolds"):
            return
        best = {name: value for name, value in model.attributes().items() if name.startswith("best_")}
        boosters.record_best(self._session, best.get("best_iteration"), boosters.plain_number(best.get("best_score")))
        if self._importance_type is not None:
            scores = model.get_score(importance_type=self._importance_type)
            boosters.record_importance(self._session, {self._importance_type: scores})
        record_model(self._checkpoints, model.save_model, MODEL_FILE, step=self._session.last_step)


def _booster(model: Any) -> Any:
    return model.cvfolds[0].bst if hasattr(model, "cvfolds") else model


def _latest(metrics: Mapping[str, Any]) -> Iterator[tuple[dict[str, bool], dict[str, Any]]]:
    """Yield the values of the last iteration: of cv the means, and the deviations with a context of their own."""
    latest = {name: history[-1] for name, history in metrics.items() if len(history)}
    if not any(isinstance(value, tuple) for value in latest.values()):
        yield {}, latest
        return
    yield {"stdv": False}, {name: value[0] for name, value in latest.items()}
    yield {"stdv": True}, {name: value[1] for name, value in latest.items()}


def booster_params(booster: Any) -> dict[str, Any]:
    """Return the params of a booster by their names, whatever part of it they belong to."""
    learner = json.loads(booster.save_config())["learner"]
    booster_part = learner["gradient_booster"]
    parts = [
        learner.get("generic_param", {}),
        learner.get("learner_model_param", {}),
        learner.get("learner_train_param", {}),
        booster_part.get("gbtree_train_param", {}),
        booster_part.get("tree_train_param", {}),
        booster_part.get("gblinear_train_param", {}),
    ]
    return {name: boosters.plain_number(value) for part in parts for name, value in part.items()}
