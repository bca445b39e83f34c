"""
A file store of MLflow.
"""

from __future__ import annotations

import math
from pathlib import Path

import yaml

from aim import Run
from aim.convert import export
from tests.convert.exporting.conftest import BIG, LOSSES


def run_folder(store: Path, run_hash: str) -> Path:
    """Return the folder of a run in a file store."""
    return next(store.glob(f"*/{run_hash}"))


def test_metrics_are_lines_of_time_value_and_step(repository: Path, tmp_path: Path) -> None:
    """
    Each point is a line with the value's own digits; the context is a folder below the name.
    """
    report = export(repository, tmp_path / "mlruns", format="mlflow")
    metrics = run_folder(tmp_path / "mlruns", "full") / "metrics"
    losses = [line.split() for line in (metrics / "loss/val").read_text().splitlines()]
    counts = [line.split() for line in (metrics / "count").read_text().splitlines()]

    assert [*map(repr, LOSSES.items())] == [repr((int(step), float(value))) for _, value, step in losses]
    assert [str(BIG + step) for step in range(3)] == [value for _, value, _ in counts]
    assert 8 == report.points


def test_the_run_and_its_experiment_are_described(repository: Path, tmp_path: Path) -> None:
    """
    `meta.yaml` has name, status and times in milliseconds; an archived run is a deleted one; the addresses are those of
    the target, not of the temporary folder.
    """
    export(repository, tmp_path / "mlruns", format="mlflow")
    full, bare = (run_folder(tmp_path / "mlruns", name) for name in ("full", "bare"))
    meta = yaml.safe_load((full / "meta.yaml").read_text())
    experiment = yaml.safe_load((full.parent / "meta.yaml").read_text())

    assert ("=1+1", 3, "active") == (meta["run_name"], meta["status"], meta["lifecycle_stage"])
    assert (full / "artifacts").as_uri() == meta["artifact_uri"]
    assert "digits" == experiment["name"]
    assert "deleted" == yaml.safe_load((bare / "meta.yaml").read_text())["lifecycle_stage"]
    assert "every kind of thing" == (full / "tags" / "mlflow.note.content").read_text()


def test_params_are_texts_and_long_ones_are_cut(tmp_path: Path) -> None:
    """
    A param is a file with its text, at most 6,000 characters of it, and the cut is in the report.
    """
    with Run("long", repo=tmp_path, system_tracking_interval=None, create=True) as run:
        run["hparams"] = {"lr": math.inf, "text": "x" * 7000, "flag": True}
    report = export(tmp_path, tmp_path / "mlruns", format="mlflow")
    params = run_folder(tmp_path / "mlruns", "long") / "params"

    assert ("Infinity", "True") == tuple((params / f"hparams.{name}").read_text() for name in ("lr", "flag"))
    assert 6000 == len((params / "hparams.text").read_text())
    assert 1 == report.left_out["the end of a param over 6,000 characters"]


def test_artifacts_and_images_are_files(repository: Path, tmp_path: Path) -> None:
    """
    Artifacts are copied, and images have the names that MLflow's pages look for.
    """
    report = export(repository, tmp_path / "mlruns", format="mlflow")
    artifacts = run_folder(tmp_path / "mlruns", "full") / "artifacts"
    images = sorted(path.name for path in (artifacts / "images").iterdir())

    assert b"weights" == (artifacts / "weights.bin").read_bytes()
    assert ["digits", "step", "2", "timestamp"] == images[0].split("+")[:4]
    assert (2, 1) == (len(images), report.files)


def test_metrics_whose_names_are_folder_and_file_at_once_are_both_there(tmp_path: Path) -> None:
    """
    `loss` and `loss` of a subset can't be `loss` and `loss/val` on a disk, whichever comes first.
    """
    with Run("both", repo=tmp_path, system_tracking_interval=None, create=True) as run:
        run.track(1.0, name="loss", step=0)
        run.track(2.0, name="loss", step=0, context={"subset": "val"})
        run.track(3.0, name="a/b", step=0)
        run.track(4.0, name="a", step=0, context={"subset": "b/c"})
    export(tmp_path, tmp_path / "mlruns", format="mlflow")
    metrics = run_folder(tmp_path / "mlruns", "both") / "metrics"
    values = sorted(path.read_text().split()[1] for path in metrics.rglob("*") if path.is_file())

    assert ["1.0", "2.0", "3.0", "4.0"] == values
