"""
CatBoost, in two ways:

    model.fit(..., callbacks=[AimCallback()])                     numbers, as CatBoost computes them
    model.fit(..., log_cout=AimLogger(loss_function="Logloss"))   the lines that CatBoost prints, as in Aim 3

    records                          as
    Logloss of the set "learn"       Logloss, context {"subset": "learn", "log": "learn"}, step = iteration
    of an evaluation set             the same with "validation" ("log": "test")
    `callback.log_summary(model)`    hparams, best_iteration, best_score, a table feature_importance; log_model

AimLogger reads the values that are printed, with the digits that are printed: `verbose=False` gives it nothing. It
names them as its argument *loss_function*, with the contexts {"log": "learn"}, {"log": "test"} and {"log": "best"};
lines such as `bestTest = 0.5` become params. CatBoost calls no callbacks on a graphics processor.
"""

from __future__ import annotations

import re
import sys
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

catboost: Any = framework("catboost", "catboost", "aim.catboost")
MODEL_FILE = "model.cbm"
LEARN = "learn"
# 12:  learn: 0.69  test: 0.68  test1: 0.7  best: 0.68 (11)  total: 1.2ms  remaining: 3ms
STEP = re.compile(r"^(\d+):\s")
SCORE = re.compile(r"\b(learn|test\d*|best):\s+(\S+)")
PARAM = re.compile(r"^(\w+) = (\S+)$")


class AimCallback(RunHolder):
    """
    A callback of CatBoost that records a training.

    Args:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        log_model: whether `log_summary` stores the model.
        first_iteration: where the steps begin. CatBoost counts from 0 also when `fit(init_model=model)` goes on from a
            model, of which this is the `tree_count_`.
        options: those of every adapter, such as `run`, `run_hash`, `run_name`, `tags` and `context`.
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
        first_iteration: int = 0,
        **options: Unpack[AdapterOptions],
    ) -> None:
        self._hold(
            "aim.catboost.AimCallback", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, options,
        )  # fmt: skip
        self._checkpoints = Checkpoints(self._session, log_model)
        self._first_iteration = first_iteration
        self._is_begun = False

    def after_iteration(self, info: Any) -> bool:
        """Record the metrics of an iteration; return True, so that the training goes on."""
        self._record(info)
        return True

    @hook
    def _record(self, info: Any) -> None:
        step = self._first_iteration + int(info.iteration) - 1  # CatBoost tells how many iterations are done
        if not self._is_begun or step <= self._session.last_step:  # another training, in the same run
            self._is_begun = True
            restart(self._session, step)
        for data_name, metrics in info.metrics.items():
            values = {name: history[-1] for name, history in metrics.items() if len(history)}
            log_name = LEARN if data_name == LEARN else "test"
            self._session.track(values, step=step, context={"subset": data_name, "log": log_name})

    @hook
    def log_summary(self, model: Any) -> None:
        """
        Record what is decided when the training is over; CatBoost does not tell its callbacks that.

        Args:
            model: that was fitted.
        """
        self._session.set_params("hparams", model.get_all_params())
        boosters.record_best(self._session, model.get_best_iteration(), model.get_best_score())
        importances = model.get_feature_importance()
        names = boosters.feature_names(model.feature_names_, len(importances))
        boosters.record_importance(self._session, {"importance": dict(zip(names, map(float, importances)))})
        step = self._session.last_step
        record_model(self._checkpoints, model.save_model, MODEL_FILE, step=step)


class AimLogger(RunHolder):
    """
    What CatBoost writes its lines to: it passes them on, and records the values in them.

    Args:
        loss_function: the name of the values.
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        log_cout: where the lines go.
        options: those of every adapter, such as `run`, `run_hash`, `run_name`, `tags` and `context`.
    """

    def __init__(
        self,
        loss_function: str = "Loss",
        repo: Any = None,
        experiment: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        log_cout: Any = sys.stdout,
        **options: Unpack[AdapterOptions],
    ) -> None:
        self._hold(
            "aim.catboost.AimLogger", repo, experiment, system_tracking_interval, log_system_params,
            capture_terminal_logs, options,
        )  # fmt: skip
        self._loss_function = loss_function
        self._target = log_cout
        self._unfinished = ""

    def write(self, log: str) -> None:
        """Take text of CatBoost, whole lines or parts of them."""
        if self._target is not None:
            self._target.write(log)
        *lines, self._unfinished = (self._unfinished + log).split("\n")
        for line in lines:
            self._read(line.strip())

    def flush(self) -> None:
        """Pass on what was written."""
        if self._target is not None and hasattr(self._target, "flush"):
            self._target.flush()

    @hook
    def _read(self, line: str) -> None:
        param = PARAM.match(line)
        if param is not None:
            self._session.set_params(param[1], boosters.plain_number(param[2]))
            return
        step = STEP.match(line)
        if step is None:
            return
        for log_name, value in line_scores(line):
            self._session.track({self._loss_function: value}, step=int(step[1]), context={"log": log_name})

    def __getstate__(self) -> Mapping[str, Any]:
        """Return the state without the stream, which no other process has."""
        return {**self.__dict__, "_target": None}


def line_scores(line: str) -> Iterator[tuple[str, float]]:
    """
    Yield the values of a line by what they are of.

    >>> dict(line_scores("0:  learn: 0.69  test: 0.68  best: 0.68 (0)  total: 1ms  remaining: 2ms"))
    {'learn': 0.69, 'test': 0.68, 'best': 0.68}
    """
    for log_name, text in SCORE.findall(line):
        try:
            yield log_name, float(text)
        except ValueError:
            continue
