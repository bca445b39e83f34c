"""
Many random curves that ClickHouse reduces, against the same curves read.

    python -m tests.cluster.reduction_fuzz 100000

It starts a ClickHouse of its own, or uses that of a `cluster.toml`, its second word.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from aim.engine.stored_reduction import reduce_stored
from aim.storage.cluster.cluster_project import ClusterProject
from aim.storage.cluster.database import Database
from aim.storage.cluster.object_store import Objects
from aim.storage.cluster.settings import read_settings
from tests.cluster.running import RunningCluster
from tests.cluster.test_reduction import insert_curves, pictured, read, some_steps, some_values


def fuzz(project: ClusterProject, count: int, seed: int) -> int:
    """
    Reduce so many random curves, whole and through a window. Return how many pictures were compared; each is the same.
    """
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        steps = some_steps(chance, chance.choice((1, 2, 2, 9, 60, 400)))
        made.append((steps, some_values(chance, len(steps))))
    sequences = insert_curves(project, f"reduced{seed}", made)
    for number, ((steps, values), sequence) in enumerate(zip(made, sequences)):
        buckets = chance.choice((1, 2, 7, 30))
        low, high = sorted(float(chance.choice(steps.tolist())) + chance.choice((0, 0.5, -3)) for _ in range(2))
        for window in (None, (low, high)):
            reduced = reduce_stored(sequence, buckets, window)
            expected = read(steps, values, buckets, window)
            assert reduced is not None
            assert (seed, number, window, expected) == (seed, number, window, pictured(reduced))
    return 2 * count


def main(total: int, toml: str | None) -> None:
    """Compare *total* curves."""
    with tempfile.TemporaryDirectory() as folder:
        cluster = None if toml else RunningCluster(Path(folder))
        settings = cluster.settings if cluster else read_settings(Path(toml or ""))
        project = ClusterProject(Database(settings), Objects(settings.objects), f"fuzz{round(time.time())}")
        try:
            for done in range(0, total, 100):
                fuzz(project, 100, done // 100)
                sys.stdout.write(f"{done + 100} curves are the same\n")
                sys.stdout.flush()
        finally:
            if cluster:
                cluster.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
