"""
The points of metrics as columns of a data frame, against what was tracked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim import Repo, Run
from aim.sdk.point_frames import frame_of, points_columns

EXACT = 2**53 + 1


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with two runs: params of their own, and a metric in two contexts."""
    for number, hparams in enumerate([{"lr": 0.1, "seed": EXACT}, {"lr": 0.2, 3: "three"}]):
        run = Run(f"run{number}", repo=tmp_path, create=True, system_tracking_interval=None, log_system_params=False)
        run["hparams"] = hparams
        for step in range(3):
            run.track(step + number, name="loss", step=10 * step, epoch=step // 2, context={"subset": "train"})
        run.track(0.5, name="loss", step=7, context={"subset": "val"})
        run.close()
    return Repo(tmp_path)


def metrics_of(repo: Repo, query: str) -> list[Any]:
    """Return the metrics that match, by run and context."""
    return sorted(repo.query_metrics(query), key=lambda metric: (metric.run.hash, str(metric.context)))


def test_the_points_stand_below_each_other(repo: Repo) -> None:
    """`idx` begins anew with each metric; constants of a metric stand in each of its rows."""
    frame = frame_of(metrics_of(repo, "metric.name == 'loss'"), False, True, True, True)
    assert frame is not None
    assert [0, 1, 2, 0, 0, 1, 2, 0] == frame["idx"].tolist() == frame.index.tolist()
    assert [0, 10, 20, 7, 0, 10, 20, 7] == frame["step"].tolist()
    assert [0.0, 1.0, 2.0, 0.5, 1.0, 2.0, 3.0, 0.5] == frame["value"].tolist()
    assert [0.0, 0.0, 1.0] == frame["epoch"].tolist()[:3]
    assert ["train"] * 3 + ["val"] + ["train"] * 3 + ["val"] == frame["metric.context.subset"].tolist()
    assert ["run0"] * 4 + ["run1"] * 4 == frame["run.hash"].tolist()
    assert {"loss"} == set(frame["metric.name"])
    assert "datetime64[us, UTC]" == str(frame["time"].dtype)


def test_a_param_that_a_run_lacks_is_nan_and_an_exact_one_keeps_its_digits(repo: Repo) -> None:
    """pandas would make floats of integers beside a missing value, which cuts their last digits."""
    columns = points_columns(metrics_of(repo, "metric.name == 'loss'"), True, True, True, True)
    assert [0.1, 0.1, 0.2, 0.2] == list(columns["run.hparams.lr"])
    seeds = list(columns["run.hparams.seed"])
    assert [EXACT, EXACT] == seeds[:2]
    assert all(np.isnan(seed) for seed in seeds[2:])


@pytest.mark.parametrize(
    ("options", "absent"),
    [
        ((True, False, True, True), "run."),
        ((True, True, False, True), "metric.name"),
        ((True, True, True, False), "metric.context"),
    ],
)
def test_columns_are_left_out_when_they_are_not_wanted(
    options: tuple[bool, bool, bool, bool], absent: str, repo: Repo
) -> None:
    """Run, name and context can each be left out; the points stay."""
    frame = frame_of(metrics_of(repo, "metric.context.subset == 'val'"), *options)
    assert frame is not None
    assert [] == [name for name in frame.columns if name.startswith(absent)]
    assert ["idx", "step", "value", "epoch", "time"] == list(frame.columns)[:5]


def test_only_the_last_points_keep_their_index_among_all(repo: Repo) -> None:
    """`idx` says the place of the point in its metric; the index of the frame is 0, as in Aim 3."""
    frame = frame_of(metrics_of(repo, "metric.name == 'loss'"), True, True, True, True)
    assert frame is not None
    assert ([2, 0, 2, 0], [20, 7, 20, 7], [0] * 4) == (
        frame["idx"].tolist(),
        frame["step"].tolist(),
        frame.index.tolist(),
    )


def test_integers_beyond_a_double_stay_exact(tmp_path: Path) -> None:
    """All integers are int64; beside fractions they are objects; small ones are floats, as in Aim 3."""
    run = Run(repo=tmp_path, system_tracking_interval=None, log_system_params=False)
    for step, value in enumerate([EXACT, 1]):
        run.track(value, name="tokens", step=step)
    run.track(3, name="small", step=0)
    run.close()
    frames = {
        metric.name: frame_of([metric], False, False, True, False)
        for metric in Repo(tmp_path).query_metrics("metric.name != ''")
    }
    tokens, small = frames["tokens"], frames["small"]
    assert tokens is not None
    assert small is not None
    assert ([EXACT, 1], "int64", "float64") == (
        tokens["value"].tolist(),
        str(tokens["value"].dtype),
        str(small["value"].dtype),
    )


def test_no_metrics_have_no_frame() -> None:
    """There is nothing of which columns could be made."""
    assert frame_of([], False, True, True, True) is None
