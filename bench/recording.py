"""
One part of the recording benchmark, run by either tracker in a fresh process; prints its figures as one line of JSON.

Only the standard library and the names that both trackers have: `from aim import Run, Repo`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

QUIET: dict[str, Any] = {"system_tracking_interval": None, "capture_terminal_logs": False}


def is_ours() -> bool:
    """Return whether the tracker that is measured is this one."""
    import aim

    return not str(getattr(aim.__version__, "__version__", aim.__version__)).startswith("3.")


def new_run(folder: str) -> Any:
    """Make a run without system metrics in *folder*."""
    from aim import Run

    return Run(repo=folder, **QUIET)


def per_call_ns(call: Callable[[int], None], count: int) -> float:
    """Return the nanoseconds a call, the loop included."""
    start = time.perf_counter_ns()
    for step in range(count):
        call(step)
    return (time.perf_counter_ns() - start) / count


def percentiles(call: Callable[[int], None], count: int, pause_s: float = 0.0) -> tuple[float, float]:
    """Return the 50th and 99th percentile of single calls in ns, the timer's own cost (about 60 ns) included."""
    clock = time.perf_counter_ns
    taken = []
    for step in range(count):
        start = clock()
        call(step)
        taken.append(clock() - start)
        if pause_s:
            time.sleep(pause_s)
    taken.sort()
    return float(taken[count // 2]), float(taken[count * 99 // 100])


def start(scale: float) -> dict[str, float]:
    """Import time over bare Python, time and memory to the first point."""
    program = (
        "import time; t0 = time.perf_counter()\n"
        "from aim import Run\n"
        "t1 = time.perf_counter()\n"
        f"run = Run(repo={tempfile.mkdtemp()!r}, system_tracking_interval=None, capture_terminal_logs=False)\n"
        "run.track(1.0, name='loss', step=0, context={'subset': 'train'})\n"
        "t2 = time.perf_counter()\n"
        "import resource\n"
        "print(t1 - t0, t2 - t0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)\n"
        "import os; os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    whole_s = time.perf_counter() - begin
    import_s, first_s, rss_mb = map(float, done.stdout.split()[-3:])
    return {
        "import_ms": import_s * 1e3,
        "run_to_first_point_ms": first_s * 1e3,
        "first_point_ms": whole_s * 1e3,
        "rss_mb": rss_mb,
    }


def track(scale: float) -> dict[str, float]:
    """The cost of one call in its variants, and the floor."""
    count = int((200_000 if is_ours() else 1_000) * scale)
    folder = tempfile.mkdtemp()
    run = new_run(folder)
    context = {"subset": "train"}
    run.track(0.5, name="loss")
    figures = {
        "track_name_ns": per_call_ns(lambda step: run.track(0.5, name="loss"), count),
        "track_all_ns": per_call_ns(
            lambda step: run.track(0.5, name="loss", step=step, epoch=1, context=context), count
        ),
    }
    p50, p99 = percentiles(lambda step: run.track(0.5, name="p", step=step, epoch=1, context=context), count)
    figures |= {"track_all_p50_ns": p50, "track_all_p99_ns": p99}
    if is_ours():
        handle = run.sequence("loss", {"subset": "val"})
        call = handle.track
        begin = time.perf_counter_ns()
        for _ in range(count):
            call(0.5)
        figures["track_handle_ns"] = (time.perf_counter_ns() - begin) / count
        figures["track_handle_step_ns"] = per_call_ns(lambda step: handle.track(0.5, step), count)
        figures["floor_struct_ns"] = floor(count)
    run.close()
    return figures


def floor(count: int) -> float:
    """Return the ns to store 32 bytes into a mapped file from Python, which no journal in pure Python can beat."""
    import mmap
    import struct

    with tempfile.TemporaryFile() as file:
        file.truncate(32 * count)
        mapped = mmap.mmap(file.fileno(), 32 * count)
        pack = struct.Struct("@dqdfI").pack_into
        now = time.time
        begin = time.perf_counter_ns()
        for offset in range(0, 32 * count, 32):
            pack(mapped, offset, 0.5, 1, now(), 1.0, 1)
        return (time.perf_counter_ns() - begin) / count


def busy(scale: float) -> dict[str, float]:
    """The cost of a call while another Python thread computes."""
    run = new_run(tempfile.mkdtemp())
    run.track(0.5, name="loss")
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1000))

    thread = threading.Thread(target=compute)
    thread.start()
    count = int((20_000 if is_ours() else 100) * scale)
    taken = per_call_ns(lambda step: run.track(0.5, name="loss", step=step), count)
    stop.set()
    thread.join()
    run.close()
    return {"track_busy_thread_ns": taken}


def paced(scale: float) -> dict[str, float]:
    """Single calls with pauses between them, as a training makes them."""
    run = new_run(tempfile.mkdtemp())
    run.track(0.5, name="loss")
    count = int((4_000 if is_ours() else 1_000) * scale)
    p50, p99 = percentiles(lambda step: run.track(0.5, name="loss", step=step), count, pause_s=0.0005)
    run.close()
    return {"track_paced_p50_ns": p50, "track_paced_p99_ns": p99}


def many(scale: float) -> dict[str, float]:
    """A thousand metrics in turn."""
    run = new_run(tempfile.mkdtemp())
    names = [f"metric-{place}" for place in range(1000)]
    rounds = max(1, int((100 if is_ours() else 1) * scale))
    for name in names:
        run.track(0.5, name=name)
    begin = time.perf_counter_ns()
    for step in range(rounds):
        for name in names:
            run.track(0.5, name=name, step=step)
    taken = (time.perf_counter_ns() - begin) / (rounds * len(names))
    run.close()
    return {"track_1000_metrics_ns": taken}


def read(scale: float) -> dict[str, float]:
    """Bytes a point, and one metric of 100,000 points into arrays."""
    import random

    count = int((100_000 if is_ours() else 10_000) * scale)
    folder = tempfile.mkdtemp()
    run = new_run(folder)
    loss = 2.0
    for step in range(count):
        loss += random.gauss(-1e-5, 0.01)
        run.track(_f32(loss), name="loss", step=step, epoch=step // 1000)
    run.close()
    figures = {"bytes_live": _size(folder) / count}
    if is_ours():
        from aim.engine import sealing

        sealing.seal_run(Path(folder) / ".aim" / "runs" / run.hash)
        figures["bytes_sealed"] = _size(folder) / count
    samples = []
    for _ in range(5):
        begin = time.perf_counter()
        points = _read(folder, run.hash, "loss")
        samples.append((time.perf_counter() - begin) * 1e3 * (100_000 * scale / count))
        assert count == points, points
    figures["read_100k_ms"] = median(samples[1:])
    return figures


def _f32(value: float) -> float:
    import struct

    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def _size(folder: str) -> int:
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def _read(folder: str, run_hash: str, name: str) -> int:
    # the names mean either tracker's classes
    import aim

    Repo: Any = aim.Repo
    Run: Any = aim.Run
    from aim.storage.context import Context

    if is_ours():
        steps, values = Repo(folder).get_run(run_hash).get_metric(name, Context({})).values.sparse_numpy()
        return min(len(steps), len(values))
    run = Run(run_hash, repo=folder, **QUIET)  # reading alone is blind in 3.29.1 until its server has indexed the run
    (steps, columns) = run.get_metric(name, Context({})).data.numpy()
    return min(len(steps), len(columns[0]))


def runs(scale: float) -> dict[str, float]:
    """One metric of 1,000 sealed runs, 20 metrics of 100 steps each."""
    if not is_ours():
        return {}
    import aim
    from aim.engine import sealing

    Repo: Any = aim.Repo
    folder = tempfile.mkdtemp()
    count = int(1000 * scale)
    hashes = []
    for _ in range(count):
        run = new_run(folder)
        for metric in range(20):
            handle = run.sequence(f"m{metric}")
            for step in range(100):
                handle.track(step * 0.37 % 1.0, step)
        hashes.append(run.hash)
        run.close()
    sealing.seal_all(Path(folder, ".aim", "runs", run_hash) for run_hash in hashes)
    repo = Repo(folder)
    begin = time.perf_counter()
    points = sum(len(repo.get_run(run_hash).get_metric("m3").values.values_numpy()) for run_hash in hashes)
    taken = time.perf_counter() - begin
    assert points == count * 100
    return {"read_1000_runs_ms": taken * 1e3 * (1000 / count)}


def processes(scale: float) -> dict[str, float]:
    """16 processes that each record 10,000 points into a new repository, start of Python included."""
    folder = tempfile.mkdtemp()
    count = int((10_000 if is_ours() else 100) * scale)
    program = (
        "import sys\nfrom aim import Run\n"
        f"run = Run(repo={folder!r}, system_tracking_interval=None, capture_terminal_logs=False)\n"
        f"for step in range({count}): run.track(0.5, name='loss', step=step)\n"
        "run.close()"
    )
    begin = time.perf_counter()
    children = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) for _ in range(16)]
    failed = sum(child.wait() != 0 for child in children)
    taken = time.perf_counter() - begin
    return {"processes_16_s": taken, "processes_16_points_each": count, "processes_16_failed": failed}


if __name__ == "__main__":
    found = globals()[sys.argv[1]](float(sys.argv[2]))
    print(json.dumps(found), flush=True)
    os._exit(0)  # what is measured has ended; Aim 3 may hang at exit
