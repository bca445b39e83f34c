"""
tf.keras: `model.fit(..., callbacks=[AimCallback()])`. What is recorded: session/keras_hooks.py.

From TensorFlow 2.16 on `tf.keras` is Keras 3; with TF_USE_LEGACY_KERAS=1 it is `tf_keras`. The callback is one of the
Keras that TensorFlow has.
"""

from __future__ import annotations

from typing import Any

from aim.sdk.adapters.session.frameworks import framework
from aim.sdk.adapters.session.keras_hooks import KerasHooks

tensorflow: Any = framework("tensorflow", "tensorflow", "aim.tensorflow")


class AimCallback(KerasHooks, tensorflow.keras.callbacks.Callback):
    """A callback of tf.keras that records a training; its arguments are those of `KerasHooks`."""

    ADAPTER = "aim.tensorflow.AimCallback"


AimTracker = AimCallback
