"""
How often something was killed, or the power was cut, in this session of tests: for bench/results/crash.json.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

RESULTS_VARIABLE = "AIM_CRASH_RESULTS"
counts: Counter[str] = Counter()
_begun_s = time.monotonic()


def count(name: str) -> None:
    """Count one more."""
    counts[name] += 1


def write(*, is_green: bool) -> None:
    """Write the counts into the file that the environment names, if all tests have passed."""
    path = os.environ.get(RESULTS_VARIABLE)
    if path and is_green:
        kills = {name.removeprefix("kills "): number for name, number in counts.items() if name.startswith("kills ")}
        text = {
            "kills": sum(kills.values()),
            "kills_by_mode": kills,
            "power_images": counts["power_images"],
            "lost": 0,
            "python": sys.version.split()[0],
            "seconds": round(time.monotonic() - _begun_s),
        }
        Path(path).write_text(json.dumps(text, indent=1) + "\n", "utf-8")
