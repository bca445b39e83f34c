"""
What anybody may change of a run: points and sequences that are hidden, and notes.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from aim import Image, Images, Repo, Run
from aim.core.errors import UsageError
from aim.engine import sealing
from aim.engine.repository import Repository
from aim.engine.undo import Changes
from tests.sdk.test_run_history import QUIET, track, values


def test_a_deleted_point_is_gone_for_everybody(run: Run, repo: Repo) -> None:
    """
    A deleted point is in no reading and no summary; undeleting shows it again.
    """
    track(run, 5)
    run.track(900.0, name="loss", step=2)
    assert 1 == repo.get_run(run.hash).get_metric("loss").delete([2, 77])

    assert [0.0, 1.0, 3.0, 4.0] == values(run)
    assert ["loss"] == [metric.name for metric in repo.query_metrics("metric.max == 4 and metric.count == 4")]
    assert (True, False) == (run.undelete_points("loss"), run.undelete_points("loss"))
    assert [0.0, 1.0, 900.0, 3.0, 4.0] == values(run)


def test_a_step_that_is_tracked_again_is_shown(run: Run) -> None:
    """
    Right after a deletion the same step may be tracked anew.
    """
    for number in range(200):
        run.track(1.0, name="loss", step=number)
        run.get_metric("loss").delete(number)
        run.track(2.0, name="loss", step=number)

    assert [2.0] * 200 == values(run)


def test_one_image_of_a_list_is_deleted(run: Run, repo: Repo) -> None:
    """
    With an index only that object of the step's list goes; when none is left the step goes.
    """
    for step in range(3):
        pictures = [Image(np.full((2, 2), number / 4), caption=str(number)) for number in range(3)]
        run.track(pictures, name="im", step=step)
    images = run.get_image_sequence("im")
    assert images is not None
    assert 1 == images.delete(1, index=0)
    assert [["0", "1", "2"], ["1", "2"], ["0", "1", "2"]] == _captions(images)
    assert 1 == images.delete(1, index=[1, 2])
    assert ([0, 2], 0) == (images.indices, images.delete(1, index=0))
    assert ["im"] == [one.name for one in repo.query_images("images.count == 2 and images.record_max_length == 3")]
    assert 2 == images.delete([0, 2], index=2)
    assert ["im"] == [one.name for one in repo.query_images("images.count == 2 and images.record_max_length == 2")]
    assert run.undelete_points("im")

    assert [["0", "1", "2"]] * 3 == _captions(images)


def _captions(images: Images) -> list[list[str]]:
    return [[image.caption for image in step] for step in images.values.tolist()]


def test_what_cannot_be_deleted_is_told(run: Run) -> None:
    """
    Numbers have no index; no step at all is an error; a sequence that is not there has no point.
    """
    track(run, 2)
    with pytest.raises(UsageError):
        run.get_metric("loss").delete(0, index=0)
    with pytest.raises(UsageError):
        run.delete_points("loss", steps=[])

    assert 0 == run.delete_points("nothing", steps=1)


def test_deleted_points_stay_deleted_after_sealing(repo: Repo) -> None:
    """
    A sealed file keeps the bytes; readers leave them out, in history too.
    """
    with Run(repo=repo, **QUIET) as run:
        track(run, 5)
        run.rewind(3)
        run.get_metric("loss").delete(1)
    sealing.seal_run(Path(repo.path, "runs", run.hash))
    found = Repo(repo.root_path).get_run(run.hash)

    assert [[0.0, 2.0, 3.0, 4.0], [0.0, 2.0, 3.0]] == [
        one.values.tolist() for one in found.get_metric("loss").history()
    ]


def recorded_ahead(tmp_path: Path) -> Repository:
    """Record loss 0, 1, 2 of run `r` by a clock that is an hour ahead, as that of another host may be."""
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("r")
    (number,) = writer.sequences.declare([(writer.sequence("loss"), "float")])
    for step in range(3):
        writer.files.segments.put(number, float(step), step, None, at_s=time.time() + 3600.0)
    writer.close()
    return repository


def test_points_from_a_clock_that_is_ahead_are_deleted_too(tmp_path: Path) -> None:
    """
    What another host recorded by a clock that is ahead is hidden by deletions from here, and shown again.
    """
    recorded_ahead(tmp_path)
    run = Repo(str(tmp_path)).get_run("r")
    assert run is not None
    run.delete_points("loss", steps=1)
    shown = [values(run)]
    run.undelete_points("loss")
    shown.append(values(run))
    run.delete_metric("loss")
    shown.append(values(run))

    assert [[0.0, 2.0], [0.0, 1.0, 2.0], []] == shown


def test_points_from_a_clock_that_is_ahead_are_deleted_by_the_pages(tmp_path: Path) -> None:
    """
    The same for deletions that can be taken back.
    """
    repository = recorded_ahead(tmp_path)
    count, _ = Changes(repository).delete_points("r", [(("loss", "{}"), [0, 2], None)])
    points = repository.readers.reader("r").points(("loss", "{}"))
    assert points is not None

    assert (2, [1.0]) == (count, points.values.tolist())


# sequences, notes


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
