"""
What the bare operations cost that some of the slower answers are made of, in this Python, beside these answers.

    python -m bench floors

Processor time, the least of some calls in one process, and how many times the floor that is:

    an unsealed run, first time       floor: its folder listed, its files read, its lines' CRCs and their JSON parsed
    a sealed curve, first time        floor: its folder asked, the end of its file read and its JSON parsed
    a new metric in `track({...})`    floor: its line of JSON with a CRC, and an object with slots in a dict
    page of a run of many metrics     floor: the JSON of its lines parsed, and that of its answer written
"""

from __future__ import annotations

import gc
import json
import os
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import many_metrics, report
from bench import repository as made

RUNS, METRICS, NEW_METRICS, REPEATS = 1_000, 100_000, 1_000, 5


def least_s(call: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the processor time of the quickest call."""
    taken = []
    for _ in range(repeats):
        gc.collect()
        begun_s = time.process_time()
        call()
        taken.append(time.process_time() - begun_s)
    return min(taken)


def _read(path: str, offset: int = 0) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.pread(descriptor, os.fstat(descriptor).st_size - offset, offset)
    finally:
        os.close(descriptor)


def _lines(content: bytes) -> Any:
    lines = content.split(b"\n")[:-1]
    for line in lines:
        zlib.crc32(line)
    return json.loads(b"[" + b",".join(lines) + b"]")


def unsealed(root: Path) -> tuple[float, float]:
    """Return the seconds of reading `RUNS` unsealed runs for a catalogue, and the floor."""
    from aim.storage.catalogue.catalogue import Catalogue

    repository = made.build(root, made.Size(RUNS))
    folders = [entry.path for entry in os.scandir(repository.files / "runs")]

    def ours() -> None:
        with tempfile.TemporaryDirectory() as cache:
            catalogue = Catalogue(repository.files, repository.readers.reader, cache=Path(cache))
            catalogue.refresh()
            catalogue.close()

    def floor() -> None:
        for folder in folders:
            os.stat(folder)
            for name in os.listdir(folder):
                content = _read(f"{folder}/{name}")
                if name.endswith(".jsonl"):
                    _lines(content)

    return least_s(ours), least_s(floor)


def sealed(root: Path) -> tuple[float, float]:
    """Return the seconds of drawing two curves of `RUNS` sealed runs that nobody has read, and the floor."""
    from aim.engine.repository import Repository
    from aim.server import series
    from aim.server.bodies import Body
    from aim.server.open_repository import OpenRepository
    from aim.server.requests import SeriesRequest
    from aim.storage.sealing.file_end import METADATA_KEY

    made.seal_all(made.build(root, made.Size(RUNS, params=20, sequences=5, points=200)))
    metrics = [{"name": "loss", "context": {"subset": subset}} for subset in ("train", "val")]
    request = SeriesRequest.read(Body({"query": "", "metrics": metrics, "buckets": 250, "limit": 2 * RUNS}))
    paths = [str(path) for path in (root / ".aim" / "runs").glob("*/*.parquet")]

    def ours() -> float:
        repository = OpenRepository("floors", Repository(root), "floors")
        repository.warm()
        begun_s = time.process_time()
        series._series(repository, request)
        return time.process_time() - begun_s

    def floor() -> None:
        for path in paths:
            os.stat(os.path.dirname(path))
            content = _read(path)
            zlib.crc32(content)
            json.loads(content[content.index(b"{", content.rindex(METADATA_KEY)) : content.rindex(b"}") + 1])

    ours()  # saves the catalogue
    return min(ours() for _ in range(REPEATS)), least_s(floor)


def new_metrics(root: Path) -> tuple[float, float]:
    """Return the seconds of tracking `NEW_METRICS` new metrics by one call, and the floor."""
    from aim import Run

    names = [f"layer.{number}.weight_norm" for number in range(NEW_METRICS)]

    def ours() -> float:
        run = Run(repo=str(root), system_tracking_interval=None, capture_terminal_logs=False)
        run.track(1.0, name="first")
        gc.collect()
        begun_s = time.thread_time()
        run.track(dict.fromkeys(names, 0.5), step=0)
        taken_s = time.thread_time() - begun_s
        run.close()
        return taken_s

    class Handle:
        __slots__ = ("kinds", "name", "number", "step")

        def __init__(self, number: int, name: str) -> None:
            self.number, self.name, self.step, self.kinds = number, name, 0, {"float": number}

    to_json = json.JSONEncoder(separators=(",", ":")).encode

    def floor() -> None:
        handles, lines = {}, []
        for number, name in enumerate(names):
            handles[name] = Handle(number, name)
            event = {"at": time.time(), "sequence": number, "name": name, "context": {}, "kind": "float"}
            line = to_json(event).encode()
            lines.append(b'{"crc":"%08x"%s\n' % (zlib.crc32(line), line))
        with open(root / "lines", "wb") as file:
            file.write(b"".join(lines))

    return min(ours() for _ in range(2 * REPEATS)), least_s(floor, 2 * REPEATS)


def page(root: Path) -> tuple[float, float]:
    """Return the seconds of the first answer of the page of a run of `METRICS` metrics, and the floor."""
    from aim.engine.repository import Repository
    from aim.server import run_page
    from aim.server.open_repository import OpenRepository

    many_metrics.build(root, METRICS)
    (events,) = (root / ".aim" / "runs" / "many").glob("*.events.jsonl")
    answers = []

    def ours() -> float:
        repository = OpenRepository("floors", Repository(root), "floors")
        repository.warm()
        gc.collect()
        begun_s = time.process_time()
        answers[:] = [run_page._run(repository, "many").body]
        return time.process_time() - begun_s

    taken_s = min(ours() for _ in range(3))
    tree = json.loads(answers[0])
    return taken_s, least_s(lambda: _lines(_read(str(events))), 3) + least_s(lambda: json.dumps(tree), 3)


CASES: dict[str, tuple[Callable[[Path], tuple[float, float]], float, str]] = {
    "an unsealed run, first time": (unsealed, RUNS, "us"),
    "two sealed curves of a run, first time": (sealed, RUNS, "us"),
    "a new metric": (new_metrics, NEW_METRICS, "us"),
    f"page of {METRICS:,} metrics, first": (page, 1_000, "ms"),
}


def main(_: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/floors.json."""
    figures: dict[str, dict[str, float | str]] = {}
    for name, (measure, parts, unit) in CASES.items():
        with tempfile.TemporaryDirectory(prefix="aim-bench-") as folder:
            os.environ["AIM_CACHE_DIR"] = os.path.join(folder, "cache")
            root = Path(folder) / "work"
            root.mkdir()
            ours, floor = (seconds / parts * 1e6 for seconds in measure(root))
            figures[name] = {"ours": round(ours, 1), "floor": round(floor, 1), "unit": unit}
    rows = [[name, taken["ours"], taken["floor"], taken["unit"]] for name, taken in figures.items()]
    report.table(["", "ours", "floor", ""], rows)
    return report.store("floors", figures)


if __name__ == "__main__":
    main()
