"""
Trainings that an exception ends, for `test_failures.py`: `python -m tests.adapters.failing NAME REPOSITORY`.

Each fails in its second step, in the framework, with the run open. Nobody catches the exception.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from tests.adapters.readings import QUIET
from tests.adapters.trainings import FEATURES, LABELS, catboost_model, fastai_learner, ignite_trainer, keras_model


def fail(*args: Any, **kwargs: Any) -> bool:
    """Raise, as a bad batch does."""
    raise ValueError("a bad batch")


def adapter(module: str, repo: str, name: str = "AimCallback") -> Any:
    """Return an adapter that records the training alone."""
    return getattr(import_module(module), name)(repo=repo, **QUIET)


def fail_xgboost(repo: str) -> None:
    """Fail after the second tree."""
    xgboost: Any = import_module("xgboost")

    class Breaks(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            return bool(epoch == 1 and fail())

    data = xgboost.DMatrix(FEATURES, label=LABELS)
    callbacks = [adapter("aim.xgboost", repo), Breaks()]
    xgboost.train({"max_depth": 2, "nthread": 1}, data, 3, evals=[(data, "valid")], callbacks=callbacks)


def fail_lightgbm(repo: str) -> None:
    """Fail after the second tree."""
    lightgbm: Any = import_module("lightgbm")

    data = lightgbm.Dataset(FEATURES, label=LABELS)
    callbacks = [adapter("aim.lightgbm", repo), lambda env: env.iteration == 1 and fail()]
    lightgbm.train({"verbose": -1, "num_threads": 1}, data, 3, valid_sets=[data], callbacks=callbacks)


def fail_catboost(repo: str) -> None:
    """Fail after the second tree."""

    class Breaks:
        def after_iteration(self, info: Any) -> bool:
            return not (info.iteration == 2 and fail())

    callbacks = [adapter("aim.catboost", repo), Breaks()]
    catboost_model(3).fit(FEATURES, LABELS, callbacks=callbacks, verbose=False)


def fail_keras(repo: str) -> None:
    """Fail in the second epoch."""
    keras: Any = import_module("keras")
    breaks = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: epoch == 1 and fail())
    keras_model().fit(FEATURES, LABELS, epochs=3, verbose=0, callbacks=[adapter("aim.keras", repo), breaks])


def fail_sb3(repo: str) -> None:
    """Fail in the second rollout."""
    algorithms: Any = import_module("stable_baselines3")
    callbacks: Any = import_module("stable_baselines3.common.callbacks")

    class Breaks(callbacks.BaseCallback):
        def _on_step(self) -> bool:
            return not (self.num_timesteps > 96 and fail())

    model = algorithms.PPO("MlpPolicy", "CartPole-v1", n_steps=64, batch_size=32, n_epochs=1, seed=0, device="cpu")
    model.learn(192, callback=[adapter("aim.sb3", repo), Breaks()])


def fail_ignite(repo: str) -> None:
    """Fail in the second iteration."""
    engines: Any = import_module("ignite.engine")
    trainer = ignite_trainer(adapter("aim.pytorch_ignite", repo, "AimLogger"))
    trainer.add_event_handler(engines.Events.ITERATION_STARTED(once=2), fail)
    trainer.run(range(3), max_epochs=1)


def fail_fastai(repo: str) -> None:
    """Fail in the second batch."""
    callbacks: Any = import_module("fastai.callback.core")

    class Breaks(callbacks.Callback):
        def before_batch(self) -> None:
            if self.iter == 1:
                fail()

    fastai_learner(cbs=[adapter("aim.fastai", repo), Breaks()]).fit(1)


def fail_lightning(repo: str) -> None:
    """Fail in the second batch."""
    pl: Any = import_module("lightning.pytorch")
    lightning: Any = import_module("tests.adapters.test_lightning")
    logger = adapter("aim.pytorch_lightning", repo, "AimLogger")
    trainer = pl.Trainer(max_epochs=1, logger=logger, enable_checkpointing=False, **lightning.SILENT)
    trainer.fit(lightning.model_of(pl, fail_at=1), lightning.data())


def fail_transformers(repo: str) -> None:
    """Fail after the second step."""
    transformers: Any = import_module("transformers")
    trainings: Any = import_module("tests.adapters.test_hugging_face")

    class Breaks(transformers.TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == 2:
                fail()

    trainings.trainer_of(trainings.Path(repo), adapter("aim.hugging_face", repo), Breaks()).train()


FAILURES: dict[str, Callable[[str], None]] = {
    "catboost": fail_catboost,
    "fastai": fail_fastai,
    "ignite": fail_ignite,
    "keras": fail_keras,
    "lightgbm": fail_lightgbm,
    "lightning": fail_lightning,
    "sb3": fail_sb3,
    "transformers": fail_transformers,
    "xgboost": fail_xgboost,
}

if __name__ == "__main__":
    FAILURES[sys.argv[1]](sys.argv[2])
