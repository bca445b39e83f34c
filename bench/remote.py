"""
What recording to a server costs the training, what goes over the wire, and how soon it is at the server.

    python -m bench remote                 a server on this machine, a proxy that counts bytes before it

    track()        p50, p99 and CPU a point at 10,000 points a second, into a folder and to a server in turn
    the wire       bytes a point, of float32-like values and of doubles
    freshness      from the return of track() until the server has the slot
    catch-up       an hour without a server, at 100 points a second: how long until all is durable; points a second

Each process is a fresh one. Printed: the median of the repeats, and ratios to the folder, which a busy machine
changes less. Results are stored in bench/results/remote.json.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench import report
from bench.server import Server, serving

RATE_S, SECONDS, REPEATS = 10_000, 10, 5
BATCH = 100  # points between two pauses
HOUR_POINTS = 360_000
GOALS = {"p50": 1.05, "cpu": 1.3, "bytes float": 6.0, "bytes double": 9.5}


class CountingProxy:
    """Hands bytes on to *port* of this machine, and counts those that go there."""

    def __init__(self, port: int) -> None:
        self.sent_bytes = 0
        self._server_port = port
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listening.accept()
            server = socket.create_connection(("127.0.0.1", self._server_port))
            for one, other, counts in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._hand_on, args=(one, other, counts), daemon=True).start()

    def _hand_on(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        try:
            while data := source.recv(1 << 16):
                if counts:
                    self.sent_bytes += len(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            target.close()


def paced(address: str, kind: str) -> dict[str, float]:
    """Track at a steady rate for some seconds; return the costs."""
    import random
    import struct

    from aim.sdk.run import BasicRun

    run = BasicRun(repo=address)
    chance = random.Random(1)
    values = [chance.random() for _ in range(RATE_S * SECONDS)]
    if kind == "float":  # as a framework of 32 bits has them
        values = [struct.unpack("f", struct.pack("f", value))[0] for value in values]
    run.track(0.5, name="warm")
    run.flush()
    clock, taken = time.perf_counter_ns, []
    begun_s, before_s = time.perf_counter(), time.process_time()
    for batch in range(RATE_S * SECONDS // BATCH):
        for step in range(batch * BATCH, (batch + 1) * BATCH):
            start = clock()
            run.track(values[step], name="loss", step=step, epoch=0)
            taken.append(clock() - start)
        time.sleep(max(0.0, begun_s + (batch + 1) * BATCH / RATE_S - time.perf_counter()))
    cpu_s = time.process_time() - before_s
    flushed_s = time.perf_counter()
    run.flush()
    taken.sort()
    count = len(taken)
    return {
        "p50_ns": taken[count // 2],
        "p99_ns": taken[count * 99 // 100],
        "cpu_us": cpu_s / count * 1e6,
        "points": count,
        "flush_s": time.perf_counter() - flushed_s,
    }


def fresh(address: str, root: str) -> dict[str, float]:
    """Track a point now and then; return how long each takes until it is in the server's file."""
    from aim.sdk.run import BasicRun
    from aim.storage.shipping.new_slots import segment_numbers
    from aim.storage.shipping.received_slots import filled_count

    run = BasicRun(repo=address)
    folder = Path(root) / ".aim" / "runs" / run.hash
    run.track(0.5, name="loss")
    run.flush()
    (writer,) = {path.name[:8] for path in folder.glob("*.events.jsonl")}
    taken = []
    for number in range(2, 42):
        time.sleep(0.21)
        begun_s = time.perf_counter()
        run.track(0.5, name="loss")
        while sum(filled_count(folder, writer, one) for one in segment_numbers(folder, writer)) < number:
            time.sleep(0.005)
        taken.append(time.perf_counter() - begun_s)
    run.close()
    return {"median_s": median(taken), "max_s": max(taken)}


def hour(address: str) -> dict[str, float]:
    """Record what an hour at 100 points a second records, offline; then ship it, and return how long that takes."""
    from aim.engine.syncing import FolderSync
    from aim.sdk.run import BasicRun
    from aim.storage.shipping.spool import Spool

    run = BasicRun(repo=address, offline=True)
    for step in range(HOUR_POINTS // 10):
        for number in range(10):
            run.track(1.0 / (1 + step + number), name="loss", step=step, context={"of": number})
    run.close()
    begun_s, before_s = time.perf_counter(), time.process_time()
    assert not FolderSync(Spool(address)).send(600).left_runs
    seconds = time.perf_counter() - begun_s
    return {"seconds": seconds, "points_s": HOUR_POINTS / seconds, "cpu_us": (time.process_time() - before_s) / 0.36}


def measured(part: str, *words: str) -> dict[str, float]:
    """Run one part in a fresh process with a spool of its own."""
    with tempfile.TemporaryDirectory() as spool:
        environment = {**os.environ, "AIM_SPOOL": spool, "AIM_SEAL_ON_CLOSE": "0"}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        command = [sys.executable, "-m", "bench.remote", "--part", part, *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return result


def main(words: list[str]) -> None:
    """Measure, print, and store."""
    parser = argparse.ArgumentParser(prog="python -m bench remote", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.part:
        part, *rest = options.part
        print(json.dumps({"paced": paced, "fresh": fresh, "hour": hour}[part](*rest)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "vision"
        root.mkdir()
        local = Path(scratch) / "local"
        subprocess.run([sys.executable, "-m", "aim.cli", "init", "--repo", str(root)], check=True, capture_output=True)
        with serving(root) as server:
            figures, samples = _measure(server, root, local, options.repeats)
    _print(figures)
    report.store("remote", {"figures": figures, "goals": GOALS, "samples": samples})


def _measure(server: Server, root: Path, local: Path, repeats: int) -> tuple[dict[str, Any], dict[str, Any]]:
    proxy = CountingProxy(server.connection.port)
    address = f"http://127.0.0.1:{proxy.port}/{server.base.rstrip('/').rpartition('/')[2]}"
    samples: dict[str, list[dict[str, float]]] = {"folder": [], "server": [], "double": []}
    for _ in range(repeats):
        samples["folder"].append(measured("paced", str(local), "float"))
        for kind, name in (("float", "server"), ("double", "double")):
            before = proxy.sent_bytes
            sample = measured("paced", address, kind)
            samples[name].append({**sample, "wire_bytes": (proxy.sent_bytes - before) / sample["points"]})
    figures: dict[str, Any] = {
        name: {key: round(median(sample[key] for sample in taken), 3) for key in taken[0]}
        for name, taken in samples.items()
    }
    figures["ratio"] = {
        key: round(median(b[key] / a[key] for a, b in zip(samples["folder"], samples["server"], strict=True)), 3)
        for key in ("p50_ns", "p99_ns", "cpu_us")
    }
    figures["freshness"] = {key: round(value, 3) for key, value in measured("fresh", address, str(root)).items()}
    figures["hour_offline"] = {key: round(value, 2) for key, value in measured("hour", address).items()}
    return figures, samples


def _print(figures: dict[str, Any]) -> None:
    keys = ("p50_ns", "p99_ns", "cpu_us", "wire_bytes")
    rows = [[name, *(figures[name].get(key, "") for key in keys)] for name in ("folder", "server", "double", "ratio")]
    report.table(["10,000 points/s", *keys], rows)
    print()
    report.table(["", "figures"], [[name, json.dumps(figures[name])] for name in ("freshness", "hour_offline")])


if __name__ == "__main__":
    main(sys.argv[1:])
