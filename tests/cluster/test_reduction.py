"""
Curves that ClickHouse reduces show the points that they show when all of their points are read.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from aim.core.clock import MICROSECONDS
from aim.engine import curves, points
from aim.engine.backend_repository import BackendRepository
from aim.engine.curves import CurveRequest, Piece, View, draw
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.points import PointStore
from aim.engine.sampling import reduce_curves
from aim.engine.stored_reduction import StoredCurve, reduce_stored
from aim.engine.tail import Watch
from aim.storage.cluster import rows
from aim.storage.cluster.cluster_backend import ClusterBackend
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.cluster_reduction import ClusterSequence
from aim.storage.forms.records import FloatArray, IntArray
from aim.storage.forms.state import SequencePart
from aim.storage.store import Store
from bench import repository as bench_repository
from tests.cluster.running import RunningCluster, ship
from tests.cluster.test_statements import CountingDatabase

WRITER = "0000000a"
KEY = (bench_repository.NAMES[0], '{"subset":"train"}')


def some_steps(chance: random.Random, count: int) -> IntArray:
    """Return increasing steps: dense, with gaps, negative, or huge."""
    kind = chance.randrange(4)
    if kind == 0:
        return np.arange(count)
    if kind == 1:
        return np.cumsum(np.array([chance.choice((1, 1, 7, 1_000)) for _ in range(count)]))
    if kind == 2:
        return np.sort(np.array(chance.sample(range(-500, 500), count)))
    return np.unique(np.array([chance.randrange(-(2**62), 2**62) for _ in range(count)]))


def some_values(chance: random.Random, count: int) -> FloatArray:
    """Return values with ties, and sometimes NaN and infinities, or nothing else."""
    pool = chance.choice(([0.5], [1.0, 2.0, 3.0], [np.nan], [1.0, -1.0, np.nan, np.inf, -np.inf], []))
    return np.array([chance.choice(pool) if pool else chance.gauss(0, 1) for _ in range(count)])


def insert_curves(
    project: ClusterProject, run_hash: str, made: list[tuple[IntArray, FloatArray]]
) -> list[ClusterSequence]:
    """Insert curves of one run, each with its steps and values; of each the first half of the points comes twice."""
    blocks = []
    for number, (steps, values) in enumerate(made):
        block = np.zeros(len(steps), rows.POINT_ROW)
        block["rid"] = np.frombuffer(project.rid(run_hash), "V16")
        block["writer"], block["number"] = rows.writer_number(WRITER), number
        block["step"], block["slot"], block["value"] = steps, np.arange(len(steps)), values
        block["time"] = round(1.7e9 * MICROSECONDS)
        blocks.append(block)
    for parts in (blocks, [block[: len(block) // 2] for block in blocks]):
        project.database.insert("points", rows.POINT_COLUMNS, b"".join(part.tobytes() for part in parts))
    return [ClusterSequence(project, run_hash, SequencePart(WRITER, number, "float")) for number in range(len(made))]


def read(steps: IntArray, values: FloatArray, buckets: int, window: tuple[float, float] | None) -> list[str]:
    """Return what a picture shows when all points are read."""
    reduced = reduce_curves(steps, values[np.newaxis], buckets, window)[0]
    kept = reduced.point_indices
    return pictured(StoredCurve(steps[kept], values[kept], reduced.point_count, reduced.nan_count, reduced.inf_count))


def pictured(curve: StoredCurve) -> list[str]:
    """Return a picture as text, since NaN is none of itself."""
    counts = curve.point_count, curve.nan_count, curve.inf_count
    return [str(counts), *(f"{step} {value}" for step, value in zip(curve.steps.tolist(), curve.values.tolist()))]


def test_random_curves_are_reduced_as_if_they_were_read(project: ClusterProject) -> None:
    """
    For curves with NaN, infinities, ties, gaps, negative and huge steps, whole and through windows.
    """
    chance = random.Random(17)
    made = []
    for _ in range(40):
        steps = some_steps(chance, chance.choice((1, 2, 9, 60, 400)))
        made.append((steps, some_values(chance, len(steps))))
    sequences = insert_curves(project, "reduced", made)
    for number, ((steps, values), sequence) in enumerate(zip(made, sequences)):
        buckets = chance.choice((1, 2, 7, 30))
        low, high = sorted(float(chance.choice(steps.tolist())) + chance.choice((0, 0.5, -3)) for _ in range(2))
        for window in (None, (low, high)):
            reduced = reduce_stored(sequence, buckets, window)
            assert reduced is not None
            expected = read(steps, values, buckets, window)

            assert (number, window, expected) == (number, window, pictured(reduced))


def test_the_last_value_of_a_step_counts(project: ClusterProject) -> None:
    """
    Steps that come again, in any order, are there once with the value that was recorded last.
    """
    made = (np.array([3, 1, 2, 1, 3]), np.array([0.0, 1.0, 2.0, 3.0, 4.0]))
    (sequence,) = insert_curves(project, "again", [made])
    reduced = reduce_stored(sequence, 1, None)

    assert reduced is not None
    assert [(1, 3.0), (2, 2.0), (3, 4.0)] == list(zip(reduced.steps.tolist(), reduced.values.tolist()))


def pieces_of(backend: ClusterBackend, lengths: int, view: View) -> list[Piece]:
    """Draw the same curve of all runs, which have so many points."""
    repository = BackendRepository(backend)
    catalogue = LiveCatalogue(repository.readers)
    catalogue.ask_now(lambda table: None)
    store = PointStore(repository, Watch(catalogue))
    requests = [CurveRequest(run, 0.0, KEY, point_count=lengths) for run in sorted(backend.run_hashes())]
    return draw(store, requests, view)


def test_a_picture_of_long_curves_fetches_what_it_shows(
    cluster: RunningCluster, project: ClusterProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Curves beyond the bound are not read: some hundred rows come instead of 15,000 points, and the picture is the same.
    """
    root = tmp_path / "made"
    root.mkdir()
    repository = bench_repository.build(root, bench_repository.Size(3, 12, 1, 5_000))
    ship(Store(repository.files), project)
    view = View(buckets=20)
    plain = pieces_of(ClusterBackend(project), 5_000, view)
    monkeypatch.setattr(points, "READ_POINTS_MAX", 100)
    database = CountingDatabase(cluster.settings)
    counted = ClusterBackend(ClusterProject(database, cluster.objects, project.name))
    reduced = pieces_of(counted, 5_000, view)

    assert [(piece.x.tolist(), piece.y.tolist(), piece.point_count) for piece in plain] == [
        (piece.x.tolist(), piece.y.tolist(), piece.point_count) for piece in reduced
    ]
    assert (0, 3 * 20) == (database.points, database.rows_of_arrays)
    assert curves.LINE == reduced[0].part
