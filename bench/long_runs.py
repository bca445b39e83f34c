"""
What reading a long run costs: its last value, a tick while it records, a zoom; and a query through a new `Repo`.

    python -m bench long_runs                                   this version
    python -m bench long_runs --before FOLDER                   and the sources in that folder, in turn
    python -m bench long_runs --points 10000000 --runs 1000

Each figure is processor time, the median of some calls in one process, and stands beside a floor of the same minutes:

    last live, sealed    `metric.values.last()`                          floor: `array[-1]`
    last of runs         the last value of one metric in all runs        floor: a dict of as many
    new repo             `Repo(path).query_runs(...)`                    floor: the query through one `Repo`
    tick                 10 points more, and what a page gets of them    floor: numpy's extremes of 10 points;
                         of floats, and of integers
    zoom                 1,000 parts of half the curve                   floor: numpy's `reduceat` over that half
    first picture        the first of these pictures                     floor: the same
    first zoom           1,000 parts of an eighth of the curve, whose points were not read before
                                                                         floor: the same

The processes of both versions take turns. Results are stored in bench/results/long_runs.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

REPEATS = 9
PARTS = 1_000
ROUNDS = 3
FLOORS = {
    "last live": "last floor",
    "last sealed": "last floor",
    "last of runs": "dict floor",
    "new repo": "same repo",
    "tick": "tick floor",
    "tick, integers": "tick floor",
    "zoom": "zoom floor",
    "first picture": "zoom floor",
    "first zoom": "zoom floor",
}


def _ms(call: Callable[[], object], repeats: int = REPEATS) -> float:
    taken = []
    for _ in range(repeats):
        begin_s = time.process_time()
        call()
        taken.append((time.process_time() - begin_s) * 1e3)
    return median(taken)


def _last_of_runs(root: str) -> dict[str, float]:
    from aim import Repo

    repo = Repo(root)
    if hasattr(repo, "last_values"):
        return repo.last_values("loss")
    metrics = repo.query_metrics("metric.name == 'loss'")
    return {metric.run.hash: metric.values.last()[1] for metric in metrics if metric.context.to_dict() == {}}


def _record(root: Path, name: str, points: int, *, of_integers: bool = False) -> Any:
    from aim.engine.repository import Repository

    writer = Repository(root, create=True).new_run(name)
    track = writer.sequence("loss").track
    for step in range(points):
        track(step % 977 if of_integers else step % 977 / 31, step=step)
    return writer


def _sealed_metric(root: Path, points: int) -> Any:
    from aim import Repo
    from aim.engine.sealing import seal_run

    _record(root, "sealed", points).close()
    seal_run(root / ".aim" / "runs" / "sealed")
    run = Repo(root).get_run("sealed")
    assert run is not None
    return run.get_metric("loss")


def _measure_sealed(root: Path, points: int) -> dict[str, float]:
    import numpy as np

    from aim.engine.curves import CurveRequest, View, draw
    from aim.engine.points import PointStore
    from aim.engine.repository import Repository
    from aim.engine.tail import Watch

    metric = _sealed_metric(root, points)
    figures = {"last sealed, first": _ms(lambda: metric.values.last(), 1)}
    figures["last sealed"] = _ms(lambda: metric.values.last())
    repository = Repository(root)
    store = PointStore(repository, Watch(repository.questions().catalogue))
    lows = iter(range(1_000))

    def zoom(share: float = 0.5) -> None:
        low = next(lows) * points / 4_000
        view = View(window=(low, low + points * share), buckets=PARTS)
        draw(store, [CurveRequest("sealed", 0.0, ("loss", "{}"))], view)

    figures["first picture"] = _ms(zoom, 1)
    figures["first zoom"] = _ms(lambda: zoom(1 / 8), 1)
    figures["zoom"] = _ms(zoom)
    values = store.read("sealed", [("loss", "{}")])["loss", "{}"].values
    half = values[: points // 2].copy()
    starts = np.arange(PARTS) * (len(half) // PARTS)
    figures["zoom floor"] = _ms(lambda: (np.minimum.reduceat(half, starts), np.maximum.reduceat(half, starts)))
    figures["last floor"] = _ms(lambda: values[-1])
    few = values[:10].copy()
    figures["tick floor"] = _ms(lambda: (few.min(), few.max()))
    return figures


def _measure_live(root: Path, points: int) -> dict[str, float]:
    from aim import Repo

    writer = _record(root, "live", points)
    run = Repo(root).get_run("live")
    assert run is not None
    metric: Any = run.get_metric("loss")
    figures = {"last live, first": _ms(lambda: metric.values.last(), 1)}
    figures["last live"] = _ms(lambda: metric.values.last())
    figures["tick"] = _tick(root, writer, points, 0.5)
    integers = _record(root / "integers", "live", points, of_integers=True)
    figures["tick, integers"] = _tick(root / "integers", integers, points, 5)
    return figures


def _tick(root: Path, writer: Any, points: int, value: float) -> float:
    from aim.engine.curves import ClientState, CurveRequest, View, draw
    from aim.engine.points import PointStore
    from aim.engine.repository import Repository
    from aim.engine.tail import Watch

    repository = Repository(root)
    watch = Watch(repository.questions().catalogue)
    store = PointStore(repository, watch)
    track, steps = writer.sequence("loss").track, iter(range(points, points + 1_000))
    since = None

    def tick() -> None:
        nonlocal since
        for _ in range(10):
            track(value, step=next(steps))
        current = watch.number_of(watch.look()) or 0
        request = CurveRequest("live", 0.0, ("loss", "{}"))
        draw(store, [request], View(buckets=PARTS), ClientState(since, current, frozenset({"live"})))
        since = current

    tick()
    tick()
    taken_ms = _ms(tick)
    writer.close()
    return taken_ms


def _measure_many(root: Path, runs: int) -> dict[str, float]:
    from aim import Repo

    for number in range(runs):
        _record(root, f"{number:08x}", 3).close()
    repo = Repo(root)
    list(repo.query_runs("run.active == False"))
    _last_of_runs(str(root))
    figures = {"last of runs": _ms(lambda: _last_of_runs(str(root)))}
    hashes = repo.list_all_runs()
    figures["dict floor"] = _ms(lambda: dict(zip(hashes, [0.5] * len(hashes), strict=True)))
    figures["new repo"] = _ms(lambda: Repo(root).door.questions().runs("run.active == True"))
    figures["same repo"] = _ms(lambda: repo.door.questions().runs("run.active == True"))
    return figures


def measure(points: int, runs: int) -> dict[str, float]:
    """Return the milliseconds of each case, for the sources that this process has imported."""
    with tempfile.TemporaryDirectory() as folder:
        sealed, live, many = (Path(folder, name) for name in ("sealed", "live", "many"))
        return {**_measure_sealed(sealed, points), **_measure_live(live, points), **_measure_many(many, runs)}


def _in_a_process(sources: Path, points: int, runs: int) -> dict[str, float]:
    here = Path(__file__).resolve().parent.parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(sources), str(here)))}
    with tempfile.TemporaryDirectory() as cache:
        environment["XDG_CACHE_HOME"] = cache
        command = [sys.executable, "-m", "bench.long_runs", "--only", "--points", str(points), "--runs", str(runs)]
        output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    figures: dict[str, float] = json.loads(output.splitlines()[-1])
    return figures


def main(words: list[str]) -> None:
    """Measure, print a table, and store it."""
    parser = argparse.ArgumentParser(prog="python -m bench long_runs")
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--before", type=Path, help="a folder with the sources of an earlier version")
    parser.add_argument("--only", action="store_true", help="measure in this process, and print JSON")
    options = parser.parse_args(words)
    if options.only:
        print(json.dumps(measure(options.points, options.runs)))
        return
    from bench import report

    sources = {"after": Path(__file__).resolve().parent.parent / "src"}
    if options.before is not None:
        sources = {"before": options.before, **sources}
    taken: dict[str, list[dict[str, float]]] = {version: [] for version in sources}
    for _ in range(options.rounds):
        for version, folder in sources.items():
            taken[version].append(_in_a_process(folder, options.points, options.runs))
    medians = {
        version: {case: round(median(figures[case] for figures in all_figures), 4) for case in all_figures[0]}
        for version, all_figures in taken.items()
    }
    rows = [
        [
            case,
            *(medians[version][case] for version in sources),
            floor,
            round(medians["after"][case] / max(1e-4, medians["after"][floor]), 1),
        ]
        for case, floor in FLOORS.items()
    ]
    report.table(["ms", *sources, "floor", "times the floor"], rows)
    name = "long_runs" if options.points == 1_000_000 else f"long_runs_{options.points}"
    report.store(name, {"points": options.points, "runs": options.runs, **medians})


if __name__ == "__main__":
    main(sys.argv[1:])
