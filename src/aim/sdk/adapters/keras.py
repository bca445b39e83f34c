"""
Keras 3, with any backend: `model.fit(..., callbacks=[AimCallback()])`. What is recorded: session/keras_hooks.py.

Where `tf_keras`, the legacy Keras, was imported and Keras 3 was not, the callback is one of that.
"""

from __future__ import annotations

import sys
from typing import Any

from aim.sdk.adapters.session.frameworks import framework, is_installed
from aim.sdk.adapters.session.keras_hooks import KerasHooks


def chosen_keras() -> Any:
    """
    Return the Keras that is used, or that is installed.

    Raises:
        FrameworkMissing: there is none.
    """
    for name in ("keras", "tf_keras"):
        if name in sys.modules:
            return framework(name, name, "aim.keras")
    name = "tf_keras" if is_installed("tf_keras") and not is_installed("keras") else "keras"
    return framework(name, name, "aim.keras")


keras: Any = chosen_keras()


class AimCallback(KerasHooks, keras.callbacks.Callback):
    """A callback of Keras that records a training; its arguments are those of `KerasHooks`."""

    @classmethod
    def metrics(cls, repo: Any = None, experiment: str | None = None, run: Any = None) -> AimCallback:
        """Return a callback that records into *run*, or into a new run; a name of Aim 3."""
        return cls(repo=repo, experiment=experiment, run=run)


AimTracker = AimCallback
