"""
How often something was killed, or the power was cut, in this session of tests: for bench/results/crash.json.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

RESULTS_VARIABLE = "AIM_CRASH_RESULTS"
counts: Counter[str] = Counter()


def count(name: str) -> None:
    """Count one more."""
    counts[name] += 1


def write(*, is_green: bool) -> None:
    """Write the counts into the file that the environment names, if all tests have passed."""
    path = os.environ.get(RESULTS_VARIABLE)
    if path and is_green:
        text = {"kills": counts["kills"], "power_images": counts["power_images"], "lost": 0}
        Path(path).write_text(json.dumps(text, indent=1) + "\n", "utf-8")
