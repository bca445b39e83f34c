"""
The Trainer of transformers with our callback: a random BERT of two layers, made here; nothing is downloaded.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aim import Run
from tests.adapters.conftest import contexts_of, points, runs_of

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
QUIET: dict[str, Any] = {"system_tracking_interval": None, "log_system_params": False, "capture_terminal_logs": False}


def callback_class() -> Any:
    """Return our callback."""
    return importlib.import_module("aim.hugging_face").AimCallback


def model() -> Any:
    """Return a random BERT of two layers, the same each time."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=32, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=8, num_labels=2,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(config)


class Sentences(torch.utils.data.Dataset):  # type: ignore[name-defined]
    """Sentences of four tokens with a label."""

    def __init__(self, count: int = 8) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"input_ids": torch.tensor([1, 2, 3, index % 8]), "labels": torch.tensor(index % 2)}


def trainer_of(repo: Path, *callbacks: Any, eval_dataset: Any = None, **arguments: Any) -> Any:
    """Return a Trainer of four steps an epoch that logs each step."""
    settings: dict[str, Any] = {
        "output_dir": str(repo / "out"), "per_device_train_batch_size": 2, "num_train_epochs": 1, "logging_steps": 1,
        "save_strategy": "no", "report_to": "none", "disable_tqdm": True, "use_cpu": True, "seed": 1,
    }  # fmt: skip
    return transformers.Trainer(
        model=model(),
        args=transformers.TrainingArguments(**{**settings, **arguments}),
        train_dataset=Sentences(),
        eval_dataset=eval_dataset,
        callbacks=list(callbacks),
    )


def steps(run: Run, name: str, **context: Any) -> list[int]:
    """Return the steps of a metric."""
    return [step for step, _, _ in points(run, name, **context)]


def test_records_have_the_names_of_aim_3(repo: Path) -> None:
    """
    Names, contexts and steps of a training, an evaluation and a prediction, in one run, with values by hand.
    """
    callback = callback_class()(repo, "bert", **QUIET)
    trainer = trainer_of(repo, callback, eval_dataset=Sentences(4), eval_strategy="epoch", run_name="first")
    trainer.train()
    trainer.predict(Sentences(2))
    callback.experiment.track(0.9, name="by_hand", step=4)
    callback.close()
    (run,) = runs_of(repo)

    logged = {(name, context) for name, context in contexts_of(run) if name not in ("total_flos",)}
    speeds = ("runtime", "samples_per_second", "steps_per_second")
    assert {
        ("loss", "{}"), ("grad_norm", "{}"), ("learning_rate", "{}"), ("by_hand", "{}"),
        ("loss", "{'subset': 'train'}"), ("loss", "{'subset': 'eval'}"), ("loss", "{'subset': 'test'}"),
        *((name, f"{{'subset': '{subset}'}}") for name in speeds for subset in ("train", "eval", "test")),
    } <= logged  # fmt: skip
    assert ([1, 2, 3, 4], [4], [4]) == (steps(run, "loss"), steps(run, "loss", subset="eval"), steps(run, "by_hand"))
    assert [0.25, 0.5, 0.75, 1.0] == [epoch for _, _, epoch in points(run, "loss")]
    assert ("finished", "first", "bert") == (run.status, run.name, run.experiment)
    assert (2, 16, 2) == (
        run["hparams", "per_device_train_batch_size"],
        run["model", "hidden_size"],
        run["model", "num_labels"],
    )
    assert ("BertForSequenceClassification", {"train": 8, "eval": 4}) == (
        run["model_info", "class"],
        run["dataset_sizes"],
    )
    assert run["model_info", "num_parameters"] == run["model_info", "trainable_parameters"] > 1000
    assert run["summary", "train_runtime"] > 0


def test_data_sets_are_told_apart_exactly(repo: Path) -> None:
    """
    Several data sets of an evaluation are in the context, whatever their names; other names are left whole.
    """
    callback = callback_class()(repo, unprefixed_context={"subset": "train"}, **QUIET)
    data_sets = {"de": Sentences(2), "de_at": Sentences(2)}
    trainer_of(repo, callback, eval_dataset=data_sets, eval_strategy="epoch").train()
    callback.close()
    (run,) = runs_of(repo)
    evaluated = {
        (name, context.get("sub_dataset"))
        for name, context, _ in run.iter_metrics_info()
        if context.get("subset") == "eval"
    }

    names = ("loss", "runtime", "samples_per_second", "steps_per_second")
    assert {(name, data_set) for name in names for data_set in ("de", "de_at")} == evaluated - {
        (name, data_set) for name, data_set in evaluated if name.startswith(("model_preparation", "de"))
    }
    assert [1, 2, 3, 4] == steps(run, "learning_rate", subset="train")


