"""
A training for tests: it records points, objects, params, rewinds and files to an address until it is killed, or for
some steps; sometimes in a forked child too, and in forks of its run.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from aim import Text
from aim.core.errors import AimError
from aim.sdk.run import BasicRun

PAUSE_S = 0.005  # between two steps, so that what is compared at the end can be read within seconds
TEXT_CHARS_MAX = 50_000


def step_once(run: BasicRun, chance: random.Random, step: int) -> None:
    """Record one step."""
    for _ in range(chance.randrange(60)):
        run.track(chance.random(), name="loss", context={"subset": chance.choice("ab")})
    if chance.random() < 0.2:
        text = chance.randbytes(chance.randrange(TEXT_CHARS_MAX // 2)).hex()
        run.track(Text(text), name="text", step=step, sync=chance.random() < 0.5)
    if chance.random() < 0.1:
        run["lr", str(os.getpid())] = step
    if chance.random() < 0.1:
        run.track(2**60 + step, name="large", step=step)
    if chance.random() < 0.02:
        run.rewind(chance.randrange(step + 1))
    if chance.random() < 0.02:
        run.flush()
    if chance.random() < 0.02:
        run.name = f"at {step}"
    if chance.random() < 0.02:
        _log_file(run, chance)


def _log_file(run: BasicRun, chance: random.Random) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{os.getpid()}-{chance.randrange(3)}.bin"
        path.write_bytes(chance.randbytes(chance.choice([0, 1000, 200_000])))
        run.log_artifact(path)


def main(address: str, run_hash: str, seed: int, steps: int) -> None:
    """Record *steps* steps of what follows from *seed*."""
    chance = random.Random(seed)
    run = BasicRun(run_hash, repo=address, create=True)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    forked_at, branched_at = chance.randrange(400), chance.randrange(400)
    child = 0
    for step in range(steps):
        if step == forked_at:
            child = os.fork()
            chance = chance if child else random.Random(seed + 1)
        if step == branched_at:
            try:
                run.fork(step, system_tracking_interval=None, capture_terminal_logs=False).track(0.5, name="forked")
            except AimError:  # the server is away
                pass
        step_once(run, chance, step)
        time.sleep(PAUSE_S)
    run.close()
    if child:  # so that nothing records when this process has ended
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
