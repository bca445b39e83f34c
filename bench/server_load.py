"""
How many trainings one server takes: many shippers at once, each with a run of its own.

    python -m bench server_load                          100, 1,000 and 5,000 trainings
    python -m bench server_load --clients 1000           one of these

Each shipper sends 100 points a second, when the server wishes it to (`next_in`), over a connection that it keeps. The
requests are made before by the shipper's own code, one writer for all: what is measured is the server, not the makers
of load, which share its cores: `maker_ms` is their processor time a request. In the second half of the time a reader
asks for the table of runs each second, as a page does.

Printed: requests and points a second, the time to the answer, errors, the server's processor time: for a training that
begins, of which all do in the first seconds, and a request after that, without a reader and with one; and the time of
the table. Stored in bench/results/server_load.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from aim.storage.forms import events, journal
from aim.storage.shipping import frames as wire
from aim.storage.shipping.frames import Frame
from aim.storage.store import Store
from bench import report
from bench.server import Server, serving

CLIENTS = (100, 1_000, 5_000)
SECONDS, POINTS_A_S = 60, 100
BEGIN_S = 5.0  # all begin within
BEGUN_S = 8.0  # and their files are on the disk
TABLE_S = 1.0
GOALS = {"errors": 0, "p99_ms": 250, "cpu_ms": 0.6, "table_p95_ms": 50}


class Load:
    """What came of the requests of all shippers."""

    def __init__(self) -> None:
        self.taken_ms: list[float] = []
        self.table_ms: list[float] = []
        self.points = 0
        self.errors = 0
        self.next_in_s = 0.0
        self.maker_s = 0.0
        self.parts: list[tuple[int, float]] = []  # requests and the server's seconds: at the start, when all have
        # begun, before the reader, at the end

    def cpu_ms(self, part: int) -> float:
        """Return the server's processor time a request while trainings begin (0), after that (1), with a reader (2)."""
        (count, cpu_s), (later_count, later_cpu_s) = self.parts[part : part + 2]
        return (later_cpu_s - cpu_s) / max(1, later_count - count) * 1e3


