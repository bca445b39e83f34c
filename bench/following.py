"""
How late a point is that another program writes for TensorBoard or W&B, when `aim import --follow` follows it.

    python -m bench following

A writer appends a record each third of a second, as it would flush it; a reader in another process looks at the
repository and notes when the point is there. The median and the worst of the delays count, in seconds. The goal is 2 s.
"""

from __future__ import annotations

import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from aim.sdk.repo import Repo
from bench import import_sources, report
from bench.import_sources import part, varint

POINTS = 40
PAUSE_S = 1 / 3
LOOK_S = 0.02
WAIT_S_MAX = 120.0


def event(content: bytes) -> bytes:
    """Return a record of an event file."""
    return import_sources.framed(np.frombuffer(content, np.uint8).reshape(1, -1))


def begin_events(file: BinaryIO) -> None:
    """Write the beginning of an event file."""
    file.write(event(b"\x09" + struct.pack("<d", time.time()) + part(3, b"brain.Event:2")))


def add_event(file: BinaryIO, step: int) -> None:
    """Write a scalar."""
    value = part(1, b"loss") + b"\x15" + struct.pack("<f", 0.5)
    file.write(event(b"\x09" + struct.pack("<d", time.time()) + b"\x10" + varint(step) + part(5, part(1, value))))


def begin_history(file: BinaryIO) -> None:
    """Write the beginning of a file of W&B."""
    run = part(17, part(1, b"bench001") + part(3, b"proj"))
    file.writelines(import_sources.blocks(iter([run])))


def add_history(file: BinaryIO, step: int) -> None:
    """Write a row of the history."""
    items = {b"loss": b"0.5", b"_step": b"%d" % step, b"_timestamp": b"%r" % time.time()}
    row = b"".join(part(1, part(2, key) + part(16, text)) for key, text in items.items())
    file.write(import_sources.frame(part(2, row + part(2, b"\x08" + varint(step)))))


SOURCES: dict[str, tuple[str, Callable[[BinaryIO], None], Callable[[BinaryIO, int], None]]] = {
    "tensorboard": ("run/events.out.tfevents.1700000000.box.1.0", begin_events, add_event),
    "wandb": ("offline-run-20240101_000000-bench001/run-bench001.wandb", begin_history, add_history),
}


def last_step(root: Path) -> int:
    """Return the last step of the followed run; -1: there is none yet."""
    if not (root / ".aim").exists():
        return -1
    for run in Repo(str(root)).iter_runs():
        metric = run.get_metric("loss", {})
        if metric is not None and len(metric.indices):
            return int(metric.indices[-1])
    return -1


def delays(folder: Path, name: str) -> list[float]:
    """Return how late each point was, in seconds."""
    file_name, begin, add = SOURCES[name]
    path = folder / "source" / file_name
    path.parent.mkdir(parents=True)
    root = folder / "repository"
    taken: list[float] = []
    with open(path, "wb", buffering=0) as file:
        begin(file)
        add(file, 0)
        words = [
            sys.executable,
            "-m",
            "aim.cli",
            "import",
            str(folder / "source"),
            "--repo",
            str(root),
            "--follow",
            "-q",
        ]
        follower = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        try:
            wait_for(root, 0)
            for step in range(1, POINTS + 1):
                time.sleep(PAUSE_S)
                add(file, step)
                written_s = time.monotonic()
                wait_for(root, step)
                taken.append(time.monotonic() - written_s)
        finally:
            follower.send_signal(signal.SIGINT)
            follower.wait()
    return taken


def wait_for(root: Path, step: int) -> None:
    """Wait until a step is there."""
    end_s = time.monotonic() + WAIT_S_MAX
    while last_step(root) < step:
        assert time.monotonic() < end_s, f"step {step} is not there"
        time.sleep(LOOK_S)


def main(_: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/following.json."""
    figures: dict[str, dict[str, float]] = {}
    for name in SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            taken = delays(Path(folder), name)
        figures[name] = {"median_s": round(statistics.median(taken), 2), "worst_s": round(max(taken), 2)}
    rows = [[name, *(str(value) for value in each.values())] for name, each in figures.items()]
    report.table(["source", "median, s", "worst, s"], rows)
    return report.store("following", {"figures": figures, "points": POINTS})


if __name__ == "__main__":
    main()