def test_a_resumed_training_goes_on_in_its_run(repo: Path) -> None:
    """
    A training from a checkpoint finds its run by itself, and repeats no steps; another training is another run.
    """
    first = callback_class()(repo, **QUIET)
    trainer_of(repo, first, save_strategy="steps", save_steps=2, num_train_epochs=1).train()
    first.close()
    note = json.loads((repo / "out/checkpoint-2/aim_run.json").read_text())
    second = callback_class()(repo, **QUIET)
    arguments = {"save_strategy": "steps", "save_steps": 2, "num_train_epochs": 2}
    trainer = trainer_of(repo, second, **arguments)
    trainer.train(resume_from_checkpoint=str(repo / "out/checkpoint-2"))
    trainer.train(resume_from_checkpoint=str(repo / "out/checkpoint-6"))
    second.close()
    (run,) = runs_of(repo)
    trainer_of(repo, second).train()
    second.close()

    assert {"repo": str(repo / ".aim"), "hash": run.hash, "step": 2} == note
    assert list(range(1, 9)) == steps(run, "loss")
    assert [2, 6] == [rewind.step for rewind in run.rewinds]
    assert 2 == len(runs_of(repo))


def test_each_training_is_a_run(repo: Path) -> None:
    """
    Two trainings with one callback are two runs, unless the caller gives the run.
    """
    callback = callback_class()(repo, **QUIET)
    trainer_of(repo, callback).train()
    trainer_of(repo, callback).train()
    callback.close()
    with Run(repo=repo, **QUIET) as own:
        shared = callback_class()(run=own)
        trainer_of(repo, shared).train()
        trainer_of(repo, shared).train()
        assert own.active

    assert (3, ["finished"] * 3) == (len(runs_of(repo)), [run.status for run in runs_of(repo)])


def test_each_trial_of_a_search_is_a_run(repo: Path) -> None:
    """
    A search for hyper-parameters makes a run for each trial, named by the trial.
    """
    pytest.importorskip("optuna")
    callback = callback_class()(repo, **QUIET)
    trainer = trainer_of(repo, callback, eval_dataset=Sentences(2))
    trainer.model_init = model
    trainer.hyperparameter_search(
        hp_space=lambda trial: {"learning_rate": trial.suggest_float("learning_rate", 1e-5, 1e-4)},
        n_trials=2,
        backend="optuna",
        hp_name=lambda trial: f"trial-{trial.number}",
    )
    callback.close()
    runs = runs_of(repo)

    assert ["trial-0", "trial-1"] == [run.name for run in runs]
    assert [True, True] == [run["trial", "learning_rate"] == run["hparams", "learning_rate"] for run in runs]


