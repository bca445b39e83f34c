"""
The ends of a sequence: how many points it has, its first and its last, beside the points themselves.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from aim.engine.repository import Repository
from aim.engine.sealing import seal_run
from aim.storage.reading.points import Points

KEY = ("loss", "{}")
VALUES: tuple[float | int, ...] = (0.5, -0.0, float("nan"), float("inf"), 7, 2**53 + 1, -3)


def _ends(points: Points) -> str:
    ends = (len(points), points.first_step(), points.last_step(), points.first(), points.last())
    return repr(ends)


def _points(root: Path) -> Points:
    points = Repository(root).run("example").points(KEY)
    assert points is not None
    return points


@pytest.mark.parametrize("seed", range(12))
def test_the_ends_of_a_sequence_are_those_of_its_points(tmp_path: Path, seed: int) -> None:
    """
    Whatever was tracked, at whatever steps, the ends are the same before and after the points are read.
    """
    chance = random.Random(seed)
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    loss = writer.sequence("loss")
    count, stride = chance.randrange(1, 40), chance.choice((1, 1, 50, -2))
    is_irregular = chance.random() < 0.3
    for index in range(count):
        step = chance.randrange(30) if is_irregular else index * stride
        loss.track(chance.choice(VALUES[:4] if seed % 2 else VALUES[4:]), step=step)
    writer.close()
    expected = Repository(tmp_path).run("example").points(KEY)
    assert expected is not None
    steps, values = expected.steps, expected.values
    seal_run(repository.files / "runs" / "example")

    points = _points(tmp_path)
    before = _ends(points)

    assert repr((len(steps), int(steps[0]), int(steps[-1]))) == repr((len(points), *_steps(points)))
    assert repr(values[0].item() if hasattr(values[0], "item") else values[0]) == repr(points.first()[1])
    np.testing.assert_array_equal(steps, points.steps)
    assert before == _ends(points)


def _steps(points: Points) -> tuple[int, int]:
    return points.first_step(), points.last_step()


def test_the_ends_of_a_sealed_sequence_are_told_without_its_points(tmp_path: Path) -> None:
    """
    The footer of a sealed file says them, so no point is read.
    """
    repository = Repository(tmp_path, create=True)
    writer = repository.new_run("example")
    loss = writer.sequence("loss")
    for step in range(1_000):
        loss.track(step / 2, step=step * 50)
    writer.close()
    seal_run(repository.files / "runs" / "example")

    points = _points(tmp_path)

    assert (1_000, 0, 49_950, (0, 0.0), (49_950, 499.5)) == (
        len(points),
        *_steps(points),
        points.first(),
        points.last(),
    )
    assert not points.is_read
