"""
What importing costs: points a CPU second and the most memory, beside the reading alone by each tool's own reader.

    python -m bench imports --theirs PYTHON      a Python that has tensorboard

    tensorboard   1,000,000 scalars of 20 tags in one file       EventFileLoader goes through it
    wandb         50,000 rows of 20 values in one file            no reader beside: W&B's is a program that syncs
    aim3          10 runs of 20,000 points                        no reader beside: the old program is needed for it

An import reads, writes the sealed form, reads it back and compares; the tools' readers only read. The process that
reads chunks of Aim 3 counts, with its beginning.
"""

from __future__ import annotations

import argparse
import json
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from aim.convert.aim3.values import int_part, text_part
from aim.convert.blocks import BLOCK_BYTES, FIRST, FRAME_HEAD, LAST, MIDDLE, WHOLE
from aim.convert.crc32c import crcs
from aim.convert.tensorboard.frames import masked
from aim.convert.wandb.messages import MAGIC
from bench import report

SCALARS, TAGS = 1_000_000, 20
ROWS, VALUES = 50_000, 20
RUNS, POINTS = 10, 20_000
START_S = 1.7e9

OURS = """
import json, resource, sys, tempfile, time
from aim.convert.importing import import_
begun = time.process_time()
done = import_(sys.argv[1], repo=tempfile.mkdtemp())
own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
cpu_s = time.process_time() - begun + others.ru_utime + others.ru_stime
print(json.dumps([done.points, cpu_s, (own.ru_maxrss + others.ru_maxrss) / 1024]))
"""
THEIRS = {
    "tensorboard": """
import json, sys, time
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
begun, count = time.process_time(), 0
for event in EventFileLoader(sys.argv[1]).Load():
    count += len(event.summary.value)
print(json.dumps([count, time.process_time() - begun]))
""",
}


def varint(number: int) -> bytes:
    """Return a whole number of protobuf, 0 or more."""
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    content.append(number)
    return bytes(content)


