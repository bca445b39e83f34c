"""
Record a repository with Aim 3.29.1's own SDK, run by the interpreter of an environment that has it.

    PYTHON bench/aim3_ui.py FOLDER RUNS METRICS STEPS
"""

from __future__ import annotations

import sys

from aim import Repo, Run  # type: ignore[attr-defined]


def record(root: str, runs: int, metrics: int, steps: int) -> None:
    """Record *runs* runs of *metrics* metrics with *steps* points each."""
    Repo(root, init=True).close()
    for number in range(runs):
        run = Run(repo=root, system_tracking_interval=None, capture_terminal_logs=False)
        run["hparams"] = {"lr": 10 ** -(1 + number % 4), "seed": number, "batch_size": 64}
        for step in range(steps):
            for place in range(metrics):
                run.track((1 + place) / (1 + step) * (1 + number % 7), name=f"metric_{place}", step=step)
        run.close()


if __name__ == "__main__":
    record(sys.argv[1], *map(int, sys.argv[2:5]))
