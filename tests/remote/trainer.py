"""
A training for tests: it records points, texts, params and rewinds to an address until it is killed, or for some steps.
"""

from __future__ import annotations

import random
import sys

from aim import Text
from aim.sdk.run import BasicRun


def main(address: str, run_hash: str, seed: int, steps: int) -> None:
    """Record *steps* steps of what follows from *seed*."""
    chance = random.Random(seed)
    run = BasicRun(run_hash, repo=address, create=True)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    for step in range(steps):
        for _ in range(chance.randrange(60)):
            run.track(chance.random(), name="loss", context={"subset": chance.choice("ab")})
        if chance.random() < 0.2:
            run.track(Text(f"no. {step} of {seed}"), name="text", step=step, sync=True)
        if chance.random() < 0.1:
            run["lr", str(seed)] = step
        if chance.random() < 0.02:
            run.rewind(chance.randrange(step + 1))
        if chance.random() < 0.05:
            run.flush()
    run.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
