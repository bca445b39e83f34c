"""
What a type checker knows of a caller's code. mypy checks this file with the tests; it is never run.

A line that is wrong here says `type: ignore` with its error: mypy reports an ignore that is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from aim import Image, Images, Metric, Repo, Run, Text, Texts
from aim.sdk.sequence import Sequence
from aim.sdk.sequence_collection import QuerySequenceCollection, SingleRunSequenceCollection

if TYPE_CHECKING:
    from typing_extensions import assert_type


def collections_have_a_class(repo: Repo, run: Run) -> None:
    """
    Iterating a collection gives sequences of its class, whose run is a `Run`.
    """
    assert_type(repo.query_metrics("metric.name == 'loss'"), QuerySequenceCollection[Metric])
    for metric in repo.query_metrics():
        assert_type(metric, Metric)
        assert_type(metric.run, Run)
    for images in repo.query_images():
        assert_type(images, Images)
    for collection in repo.query_texts().iter_runs():
        assert_type(collection, SingleRunSequenceCollection[Texts])
    for found in repo.query_runs().iter_runs():
        assert_type(found.run, Run)
    for sequence in repo.query_runs():
        assert_type(sequence, Sequence)
    assert_type(run.metrics().iter(), Iterator[Metric])


def sequences_have_a_class(run: Run) -> None:
    """
    A sequence that is asked for by its name may be missing.
    """
    assert_type(run.get_metric("loss"), Metric | None)
    assert_type(run.get_image_sequence("pictures"), Images | None)
    assert_type([metric.history() for metric in run.metrics()], list[list[Metric]])
    assert_type(run.before(run.rewinds[0]).get_metric("loss"), Metric | None)


def a_run_has_a_repo(run: Run) -> None:
    """
    `Run.repo` is a `Repo`, and what it gives are runs.
    """
    assert_type(run.repo, Repo)
    assert_type(run.repo.get_run(run.hash), Run | None)


def numbers_and_objects_are_tracked(run: Run, tensor: np.ndarray[Any, Any]) -> None:
    """
    `track` takes numbers of any library, objects, lists of objects, and dicts of them.
    """
    run.track(0.5, "loss", step=1, epoch=1)
    run.track(np.float32(0.5), "loss", step=np.int64(1), epoch=np.float64(0.5))
    run.track(tensor, "loss")
    run.track(Image(tensor), "pictures")
    run.track([Text("a"), Text("b")], "texts")
    run.track({"loss": 0.5, "pictures": Image(tensor)}, context={"subset": "val"})
    run.track({"train": {"loss": 0.5}})
    run.log({"loss": 0.5, "train": {"loss": tensor}}, step=3)


def other_values_are_errors(run: Run) -> None:
    """
    A str, None, a dict of texts and a step that is no number are errors before the program runs.
    """
    run.track("0.5", "loss")  # type: ignore[arg-type]
    run.track(None, "loss")  # type: ignore[arg-type]
    run.track({"a": "b"})  # type: ignore[dict-item]
    run.track(0.5, "loss", step="1")  # type: ignore[arg-type]
