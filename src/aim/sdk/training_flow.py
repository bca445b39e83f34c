"""
`TrainingFlow`: the events of a training, for callbacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aim.sdk import safe_mode
from aim.sdk.callbacks.caller import Caller, event
from aim.sdk.run import Run


class TrainingFlow(Caller):
    """
    The events of the training that *run* records. Handlers get `run` besides the arguments of the event.

    Args:
        run: passed to each handler.
        callbacks: objects with methods marked by `@events.on.<event>`; `register` adds more.

    >>> import tempfile
    >>> from aim.sdk.callbacks import events
    >>> class Tracker:
    ...     @events.on.training_metrics_collected
    ...     def track(self, metrics, step, run, **kwargs):
    ...         run.track(metrics, step=step)
    >>> with Run(repo=tempfile.mkdtemp()) as run:
    ...     flow = TrainingFlow(run, [Tracker()])
    ...     flow.training_metrics_collected(metrics={"loss": 0.5}, step=1)
    ...     run.get_metric("loss").values.tolist()
    [0.5]
    """

    def __init__(self, run: Run, callbacks: Iterable[object] | None = None) -> None:
        self.run = run
        super().__init__(callbacks)
        self.init()

    def added(self) -> dict[str, Any]:
        """Return `run`."""
        return {"run": self.run}

    @event
    def init(self) -> None:
        """The flow was made; its constructor fires this."""

    @event
    def training_started(self, *, hparams: Mapping[str, Any]) -> None:
        """The training begins."""

    @event
    def training_metrics_collected(
        self, *, metrics: Mapping[str, Any], step: int | None = None, epoch: int | None = None
    ) -> None:
        """Metrics of the training were computed."""

    @event
    def validation_metrics_collected(
        self, *, metrics: Mapping[str, Any], step: int | None = None, epoch: int | None = None
    ) -> None:
        """Metrics of the validation were computed."""

    @event
    def training_successfully_finished(self) -> None:
        """The training ended without an error."""

    @event
    def exception_raised(self, *, exception: BaseException) -> None:
        """A call of the tracker failed, or the training reports an exception."""

    def handle_exceptions(self) -> None:
        """
        Stop calls of the tracker from raising, in the whole process: each exception fires `exception_raised`.

        `aim.utils.disable_safe_mode()` ends this.
        """

        def report(error: Exception, call: Callable[..., Any]) -> None:
            self.trigger("exception_raised", exception=error, function=call)

        safe_mode.set_exception_callback(report)
