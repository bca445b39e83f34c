"""
fastai: `Learner(..., cbs=AimCallback())`, or `learn.fit(..., cbs=AimCallback())`.

    records                             as
    the smoothed loss of each batch     loss, {"subset": "train"}; step = batches since the beginning
    each hyperparameter of each group   lr_0, mom_0 ..., {"subset": "train"}
    the losses and metrics of an epoch  loss, accuracy ..., {"subset": "val"}, at the last step of the epoch
    the arguments of the learner        hparams

The epoch of a point has a fraction: 1.25 is a quarter into the second epoch. `fine_tune`, which fits twice, is one
curve; so is `fit(4, start_epoch=2)`, which hides what was recorded after the second epoch. A run that is resumed goes
on after its last step. `lr_find` and predictions record nothing. With names="aim3" the names are those of the recorder,
as in Aim 3: train_loss of each batch, and train_loss, valid_loss and the metrics of each epoch without a context.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aim.core.errors import UsageError
from aim.sdk.adapters.session import progress
from aim.sdk.adapters.session.checkpoints import Checkpoints, record_model
from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import OtherNameOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

learner: Any = framework("fastai.learner", "fastai", "aim.fastai")
callback_core: Any = framework("fastai.callback.core", "fastai", "aim.fastai")
torch_core: Any = framework("fastai.torch_core", "fastai", "aim.fastai")

MODEL_FILE = "model.pth"
TRAIN = {"subset": "train"}
NO_METRICS = ("epoch", "time")
NAMES = (None, "aim3")


class AimCallback(RunHolder, callback_core.Callback):
    """
    A callback of fastai that records a training.

    Args:
        repo, experiment_name, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        log_model: store the weights at the end of each `fit`.
        log_preds: record a table of predictions of the first validation batch at the end of each `fit`.
        n_preds: how many rows it has at most.
        names: see above.
        options: those of every adapter, such as `run`, `run_hash`, `run_name`, `tags` and `context`.
    """

    order = learner.Recorder.order + 1
    remove_on_fetch = True

    def __init__(
        self,
        repo: Any = None,
        experiment_name: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        *,
        log_model: bool | str = False,
        log_preds: bool = False,
        n_preds: int = 36,
        names: str | None = None,
        **options: Unpack[OtherNameOptions],
    ) -> None:
        super().__init__()
        if names not in NAMES:
            raise UsageError(f"names is {names!r}; it has to be None or 'aim3'.")
        self._hold(
            "aim.fastai.AimCallback", repo, experiment_name, system_tracking_interval, log_system_params,
            capture_terminal_logs, options, rank=torch_core.rank_distrib,
        )  # fmt: skip
        self._checkpoints = Checkpoints(self._session, log_model)
        self._preds_max = n_preds if log_preds else 0
        self._has_old_names = names == "aim3"
        self._loss_name = "train_loss" if self._has_old_names else "loss"
        self._batch_step = -1
        self._epochs_before = 0

    def before_fit(self) -> None:
        """Record the params; nothing of a search for the learning rate."""
        self.run = not hasattr(self.learn, "lr_finder") and not hasattr(self.learn, "gather_preds")
        if self.run:
            self._begin()

    @hook
    def _begin(self) -> None:
        self._session.run()
        self._find_step()
        self._session.set_params("hparams", learner_params(self.learn))

    def _find_step(self) -> None:
        first_epoch = getattr(getattr(self.learn, "skip_to_epoch", None), "_skip_to", 0)
        if first_epoch:
            self._epochs_before, self._batch_step = 0, first_epoch * len(self.dls.train) - 1
            self._session.rewind(self._batch_step)
        elif self._batch_step < 0 and self._session.is_resumed:
            name, context = self._session.names.split(self._loss_name)
            metric = self._session.run().get_metric(name, {**context, **TRAIN})
            if metric is not None and len(metric.indices):
                self._batch_step, self._epochs_before = metric.indices[-1], math.ceil(metric.epochs.values_list()[-1])

    @hook
    def after_batch(self) -> None:
        """Record the loss and the hyperparameters of a batch of the training."""
        if not self.training:
            return
        self._batch_step += 1
        values = {self._loss_name: self.smooth_loss, **dict(hyperparameters(self.opt.hypers))}
        epoch = self._epochs_before + self.epoch + (self.iter + 1) / self.n_iter
        self._session.track(values, step=self._batch_step, epoch=epoch, context=TRAIN)
        progress.report(self._session, self.epoch * self.n_iter + self.iter + 1, self.n_epoch * self.n_iter, "batches")

    @hook
    def after_epoch(self) -> None:
        """Record the losses and metrics of an epoch."""
        recorder = self.learn.recorder
        names, values = list(recorder.metric_names), list(recorder.log)
        if len(names) != len(values):  # the validation was cancelled: which value is whose is not told
            return
        metrics = {name: value for name, value in zip(names, values) if name not in NO_METRICS}
        epoch = self._epochs_before + self.epoch + 1
        if self._has_old_names:
            self._session.track(metrics, step=self._batch_step, epoch=epoch)
            return
        by_name = {name.removeprefix("valid_"): value for name, value in metrics.items() if name != "train_loss"}
        self._session.track(by_name, step=self._batch_step, epoch=epoch, context={"subset": "val"})

    @hook
    def after_fit(self) -> None:
        """Record the model and predictions, if they are asked for. The run goes on: another `fit` may follow."""
        self._epochs_before += self.learn.n_epoch
        record_model(
            self._checkpoints,
            lambda path: self.learn.save(path.removesuffix(".pth")),
            MODEL_FILE,
            step=self._batch_step,
        )
        if self._preds_max:
            self._record_predictions()

    def _record_predictions(self) -> None:
        from aim.sdk.objects.table import Table

        batch = self.learn.dls.valid.one_batch()
        _, targets, decoded = self.learn.get_preds(dl=[batch], with_decoded=True, inner=True, reorder=False)
        pairs = list(zip(targets.tolist(), decoded.tolist()))[: self._preds_max]
        rows = [[str(target), str(prediction)] for target, prediction in pairs]
        self._session.track({"predictions": Table(rows, columns=["target", "prediction"])}, step=self._batch_step)


def learner_params(learn: Any) -> dict[str, Any]:
    """Return the arguments of a learner, with what it trains and who listens."""
    params = {name: getattr(learn, name, None) for name in ("lr", "wd", "moms", "wd_bn_bias", "train_bn", "n_epoch")}
    return params | {
        "model": type(learn.model).__name__,
        "loss_func": getattr(learn.loss_func, "__name__", type(learn.loss_func).__name__),
        "opt_func": learn.opt_func,
        "batch_size": getattr(learn.dls, "bs", None),
        "metrics": [metric.name for metric in learn.metrics],
        "callbacks": [callback.name for callback in learn.cbs],
    }


def hyperparameters(groups: Any) -> Iterator[tuple[str, float]]:
    """
    Go through the hyperparameters of each group of an optimizer, with numbered names.

    >>> dict(hyperparameters([{"lr": 0.1}, {"lr": 0.2}]))
    {'lr_0': 0.1, 'lr_1': 0.2}
    """
    for index, group in enumerate(groups):
        for name, value in group.items():
            yield f"{name}_{index}", value
