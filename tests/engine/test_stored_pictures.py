"""
Pictures of long sealed curves from their stored cells: beside the reduction of all points, and by the bytes they read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aim.engine.curves import CurveRequest, Piece, View, draw
from aim.engine.points import PointStore
from aim.engine.repository import Repository
from aim.engine.sampling import FloatArray
from aim.engine.sealing import seal_run
from aim.engine.tail import Watch
from aim.storage.sealing.verify import verify
from tests.engine.test_pyramid import chosen_of_all

KEY = ("loss", "{}")
POINTS = 140_001  # more than a row group, and the last cell has few points


def _sealed(root: Path, values: list[float], stride: int = 3) -> Path:
    writer = Repository(root, create=True).new_run("example")
    track = writer.sequence("loss").track
    for index, value in enumerate(values):
        track(value, step=7 + index * stride)
    writer.close()
    folder = root / ".aim" / "runs" / "example"
    seal_run(folder)
    return next(folder.glob("*.points.parquet"))


def _store(root: Path) -> PointStore:
    repository = Repository(root)
    return PointStore(repository, Watch(repository.questions().catalogue))


def _drawn(store: PointStore, view: View) -> Piece:
    (piece,) = draw(store, [CurveRequest("example", 0.0, KEY)], view)
    return piece


def _bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


def _values(chance: np.random.Generator) -> FloatArray:
    values = chance.normal(size=POINTS) if chance.random() < 0.5 else chance.integers(0, 3, POINTS).astype(np.float64)
    for odd in (np.nan, np.inf, -np.inf):
        if chance.random() < 0.6:
            values[chance.random(POINTS) < chance.choice((0.0001, 0.01, 0.7))] = odd
    values[5_000:6_000] = np.nan  # cells without a number
    return values


@pytest.mark.parametrize("seed", range(4))
def test_stored_cells_give_the_points_that_are_chosen_of_all(tmp_path: Path, seed: int) -> None:
    """
    For any curve, window and number of buckets, whether cells are used or the points in the window.
    """
    chance = np.random.default_rng(seed)
    values = _values(chance)
    _sealed(tmp_path, values.tolist())
    x = 7 + 3 * np.arange(POINTS)
    for _ in range(40):
        low, high = sorted(chance.uniform(-9_000, 3.0 * POINTS + 9_000, 2).tolist())
        view = View(window=None if chance.random() < 0.1 else (low, high), buckets=int(chance.integers(1, 90)))
        store = _store(tmp_path)

        piece = _drawn(store, view)

        expected = chosen_of_all(x, values, view.buckets, view.window)
        assert x[expected.point_indices].tolist() == piece.x.tolist()
        np.testing.assert_array_equal(values[expected.point_indices], piece.y)
        assert (expected.point_count, expected.nan_count, expected.inf_count) == (
            piece.point_count,
            piece.nan_count,
            piece.inf_count,
        )
        curve = store.read("example", [KEY])[KEY]
        assert curve.cells is not None  # its points were not read


def test_the_first_picture_reads_a_fiftieth_of_the_file(tmp_path: Path) -> None:
    """
    The cells and the end of the file; a narrow window reads the pages that it is in.
    """
    chance = np.random.default_rng(1)
    path = _sealed(tmp_path, chance.normal(size=400_000).tolist(), 1)
    size_bytes = path.stat().st_size
    store = _store(tmp_path)
    store.read("example", [KEY])[KEY]
    before = _bytes_read()

    whole = _drawn(store, View(buckets=100))
    of_cells = _bytes_read() - before
    part = _drawn(store, View(buckets=100, window=(100_000.0, 110_000.0)))
    of_window = _bytes_read() - before - of_cells

    assert (400_000, 10_001) == (whole.point_count, part.point_count)
    assert of_cells < size_bytes / 50
    assert of_window < size_bytes / 10


def test_a_curve_that_is_zoomed_often_is_read_once(tmp_path: Path) -> None:
    """
    After windows of as many points as it has, all of it is in memory, and its pictures are the same.
    """
    values = np.random.default_rng(1).normal(size=POINTS)
    _sealed(tmp_path, values.tolist())
    store = _store(tmp_path)
    view = View(window=(1_000.0, 120_000.0), buckets=100)
    first = _drawn(store, view)
    for _ in range(4):
        later = _drawn(store, view)

    assert (first.x.tolist(), first.y.tolist()) == (later.x.tolist(), later.y.tolist())
    curve = store.read("example", [KEY])[KEY]
    assert curve.cells is None
    assert values.tolist() == curve.values.tolist()


def test_damaged_cells_are_not_used(tmp_path: Path) -> None:
    """
    The picture comes from the points then.
    """
    values = np.random.default_rng(1).normal(size=POINTS)
    path = _sealed(tmp_path, values.tolist())
    expected = _drawn(_store(tmp_path), View(buckets=20))
    content = bytearray(path.read_bytes())
    index_offset = content.rindex(b"AIMSEAL1") - 32 * int.from_bytes(
        content[content.rindex(b"AIMSEAL1") + 8 :][:4], "little"
    )
    content[index_offset - 1] ^= 1
    path.write_bytes(content)
    store = _store(tmp_path)

    piece = _drawn(store, View(buckets=20))

    assert (expected.x.tolist(), expected.y.tolist()) == (piece.x.tolist(), piece.y.tolist())
    assert store.read("example", [KEY])[KEY].cells is None
    assert [] != verify(path)


def test_a_file_that_goes_meanwhile_is_no_error(tmp_path: Path) -> None:
    """
    A run that is deleted between two looks at it has no curve; nothing is raised.
    """
    path = _sealed(tmp_path, [0.5] * POINTS)
    store = _store(tmp_path)
    _drawn(store, View(buckets=20))
    path.unlink()

    assert [] == draw(store, [CurveRequest("example", 0.0, KEY)], View(buckets=20, window=(1_000.0, 9_000.0)))
