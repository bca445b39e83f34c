"""
Reading a sequence: `values`, `epochs`, `timestamps`, and a metric's DataFrame.
"""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

import numpy as np

from aim import Image, Metric, Repo, Run
from aim.sdk.image_sequence import Images
from aim.sdk.sequence import Sequence


def metric_of(run: Run, name: str = "loss") -> Metric:
    """Return a metric that is there."""
    metric = run.get_metric(name)
    assert metric is not None
    return metric


def test_what_public_code_does_works(run: Run) -> None:
    """
    `steps, values = metric.values.sparse_numpy()` gives steps, ascending, and their values.
    """
    for step, value in ((10, 1.0), (0, 3.0), (5, 2.0)):
        run.track(value, name="loss", step=step)
    steps, values = metric_of(run).values.sparse_numpy()

    assert ([0, 5, 10], [3.0, 2.0, 1.0]) == (steps.tolist(), values.tolist())
    assert ([0, 5, 10], 0, 10) == (metric_of(run).indices, metric_of(run).first_step(), metric_of(run).last_step())


def test_timestamps_are_the_moments_of_tracking(run: Run) -> None:
    """
    A timestamp is when `track` was called, in Unix seconds.
    """
    before = time.time()
    run.track(1.0, name="loss")
    (stamp,) = metric_of(run).timestamps.tolist()

    assert before - 1e-6 <= stamp <= time.time() + 1e-6


def test_a_sequence_sees_what_is_tracked_after_it_was_taken(run: Run) -> None:
    """
    A sequence is read anew at each access.
    """
    run.track(1.0, name="loss")
    metric = metric_of(run)
    run.track(2.0, name="loss")

    assert (2, [1.0, 2.0]) == (len(metric), metric.values.tolist())


def test_a_sequence_of_another_type_is_none(run: Run) -> None:
    """
    `get_metric` and its like give None for what is not there, or is of another type.
    """
    run.track(1, name="loss")
    run.track(Image(np.zeros((1, 1), np.uint8)), name="image")

    assert run.get_metric("image") is None
    assert run.get_image_sequence("loss") is None
    assert run.get_metric("loss", {"subset": "train"}) is None
    assert run.get_metric("nothing") is None


def test_registered_types() -> None:
    """
    Each type of sequences knows its name and what it holds.
    """
    assert ("metric", ("float", "float64", "int", "number")) == (Metric.sequence_name(), Metric.allowed_dtypes())
    assert ("images", ("aim.image", "list(aim.image)")) == (Images.sequence_name(), Images.allowed_dtypes())
    assert "*" == Sequence.allowed_dtypes()
    assert Metric is Sequence.registry["metric"]
    kinds = (Sequence, Metric, Images)
    assert [False, False, True] == [kind.collections_allowed for kind in kinds]


def test_the_old_and_the_new_places_are_one() -> None:
    """
    The classes are found where the reference has them and where 3.29 has them.
    """
    from aim.sdk.metric import Metric as reference
    from aim.sdk.sequences.image_sequence import Images as newer_images
    from aim.sdk.sequences.metric import Metric as newer

    assert (reference, Images) == (newer, newer_images)


def test_a_param_named_by_a_number_is_a_column_in_brackets(run: Run) -> None:
    """
    In the frame of a metric, as in that of its run, an int key stands in brackets, with no dot before it.
    """
    run[3] = {"lr": 0.1, 4: "a"}
    run.track(1, name="loss")

    of_metric = run.get_metric("loss").dataframe(include_run=True)

    assert ["run.hash", "run[3].lr", "run[3][4]"] == list(of_metric.columns[5:])
    assert ["hash", "[3].lr", "[3][4]"] == list(run.dataframe(include_props=False).columns)


def test_a_metric_s_dataframe(run: Run) -> None:
    """
    The frame has idx, step, value, epoch, time, and on request the run's params, the name and the context.
    """
    run["hparams"] = {"lr": 0.1}
    context = {"subset": "val", "folds": [1, 2]}
    for value in (3, 2, 1):
        run.track(value, name="loss", step=value, epoch=1, context=context)
    metric = run.get_metric("loss", context)
    assert metric is not None
    frame = metric.dataframe(include_name=True, include_context=True, include_run=True)

    assert [
        *("idx", "step", "value", "epoch", "time", "run.hash", "run.hparams.lr", "metric.name"),
        *("metric.context.subset", "metric.context.folds"),
    ] == list(frame.columns)
    assert ["int64", "int64", "float64", "float64"] == [str(frame[name].dtype) for name in list(frame.columns)[:4]]
    assert ([0, 1, 2], [1, 2, 3], [1.0, 2.0, 3.0]) == (
        frame["idx"].tolist(),
        frame["step"].tolist(),
        frame["value"].tolist(),
    )
    moment = datetime.fromtimestamp(metric.timestamps.first_value(), timezone.utc)
    assert abs((frame["time"][0].to_pydatetime() - moment).total_seconds()) < 0.001
    assert ["idx", "step", "value", "epoch", "time"] == list(metric.dataframe().columns)


def test_only_last_is_the_last_step(run: Run) -> None:
    """
    `only_last` gives the row of the largest step, whenever it was tracked.
    """
    for step in (5, 9, 7):
        run.track(step / 2, name="loss", step=step)
    frame = metric_of(run).dataframe(only_last=True)

    assert [(2, 9, 4.5)] == list(zip(frame["idx"], frame["step"], frame["value"], strict=True))


def test_sequences_compare_by_run_name_and_context(run: Run, repo: Repo) -> None:
    """
    Two objects for one sequence are equal.
    """
    run.track(1, name="loss")
    other = repo.get_run(run.hash)
    assert other is not None

    assert {metric_of(run): 1}[metric_of(other)] == 1
    assert f"run={run.hash}" in repr(metric_of(run))


def test_metrics_are_ordered_and_are_metrics_only(run: Run) -> None:
    """
    `metrics()` gives the metrics, not the images, each once.
    """
    for name in ("b", "a"):
        run.track(1, name=name)
        run.track(1, name=name, context={"subset": "val"})
    run.track(Image(np.zeros((1, 1), np.uint8)), name="image")
    found: list[Any] = [(metric.name, metric.context.to_dict()) for metric in run.metrics()]

    assert 4 == len(found)
    assert ["a", "b"] == [name for name, context in found if not context]
    assert run.metrics().run == run
