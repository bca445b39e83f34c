"""
Optuna: `study.optimize(objective, callbacks=[AimCallback()])`.

    as_multirun=False   one run for the study: at step = number of the trial its values and numeric params as metrics
    as_multirun=True    a run for each trial, named trial-<number>, and one for the study (study_run=False: none)

    records                    of the study                          of a trial that has a run
    values                     metrics value (or value_0 ...)        params value (or value_0 ...)
    params                     trials.<number>.params                hparams, with the direction
    state, user attributes     trials.<number>                       state, user_attrs, trial_number
    reported values            intermediate, context {"trial": 3}    intermediate
    the best value so far      best_value
    `close()`                  tables trials and param_importance, figures of plotly where it is installed

A trial that was pruned or that failed is recorded like any other; the run of one that failed has failed. Within an
objective that `@callback.track_in_aim()` decorates, `callback.experiment` is the run to track into, in each thread of
`n_jobs`. Runs of one study have the param `study.name`, by which the pages group them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from aim.core.errors import AimError
from aim.core.values import is_number
from aim.sdk.adapters.session.frameworks import framework, is_installed
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import NAME_OPTIONS, NameOptions, OtherNameOptions
from aim.sdk.adapters.session.run_session import RunSession

if TYPE_CHECKING:
    from typing_extensions import Unpack

optuna: Any = framework("optuna", "optuna", "aim.optuna")

Value = TypeVar("Value")
FIGURES = ("optimization_history", "param_importances", "parallel_coordinate", "slice")
ADAPTER = "aim.optuna.AimCallback"


class TrialFailed(AimError):
    """The objective of a trial raised an exception, or returned no number."""


class AimCallback(RunHolder):
    """
    A callback of Optuna that records a study.

    Args:
        metric_name: the name of the objective's value, or one for each of several values.
        as_multirun: a run for each trial.
        repo, experiment_name, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        study_run: with *as_multirun*, record what concerns the whole study into a run of its own.
        options: those of every adapter, such as `run`, `run_name`, `tags` and `context`.
    """

    def __init__(
        self,
        metric_name: str | Sequence[str] = "value",
        as_multirun: bool = False,
        repo: Any = None,
        experiment_name: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        *,
        study_run: bool = True,
        **options: Unpack[OtherNameOptions],
    ) -> None:
        self._hold(
            ADAPTER, repo, experiment_name, system_tracking_interval, log_system_params, capture_terminal_logs, options
        )
        self._metric_name = metric_name
        self._as_multirun = as_multirun
        self._has_study_run = study_run or not as_multirun
        self._name_options: dict[str, Any] = {name: value for name, value in options.items() if name in NAME_OPTIONS}
        self._trials: dict[int, RunSession] = {}
        self._current = threading.local()
        self._lock = threading.Lock()
        self._study: Any = None

    @property
    def experiment(self) -> Any:
        """
        The run to track into: within a trial of `track_in_aim` that of the trial, else that of the study.

        None between the trials when each has a run and the study has none.
        """
        session: RunSession | None = getattr(self._current, "session", None)
        if session is None:
            session = self._session if self._has_study_run else None
        return None if session is None else session.run()

    def track_in_aim(self) -> Callable[[Callable[[Any], Value]], Callable[[Any], Value]]:
        """Return a decorator for an objective, in which `experiment` is the run of the trial."""

        def decorate(objective: Callable[[Any], Value]) -> Callable[[Any], Value]:
            @functools.wraps(objective)
            def tracked(trial: Any) -> Value:
                with self._within(trial.number):
                    return objective(trial)

            return tracked

        return decorate

    @contextlib.contextmanager
    def _within(self, number: int) -> Iterator[None]:
        self._current.session = self._session_of(number) if self._as_multirun else self._session
        try:
            yield
        finally:
            self._current.session = None

    def _session_of(self, number: int) -> RunSession:
        with self._lock:
            session = self._trials.get(number)
            if session is None:
                options = dataclasses.replace(
                    self._session.options, run=None, run_hash=None, run_name=f"trial-{number}"
                )
                session = self._trials[number] = RunSession(ADAPTER, options, NameOptions(**self._name_options))
            return session

    @hook
    def __call__(self, study: Any, trial: Any) -> None:
        """Record a trial that ended."""
        self._study = study
        described = describe(study, trial)
        if self._as_multirun:
            self._record_run(trial, described)
        if self._has_study_run:
            self._record_in_study(study, trial, described)

    def _record_run(self, trial: Any, described: dict[str, Any]) -> None:
        session = self._session_of(trial.number)
        session.set_params("hparams", {**trial.params, "direction": described["study"]["direction"]})
        for name, value in {**described, "trial_number": trial.number, **self._values(trial)}.items():
            if name != "params":
                session.set_params(name, value)
        if self._has_study_run:
            session.set_params(("study", "run"), self._session.run().hash)
        for step, value in trial.intermediate_values.items():
            session.track({"intermediate": value}, step=step)
        session.close(TrialFailed(f"trial {trial.number}") if described["state"] == "fail" else None)
        with self._lock:
            del self._trials[trial.number]

    def _record_in_study(self, study: Any, trial: Any, described: dict[str, Any]) -> None:
        session, number = self._session, trial.number
        session.set_params("study", described["study"])
        session.set_params("study_name", study.study_name)
        session.set_params(("hparams", "direction"), described["study"]["direction"])
        session.set_params(
            ("trials", str(number)), {name: value for name, value in described.items() if name != "study"}
        )
        session.track(self._values(trial), step=number)
        if not self._as_multirun:
            session.track({name: value for name, value in trial.params.items() if is_number(value)}, step=number)
            for step, value in trial.intermediate_values.items():
                session.track({"intermediate": value}, step=step, context={"trial": number})
        if len(study.directions) == 1 and trial.state == optuna.trial.TrialState.COMPLETE:
            session.track({"best_value": study.best_value}, step=number)

    def _values(self, trial: Any) -> dict[str, float]:
        # Optuna gives a pruned trial the last value that it reported, which the study does not count
        values = trial.values if trial.state == optuna.trial.TrialState.COMPLETE else []
        if not isinstance(self._metric_name, str):
            return dict(zip(map(str, self._metric_name), values))
        if len(values) == 1:
            return {self._metric_name: values[0]}
        return {f"{self._metric_name}_{index}": value for index, value in enumerate(values)}

    @hook
    def log_study(self, study: Any) -> None:
        """Record the tables of the trials and of the importances, and figures where plotly is installed."""
        from aim.sdk.objects.table import Table

        if not self._has_study_run or not study.trials:
            return
        step = study.trials[-1].number
        self._session.track({"trials": Table([_row(trial, self._values(trial)) for trial in study.trials])}, step=step)
        self._session.failures.guarded(lambda: self._log_importance(study, step), "param_importance")
        if is_installed("plotly"):
            for name in FIGURES:
                self._session.failures.guarded(functools.partial(self._log_figure, study, name, step), f"figure {name}")

    def _log_importance(self, study: Any, step: int) -> None:
        from aim.sdk.objects.table import Table

        complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
        if len(study.directions) == 1 and len(complete) > 1 and complete[0].params:
            importances = optuna.importance.get_param_importances(study)
            rows = [[name, float(value)] for name, value in importances.items()]
            self._session.track({"param_importance": Table(rows, columns=["param", "importance"])}, step=step)

    def _log_figure(self, study: Any, name: str, step: int) -> None:
        from aim.sdk.objects.figure import Figure

        if len(study.directions) == 1 and any(trial.params for trial in study.trials):
            figure = getattr(optuna.visualization, f"plot_{name}")(study)
            self._session.track({name: Figure(figure)}, step=step)

    def close(self) -> None:
        """Record the tables and figures of the study, and end the runs."""
        if self._study is not None:
            self.log_study(self._study)
            self._study = None
        for session in list(self._trials.values()):
            session.close()
        self._session.close()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without what belongs to this process."""
        return {**self.__dict__, "_trials": {}, "_current": None, "_lock": None, "_study": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._current = threading.local()
        self._lock = threading.Lock()


def describe(study: Any, trial: Any) -> dict[str, Any]:
    """Return what is recorded of a trial as params."""
    directions = [direction.name.lower() for direction in study.directions]
    return {
        "params": trial.params,
        "state": trial.state.name.lower(),
        "values": trial.values,
        "distributions": {name: str(distribution) for name, distribution in trial.distributions.items()},
        "user_attrs": trial.user_attrs,
        "duration_s": None if trial.duration is None else trial.duration.total_seconds(),
        "study": {
            "name": study.study_name,
            "direction": directions[0] if len(directions) == 1 else directions,
            "user_attrs": study.user_attrs,
        },
    }


def _row(trial: Any, values: dict[str, float]) -> dict[str, Any]:
    params = {f"params_{name}": value if is_number(value) else str(value) for name, value in trial.params.items()}
    return {"number": trial.number, "state": trial.state.name.lower(), **values, **params}
