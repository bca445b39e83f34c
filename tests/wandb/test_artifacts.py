"""
Artifacts of W&B: versions of named sets of files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import aim.wandb as wandb
from aim import Repo
from aim.wandb.artifacts import NoVersion


def test_versions_of_a_model_are_stored_and_used_by_another_run(tmp_path: Path) -> None:
    """
    Each version keeps its files; a name, an alias or a number finds it.
    """
    weights = tmp_path / "model.pt"
    with wandb.init() as first:
        for number in range(2):
            weights.write_text(f"weights {number}")
            artifact = wandb.Artifact("model", type="model", metadata={"epoch": number})
            artifact.add_file(str(weights))
            logged = wandb.log_artifact(artifact, aliases=["best"] if number == 0 else [])
            assert f"model:v{number}" == logged.wait().name
    with wandb.init() as second:
        newest = second.use_artifact("team/digits/model:latest")
        best = second.use_artifact("model:best")
        folder = newest.download()
        assert "weights 1" == Path(folder, "model.pt").read_text()
        assert "weights 0" == Path(best.file(str(tmp_path / "best"))).read_text()
        assert "weights 1" == Path(second.use_model("model:v1")).read_text()
    runs = {run.hash: run for run in Repo(".").iter_runs()}

    assert (1, ["best"], "v0") == (newest.metadata["epoch"], best.aliases, best.version)
    assert ["model/v0/model.pt", "model/v1/model.pt"] == sorted(runs[first.id].artifacts)
    assert {"model": "v1"} == runs[second.id]["wandb", "used_artifacts"]


def test_folders_references_objects_and_new_files(tmp_path: Path) -> None:
    """
    Whatever is added is a file of the artifact, or an address among its params.
    """
    (tmp_path / "data/a").mkdir(parents=True)
    (tmp_path / "data/a/x.txt").write_text("x")
    with wandb.init() as run:
        artifact = wandb.Artifact("data", "dataset", description="small")
        artifact.add_dir("data", name="files")
        artifact.add_reference("s3://bucket/big.bin")
        artifact.add(wandb.Table(columns=["a"], data=[[1]]), "table")
        with artifact.new_file("note.txt") as file:
            file.write("hello")
        assert ["files/a/x.txt", "note.txt", "table.zip"] == artifact.files()
        run.log_artifact(artifact)
        assert ["files/a/x.txt", "note.txt", "table.zip"] == artifact.files()
    (recorded,) = Repo(".").iter_runs()

    assert {"big.bin": "s3://bucket/big.bin"} == recorded["artifacts", "data", "v0", "references"]
    assert "small" == recorded["artifacts", "data", "v0", "description"]


def test_a_path_is_an_artifact_too(tmp_path: Path) -> None:
    """
    `log_artifact` and `log_model` take a file or a folder.
    """
    (tmp_path / "model.bin").write_text("m")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/part").write_text("p")
    with wandb.init():
        wandb.log_artifact("model.bin", name="model", type="model")
        wandb.log_model("folder", name="parts")
    (run,) = Repo(".").iter_runs()

    assert ["model/v0/model.bin", "parts/v0/part"] == sorted(run.artifacts)
    assert "model" == run["artifacts", "parts", "v0", "type"]


def test_an_artifact_that_nobody_has_is_an_error() -> None:
    """
    A script can't go on without its data.
    """
    run = wandb.init()

    with pytest.raises(NoVersion, match="'model'"):
        run.use_artifact("model:v3")
    with pytest.raises(NoVersion, match="not stored yet"):
        wandb.Artifact("model").download()


def test_a_file_that_is_not_there_does_not_end_the_training(caplog: pytest.LogCaptureFixture) -> None:
    """
    To log a missing file is one warning.
    """
    wandb.init()

    assert wandb.log_artifact("nowhere.bin") is None
    assert ["wandb.log_artifact failed (FileNotFoundError"] == [message.split(": ")[1] for message in caplog.messages]


def test_files_are_saved_by_a_pattern_and_from_the_folder_of_the_run(tmp_path: Path) -> None:
    """
    Saved files are stored again at the end, and what lies in `run.dir` is stored then.
    """
    (tmp_path / "log-1.txt").write_text("early")
    with wandb.init(dir=str(tmp_path)) as run:
        wandb.save("log-*.txt")
        (tmp_path / "log-1.txt").write_text("late")
        Path(run.dir, "curve.csv").write_text("1,2")
    (recorded,) = Repo(".").iter_runs()
    copies = {name: Path(artifact.download(tmp_path / "copies")) for name, artifact in recorded.artifacts.items()}

    assert {"log-1.txt": "late", "curve.csv": "1,2"} == {name: copy.read_text() for name, copy in copies.items()}
    with wandb.init(), wandb.restore("log-1.txt", run_path=f"team/digits/{run.id}", root="restored") as file:
        assert "late" == file.read()
