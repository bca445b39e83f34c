"""
PaddlePaddle, where it is installed: a real training of `paddle.Model`.

It needs 720 MB, so it is not installed with the other frameworks: `.venv-adapters/bin/pip install paddlepaddle` does
it, and test_replays.py has what is proven without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.adapters.readings import QUIET, metrics, steps, the_run

paddle: Any = pytest.importorskip("paddle", reason="optional: PaddlePaddle is not installed")


class Sums(paddle.io.Dataset):
    """Some numbers, and whether their sum is large."""

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Return four numbers and their label."""
        row = np.random.default_rng(index).random(4, dtype="float32")
        return row, np.array([int(row.sum() > 2)], "int64")

    def __len__(self) -> int:
        """Return how many there are."""
        return 32


def test_a_training_is_recorded(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Steps go on over the epochs; each evaluation, also one after the training, is at the last step of the training.
    """
    from aim.paddle import AimCallback

    monkeypatch.setenv("AIM_ADAPTER_STRICT", "1")
    model = paddle.Model(paddle.nn.Linear(4, 2))
    optimizer = paddle.optimizer.SGD(0.1, parameters=model.parameters())
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy(topk=(1, 2)))
    callback = AimCallback(str(repo), experiment_name="paddle", **QUIET)
    model.fit(Sums(), Sums(), batch_size=8, epochs=2, verbose=0, callbacks=[callback])
    model.evaluate(Sums(), batch_size=8, verbose=0, callbacks=[callback])
    callback.close()
    run = the_run(repo)

    assert list(range(8)) == steps(run, "loss", subset="train")
    assert [3, 7] == steps(run, "acc_top1", subset="valid")
    assert {("loss", (("subset", "valid"),)), ("acc_top2", (("subset", "train"),))} < metrics(run)
    assert (2, "paddle", "finished") == (run["hparams", "epochs"], run.experiment, run.status)
