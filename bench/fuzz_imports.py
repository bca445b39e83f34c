"""
Importers against damage: mutated copies of every source of tests/data/imports, each imported.

    nice -n 19 python -m bench fuzz_imports [--copies 10000] [--minutes 60] [--source wandb]...

Each source has a process of its own, which may take 512 MiB of data more than it has when it begins. A copy that ends
it, raises what is no error in words, leaves a run that is not whole, or needs over 10 s of processor time is counted.
After the minutes, the sources that are left get the copies that they have had.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import store

MEMORY_BYTES = 512 << 20
PROCESSOR_LIMIT_S = 10.0


def main(words: list[str]) -> None:
    """Damage all sources, and store how many copies were imported and what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench fuzz_imports")
    parser.add_argument("--copies", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=24 * 60.0)
    parser.add_argument("--source", action="append")
    parser.add_argument("--in-process", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.in_process:
        print(json.dumps(damage(options.in_process, options.copies, time.monotonic() + 60 * options.minutes)))
        return
    from tests.convert.mutations import NAMES

    names = options.source or NAMES
    until_s = time.monotonic() + 60 * options.minutes
    results = {}
    for number, name in enumerate(names):
        share = max(0.0, until_s - time.monotonic()) / 60 / (len(names) - number)
        command = ["fuzz_imports", "--in-process", name, "--copies", str(options.copies), "--minutes", str(share)]
        done = subprocess.run([sys.executable, "-m", "bench", *command], capture_output=True, text=True)
        last = done.stdout.strip().rpartition("\n")[2]
        results[name] = (
            json.loads(last) if done.returncode == 0 else {"ended": done.returncode, "says": done.stderr[-500:]}
        )
        print(name, json.dumps(results[name]), flush=True)
    store("fuzz_imports", {"copies": options.copies, "sources": results})


def damage(name: str, copies: int, until_s: float) -> dict[str, object]:
    """Import mutated copies of one source, and return what came of it."""
    from tests.convert.mutations import files_of, try_copy
    from tests.convert.sources import copied

    wrong: list[str] = []
    longest_s = 0.0
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        source = copied(name, Path(folder))
        files = files_of(source)
        try_copy(source, files, random.Random(name), Path(folder, "target"))  # all that is imported is in memory
        before_bytes = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (before_bytes + MEMORY_BYTES, resource.RLIM_INFINITY))
        for seed in range(copies):
            begun_s = time.process_time()
            damaged, errors = try_copy(source, files, random.Random(f"{name} {seed}"), Path(folder, "target"))
            taken_s = time.process_time() - begun_s
            longest_s = max(longest_s, taken_s)
            count += 1
            if errors or taken_s > PROCESSOR_LIMIT_S:
                wrong.append(f"{seed} {damaged.name}: {errors or taken_s}")
            if time.monotonic() > until_s:
                break
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return {
        "copies": count,
        "wrong": wrong[:20],
        "wrong_count": len(wrong),
        "longest_s": round(longest_s, 2),
        "peak_mib": peak_mib,
        "cores": os.cpu_count(),
    }