class Shipper:
    """One training: a run with one writer, whose slots are made as they are sent."""

    def __init__(self, number: int) -> None:
        self.writer = f"{number:08x}"
        self.run = f"load-{number}"
        self._shipper = f"{number:016x}"
        self._number = 0
        self._sent = 0

    def body(self, count: int) -> bytes:
        """Return a request with *count* further points."""
        frames: list[Frame] = []
        entry: dict[str, Any] = {"run": self.run, "writer": self.writer, "alive": True}
        if not self._number:
            begin = {"writer": self.writer, "host": "node7", "pid": 1, "spool": True, "format": 1, "clock": 0.0}
            lines = [{"at": time.time(), "begin": begin}]
            lines.append({"at": time.time(), "sequence": 1, "name": "loss", "context": {}, "kind": "float"})
            frames.append(Frame(wire.EVENTS, 0, 0, 0, b"".join(map(events.encode, lines))))
            entry["begin"] = True
        self._number += 1
        for segment, first, data in self._slots(count):
            frames.append(Frame(wire.SLOTS, 0, segment, first, data))
        header = {"shipper": self._shipper, "number": self._number, "pid": 1, "host": "node7", "writers": [entry]}
        return wire.encode({**header, "files": []}, frames)

    def _slots(self, count: int) -> list[tuple[int, int, bytes]]:
        parts = []
        while count:
            segment, first = 0, self._sent
            while first >= (capacity := (journal.segment_size(segment) - journal.PAGE_BYTES) // journal.RECORD_BYTES):
                first, segment = first - capacity, segment + 1
            size = min(count, capacity - first)
            moment_s = time.time()
            records = [(random.random(), self._sent + at, moment_s, 0.0, 1) for at in range(size)]
            parts.append((segment, first, b"".join(journal.RECORD.pack(*record) for record in records)))
            self._sent, count = self._sent + size, count - size
        return parts


async def _ask(stream: tuple[asyncio.StreamReader, asyncio.StreamWriter], path: str, body: bytes, kind: str) -> Any:
    reader, writer = stream
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    head_bytes = await reader.readuntil(b"\r\n\r\n")
    fields = head_bytes.decode().lower()
    size = int(fields.partition("content-length:")[2].split()[0])
    answer = await reader.readexactly(size)
    assert head_bytes.split()[1] == b"200", answer[:200]
    return answer


async def _ship(shipper: Shipper, base: str, load: Load, until_s: float) -> None:
    await asyncio.sleep(random.random() * BEGIN_S)
    parts = urlsplit(base)
    stream = None
    pause_s = 1.0
    while time.monotonic() < until_s:
        count = round(POINTS_A_S * pause_s)
        body = shipper.body(count)
        begun_s = time.perf_counter()
        try:
            if stream is None:
                stream = await asyncio.open_connection(parts.hostname, parts.port)
            answer = json.loads(await _ask(stream, parts.path + "ship", body, "application/octet-stream"))
            assert answer["writers"][0]["state"] == wire.OK, answer
            pause_s = load.next_in_s = answer["next_in"]
            load.taken_ms.append((time.perf_counter() - begun_s) * 1e3)
            load.points += count
        except (OSError, AssertionError, asyncio.IncompleteReadError) as error:
            load.errors += 1
            stream = None
            if load.errors < 4:
                print(f"{type(error).__name__}: {error}")
        await asyncio.sleep(max(0.0, pause_s - (time.perf_counter() - begun_s)))


async def _look(base: str, load: Load, until_s: float) -> None:
    parts = urlsplit(base)
    stream = await asyncio.open_connection(parts.hostname, parts.port)
    fields = [["run", "name"], ["run", "status"], ["run", "experiment"]]
    body = json.dumps({"query": "", "fields": fields, "limit": 50}).encode()
    while time.monotonic() < until_s:
        begun_s = time.perf_counter()
        await _ask(stream, parts.path + "runs", body, "application/json")
        load.table_ms.append((time.perf_counter() - begun_s) * 1e3)
        await asyncio.sleep(TABLE_S)


async def _put_load(base: str, clients: int, seconds: float, cpu_s: Callable[[], float]) -> Load:
    load = Load()
    until_s = time.monotonic() + seconds
    shippers = [_ship(Shipper(number), base, load, until_s) for number in range(clients)]
    begun_s = time.process_time()
    await asyncio.gather(_look_later(base, load, seconds / 2, until_s, cpu_s), *shippers)
    load.maker_s = time.process_time() - begun_s
    load.parts.append((len(load.taken_ms), cpu_s()))
    return load


async def _look_later(base: str, load: Load, after_s: float, until_s: float, cpu_s: Callable[[], float]) -> None:
    load.parts.append((0, cpu_s()))
    await asyncio.sleep(BEGUN_S)
    load.parts.append((len(load.taken_ms), cpu_s()))
    await asyncio.sleep(max(0.0, after_s - BEGUN_S))
    load.parts.append((len(load.taken_ms), cpu_s()))
    await _look(base, load, until_s)


def measure(server: Server, clients: int, seconds: float) -> dict[str, float]:
    """Let *clients* shippers send for some seconds; return what that costs."""
    process = psutil.Process(server.process.pid)
    load = asyncio.run(_put_load(server.base, clients, seconds, lambda: sum(process.cpu_times()[:2])))
    count = len(load.taken_ms)
    return {
        "requests_s": count / seconds,
        "points_s": load.points / seconds,
        **{f"p{share}_ms": share_of(load.taken_ms, share / 100) for share in (50, 99)},
        "max_ms": max(load.taken_ms),
        "errors": load.errors,
        "begin_ms": load.cpu_ms(0),
        "cpu_ms": load.cpu_ms(1),
        "cpu_reading_ms": load.cpu_ms(2),
        "maker_ms": load.maker_s / max(1, count) * 1e3,
        "table_p95_ms": share_of(load.table_ms, 0.95),
        "next_in_s": load.next_in_s,
        "server_mb": process.memory_info().rss / 1e6,
    }


def share_of(values: list[float], share: float) -> float:
    """Return the value below which a share of all lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main(words: list[str]) -> None:
    """Measure, print, and store."""
    parser = argparse.ArgumentParser(prog="python -m bench server_load", description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args(words)
    figures: dict[str, dict[str, float]] = {}
    for clients in options.clients:
        with tempfile.TemporaryDirectory() as scratch:
            root = Path(scratch) / "vision"
            Store(root / ".aim", create=True)
            with serving(root) as server:
                taken = measure(server, clients, options.seconds)
        figures[f"{clients}"] = {name: round(value, 2) for name, value in taken.items()}
    columns = list(next(iter(figures.values())))
    report.table(["trainings", *columns], [[name, *row.values()] for name, row in figures.items()])
    report.store("server_load", {"figures": figures, "goals": GOALS})
