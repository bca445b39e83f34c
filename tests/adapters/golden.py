"""
What an adapter records of a small training: names, contexts and steps of its metrics.

    python -m tests.adapters.golden FILE PACKAGES      PACKAGES: a folder with Aim 3.29.1 and what it needs

wrote tests/data/adapters/aim-3.29.1.json: the trainings recorded by Aim 3, brought by `aim import`, and read here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.adapters.trainings import (
    FEATURES,
    LABELS,
    fastai_learner,
    ignite_trainer,
    keras_model,
    train_catboost_logger,
    train_lightgbm,
    train_lightning,
    train_optuna,
    train_sb3,
    train_transformers,
    train_xgboost,
)

QUIET: dict[str, Any] = {"system_tracking_interval": None, "log_system_params": False, "capture_terminal_logs": False}
ROOT = Path(__file__).resolve().parents[2]
Series = tuple[str, dict[str, Any], list[int]]


def adapter(module: str, name: str = "AimCallback", **options: Any) -> Any:
    """Return an adapter that records into the current folder, the training alone."""
    return getattr(import_module(module), name)(repo=".", **QUIET, **options)


def xgboost() -> None:
    """Train two trees."""
    train_xgboost(adapter("aim.xgboost"))


def xgboost_cv() -> None:
    """Train two trees on each of two folds."""
    package: Any = import_module("xgboost")
    data = package.DMatrix(FEATURES, label=LABELS)
    params = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}
    package.cv(params, data, 2, nfold=2, callbacks=[adapter("aim.xgboost")])


def lightgbm() -> None:
    """Train two trees."""
    train_lightgbm(adapter("aim.lightgbm"))


def catboost() -> None:
    """Train two trees, and print their values."""
    train_catboost_logger(adapter("aim.catboost", "AimLogger", log_cout=sys.stderr))


def optuna() -> None:
    """Try two values in one run."""
    train_optuna(adapter("aim.optuna"))


def optuna_runs() -> None:
    """Try two values, in a run each."""
    train_optuna(adapter("aim.optuna", as_multirun=True))


def keras() -> None:
    """Train two epochs, and evaluate."""
    callback = adapter("aim.keras")
    keras_model().fit(FEATURES, LABELS, epochs=2, batch_size=20, validation_split=0.5, verbose=0, callbacks=[callback])


def sb3() -> None:
    """Train a policy for two short rollouts."""
    train_sb3(adapter("aim.sb3"))


def ignite() -> None:
    """Train two epochs, with the learning rate, and evaluate under another tag."""
    torch: Any = import_module("torch")
    engines: Any = import_module("ignite.engine")
    logger = adapter("aim.pytorch_ignite", "AimLogger")
    trainer = ignite_trainer(logger)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    logger.attach_opt_params_handler(trainer, engines.Events.ITERATION_STARTED, optimizer=optimizer)
    evaluator = engines.Engine(lambda engine, batch: {"loss": 0.5})
    logger.attach_output_handler(
        evaluator, engines.Events.EPOCH_COMPLETED, tag="val", output_transform=lambda output: output
    )
    trainer.run(range(3), max_epochs=2)
    evaluator.run(range(2), max_epochs=1)
    logger.close()


def fastai() -> None:
    """Train two epochs of two batches."""
    learner = fastai_learner(cbs=[adapter("aim.fastai")])
    with learner.no_logging():
        learner.fit(2)


def lightning() -> None:
    """Train two epochs, and test."""
    train_lightning(adapter("aim.pytorch_lightning", "AimLogger"))


def transformers() -> None:
    """Train and evaluate four steps, and predict."""
    train_transformers(adapter("aim.hugging_face"))


def pytorch() -> None:
    """Record the weights and gradients of two layers."""
    torch: Any = import_module("torch")
    adapters: Any = import_module("aim.pytorch")
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    run = import_module("aim").Run(repo=".", **QUIET)
    for _ in range(2):
        model(torch.ones(1, 3)).sum().backward()
        adapters.track_params_dists(model, run)
        adapters.track_gradients_dists(model, run)
    run.close()


TRAININGS: dict[str, Callable[[], None]] = {
    "catboost": catboost,
    "fastai": fastai,
    "ignite": ignite,
    "keras": keras,
    "lightgbm": lightgbm,
    "lightning": lightning,
    "optuna": optuna,
    "optuna_runs": optuna_runs,
    "pytorch": pytorch,
    "sb3": sb3,
    "transformers": transformers,
    "xgboost": xgboost,
    "xgboost_cv": xgboost_cv,
}


def recorded(folder: Path) -> list[list[Series]]:
    """Return the sequences of each run of the repository in a folder, the runs in their order; of Aim 3, too."""
    from aim import Repo
    from aim.convert import import_
    from aim.convert.formats import ImportOptions
    from aim.convert.names import FULL

    if (folder / ".aim" / "VERSION").exists():
        import_(folder / ".aim", repo=folder / "imported", options=ImportOptions(naming=FULL))
        folder = folder / "imported"
    runs = sorted(Repo(str(folder)).iter_runs(), key=lambda run: run.creation_time)
    return [sorted(series_of(run), key=repr) for run in runs]


def series_of(run: Any) -> list[Series]:
    """Return the sequences of numbers and of distributions of a run, without those of the system."""
    distributions = run.iter_sequence_info_by_type("distributions")
    series = [*run.metrics(), *(run.get_distribution_sequence(*each[:2]) for each in distributions)]
    return [
        (each.name, each.context.to_dict(), list(each.indices)) for each in series if not each.name.startswith("__")
    ]


def facts_of(name: str, folder: Path, packages: str = "") -> list[list[Series]]:
    """Train in *folder*, in a process that has *packages* first on its path, and return what was recorded there."""
    paths = [*filter(None, [packages]), str(ROOT), *([] if packages else [str(ROOT / "src")])]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.adapters.golden", "--train", name],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        check=True,
        capture_output=True,
    )
    return recorded(folder)


def main(words: list[str]) -> None:
    """Train one training here, or all of them with the packages of Aim 3, and write what was recorded."""
    if words[0] == "--train":
        TRAININGS[words[1]]()
        return
    facts = {name: facts_of(name, Path(tempfile.mkdtemp()), words[1]) for name in TRAININGS}
    lines = [f'"{name}": {json.dumps(runs)}' for name, runs in facts.items()]
    Path(words[0]).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
