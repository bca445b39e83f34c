"""
The example is a real training: it learns, records all of it, and a query finds what it recorded.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aim import Repo
from examples.digits import BATCH_IMAGES, LEARNING_RATES, QUERY, digits
from tests.tidy.tree import ROOT

EPOCHS = 6


@pytest.fixture(scope="module", name="printed")
def _printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """
    The example, run as a user would: the folder of its repository, and what it printed.
    """
    folder = tmp_path_factory.mktemp("example") / "demo"
    ran = subprocess.run(
        [sys.executable, str(ROOT / "examples/digits.py"), "--repo", str(folder), "--epochs", str(EPOCHS)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert (0, "") == (ran.returncode, ran.stderr)
    return folder, ran.stdout


def test_who_ends_the_example_ends_its_pages(tmp_path: Path) -> None:
    """
    The server of the pages is no process of its own that a `kill` or a container's stop would leave behind.
    """
    example = subprocess.Popen(
        [sys.executable, str(ROOT / "examples/digits.py"), "--repo", str(tmp_path), "--epochs", "1", "--open"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "DISPLAY": "", "WAYLAND_DISPLAY": ""},
    )
    assert example.stdout is not None
    with example.stdout:
        said = next(line for line in example.stdout if "43800" in line)
        example.terminate()

        assert said.startswith("Open ") or "in use" in said
        assert "Traceback" not in example.stdout.read()  # it ends: nobody else holds the pipe
    example.wait(60)


def test_the_networks_learn(printed: tuple[Path, str]) -> None:
    """
    The best of the networks names more than 19 of 20 digits that it has never seen.
    """
    repo = Repo(str(printed[0]))
    accuracies = [
        metric.values.last_value()
        for metric in repo.query_metrics("metric.name == 'accuracy' and metric.context.subset == 'val'")
    ]

    assert len(LEARNING_RATES) == len(accuracies)
    assert max(accuracies) > 0.95


def test_each_batch_and_each_epoch_is_recorded(printed: tuple[Path, str]) -> None:
    """
    A run has a point of loss for each batch in the context train, and one for each epoch in the context val.
    """
    learn_from, _ = digits(0)
    batches = EPOCHS * -(-len(learn_from.labels) // BATCH_IMAGES)
    for run in Repo(str(printed[0])).iter_runs():
        train = run.get_metric("loss", {"subset": "train"})
        val = run.get_metric("loss", {"subset": "val"})
        assert train is not None
        assert val is not None

        assert list(range(batches)) == train.values.sparse_list()[0]
        assert EPOCHS == len(val.values)
        assert np.all(np.isfinite(train.values.values_numpy()))


def test_the_runs_know_their_hparams(printed: tuple[Path, str]) -> None:
    """
    Each learning rate has its run, of the experiment digits, ended well.
    """
    runs = list(Repo(str(printed[0])).iter_runs())

    assert sorted(LEARNING_RATES) == sorted(run["hparams", "lr"] for run in runs)
    assert {"digits"} == {run.experiment for run in runs}
    assert {False} == {run.active for run in runs}


def test_mistakes_are_images_with_captions(printed: tuple[Path, str]) -> None:
    """
    The images of mistakes are 64 pixels wide, from black to white, and their captions say what was taken for what.
    """
    found = list(Repo(str(printed[0])).query_images("images.name == 'mistakes' and run.hparams.lr == 0.003"))
    assert 1 == len(found)
    _, mistakes = found[0].values.last()
    pixels = np.asarray(mistakes[0].to_pil_image())

    assert len(mistakes) > 0
    assert {(64, 64)} == {(image.width, image.height) for image in mistakes}
    assert (0, 255) == (pixels.min(), pixels.max())
    assert ", taken for " in mistakes[0].caption


def test_it_prints_what_the_query_finds(printed: tuple[Path, str]) -> None:
    """
    The table has the runs that the query of the page finds, best first, and the place of the files.
    """
    folder, text = printed
    losses = []
    for metric in Repo(str(folder)).query_metrics(QUERY):
        losses.append((min(metric.values.values_list()), metric.run.hash))
    rows = [line.split() for line in text.partition("at step")[2].splitlines()[1:4]]

    assert 3 == len(losses)
    assert [run_hash for _, run_hash in sorted(losses)] == [row[0] for row in rows]
    assert [f"{loss:.4f}" for loss, _ in sorted(losses)] == [row[2] for row in rows]
    assert f"All of it is in {folder / '.aim'}" in text
    assert f"aim up --repo {folder}" in text
