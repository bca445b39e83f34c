"""
The hooks of Keras: of Keras 3, of tf.keras, of the legacy tf_keras and of KerasTuner, which have the same callbacks.

    records                       as
    logs of an epoch              loss, {"subset": "train"}; val_loss becomes loss, {"subset": "val"}; step = epoch
    the learning rate             lr, {"subset": "train"}
    logs of batches               batch/loss, {"subset": "train"}; step = batches since the beginning
    `evaluate` by itself          loss, {"subset": "test"}
    params                        hparams.optimizer, hparams.fit, model; the architecture as the text `model`
    weights, gradients            distributions by the path of the variable, {"type": "data" | "gradients"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aim.core.errors import UsageError
from aim.sdk.adapters.session import progress
from aim.sdk.adapters.session.checkpoints import Checkpoints, record_model
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import AdapterOptions, Prefixes
from aim.sdk.adapters.session.steps import restart
from aim.sdk.objects.once import warn_once

if TYPE_CHECKING:
    from typing_extensions import Unpack

VALIDATION: Prefixes = {"subset": {"val": "val_"}}
PREFIX = "val_"
EPOCH, BATCH = "epoch", "batch"
MODEL_FILE = "model.keras"


class KerasHooks(RunHolder):
    """
    A callback of Keras, but for the class that it has to be: `class AimCallback(KerasHooks, keras...Callback)`.

    Args:
        repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        log_freq: "epoch"; "batch": the logs of each batch, too; a number: those of every so many batches.
        log_model: store the model at the end; "all": after each epoch.
        log_gradients: distributions of the gradients of the last batch of each epoch (with the torch backend).
        log_weights: distributions of the weights after each epoch.
        options: those of every adapter, such as `run`, `run_hash`, `run_name`, `tags` and `context`.
    """

    ADAPTER = "aim.keras.AimCallback"

    model: Any
    params: Any

    def __init__(
        self,
        repo: Any = None,
        experiment: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        *,
        log_freq: str | int = EPOCH,
        log_model: bool | str = False,
        log_gradients: bool = False,
        log_weights: bool = False,
        **options: Unpack[AdapterOptions],
    ) -> None:
        super().__init__()
        self._hold(
            self.ADAPTER, repo, experiment, system_tracking_interval, log_system_params, capture_terminal_logs,
            options, usual=VALIDATION,
        )  # fmt: skip
        self._is_split = options.get("metric_names", "split") == "split"
        self._batches = batch_interval(log_freq)
        self._checkpoints = Checkpoints(self._session, log_model)
        self._logs_weights = log_weights
        self._logs_gradients = log_gradients
        self._is_fitting = False
        self._epoch = 0
        self._batch = -1

    @hook
    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Take note that a training begins; whether it goes on from an earlier one is told by its first epoch."""
        self._is_fitting = True
        self._batch = -1

    @hook
    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """
        Begin an epoch; the first one of a training records the params of the model, and hides what an aborted training
        recorded at later steps.
        """
        if self._batch < 0:
            steps_an_epoch = (self.params or {}).get("steps") or 0
            self._batch = int(epoch) * steps_an_epoch
            restart(self._session, self._batch if self._batches else int(epoch))
            record_model_params(self._session, self.model, self.params)
        self._epoch = int(epoch)

    @hook
    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record the logs of a batch, if `log_freq` asks for them."""
        if self._batches and logs and self._batch % self._batches == 0:
            values = {f"batch/{name}": value for name, value in logs.items()}
            self._session.track(values, step=self._batch, epoch=self._epoch, context={"subset": "train"})
        self._batch += 1
        self._report_progress(self._epoch, batch + 1)

    @hook
    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record the logs of an epoch and the learning rate."""
        step = int(epoch)
        self._report_progress(step + 1, 0)
        for values, context in self._subsets(dict(logs or {})):
            self._session.track(values, step=step, epoch=step, context=context)
        rate = learning_rate(self.model)
        if rate is not None:
            self._session.track({"lr": rate}, step=step, epoch=step, context={"subset": "train"})
        self._record_distributions(step)
        if self._checkpoints.takes_each:
            name = f"model-{step:04d}.keras"
            record_model(self._checkpoints, self.model.save, name, epoch=step, **_plain_logs(logs))

    def _report_progress(self, epochs: int, batches: int) -> None:
        epochs_total, steps = ((self.params or {}).get(name) or 0 for name in ("epochs", "steps"))
        if steps:
            progress.report(self._session, epochs * steps + batches, epochs_total * steps, "batches")
        elif not batches:
            progress.report(self._session, epochs, epochs_total, "epochs")

    def _subsets(self, logs: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
        if not self._is_split:
            return [(logs, None)]
        validation = {name: value for name, value in logs.items() if name.startswith(PREFIX)}
        training = {name: value for name, value in logs.items() if name not in validation}
        return [(training, {"subset": "train"}), (validation, None)]

    @hook
    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Record the logs of `evaluate`, when it is no part of a training."""
        if not self._is_fitting and logs:
            self._session.track(logs, step=self._epoch, epoch=self._epoch, context={"subset": "test"})

    @hook
    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Record the model, if `log_model` asks for it. The run goes on: a test may follow."""
        self._is_fitting = False
        if self._checkpoints.takes_last:
            record_model(self._checkpoints, self.model.save, MODEL_FILE, epoch=self._epoch, **_plain_logs(logs))

    def _record_distributions(self, step: int) -> None:
        for variable in self.model.trainable_variables:
            name = getattr(variable, "path", variable.name)
            if self._logs_weights:
                self._record_distribution(name, variable, step, "data")
            gradient = gradient_of(variable) if self._logs_gradients else None
            if gradient is not None:
                self._record_distribution(name, gradient, step, "gradients")
            elif self._logs_gradients:
                warn_once("keras gradients", "Aim: aim.keras: only the torch backend of Keras tells gradients.")

    def _record_distribution(self, name: str, values: Any, step: int, kind: str) -> None:
        from aim.sdk.objects.distribution import Distribution

        to_numpy = getattr(values, "numpy", None)
        array = values.detach().cpu().numpy() if hasattr(values, "detach") else to_numpy() if to_numpy else values
        self._session.track({name: Distribution(array)}, step=step, epoch=step, context={"type": kind})


def batch_interval(log_freq: Any) -> int:
    """
    Return how many batches there are between two whose logs are recorded; 0: none are.

    Raises:
        UsageError: *log_freq* is none of "epoch", "batch" and whole numbers from 1.

    >>> batch_interval("epoch"), batch_interval("batch"), batch_interval(50)
    (0, 1, 50)
    """
    if log_freq == EPOCH:
        return 0
    if log_freq == BATCH:
        return 1
    if isinstance(log_freq, int) and not isinstance(log_freq, bool) and log_freq >= 1:
        return log_freq
    raise UsageError(f"log_freq is {log_freq!r}; it has to be 'epoch', 'batch' or a number of batches.")


def learning_rate(model: Any) -> float | None:
    """Return the learning rate of the optimizer of a model, whatever wraps it; None: it has none."""
    optimizer: Any = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of a LossScaleOptimizer
    rate = getattr(optimizer, "learning_rate", None)
    if callable(rate) and not hasattr(rate, "numpy"):  # a schedule of tf_keras
        rate = rate(optimizer.iterations)
    return None if rate is None else float(rate)


def gradient_of(variable: Any) -> Any:
    """Return the gradient of the last batch, which the torch backend keeps with each variable; None: it has none."""
    return getattr(getattr(variable, "value", None), "grad", None)


def record_model_params(session: Any, model: Any, fit: Mapping[str, Any] | None) -> None:
    """Record what a model is, and how it is trained."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        session.set_params(("hparams", "optimizer"), {"class": type(optimizer).__name__, **optimizer.get_config()})
    session.set_params(("hparams", "fit"), dict(fit or {}))
    described = {"name": model.name, "class": type(model).__name__}
    if model.built:
        described["parameters"] = model.count_params()
    session.set_params("model", described)
    session.failures.guarded(lambda: _record_architecture(session, model), "the architecture of the model")


def _record_architecture(session: Any, model: Any) -> None:
    from aim.sdk.objects.table import Table
    from aim.sdk.objects.text import Text

    layers = [
        {"name": layer.name, "class": type(layer).__name__, "parameters": layer.count_params() if layer.built else None}
        for layer in model.layers
    ]
    objects: dict[str, Any] = {"layers": Table(layers)} if layers else {}
    try:
        objects["model"] = Text(json.dumps(json.loads(model.to_json()), indent=1))
    except (NotImplementedError, TypeError, ValueError):  # a model that is a class of the user
        objects["model"] = Text("\n".join(f"{layer['name']}: {layer['class']}" for layer in layers))
    session.track(objects, step=0)


def _plain_logs(logs: Mapping[str, Any] | None) -> dict[str, float]:
    return {name: float(value) for name, value in (logs or {}).items()}