def test_checkpoints_become_artifacts(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `log_model` stores each checkpoint though the Trainer removes it, or the best one and the final model.
    """
    saving = {"save_strategy": "steps", "save_steps": 2, "save_total_limit": 1, "save_only_model": True}
    each = callback_class()(repo, log_model="checkpoint", **QUIET)
    trainer_of(repo, each, **saving).train()
    each.close()
    monkeypatch.setenv("AIM_LOG_MODEL", "end")
    end = callback_class()(repo, **QUIET)
    trainer_of(repo, end, **saving).train()
    end.close()
    first, second = runs_of(repo)

    files = {name.split("/")[1] for name in first.artifacts}
    assert ({"checkpoint-2", "checkpoint-4"}, 2) == (files, first["checkpoints", "checkpoint-2", "step"])
    assert {"checkpoints/final/model.safetensors", "checkpoints/final/config.json"} <= set(second.artifacts)
    assert ["checkpoint-4"] == [path.name for path in (repo / "out").iterdir()]


def test_odd_values_do_not_end_a_training(repo: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    Texts, pictures and tables become objects; what can't be recorded is said once; params are never refused.
    """
    import pandas
    from PIL import Image as Picture

    callback = callback_class()(repo, **QUIET)
    trainer = trainer_of(repo, callback, warmup_steps=1)
    trainer.model.config.odd = {"number": 10**30, "object": object()}
    trainer.model.config.to_dict = lambda: dict(trainer.model.config.__dict__)
    trainer.train()
    pictures = [Picture.new("RGB", (2, 2))]
    with caplog.at_level(logging.WARNING, "aim"):
        for _ in range(2):
            trainer.log({"completion": "a text", "several": ["a", "b"], "rewards/accuracies": 0.5, "kind": object()})
        trainer.log({"picture": pictures, "completions": pandas.DataFrame({"prompt": ["a"], "reward": [0.5]})})
    callback.close()
    (run,) = runs_of(repo)

    assert 1 == len([record for record in caplog.records if record.name == "aim"])
    assert 10**30 == run["model", "odd", "number"]
    assert "a text" == run.get_text_sequence("completion").values.sparse_list()[1][0].data
    assert [4] == steps(run, "rewards/accuracies")
    assert ["prompt", "reward"] == run.get_table_sequence("completions").values.sparse_list()[1][0].columns
    assert run.get_image_sequence("picture") is not None


def test_gradients_are_watched(repo: Path) -> None:
    """
    `watch="all"` records distributions of parameters and gradients at the steps of the Trainer.
    """
    callback = callback_class()(repo, watch="all", **QUIET)
    trainer_of(repo, callback).train()
    callback.close()
    (run,) = runs_of(repo)
    kinds = {info.context["type"] for info in run._stored_sequences() if info.kind.endswith("distribution")}

    assert {"data", "gradients"} == kinds


def test_report_to_aim_works_after_one_line(repo: Path) -> None:
    """
    `install()` makes "aim" a name of `report_to`; before it is called, it is none.
    """
    program = """
import sys
from pathlib import Path
from tests.adapters.test_hugging_face import trainer_of
repo = Path(sys.argv[1])
try:
    trainer_of(repo, report_to="aim")
except ValueError:
    from aim.hugging_face import install
    install()
    install()
    trainer_of(repo, report_to="aim").train()
    from transformers.integrations import integration_utils
    assert "aim" == integration_utils.get_available_reporting_integrations()[-1]
"""
    done = subprocess.run([sys.executable, "-c", program, repo], check=False, capture_output=True, text=True, cwd=repo)
    assert 0 == done.returncode, done.stderr
    (run,) = runs_of(repo)

    assert ("finished", [1, 2, 3, 4]) == (run.status, steps(run, "loss"))


def test_a_callback_pickles(repo: Path) -> None:
    """
    A copy goes on in the same run.
    """
    callback = callback_class()(repo, **QUIET)
    trainer_of(repo, callback).train()
    copy = pickle.loads(pickle.dumps(callback))  # noqa: S301
    copy.experiment.track(1.0, name="by_hand", step=5)
    copy.close()
    callback.close()
    (run,) = runs_of(repo)

    assert ([5], "finished") == (steps(run, "by_hand"), run.status)


RANKS = """
import os, sys
from pathlib import Path
from tests.adapters.test_hugging_face import QUIET, callback_class, trainer_of

repo = Path(sys.argv[1])
callbacks = [callback_class()(repo, ranks, ranks=ranks, **QUIET) for ranks in ("zero", "all")]
trainer_of(repo, *callbacks, ddp_backend="gloo").train()
for callback in callbacks:
    callback.close()
"""


def test_two_processes_are_one_run(repo: Path) -> None:
    """
    A training of two processes with gloo is one run; with `ranks="all"` both record into it.
    """
    workers = []
    for rank in ("0", "1"):
        environment = {
            **os.environ, "RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(20_000 + os.getpid() % 20_000), "ACCELERATE_USE_CPU": "true",
        }  # fmt: skip
        worker = [sys.executable, "-c", RANKS, str(repo)]
        workers.append(subprocess.Popen(worker, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL))
    said = [worker.communicate(timeout=400)[1].decode() for worker in workers]
    assert [0, 0] == [worker.returncode for worker in workers], "\n".join(said)
    runs = {str(run.experiment): run for run in runs_of(repo)}

    assert ["all", "zero"] == sorted(runs)
    assert [1, 2] == steps(runs["zero"], "loss") == steps(runs["all"], "loss", rank=1)
    assert [1, 2] == steps(runs["all"], "loss", rank=0)


def test_the_short_name_is_the_same_object() -> None:
    """
    `aim.hugging_face` and the long name have the same class.
    """
    long_name = importlib.import_module("aim.sdk.adapters.hugging_face")

    assert long_name.AimCallback is callback_class()


def test_the_distributed_callback_of_aim_3_needs_no_port(repo: Path) -> None:
    """
    Its arguments are taken, with a warning; each rank records into one run, with its rank and node in the context.
    """
    module = importlib.import_module("aim.distributed_hugging_face")
    with pytest.warns(DeprecationWarning, match="ranks='all'"):
        callback = module.AimCallback(12345, repo, "bert", None, False, False, main_addr="localhost")
    trainer_of(repo, callback).train()
    callback.close()
    (run,) = runs_of(repo)

    assert [1, 2, 3, 4] == steps(run, "loss", node_rank=0, rank=0)
