"""
Writers of TensorBoard that record into a run, runs that follow their files, and our writer in their place.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import aim.wandb as wandb
from aim import Run
from aim.ext.tensorboard_tracker import Run as FollowingRun
from aim.tensorboard import SummaryWriter, patch
from tests.adapters.conftest import points, runs_of

torch = pytest.importorskip("torch")
pytest.importorskip("tensorboard")
QUIET: dict[str, Any] = {"system_tracking_interval": None, "log_system_params": False, "capture_terminal_logs": False}


def writers() -> list[Any]:
    """Return the SummaryWriters of torch and of tensorboardX."""
    from tensorboardX import SummaryWriter as OtherWriter
    from torch.utils.tensorboard import SummaryWriter as TorchWriter

    return [TorchWriter, OtherWriter]


def write(writer: Any) -> None:
    """Write what a training writes."""
    for step in range(3):
        writer.add_scalar("train/loss", 1.0 / (step + 1), step)
    writer.add_histogram("weights", torch.arange(10.0), 1)
    writer.add_image("picture", torch.zeros(3, 4, 4), 1)
    writer.add_text("note", "a text", 1)


@pytest.mark.parametrize("number", [0, 1])
def test_a_patched_writer_records_and_writes_files(number: int, repo: Path, tmp_path: Path) -> None:
    """
    Scalars, histograms, images and texts are in the run at once, and the event file is written as before.
    """
    patched = patch(repo, "board", **QUIET)
    writer = writers()[number](str(tmp_path / "logs"))
    write(writer)
    run = patched.experiment
    live = [step for step, _, _ in points(run, "train/loss", entry="logs")]
    patched.remove()
    writer.add_scalar("train/loss", 0.1, 3)
    writer.close()
    patched.close()
    (stored,) = runs_of(repo)
    entry = {"entry": "logs"}

    assert [0, 1, 2] == live == [step for step, _, _ in points(stored, "train/loss", entry="logs")]
    assert stored.get_image_sequence("picture", entry) is not None
    assert stored.get_distribution_sequence("weights", entry) is not None
    assert {"note", "note/text_summary"} & {name for name, _, _ in stored.iter_sequence_info_by_type("texts")}
    assert [] != list((tmp_path / "logs").glob("*tfevents*"))
    assert ("finished", "board") == (stored.status, stored.experiment)


def test_a_patch_records_into_a_run_of_the_caller(repo: Path, tmp_path: Path) -> None:
    """
    `run=` is recorded into, by all writers, and stays open; tags are split if asked.
    """
    with Run(repo=repo, **QUIET) as run:
        patched = patch(run=run, split_tags=True)
        for name in ("a", "b"):
            writer = writers()[0](str(tmp_path / name))
            write(writer)
            writer.add_hparams({"lr": 0.1, "net": "bert"}, {"score": 0.5})
            writer.close()
        patched.close()
        assert run.active

    for entry in ("a", "b"):
        assert [0, 1, 2] == [step for step, _, _ in points(run, "loss", subset="train", entry=entry)]
        assert 1 == len(points(run, "score", entry=entry))
    assert {"lr": 0.1, "net": "bert"} == run["hparams"]


def test_our_writer_takes_the_calls_of_theirs(repo: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    Each method of a SummaryWriter records; what Aim has nothing for is said once.
    """
    from matplotlib.figure import Figure

    with SummaryWriter("logs", repo=repo, experiment="board", split_tags=True, **QUIET) as writer:
        write(writer)
        writer.add_scalars("losses", {"a": 1.0, "b": 2.0}, 1)
        writer.add_images("pictures", torch.zeros(2, 3, 4, 4), 1)
        writer.add_image("gray", torch.zeros(4, 4), 1, dataformats="HW")
        writer.add_figure("figure", Figure(), 1)
        writer.add_audio("sound", torch.zeros(1, 100), 1, sample_rate=8000)
        writer.add_video("film", torch.zeros(1, 2, 3, 4, 4, dtype=torch.uint8), 1)
        writer.add_hparams({"lr": 0.1}, {"score": 0.5})
        writer.add_graph(torch.nn.Linear(1, 1))
        writer.add_pr_curve("curve", torch.tensor([1, 0, 1]), torch.tensor([0.9, 0.1, 0.4]), 1)
        for _ in range(2):
            writer.add_embedding(torch.zeros(2, 2))
        writer.flush()
        failures = writer._session.failures.counts
    (run,) = runs_of(repo)

    assert {"what add_embedding() writes": 2} == failures
    assert [0, 1, 2] == [step for step, _, _ in points(run, "loss", subset="train")]
    assert [(1, 2.0)] == [point[:2] for point in points(run, "losses", series="b")]
    assert ({"lr": 0.1}, "logs", "finished") == (run["hparams"], run["log_dir"], run.status)
    assert {"picture", "pictures", "gray", "figure"} == {
        name for name, _, _ in run.iter_sequence_info_by_type("images")
    }
    with pytest.raises(AttributeError):
        _ = SummaryWriter(repo=repo).colour


