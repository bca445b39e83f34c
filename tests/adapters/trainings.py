"""
The smallest training of each framework that an adapter of `test_rules.py` records.

Each function takes the adapter and trains; frameworks are imported when they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

FEATURES = np.random.default_rng(0).random((40, 3))
LABELS = (FEATURES[:, 0] > 0.5).astype(int)


@dataclass(frozen=True)
class Training:
    """
    A training of one framework.

    Attributes:
        module, name: of the adapter.
        train: trains with the adapter.
        metric: a metric that is recorded, and its context.
        options: of the adapter's constructor.
    """

    module: str
    name: str
    train: Callable[[Any], object]
    metric: tuple[str, dict[str, Any]]
    options: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


def train_xgboost(callback: Any) -> None:
    """Train two trees."""
    xgboost: Any = import_module("xgboost")

    data = xgboost.DMatrix(FEATURES, label=LABELS)
    params = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}
    xgboost.train(params, data, 2, evals=[(data, "valid")], callbacks=[callback], verbose_eval=False)


def train_lightgbm(callback: Any) -> None:
    """Train two trees."""
    lightgbm: Any = import_module("lightgbm")

    data = lightgbm.Dataset(FEATURES, label=LABELS)
    params = {"objective": "binary", "verbose": -1, "num_threads": 1}
    lightgbm.train(params, data, 2, valid_sets=[data], valid_names=["valid"], callbacks=[callback])


def train_catboost(callback: Any) -> None:
    """Train two trees."""
    catboost_model().fit(FEATURES, LABELS, eval_set=(FEATURES, LABELS), callbacks=[callback], verbose=False)


def catboost_model(iterations: int = 2) -> Any:
    """Return a classifier that writes no files."""
    catboost: Any = import_module("catboost")

    return catboost.CatBoostClassifier(iterations=iterations, depth=2, thread_count=1, allow_writing_files=False)


def train_catboost_logger(logger: Any) -> None:
    """Train two trees, and print their values."""
    catboost_model().fit(FEATURES, LABELS, eval_set=(FEATURES, LABELS), log_cout=logger)


def train_optuna(callback: Any) -> None:
    """Try two values."""
    optuna: Any = import_module("optuna")

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2, callbacks=[callback])


def keras_model() -> Any:
    """Return a compiled network of a few weights."""
    keras: Any = import_module("keras")
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer=keras.optimizers.SGD(0.25), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def train_keras(callback: Any) -> None:
    """Train two epochs."""
    keras_model().fit(FEATURES, LABELS, epochs=2, batch_size=20, validation_split=0.5, verbose=0, callbacks=[callback])


def train_sb3(callback: Any) -> None:
    """Train a policy for two short rollouts."""
    sb3_model().learn(128, callback=callback)


def sb3_model() -> Any:
    """Return an algorithm on a small environment."""
    algorithms: Any = import_module("stable_baselines3")
    return algorithms.PPO("MlpPolicy", "CartPole-v1", n_steps=64, batch_size=32, n_epochs=1, seed=0, device="cpu")


def train_ignite(logger: Any) -> None:
    """Train two epochs of three iterations."""
    ignite_trainer(logger).run(range(3), max_epochs=2)


def ignite_trainer(logger: Any) -> Any:
    """Return an engine whose output is recorded after each iteration."""
    engines: Any = import_module("ignite.engine")
    trainer = engines.Engine(lambda engine, batch: {"loss": 1.0 / engine.state.iteration})
    logger.attach_output_handler(
        trainer, engines.Events.ITERATION_COMPLETED, tag="training", output_transform=lambda output: output
    )
    return trainer


def fastai_learner(**options: Any) -> Any:
    """Return a learner of a line through points."""
    torch: Any = import_module("torch")
    data: Any = import_module("fastai.data.core")
    load: Any = import_module("fastai.data.load")
    learner: Any = import_module("fastai.learner")
    torch.manual_seed(0)
    points = [(torch.tensor([float(x)]), torch.tensor([2.0 * x])) for x in range(8)]
    loaders = data.DataLoaders(load.DataLoader(points, bs=4), load.DataLoader(points, bs=4))
    loss = torch.nn.MSELoss()
    return learner.Learner(loaders, torch.nn.Linear(1, 1), loss_func=loss, lr=0.01, **options)


def train_fastai(callback: Any) -> None:
    """Train two epochs of two batches."""
    fit = fastai_learner(cbs=[callback])
    with fit.no_logging():
        fit.fit(2)


SILENT_TRAINER: dict[str, Any] = {
    "accelerator": "cpu", "devices": 1, "enable_progress_bar": False, "enable_model_summary": False,
    "log_every_n_steps": 1,
}  # fmt: skip


def train_lightning(logger: Any) -> None:
    """Train two epochs of four batches, and test."""
    pl: Any = import_module("lightning.pytorch")
    torch: Any = import_module("torch")

    class Slope(pl.LightningModule):
        def __init__(self, lr: float = 0.1) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch: Any, index: int) -> Any:
            loss = (self.layer(batch[0]) ** 2).mean()
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            self.log("lr", self.hparams.lr)
            return loss

        def validation_step(self, batch: Any, index: int) -> None:
            self.log("val_loss", (self.layer(batch[0]) ** 2).mean())
            self.log("val/acc", 0.5)

        def test_step(self, batch: Any, index: int) -> None:
            self.log("test_loss", 0.25)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)

    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.ones(4, 1)))
    trainer = pl.Trainer(max_epochs=2, logger=logger, enable_checkpointing=False, **SILENT_TRAINER)
    model = Slope()
    trainer.fit(model, batches, batches)
    trainer.test(model, batches, verbose=False)


def train_transformers(callback: Any) -> None:
    """Train four steps of a random BERT of two layers, evaluate, and predict."""
    transformers: Any = import_module("transformers")
    torch: Any = import_module("torch")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=32, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=8, num_labels=2,
    )  # fmt: skip
    rows = [{"input_ids": [1, 2, 3, index], "labels": index % 2} for index in range(8)]
    arguments = transformers.TrainingArguments(
        output_dir="out", per_device_train_batch_size=2, num_train_epochs=1, logging_steps=1, eval_strategy="epoch",
        save_strategy="no", report_to="none", disable_tqdm=True, use_cpu=True, seed=1,
    )  # fmt: skip
    model = transformers.BertForSequenceClassification(config)
    trainer = transformers.Trainer(
        model=model, args=arguments, train_dataset=rows, eval_dataset=rows, callbacks=[callback]
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    trainer.predict(rows)


TRAIN = {"subset": "train"}
TRAININGS = [
    Training("aim.xgboost", "AimCallback", train_xgboost, ("logloss", {"subset": "valid"}), {}),
    Training(
        "aim.lightgbm",
        "AimCallback",
        train_lightgbm,
        ("binary_logloss", {"subset": "valid", "data_name": "valid"}),
        {},
    ),
    Training("aim.catboost", "AimCallback", train_catboost, ("Logloss", {"subset": "learn", "log": "learn"}), {}),
    Training("aim.catboost", "AimLogger", train_catboost_logger, ("Loss", {"log": "learn"}), {"log_cout": None}),
    Training("aim.optuna", "AimCallback", train_optuna, ("value", {}), {}),
    Training("aim.keras", "AimCallback", train_keras, ("loss", TRAIN), {}),
    Training("aim.sb3", "AimCallback", train_sb3, ("ep_rew_mean", {"tag": "rollout"}), {}),
    Training("aim.pytorch_ignite", "AimLogger", train_ignite, ("loss", TRAIN), {}),
    Training("aim.fastai", "AimCallback", train_fastai, ("loss", TRAIN), {}),
]
