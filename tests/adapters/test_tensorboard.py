"""
Writers of TensorBoard that record into a run, and our writer in their place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aim import Run
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
