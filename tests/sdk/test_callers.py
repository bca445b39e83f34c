"""
What other packages call: the calls of each, as they are made, without the packages.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aim
from aim import Repo, Run
from aim.core.errors import UsageError
from aim.storage.context import Context

QUIET = {"system_tracking_interval": None, "capture_terminal_logs": False}


class Tensor:
    """A tensor of one number, known by its type's name alone."""

    def __init__(self, value: float) -> None:
        self._value = value
        self.shape = ()

    def item(self) -> float:
        """Give the number."""
        return self._value


def found(repo: Repo, run_hash: str) -> Run:
    """Give a run that is there, for reading."""
    run = repo.get_run(run_hash)
    assert run is not None
    return run


def points(run: Run, name: str, context: dict[str, Any] | None = None) -> tuple[list[int], list[Any]]:
    """Give the steps and values of a metric that is there."""
    metric = run.get_metric(name, Context(context))
    assert metric is not None
    return metric.values.sparse_list()


def test_accelerate(tmp_path: Path) -> None:
    """
    Hugging Face accelerate: a run in a logging folder, its name, config as params, dicts of values, images.
    """
    from aim import Run as AimRun

    values = {"loss": Tensor(0.25), "accuracy": 0.5, "epoch": 1}
    writer = AimRun(repo=str(tmp_path), **QUIET)  # type: ignore[arg-type]
    writer.name = "project"
    writer["hparams"] = {"num_iterations": 12, "learning_rate": 0.01, "some_boolean": False, "some_string": "value"}
    for key, value in values.items():
        writer.track(value, name=key, step=7, context={"subset": "train"})
    for key, images in {"samples": (np.zeros((4, 4, 3), np.uint8), "a caption")}.items():
        image = aim.Image(images[0], caption=images[1])
        writer.track(image, name=key, step=7, context={})
    writer.close()

    run = found(Repo(str(tmp_path)), writer.hash)
    assert ("project", 0.01) == (run.name, run["hparams", "learning_rate"])
    assert [([7], [0.25]), ([7], [0.5]), ([7], [1])] == [points(run, name, {"subset": "train"}) for name in values]
    samples = run.get_image_sequence("samples", Context({}))
    assert samples is not None
    assert ["a caption"] == [image.caption for image in samples.values]


def test_langchain(tmp_path: Path) -> None:
    """
    langchain: a run by `aim.Run`, again by its hash as first argument, `set(strict=False)`, texts and lists of texts.
    """
    module = importlib.import_module("aim")
    run = module.Run(
        repo=str(tmp_path), experiment="scenario 1", system_tracking_interval=None, log_system_params=False
    )
    run_hash = run.hash
    run.close()
    run = module.Run(run_hash, repo=str(tmp_path), system_tracking_interval=None, log_system_params=False)
    for key, value in {"model": {"temperature": 0.7, "client": object}, "verbose": None}.items():
        run.set(key, value, strict=False)
    run.track(module.Text("a prompt"), name="on_llm_start", context={"action": "on_llm_start", "starts": 1})
    generated = [module.Text("an answer"), module.Text("another")]
    run.track(generated, name="on_llm_end", context={"action": "on_llm_end", "token_usage": {"total": 3}})
    run.close()

    read = found(Repo(str(tmp_path)), run_hash)
    texts = read.get_text_sequence("on_llm_end", Context({"action": "on_llm_end", "token_usage": {"total": 3}}))
    assert ("scenario 1", "<class 'object'>") == (read.experiment, read["model", "client"])
    assert texts is not None
    assert [["an answer", "another"]] == [[text.data for text in step] for step in texts.values]


def test_ray(tmp_path: Path) -> None:
    """
    Ray Tune: a run a trial in a folder or a `Repo`, results of any numpy type under epoch, step and context.
    """
    sdk = importlib.import_module("aim.sdk")
    for repo in (str(tmp_path), sdk.Repo.from_path(str(tmp_path), init=True)):
        run = sdk.Run(repo=repo, experiment="tune", **QUIET)
        run["trial_id"] = "ab12"
        run["hparams"] = {"lr": np.float32(0.5), "layers": [1, 2]}
        for iteration, value in enumerate((np.float32(0.5), np.float64(0.25), np.float32(0.125)), start=1):
            context = {"subset": "validation"}
            run.track(value=value, name="loss", epoch=1, step=iteration, context=context)
            run.track(value=np.int64(iteration), name="count", epoch=1, step=iteration, context=context)
            run.track(value=np.int32(iteration), name="count32", epoch=1, step=iteration, context=context)
        run.close()

        assert ([1, 2, 3], [0.5, 0.25, 0.125]) == points(run, "loss", {"subset": "validation"})
        assert ([1, 2, 3], [1, 2, 3]) == points(run, "count", {"subset": "validation"})
        assert ("ab12", 0.5) == (run["trial_id"], run["hparams", "lr"])


