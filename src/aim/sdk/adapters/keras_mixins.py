"""
A part of a Keras callback, for callbacks that were written with it for Aim 3.

    class Mine(TrackerKerasCallbackMetricsEpochEndMixin, keras.callbacks.Callback):
        def __init__(self, run):
            super().__init__()
            self.experiment = run
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aim.sdk.adapters.session.keras_hooks import PREFIX, learning_rate


class TrackerKerasCallbackMetricsEpochEndMixin:
    """Records the logs of an epoch and the learning rate into `self.experiment`, a run."""

    experiment: Any
    model: Any

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record `val_` metrics with the subset val, all others with the subset train."""
        self._log_epoch_metrics(epoch, logs)

    def _log_epoch_metrics(self, epoch: int, logs: Mapping[str, Any] | None) -> None:
        for name, value in (logs or {}).items():
            subset = "val" if name.startswith(PREFIX) else "train"
            self.experiment.track(value, name=name.removeprefix(PREFIX), epoch=epoch, context={"subset": subset})
        rate = self._get_learning_rate()
        if rate is not None:
            self.experiment.track(rate, name="lr", epoch=epoch, context={"subset": "train"})

    def _get_learning_rate(self) -> float | None:
        return learning_rate(self.model)
