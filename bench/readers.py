"""
Many readers of one server: answers a second and processor time an answer, of one process and of several.

    python -m bench readers                  16 readers, 2,000 curves of 1,000 points; one process, then --workers 2

    equal       all ask the same: the frame of a state is drawn once and then answered from its bytes
    different   each request has other buckets, so that each is drawn

Readers are processes of their own, four of four threads, that read answers and throw them away. *cpu ms* is of all
processes of the server, which counts where the machine is busy; the floor is that of a server that sends as many bytes
from memory.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench import report
from bench import repository as made
from bench.server import CURVE_RUNS, CURVES_A_RUN, EVERY_RUN, POINTS, Server

PROCESSES, THREADS, SECONDS = 4, 4, 8.0
CHUNK_BYTES = 1 << 20

FLOOR = """
import asyncio, sys
body = bytes(int(sys.argv[1]))
head = b"HTTP/1.1 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(body)

async def answer(reader, writer):
    try:
        while await reader.readuntil(b"}"):
            writer.write(head)
            writer.write(body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def read(base: str, different: bool, seconds: float) -> int:
    """Ask from some threads until the time is over; return how many answers came."""
    import http.client

    until_s = time.perf_counter() + seconds
    counts = [0] * THREADS

    def ask(number: int) -> None:
        parts = urlsplit(base)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        while time.perf_counter() < until_s:
            buckets = 100 + (os.getpid() * 7 + counts[number] * 31 + number * 97) % 400 if different else 250
            body = json.dumps({"query": EVERY_RUN, "metrics": None, "buckets": buckets})
            connection.request("POST", parts.path + "series", body, {"Content-Type": "application/json"})
            with connection.getresponse() as answer:
                while answer.read(CHUNK_BYTES):
                    pass
                counts[number] += answer.status == 200
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _cpu_s(process: psutil.Process) -> float:
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(taken.user + taken.system for taken in times))


def load(base: str, process: psutil.Process, *, different: bool) -> dict[str, float]:
    """Let all readers ask; return answers a second, and the server's processor time for each."""
    command = [sys.executable, "-m", "bench.readers", "--read", base, "--seconds", str(SECONDS)]
    command += ["--different"] if different else []
    before_s, begun_s = _cpu_s(process), time.perf_counter()
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(PROCESSES)]
    answers = sum(int(reader.communicate()[0]) for reader in readers)
    taken_s = time.perf_counter() - begun_s
    cpu_ms = (_cpu_s(process) - before_s) * 1e3 / max(1, answers)
    return {"answers a second": round(answers / taken_s, 2), "cpu ms": round(cpu_ms, 2)}


def measure(root: Path, workers: int) -> dict[str, dict[str, float]]:
    """Measure a server of so many processes."""
    server = Server(root, options=("--workers", str(workers)))
    try:
        process = psutil.Process(server.process.pid)
        server.ask("series", {"query": EVERY_RUN, "metrics": None, "buckets": 250})
        return {kind: load(server.base, process, different=kind == "different") for kind in ("equal", "different")} | {
            "bytes": {"an answer": float(len(server.ask("series", {"query": EVERY_RUN, "metrics": None})))}
        }
    finally:
        server.stop()


def floor(size_bytes: int) -> dict[str, float]:
    """Measure a server that only sends bytes."""
    process = subprocess.Popen([sys.executable, "-c", FLOOR, str(size_bytes)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        return load(f"http://127.0.0.1:{port}/", psutil.Process(process.pid), different=False)
    finally:
        process.kill()
        process.communicate()


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/readers.json."""
    parser = argparse.ArgumentParser(prog="bench readers", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--read", metavar="ADDRESS", help="be one process of readers, and print how many answers came")
    parser.add_argument("--different", action="store_true")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args(arguments)
    if options.read is not None:
        print(read(options.read, options.different, options.seconds))
        return {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIM_CACHE_DIR"] = str(Path(folder, "cache"))
        root = Path(folder, "curves")
        made.build(root, made.Size(CURVE_RUNS, params=10, sequences=CURVES_A_RUN, points=POINTS))
        figures: dict[str, Any] = {f"workers {workers}": measure(root, workers) for workers in options.workers}
    figures["floor"] = {"equal": floor(int(next(iter(figures.values()))["bytes"]["an answer"]))}
    rows = [
        [part, kind, taken["answers a second"], taken["cpu ms"]]
        for part, kinds in figures.items()
        for kind, taken in kinds.items()
        if "cpu ms" in taken
    ]
    report.table(["", "requests", "answers a second", "cpu ms"], rows)
    return report.store("readers", {"figures": figures, "readers": PROCESSES * THREADS})


if __name__ == "__main__":
    main()
