"""
Callbacks: methods of the user that are called at events of a training.

    class Alerts:
        @events.on.validation_metrics_collected
        def check(self, metrics, run, **kwargs):
            if metrics["accuracy"] < 0.5:
                run.log_warning("accuracy is low", accuracy=metrics["accuracy"])

    flow = TrainingFlow(run, callbacks=[Alerts()])
    flow.validation_metrics_collected(metrics={"accuracy": 0.4}, step=1000)

A handler gets the arguments of the event and those that the caller adds (`run`). It names those that it needs and
ends with `**kwargs`, so that an event may get more arguments later. An exception in a handler is logged and never ends
the training.
"""

from __future__ import annotations

from aim.sdk.callbacks import events as events
from aim.sdk.callbacks.caller import Caller as Caller
from aim.sdk.callbacks.caller import event as event
