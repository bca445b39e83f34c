"""
KerasTuner: `tuner.search(..., callbacks=[AimCallback(tuner)])`, a run for each trial.

Each run is named `trial-<id>` and has the trial's hyperparameters as `hparams`, the id, the tuner's project and its
objective as the param `trial`, with its score at the end of each execution: the objective in the best epoch, on average
over the executions. The rest is recorded as by `aim.keras`. A trial that is executed several times is one run.

The tuner gives each execution a copy of the callback; the copies share the tuner and what they know of the trials. The
trial is the one that this tuner works on, so that tuners which share an oracle don't mix up theirs.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from aim.sdk.adapters.session.frameworks import first_framework, framework
from aim.sdk.adapters.session.holder import hook
from aim.sdk.adapters.session.keras_hooks import KerasHooks

keras_tuner: Any = first_framework({"keras_tuner": "keras-tuner", "kerastuner": "keras-tuner"}, "aim.keras_tuner")
keras: Any = framework("keras", "keras", "aim.keras_tuner")


class AimCallback(KerasHooks, keras.callbacks.Callback):
    """
    A callback of KerasTuner that records the trials of a search.

    Args:
        tuner: the tuner of the search.
        arguments, options: those of `aim.keras.AimCallback`.
    """

    ADAPTER = "aim.keras_tuner.AimCallback"

    def __init__(self, tuner: Any = None, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._tuner = tuner
        self._hashes: dict[str, str] = {}
        self._scores: dict[str, list[float]] = {}
        self._best: float | None = None
        self._trial_id: str | None = None

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Begin the run of the trial, and record its hyperparameters."""
        self._best = None
        self._begin_trial()
        super().on_train_begin(logs)

    @hook
    def _begin_trial(self) -> None:
        trial = trial_of(self._tuner)
        if trial is None or trial.trial_id == self._trial_id:
            return
        self._trial_id = trial.trial_id
        self._session.renew()
        self._session.run_hash = self._hashes.get(trial.trial_id)
        self._session.options.run_name = f"trial-{trial.trial_id}"
        self._hashes[trial.trial_id] = self._session.run().hash
        self._session.set_params("hparams", dict(trial.hyperparameters.values))
        objective = getattr(self._tuner.oracle, "objective", None)
        described = {"id": trial.trial_id, "project": getattr(self._tuner, "project_name", None)}
        self._session.set_params("trial", {**described, "objective": getattr(objective, "name", None)})

    @hook
    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record the logs of an epoch, and take note of the objective when it is the best."""
        super().on_epoch_end(epoch, logs)
        objective = getattr(getattr(self._tuner, "oracle", None), "objective", None)
        if objective is None or not logs or not objective.has_value(logs):
            return
        value = float(objective.get_value(logs))
        if self._best is None or objective.better_than(value, self._best):
            self._best = value

    @hook
    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Record the score, and end the run of the trial: nothing of it follows."""
        super().on_train_end(logs)
        if self._trial_id is None:
            return
        if self._best is not None:
            scores = self._scores.setdefault(self._trial_id, [])
            scores.append(self._best)
            self._session.set_params(("trial", "score"), sum(scores) / len(scores))
        self._session.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> AimCallback:
        """Return the copy for an execution; tuner and known trials are the same objects."""
        copied = copy.copy(self)
        copied._session = copy.deepcopy(self._session, memo)
        copied._checkpoints = copy.copy(self._checkpoints)
        copied._checkpoints.session = copied._session
        return copied


def trial_of(tuner: Any) -> Any:
    """Return the trial that a tuner works on; None: it works on none."""
    if tuner is None:
        return None
    trials = tuner.oracle.ongoing_trials
    return trials.get(getattr(tuner, "tuner_id", None)) or next(iter(trials.values()), None)