def test_the_first_of_two_patches_can_go_first(repo: Path, tmp_path: Path) -> None:
    """
    Each patch records until it is removed, in whatever order that happens.
    """
    with Run(repo=repo, **QUIET) as first, Run(repo=repo, **QUIET) as second:
        patches = [patch(run=run) for run in (first, second)]
        writer = writers()[0](str(tmp_path / "logs"))
        for step, patched in enumerate(patches):
            writer.add_scalar("loss", 0.5, step)
            patched.remove()
        writer.add_scalar("loss", 0.5, 2)
        writer.close()

        assert [[0], [0, 1]] == [[step for step, _, _ in points(run, "loss", entry="logs")] for run in (first, second)]


@pytest.mark.parametrize("asks", ["init", "patch"])
def test_a_run_of_wandb_records_what_writers_write(asks: str, repo: Path, tmp_path: Path) -> None:
    """
    `wandb.init(sync_tensorboard=True)`, and `wandb.tensorboard.patch()` before it, record writers until the run ends.
    """
    if asks == "patch":
        wandb.tensorboard.patch(root_logdir=str(tmp_path / "logs"))
    run = wandb.init(project="board", sync_tensorboard=asks == "init" or None)
    wandb.tensorboard.unpatch()
    writer = writers()[0](str(tmp_path / "logs"))
    write(writer)
    run.log({"train/loss": 2.0})
    wandb.finish()
    writer.add_scalar("train/loss", 0.1, 3)
    writer.close()
    with wandb.init(project="board") as later:
        writers()[0](str(tmp_path / "logs")).add_scalar("train/loss", 0.1, 4)
    stored, after = (each for each in runs_of(repo))

    assert [0, 1, 2] == [step for step, _, _ in points(stored, "loss", subset="train", entry="logs")]
    assert [(0, 2.0)] == [point[:2] for point in points(stored, "loss", subset="train")]
    assert stored.get_image_sequence("picture", {"entry": "logs"}) is not None
    assert ("finished", later.id, None) == (
        stored.status, after.hash, after.get_metric("loss", {"subset": "train", "entry": "logs"})
    )  # fmt: skip


def test_a_run_follows_what_a_writer_writes(repo: Path, tmp_path: Path) -> None:
    """
    Values are in the run while the writer writes, with the times of the writer; the last ones when the run is closed.
    """
    logs = tmp_path / "logs"
    run = FollowingRun(sync_tensorboard_log_dir=logs, repo=repo, experiment="followed")
    writer, other = (writers()[number](str(logs / name / "train")) for number, name in enumerate(("a", "b")))
    writer.add_scalar("loss", 0.5, 0, walltime=1_700_000_000.0)
    writer.flush()
    (reader,) = runs_of(repo)
    deadline = time.monotonic() + 120
    while not points(reader, "loss", entry="train") and time.monotonic() < deadline:
        time.sleep(0.05)
    live = points(reader, "loss", entry="train")
    write(writer)
    other.add_scalar("loss", 0.25, 7)
    writer.close()
    other.close()
    run.close()
    (stored,) = runs_of(repo)
    objects = [next(stored.iter_sequence_info_by_type(kind))[0] for kind in ("images", "distributions", "texts")]

    assert [(0, 0.5)] == [point[:2] for point in live]
    assert [1_700_000_000.0] == stored.get_metric("loss", {"entry": "train"}).timestamps.tolist()
    assert [0, 1, 2] == [step for step, _, _ in points(stored, "train/loss", entry="train")]
    assert [(7, 0.25)] == [point[:2] for point in points(stored, "loss", entry="b/train")]
    assert ["picture", "weights", "note/text_summary"] == objects
    assert ("followed", "finished", str(logs)) == (stored.experiment, stored.status, stored["tb_log_directory"])

    split = FollowingRun(sync_tensorboard_log_dir=logs, repo=repo, split_tags=True)
    split.close()
    assert [0, 1, 2] == [step for step, _, _ in points(split, "loss", subset="train", entry="train")]
    assert [(0, 0.5)] == [point[:2] for point in points(split, "loss", entry="train")]