def part(number: int, content: bytes) -> bytes:
    """Return a field of bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def frames(records: list[bytes]) -> bytes:
    """Return records with their lengths and checksums."""
    heads = [struct.pack("<Q", len(record)) for record in records]
    sums = []
    for pieces in (heads, records):
        ends = np.cumsum([len(piece) for piece in pieces])
        starts = ends - np.array([len(piece) for piece in pieces])
        sums.append(masked(crcs(np.frombuffer(b"".join(pieces), np.uint8), starts, ends)).tolist())
    rows = zip(heads, sums[0], records, sums[1])
    pack = struct.Struct("<I").pack
    return b"".join(head + pack(first) + record + pack(last) for head, first, record, last in rows)


def event_file(folder: Path) -> Path:
    """Write an event file, and return its path."""
    path = folder / "tensorboard" / "run" / "events.out.tfevents.1700000000.box.1.0"
    path.parent.mkdir(parents=True)
    with open(path, "wb") as file:
        file.write(frames([b"\x09" + struct.pack("<d", START_S) + part(3, b"brain.Event:2")]))
        for begin in range(0, SCALARS // TAGS, 1000):
            records = []
            for step in range(begin, begin + 1000):
                head = b"\x09" + struct.pack("<d", START_S + step) + b"\x10" + varint(step)
                for tag in range(TAGS):
                    value = part(1, b"train/metric_%02d" % tag) + b"\x15" + struct.pack("<f", 1 / (1 + step + tag))
                    records.append(head + part(5, part(1, value)))
            file.write(frames(records))
    return path


def blocks(records: list[bytes]) -> bytes:
    """Return records in blocks."""
    content = bytearray(MAGIC)
    for record in records:
        offset, is_first = 0, True
        while True:
            room = BLOCK_BYTES - len(content) % BLOCK_BYTES
            if room < FRAME_HEAD.size:
                content += bytes(room)
                continue
            piece = record[offset : offset + room - FRAME_HEAD.size]
            offset += len(piece)
            is_last = offset == len(record)
            kind = WHOLE if is_first and is_last else FIRST if is_first else LAST if is_last else MIDDLE
            checked = bytes([kind]) + piece
            content += FRAME_HEAD.pack(zlib.crc32(checked), len(piece), kind) + piece
            if is_last:
                break
            is_first = False
    return bytes(content)


def wandb_file(folder: Path) -> Path:
    """Write a file of W&B, and return its path."""
    path = folder / "wandb" / "offline-run-20240101_000000-bench001" / "run-bench001.wandb"
    path.parent.mkdir(parents=True)
    records = [part(17, part(1, b"bench001") + part(3, b"proj"))]
    for step in range(ROWS):
        items = {f"metric_{number:02d}": repr(1 / (1 + step + number)) for number in range(VALUES)}
        items |= {"_step": str(step), "_timestamp": repr(START_S + step)}
        row = b"".join(part(1, part(2, key.encode()) + part(16, text.encode())) for key, text in items.items())
        records.append(part(2, row + part(2, b"\x08" + varint(step))))
    records.append(part(18, b""))
    path.write_bytes(blocks(records))
    return path


def old_repository(folder: Path) -> Path:
    """Write a repository of Aim 3, and return its path."""
    from rocksdict import Options, Rdict

    root = folder / "aim3" / ".aim"
    for number in range(RUNS):
        run_hash = f"{number:024x}"
        for name in ("meta", "seqs"):
            (root / name / "chunks" / run_hash).mkdir(parents=True)
        meta = Rdict(str(root / "meta" / "chunks" / run_hash), Options(raw_mode=True))
        meta[b"meta\xfechunks\xfe" + text_part(run_hash) + b"end_time\xfe"] = b"\x03" + struct.pack("<d", START_S)
        meta.close()
        series = Rdict(str(root / "seqs" / "chunks" / run_hash), Options(raw_mode=True))
        stem = b"seqs\xfev2\xfechunks\xfe" + text_part(run_hash) + int_part(-4504863053055089774) + b"loss\xfe"
        for step in range(POINTS):
            key = int_part(step * 7919 % 2**40)
            for column, value in (
                (b"val\xfe", b"\x03" + struct.pack("<d", 1 / (1 + step))),
                (b"step\xfe", b"\x02" + struct.pack("<q", step)),
                (b"time\xfe", b"\x03" + struct.pack("<d", START_S + step)),
                (b"epoch\xfe", b"\x00"),
            ):
                series[stem + column + key] = value
        series.close()
    (root / "VERSION").write_text("1.3")
    return root


def measured(python: str, code: str, path: Path) -> list[float]:
    """Return what a program that reads *path* prints."""
    done = subprocess.run([python, "-c", code, str(path)], capture_output=True, text=True, check=True)
    figures: list[float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/imports.json."""
    parser = argparse.ArgumentParser(prog="bench imports", description=__doc__)
    parser.add_argument("--theirs", help="a Python that has tensorboard")
    options = parser.parse_args(arguments)
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("tensorboard", event_file), ("wandb", wandb_file), ("aim3", old_repository)):
            path = make(Path(folder))
            points, cpu_s, memory_mib = measured(sys.executable, OURS, Path(folder, name))
            figures[name] = {"points_a_cpu_s": round(points / cpu_s), "memory_mib": round(memory_mib)}
            if options.theirs and name in THEIRS:
                count, their_s = measured(options.theirs, THEIRS[name], path)
                figures[name]["of_their_reader"] = round(points / cpu_s / (count / their_s), 2)
    columns = ("points_a_cpu_s", "of_their_reader", "memory_mib")
    rows = [[name, *(f"{taken.get(column, '')}" for column in columns)] for name, taken in figures.items()]
    report.table(["format", "points a CPU second", "of their reader", "MiB"], rows)
    return report.store("imports", {"figures": figures})


if __name__ == "__main__":
    main()
