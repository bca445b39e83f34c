"""
The columns of a sequence: `Sequence.data`.
"""

from __future__ import annotations

import numpy as np
import pytest

from aim import Image, Images, Run
from aim.sdk.sequence_data import EmptySample
from tests.sdk.test_sequence import metric_of


def test_data_has_all_columns(run: Run) -> None:
    """
    `data` gives values, epochs and times by step, as lists, arrays and rows.
    """
    for step in range(4):
        run.track(step, name="loss", step=step * 10, epoch=step if step else None)
    data = metric_of(run).data
    steps, (values, epochs, times) = data.items_list()
    arrays = data.numpy()

    assert ([0, 10, 20, 30], [0, 1, 2, 3], [None, 1.0, 2.0, 3.0]) == (steps, values, epochs)
    assert [int] * 4 == [type(value) for value in values]
    assert times == sorted(times)
    assert steps == data.indices_list() == arrays[0].tolist() == list(data.indices())
    assert [0, 1, 2, 3] == arrays[1][0].tolist()
    assert np.isnan(arrays[1][1][0])
    assert (10, (1, 1.0, times[1])) == list(data)[1]


def test_view_range_and_sample_choose(run: Run) -> None:
    """
    `view` chooses columns, `range` steps from a up to b, `sample` evenly, with first and last.
    """
    for step in range(100):
        run.track(float(step), name="loss")
    data = metric_of(run).data

    assert ([0, 1], [[0.0, 1.0]]) == data.view("val").range(0, 2).items_list()
    assert [(98, (98.0, None)), (99, (99.0, None))] == list(data.view(["val", "epoch"]).range(98).items())
    assert [] == data.range(5, 5).indices_list() == data.range(7, 3).indices_list()
    assert [0, 33, 66, 99] == data.sample(k=4).indices_list()
    assert ([99], 100) == (data.sample(1).indices_list(), len(data.sample(1000)))
    with pytest.raises(ValueError, match="column"):
        data.view("value")
    with pytest.raises(ValueError, match="1 point or more"):
        data.sample(0)


def test_objects_have_data_too(run: Run) -> None:
    """
    Images come back through `values` and `data`; the record length is that of the longest list.
    """
    small, large = Image(np.zeros((1, 2), np.uint8), caption="s"), Image(np.zeros((3, 4), np.uint8), caption="l")
    run.track(small, name="one", step=4)
    run.track(large, name="one", step=2, epoch=7)
    run.track([small], name="many")
    run.track([small, large], name="many")
    one, many = run.get_image_sequence("one"), run.get_image_sequence("many")

    assert isinstance(one, Images)
    assert isinstance(many, Images)
    assert [(2, "l"), (4, "s")] == [(step, image.caption) for step, image in one.values.items()]
    assert [(2, ("l", 7.0)), (4, ("s", None))] == [
        (step, (image.caption, epoch)) for step, (image, epoch) in one.data.view(["val", "epoch"]).items()
    ]
    assert (None, 2) == (one.record_length(), many.record_length())
    assert (2, 4) == (one.first_step(), one.last_step())
    assert [["s"], ["s", "l"]] == [[image.caption for image in images] for images in many.values]
    assert large.to_pil_image().tobytes() == one.values[2].to_pil_image().tobytes()


def test_a_sample_of_no_points_is_refused(run: Run) -> None:
    """
    A sample of less than one point is an error of its own, which says what a sample may have.
    """
    run.track(0.5, name="loss")

    with pytest.raises(EmptySample, match="A sample has 1 point or more, not 0"):
        run.get_metric("loss").data.sample(0)
