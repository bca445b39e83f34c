"""
Importers against damage: mutated copies of every source of tests/data/imports, each imported.

    nice -n 19 python -m bench fuzz_imports [--copies 10000] [--minutes 10] [--source wandb]... [--resume]

Each source has a process of its own, which may take 512 MiB of data more than it has when it begins. A copy that ends
it, raises what is no error in words, leaves a run that is not whole, or needs over 10 s of processor time is counted.
After the minutes, the sources that are left get the copies that they have had. 10,000 copies of each source take many
hours: `--resume` goes on after the copies that bench/results/fuzz_imports.json counts, and adds to its figures. A
source in which something went wrong begins anew, because it has been mended since.
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
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.report import RESULTS, store

MEMORY_BYTES = 512 << 20
PROCESSOR_LIMIT_S = 10.0


def main(words: list[str]) -> None:
    """Damage all sources, and store how many copies were imported and what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench fuzz_imports")
    parser.add_argument("--copies", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--source", action="append")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--in-process", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.in_process:
        seeds = range(options.first, options.copies)
        print(json.dumps(damage(options.in_process, seeds, time.monotonic() + 60 * options.minutes)))
        return
    from tests.convert.mutations import NAMES

    names = options.source or NAMES
    until_s = time.monotonic() + 60 * options.minutes
    results = earlier_figures() if options.resume else {}
    for number, name in enumerate(names):
        earlier = results.get(name, {})
        first = earlier.get("copies", 0)
        if first >= options.copies:
            continue
        share = max(0.0, until_s - time.monotonic()) / 60 / (len(names) - number)
        command = ["fuzz_imports", "--in-process", name, "--copies", str(options.copies), "--first", str(first)]
        command += ["--minutes", str(share)]
        done = subprocess.run([sys.executable, "-m", "bench", *command], capture_output=True, text=True)
        last = done.stdout.strip().rpartition("\n")[2]
        if done.returncode == 0:
            results[name] = together(earlier, json.loads(last))
        else:
            results[name] = {"ended": done.returncode, "says": done.stderr[-500:]}
        print(name, json.dumps(results[name]), flush=True)
        store("fuzz_imports", {"copies": sum(taken.get("copies", 0) for taken in results.values()), "sources": results})


def earlier_figures() -> dict[str, dict[str, Any]]:
    """Return the stored figures of the sources in which nothing went wrong."""
    path = RESULTS / "fuzz_imports.json"
    if not path.exists():
        return {}
    sources: dict[str, dict[str, Any]] = json.loads(path.read_text())["sources"]
    return {name: figures for name, figures in sources.items() if figures.get("wrong_count") == 0}


def together(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a source over two calls that damaged different copies of it."""
    if not earlier:
        return later
    return later | {
        "copies": earlier["copies"] + later["copies"],
        "longest_s": max(earlier["longest_s"], later["longest_s"]),
        "peak_mib": max(earlier["peak_mib"], later["peak_mib"]),
    }


def damage(name: str, seeds: Iterable[int], until_s: float) -> dict[str, object]:
    """Import mutated copies of one source, one for a seed, and return what came of it."""
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
        for seed in seeds:
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
