"""
An import that is killed at any moment leaves whole runs only, and the same command afterwards makes all of them.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from aim.engine.repository import Repository
from aim.storage.care.check import check_run
from tests.convert.sources import DATA, import_source

IMPORT = "import sys; from tests.convert.sources import import_source; from pathlib import Path; "
IMPORT += "print('begun', flush=True); import_source(Path(sys.argv[1]), Path(sys.argv[2]))"
KILLS = int(os.environ.get("AIM_KILLS", "6"))
SOURCE = DATA / "wandb-ended"


def content(root: Path) -> dict[str, Any]:
    """Return what the runs of a repository hold: their points and params, without the time of the import."""
    repository = Repository(root)
    runs: dict[str, Any] = {}
    for run_hash in repository.run_hashes():
        run = repository.run(run_hash)
        params = run.params()
        params["imported"].pop("at")
        points = run.points_of_many()
        runs[run_hash] = (
            repr(params),
            {
                key: (each.steps.tolist(), repr(each.values.tolist()), each.times_us.tolist())
                for key, each in points.items()
            },
        )
    return runs


def test_a_killed_import_is_completed_by_the_next_one(tmp_path: Path) -> None:
    """
    Killed at random moments, every run that is there is whole; after one more import all are as after a clean one.
    """
    begun_s = time.monotonic()
    import_source(SOURCE, tmp_path / "clean")
    clean_s = time.monotonic() - begun_s
    expected = content(tmp_path / "clean")
    chance = random.Random(7)
    for number in range(KILLS):
        root = tmp_path / f"killed{number}"
        process = subprocess.Popen([sys.executable, "-c", IMPORT, str(SOURCE), str(root)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(chance.uniform(0, clean_s))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        for folder in (root / ".aim" / "runs").glob("*"):
            assert [] == check_run(folder)
        import_source(SOURCE, root)

        assert expected == content(root)