def test_aimlflow(tmp_path: Path) -> None:
    """
    aimlflow: a run a foreign run, found again by what stands in its `meta_run_tree`; repositories by their paths.
    """
    from aim.sdk.repo import Repo as AimRepo
    from aim.sdk.utils import clean_repo_path

    AimRepo.from_path(str(tmp_path), init=True)
    path = clean_repo_path(tmp_path / ".aim") or AimRepo.default_repo_path()
    repo = AimRepo.from_path(path)
    run = Run(
        run_hash=None, repo=repo, system_tracking_interval=None, capture_terminal_logs=False, experiment="Default"
    )
    run.description = "a description"
    run.name = "bold-cat-12"
    assert run.meta_run_tree.get("mlflow_run_id") is None
    run.meta_run_tree["mlflow_run_id"] = "a06bc72461"
    run["params"] = {"alpha": "0.5"}
    run.track(0.5, step=3, name="rmse")
    run.track([aim.Image(np.zeros((2, 2), np.uint8), caption="plot.png")], name="images")
    run.track([aim.Audio(np.zeros(8, np.int16), rate=8000, format="wav", caption="a.wav")], name="audios")
    run.track([aim.Text("notes")], name="texts")
    run_hash = run.hash
    run.close()
    again = Run(run_hash=run_hash, repo=repo, system_tracking_interval=None, capture_terminal_logs=False)

    assert ("a06bc72461", str(tmp_path / ".aim")) == (again.meta_run_tree.get("mlflow_run_id"), repo.path)
    assert "mlflow_run_id" in again.meta_run_tree
    assert {"params": {"alpha": "0.5"}} == again[...] == again.meta_run_tree["attrs"]
    assert {"rmse", "images", "audios", "texts"} == {name for name, _, _ in again.iter_sequence_info_by_type("*")}
    again.close()


def test_aimrun(tmp_path: Path) -> None:
    """
    aimrun, which copies runs between places: all runs, params, points by `data.items()`, terminal logs, ends.
    """
    with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as made:
        made["hparams"] = {"lr": 0.1}
        made.track(1.5, name="loss", step=2, epoch=1, context={"subset": "val"})
    repo = Repo(path=str(tmp_path))
    copies = {}
    for listed in repo.iter_runs():
        run = Run(run_hash=listed.hash, repo=repo, read_only=True)
        logs = run.get_terminal_logs()
        lines = [line.data for line in logs.values.tolist()] if logs is not None else []
        rows = {
            metric.name: (
                metric.context.to_dict(),
                [(step, value, epoch) for step, (value, epoch, _) in metric.data.items()],
            )
            for metric in run.metrics()
        }
        copies[run.hash] = (run[...], rows, lines, run.duration > 0, run.active)

    assert {
        made.hash: ({"hparams": {"lr": 0.1}}, {"loss": ({"subset": "val"}, [(2, 1.5, 1.0)])}, [], True, False)
    } == copies


