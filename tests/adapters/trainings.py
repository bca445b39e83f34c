"""
The smallest training of each framework that an adapter of `test_rules.py` records.

Each function takes the adapter and trains; frameworks are imported when they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

FEATURES = np.random.default_rng(0).random((40, 3))
LABELS = (FEATURES[:, 0] > 0.5).astype(int)


@dataclass(frozen=True)
class Training:
    """
    A training of one framework.

    Attributes:
        module, name: of the adapter.
        train: trains with the adapter.
        metric: a metric that is recorded, and its context.
        options: of the adapter's constructor.
    """

    module: str
    name: str
    train: Callable[[Any], object]
    metric: tuple[str, dict[str, Any]]
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


def train_xgboost(callback: Any) -> None:
    """Train two trees."""
    xgboost: Any = import_module("xgboost")

    data = xgboost.DMatrix(FEATURES, label=LABELS)
    params = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}
    xgboost.train(params, data, 2, evals=[(data, "valid")], callbacks=[callback], verbose_eval=False)


def train_lightgbm(callback: Any) -> None:
    """Train two trees."""
    lightgbm: Any = import_module("lightgbm")

    data = lightgbm.Dataset(FEATURES, label=LABELS)
    params = {"objective": "binary", "verbose": -1, "num_threads": 1}
    lightgbm.train(params, data, 2, valid_sets=[data], valid_names=["valid"], callbacks=[callback])


def train_catboost(callback: Any) -> None:
    """Train two trees."""
    catboost_model().fit(FEATURES, LABELS, eval_set=(FEATURES, LABELS), callbacks=[callback], verbose=False)


def catboost_model(iterations: int = 2) -> Any:
    """Return a classifier that writes no files."""
    catboost: Any = import_module("catboost")

    return catboost.CatBoostClassifier(iterations=iterations, depth=2, thread_count=1, allow_writing_files=False)


def train_catboost_logger(logger: Any) -> None:
    """Train two trees, and print their values."""
    catboost_model().fit(FEATURES, LABELS, eval_set=(FEATURES, LABELS), log_cout=logger)


def train_optuna(callback: Any) -> None:
    """Try two values."""
    optuna: Any = import_module("optuna")

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2, callbacks=[callback])


TRAININGS = [
    Training("aim.xgboost", "AimCallback", train_xgboost, ("logloss", {"subset": "valid"}), {}),
    Training(
        "aim.lightgbm",
        "AimCallback",
        train_lightgbm,
        ("binary_logloss", {"subset": "valid", "data_name": "valid"}),
        {},
    ),
    Training("aim.catboost", "AimCallback", train_catboost, ("Logloss", {"subset": "learn", "log": "learn"}), {}),
    Training("aim.catboost", "AimLogger", train_catboost_logger, ("Loss", {"log": "learn"}), {"log_cout": None}),
    Training("aim.optuna", "AimCallback", train_optuna, ("value", {}), {}),
]
