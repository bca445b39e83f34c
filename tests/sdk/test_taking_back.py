"""
Taking back what was recorded, and notes.
"""

from __future__ import annotations

import numpy as np

from aim import Image, Repo, Run


def test_a_deleted_metric_is_gone_for_everybody(repo: Repo, run: Run) -> None:
    """
    A deleted metric is in no list and no query; the others stay.
    """
    run.track(0.5, name="los")
    run.track(0.5, name="loss")
    assert run.delete_metric("los")

    assert run.get_metric("los") is None
    assert ["loss"] == [metric.name for metric in run.metrics()]
    assert ["loss"] == [metric.name for metric in repo.query_metrics("")]


def test_only_the_named_context_is_deleted(run: Run) -> None:
    """
    A sequence is named by its name and context.
    """
    run.track(0.5, name="loss", context={"subset": "train"})
    run.track(0.6, name="loss", context={"subset": "val"})
    run.delete_metric("loss", {"subset": "val"})

    assert [{"subset": "train"}] == [metric.context.to_dict() for metric in run.metrics()]


def test_what_is_tracked_later_is_shown(run: Run) -> None:
    """
    After a deletion the sequence begins anew for readers; its steps go on.
    """
    run.track(0.5, name="loss")
    run.track(0.4, name="loss")
    run.delete_metric("loss")
    run.track(0.3, name="loss")

    assert ([2], [0.3]) == (run.get_metric("loss").indices, run.get_metric("loss").values.tolist()[-1:])


def test_objects_on_their_way_are_deleted_too(run: Run) -> None:
    """
    Images that were tracked before the deletion and still encoded are hidden as well.
    """
    for _ in range(20):
        run.track(Image(np.zeros((300, 300))), name="images")
    run.delete_metric("images")
    run.flush()

    assert run.get_image_sequence("images") is None


def test_what_is_not_there_cannot_be_deleted(run: Run) -> None:
    """
    Deleting a sequence that was never tracked says so.
    """
    assert not run.delete_metric("loss")


def test_a_run_that_is_read_can_be_cleaned_up(repo: Repo) -> None:
    """
    A finished run's metric is deleted from a notebook; it stays deleted after sealing and for later readers.
    """
    with Run(repo=repo, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(0.5, name="loss")
        run.track(0.5, name="wrong")
    reading = repo.get_run(run.hash)
    assert reading is not None
    assert reading.delete_metric("wrong")

    assert ["loss"] == [metric.name for metric in Repo(repo.root_path).get_run(run.hash).metrics()]


def test_notes_are_a_text_that_anybody_may_change(repo: Repo, run: Run) -> None:
    """
    Notes are '' at first; the last one who writes them is right.
    """
    assert "" == run.notes
    run.notes = "# First try"
    repo.get_run(run.hash).notes = "# Second try"

    assert "# Second try" == run.notes
