"""
Adapters whose frameworks are not installed with the others, since PaddlePaddle needs 720 MB and TensorFlow 1 GB: their
hooks are called as the frameworks call them.

What stands in for a framework has the classes that the adapter derives from, and nothing of ours. Where PaddlePaddle is
installed, test_paddle.py trains with it.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.adapters.readings import QUIET, metrics, points, steps, the_run


class HapiCallback:
    """What PaddlePaddle's callbacks derive from: it is told the params of the training."""

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}


def stand_in(name: str, **members: Any) -> ModuleType:
    """Return a module with *members*."""
    module = ModuleType(name)
    vars(module).update(members)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)
    return module


@pytest.fixture(name="framework")
def _framework(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """
    A function that installs a stand-in and imports the adapter; both are gone after the test.
    """

    def install(adapter: str, *modules: ModuleType) -> Any:
        for module in modules:
            monkeypatch.setitem(sys.modules, module.__name__, module)
        for name in (f"aim.{adapter}", f"aim.sdk.adapters.{adapter}"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setenv("AIM_ADAPTER_STRICT", "1")
        return importlib.import_module(f"aim.{adapter}")

    yield install
    for name in ("paddle", "tensorflow"):
        for path in (f"aim.{name}", f"aim.sdk.adapters.{name}"):
            sys.modules.pop(path, None)


def test_paddle_records_batches_and_evaluations(framework: Any, repo: Path) -> None:
    """
    Steps go on over the epochs, a list of one value is that value, several are numbered.
    """
    callbacks = stand_in("paddle.callbacks", Callback=HapiCallback)
    adapter = framework("paddle", stand_in("paddle", callbacks=callbacks), callbacks)
    callback = adapter.AimCallback(str(repo), experiment_name="paddle", **QUIET)
    callback.params = {"epochs": 2, "metrics": ["loss", "acc"]}
    callback.on_train_begin()
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for step in range(2):
            callback.on_train_batch_end(step, {"loss": [0.5 / (1 + step)], "acc": [0.1, 0.2], "batch_size": 8})
        callback.on_eval_end({"loss": [0.25], "note": "a text"})
    callback.close()
    run = the_run(repo)

    assert [0, 1, 2, 3] == steps(run, "loss", subset="train")
    assert [(1, 0.25), (3, 0.25)] == points(run, "loss", subset="valid")
    assert {(name, (("subset", "train"),)) for name in ("loss", "acc_0", "acc_1")} | {
        ("loss", (("subset", "valid"),))
    } == metrics(run)
    assert (2, "paddle") == (run["hparams", "epochs"], run.experiment)


def test_tensorflow_has_the_callback_of_its_own_keras(framework: Any, repo: Path) -> None:
    """
    `aim.tensorflow` derives from what `tf.keras` is.
    """
    keras = pytest.importorskip("keras")
    from tests.adapters.trainings import train_keras

    adapter = framework("tensorflow", stand_in("tensorflow", keras=keras))
    callback = adapter.AimTracker(str(repo), **QUIET)
    train_keras(callback)
    callback.close()

    assert issubclass(adapter.AimCallback, keras.callbacks.Callback)
    assert [0, 1] == steps(the_run(repo), "loss", subset="train")


@pytest.mark.parametrize(("name", "says"), [("mxnet", "retired in 2023"), ("acme", "last release in 2022")])
@pytest.mark.parametrize("path", ["aim", "aim.sdk.adapters"])
def test_a_retired_framework_says_so(name: str, says: str, path: str) -> None:
    """
    The error is an ImportError and a RuntimeError, with what to use instead.
    """
    for kind in (ImportError, RuntimeError):
        with pytest.raises(kind, match=rf"aim\.{name} is not available.*{says}.*aim\.Run"):
            importlib.import_module(f"{path}.{name}")


def test_a_framework_that_is_not_installed_is_named() -> None:
    """
    The error says which package to install.
    """
    if importlib.util.find_spec("paddle") is not None:
        pytest.skip("optional: the framework is installed here")
    with pytest.raises(ImportError, match="pip install"):
        importlib.import_module("aim.paddle")
