"""
PaddlePaddle: `model.fit(..., callbacks=[AimCallback()])` of `paddle.Model`.

    records                     as
    loss of a batch             loss, {"subset": "train"}; step = batches since the beginning
    acc, when it is several     acc_0, acc_1 ...
    logs of an evaluation       loss, acc ..., {"subset": "valid"}, at the last step of the training
    epochs, steps, metrics      hparams
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aim.core.values import is_number
from aim.sdk.adapters.session import progress
from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.holder import RunHolder, hook
from aim.sdk.adapters.session.options import OtherNameOptions

if TYPE_CHECKING:
    from typing_extensions import Unpack

paddle: Any = framework("paddle", "paddlepaddle", "aim.paddle")
NO_METRICS = ("step", "batch_size", "steps")


class AimCallback(RunHolder, paddle.callbacks.Callback):
    """
    A callback of PaddlePaddle that records a training.

    Args:
        repo, experiment_name, system_tracking_interval, log_system_params, capture_terminal_logs: see `Run`.
        options: those of every adapter, such as `run`, `run_hash`, `run_name`, `tags` and `context`.
    """

    def __init__(
        self,
        repo: Any = None,
        experiment_name: str | None = None,
        system_tracking_interval: float | None = 10,
        log_system_params: bool = True,
        capture_terminal_logs: bool | str = True,
        **options: Unpack[OtherNameOptions],
    ) -> None:
        super().__init__()
        self._hold(
            "aim.paddle.AimCallback", repo, experiment_name, system_tracking_interval, log_system_params,
            capture_terminal_logs, options,
        )  # fmt: skip
        self._step = -1
        self._epoch = 0

    @hook
    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Record how the model is trained."""
        self._session.set_params("hparams", dict(self.params or {}))

    @hook
    def on_epoch_begin(self, epoch: int | None = None, logs: Mapping[str, Any] | None = None) -> None:
        """Take note of the epoch."""
        self._epoch = int(epoch or 0)

    @hook
    def on_train_batch_end(self, step: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record the logs of a batch."""
        self._step += 1
        self._record(logs, "train")
        epochs, steps = ((self.params or {}).get(name) or 0 for name in ("epochs", "steps"))
        progress.report(self._session, self._epoch * steps + int(step) + 1, epochs * steps, "batches")

    @hook
    def on_eval_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Record the logs of an evaluation."""
        self._record(logs, "valid")

    def _record(self, logs: Mapping[str, Any] | None, subset: str) -> None:
        values = dict(numbers(logs or {}))
        self._session.track(values, step=max(self._step, 0), epoch=self._epoch, context={"subset": subset})


def numbers(logs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """
    Go through the numbers of logs; those of a list of several are numbered.

    >>> dict(numbers({"loss": [0.5], "acc": [0.1, 0.2], "step": 3, "batch_size": 8}))
    {'loss': 0.5, 'acc_0': 0.1, 'acc_1': 0.2}
    """
    for name, value in logs.items():
        if name in NO_METRICS:
            continue
        items: Any = list(value) if isinstance(value, (list, tuple)) else value
        if hasattr(items, "shape") and items.shape not in ((), (1,), []):
            items = items.tolist()
        if not isinstance(items, list):
            if is_number(items):
                yield name, items
        elif len(items) == 1:
            yield name, items[0]
        else:
            yield from ((f"{name}_{index}", item) for index, item in enumerate(items))
