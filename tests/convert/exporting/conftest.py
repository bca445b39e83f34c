"""
A repository with everything that a run may have, made once for all exports.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from aim import Audio, Distribution, Image, Repo, Run, Table, Text

BIG = 2**53 + 1
LOSSES = {-3: 0.1, 0: math.nan, 7: -0.0, 8: math.inf, 2**40: 1e-300}


@pytest.fixture(name="repository", scope="session")
def _repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Two runs: `full`, with numbers, objects, logs and an artifact, and `bare`, archived and without any points.
    """
    folder = tmp_path_factory.mktemp("whole")
    weights = folder / "weights.bin"
    weights.write_bytes(b"weights")
    with Run(
        "full", repo=folder, experiment="digits", log_system_params=True, system_tracking_interval=None, create=True
    ) as run:
        run.name = "=1+1"
        run.description = "every kind of thing"
        run["hparams"] = {"lr": 0.1, "layers": [64, 32], "name": "ädam", "seed": BIG, "big": math.inf, 3: None}
        run.add_tag("good")
        for step, value in LOSSES.items():
            run.track(value, name="loss", step=step, epoch=0.5, context={"subset": "val"})
        for step in range(3):
            run.track(BIG + step, name="count", step=step)
        run.track(Text("a\nb"), name="words", step=1)
        run.track([Image(np.zeros((2, 3)), caption="black"), Image(np.ones((2, 3)))], name="digits", step=2)
        run.track(Audio(np.zeros(8, np.int16), rate=8000), name="sound", step=0)
        run.track(Distribution([1, 2, 2, 3]), name="weights", step=4)
        run.track(Table([{"guess": 7, "sure": math.nan}]), name="guesses", step=0)
        run.log_artifact(str(weights), name="weights.bin")
    with Run("bare", repo=folder, system_tracking_interval=None, create=True) as run:
        run["note"] = {}
        run.archived = True
    Repo(folder).close()
    return folder