def test_ahsi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    ahsi: a run in the current folder, a param an item, floats by name and step.
    """
    monkeypatch.chdir(tmp_path)
    run = aim.Run(experiment="ahsi", **QUIET)  # type: ignore[arg-type]
    for key, value in {"seed": 1, "model": "small"}.items():
        run[key] = value
    for step in range(3):
        run.track(float(step), name="loss", step=step)
    run.close()

    assert ([0, 1, 2], [0.0, 1.0, 2.0]) == points(next(Repo(".").iter_runs()), "loss")


def test_notebooks(run: Run, repo: Repo) -> None:
    """
    What public notebooks do: queries to arrays and frames, params by path, metrics by `Context`.
    """
    run["model"] = {"name": "resnet", "depth": 18}
    run["hparams"] = {"lr": 0.1}
    for step, value in enumerate((3.0, 2.0, 1.0)):
        run.track(value, name="loss", step=step, context={"subset": "train"})
    for metric in repo.query_metrics("metric.name == 'loss' and metric.context.subset == 'train'"):
        steps, values = metric.values.sparse_numpy()
        assert (steps[np.argmin(values)], "resnet") == (2, metric.run["model"]["name"])
        assert {"lr": 0.1} == metric.run[...]["hparams"] == metric.run.get("hparams")
    for metrics in repo.query_metrics("metric.name == 'loss'").iter_runs():
        assert [3.0, 2.0, 1.0] == [value for metric in metrics for value in metric.values.values_list()]
    frame = repo.query_metrics("metric.name == 'loss'").dataframe()
    by_run = [collection.run.hash for collection in repo.query_runs("run.hparams.lr == 0.1").iter_runs()]
    one = run.get_metric("loss", Context({"subset": "train"}))

    assert frame is not None
    assert one is not None
    assert [3.0, 2.0, 1.0] == frame["value"].tolist() == one.dataframe()["value"].tolist()
    assert ("resnet", [run.hash]) == (run["model", "name"], by_run)
    assert [("loss", {"subset": "train"})] == [
        (name, context.to_dict()) for name, context, _ in run.iter_sequence_info_by_type("*")
    ]
    every = run.metrics().dataframe()
    assert every is not None
    assert ["train"] * 3 == every["metric.context.subset"].tolist()


def test_paths_stay_when_the_current_folder_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A training that changes its folder, as Hydra does, goes on recording where its repository is.
    """
    monkeypatch.chdir(tmp_path)
    run = Run(repo=".", **QUIET)  # type: ignore[arg-type]
    repo = Repo(".")
    (tmp_path / "outputs").mkdir()
    os.chdir(tmp_path / "outputs")
    for step in range(20_000):
        run.track(float(step), name="loss")
    run["seed"] = 1
    run.close()

    assert [20_000] == [len(metric) for metric in repo.query_metrics()]
    assert ([run.hash], []) == (repo.list_all_runs(), os.listdir("."))


def test_small_helpers_of_aim_3(tmp_path: Path) -> None:
    """
    The functions that plug-ins import: hashes, repositories upward, names of types, numbers of any library.
    """
    from aim.sdk import configs, num_utils, utils

    inner = tmp_path / "a"
    inner.mkdir()
    Repo.from_path(str(tmp_path), init=True)

    assert ((str(tmp_path), True), (None, False)) == (utils.search_aim_repo(inner), utils.search_aim_repo("/"))
    assert (24, 8) == (len(utils.generate_run_hash()), len(utils.generate_run_hash(8)))
    assert (".aim", ".aim") == (configs.get_aim_repo_name(), utils.get_aim_repo_name())
    assert ("aim.text", "list(int)") == (utils.get_object_typename(aim.Text("a")), utils.get_object_typename((1, 2)))
    assert [True, True, False] == [
        utils.check_types_compatibility("list", "list(aim.image)"),
        utils.check_types_compatibility("list(aim.image)", "list"),
        utils.check_types_compatibility("aim.image", "float"),
    ]
    numbers = [1, True, np.float32(0.5), np.array([3]), "a", None]
    assert [True, True, True, True, False, False] == [num_utils.is_number(value) for value in numbers]
    assert [False, False, True, True, False, False] == [num_utils.is_numpy_number(value) for value in numbers]
    assert (0.5, float) == (
        num_utils.convert_to_py_number(np.float32(0.5)),
        type(num_utils.convert_to_py_number(np.float32(0.5))),
    )
    assert not num_utils.is_pytorch_tensor(np.zeros(1))
    with utils.work_directory(inner):
        assert str(inner) == os.getcwd()


def test_properties_at_once(run: Run) -> None:
    """
    `run.props` has them as attributes; `idx_to_ctx` gives a context by its number.
    """
    run.name = "n"
    run.add_tag("t")
    run.track(1, name="x", context={"a": 1})
    props = run.props

    assert ("n", ["t"], False, "default", [], run.creation_time, None) == (
        *(props.name, props.tags, props.archived, props.experiment, props.notes, props.creation_time, props.end_time),
    )
    assert props.updated_at >= props.created_at
    assert {"a": 1} == run.idx_to_ctx(Context({"a": 1}).idx).to_dict()
    with pytest.raises(KeyError):
        run.idx_to_ctx(5)
    with pytest.raises(UsageError, match="end_time"):
        run.meta_run_tree["end_time"] = 5
