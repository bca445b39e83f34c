"""
Sources for `bench imports`: what other trackers would have written, as many points as are asked for.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aim.convert.aim3.values import int_part, text_part
from aim.convert.blocks import BLOCK_BYTES, FIRST, FRAME_HEAD, LAST, MIDDLE, WHOLE
from aim.convert.crc32c import crcs
from aim.convert.exporting.event_files import varint
from aim.convert.tensorboard.frames import masked
from aim.convert.wandb.messages import MAGIC

START_S = 1.7e9
TAGS = 20  # of event files and of W&B
COLUMNS = 4  # of MLflow and of tables
FIRST_STEP = 1 << 21  # four bytes as a varint, up to 1 << 28
STEPS_AT_ONCE = 2000
RUNS = 10  # of Aim 3
RUN_ID = "a" * 32
META = (
    f"run_id: {RUN_ID}\nrun_uuid: {RUN_ID}\nexperiment_id: '1'\nlifecycle_stage: active\nstatus: 3\nstart_time: 0\n"
    "end_time: 1\nartifact_uri: /x\nrun_name: n\nuser_id: u\nsource_name: ''\nsource_type: 4\nsource_version: ''\n"
    "entry_point_name: ''\ntags: []\n"
)
TABLES = """
create table experiments(experiment_id integer primary key, name text, lifecycle_stage text);
create table runs(run_uuid text primary key, name text, status text, start_time integer, end_time integer,
    lifecycle_stage text, artifact_uri text, experiment_id integer);
create table metrics(key text, value double, timestamp integer, run_uuid text, step integer, is_nan boolean,
    primary key(key, timestamp, step, run_uuid, value, is_nan));
create table params(key text, value text, run_uuid text);
create table tags(key text, value text, run_uuid text);
create index of_run on metrics(run_uuid);
insert into experiments values(1, 'e', 'active');
insert into runs values('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'n', 'FINISHED', 0, 1, 'active', '/x', 1);
"""
AIM3_WRITER = """
import sys
from aim import Repo, Run
root, runs, points = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
Repo.from_path(root, init=True)
for _ in range(runs):
    run = Run(repo=root, system_tracking_interval=None, log_system_params=False, capture_terminal_logs=False)
    for step in range(points):
        run.track(1 / (1 + step), name="loss", step=step)
    run.close()
"""


def without_our_path() -> dict[str, str]:
    """Return the environment of a program that imports another tracker, which may have our name."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def part(number: int, content: bytes) -> bytes:
    """Return a field of bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def framed(rows: npt.NDArray[np.uint8]) -> bytes:
    """Return records of one size, one a row, with their lengths and checksums."""
    count, size = rows.shape
    lengths = np.tile(np.frombuffer(struct.pack("<Q", size), np.uint8), (count, 1))
    sums = []
    for pieces in (lengths, rows):
        starts = np.arange(count) * pieces.shape[1]
        checksums = masked(crcs(np.ascontiguousarray(pieces).ravel(), starts, starts + pieces.shape[1]))
        sums.append(checksums.astype("<u4").view(np.uint8).reshape(count, 4))
    return np.hstack([lengths, sums[0], rows, sums[1]]).tobytes()


def write_event_file(folder: Path, points: int) -> Path:
    """Write an event file of 20 tags, and return the folder of its runs."""
    path = folder / "tensorboard" / "run" / "events.out.tfevents.1700000000.box.1.0"
    path.parent.mkdir(parents=True)
    first = b"\x09" + struct.pack("<d", START_S) + part(3, b"brain.Event:2")
    summaries = [part(1, b"train/metric_%02d" % tag) + b"\x15" + bytes(4) for tag in range(TAGS)]
    records = [b"\x09" + bytes(8) + b"\x10" + varint(FIRST_STEP) + part(5, part(1, each)) for each in summaries]
    block = np.tile(np.frombuffer(b"".join(records), np.uint8).reshape(TAGS, -1), (STEPS_AT_ONCE, 1))
    with open(path, "wb") as file:
        file.write(framed(np.frombuffer(first, np.uint8).reshape(1, -1)))
        for begin in range(0, points // TAGS, STEPS_AT_ONCE):
            steps = np.repeat(np.arange(begin, begin + STEPS_AT_ONCE), TAGS)
            block[:, 1:9] = (START_S + steps).astype("<f8").view(np.uint8).reshape(-1, 8)
            for place in range(4):
                more = 0x80 if place < 3 else 0
                block[:, 10 + place] = (steps + FIRST_STEP) >> (7 * place) & 0x7F | more
            block[:, -4:] = (1 / (1 + steps)).astype("<f4").view(np.uint8).reshape(-1, 4)
            file.write(framed(block))
    return path.parents[1]


def blocks(records: Iterator[bytes]) -> Iterator[bytes]:
    """Go through the bytes of records in blocks, as W&B writes them."""
    yield MAGIC
    size = len(MAGIC)
    for record in records:
        offset, is_first = 0, True
        while True:
            room = BLOCK_BYTES - size % BLOCK_BYTES
            if room < FRAME_HEAD.size:
                yield bytes(room)
                size += room
                continue
            piece = record[offset : offset + room - FRAME_HEAD.size]
            offset += len(piece)
            is_last = offset == len(record)
            kind = WHOLE if is_first and is_last else FIRST if is_first else LAST if is_last else MIDDLE
            yield FRAME_HEAD.pack(zlib.crc32(bytes([kind]) + piece), len(piece), kind) + piece
            size += FRAME_HEAD.size + len(piece)
            if is_last:
                break
            is_first = False


def frame(record: bytes) -> bytes:
    """Return a whole record of a file of W&B, of which all fits into one block."""
    return FRAME_HEAD.pack(zlib.crc32(bytes([WHOLE]) + record), len(record), WHOLE) + record


def history(points: int) -> Iterator[bytes]:
    """Go through the records of a run of W&B with 20 metrics."""
    yield part(17, part(1, b"bench001") + part(3, b"proj"))
    keys = [part(2, b"metric_%02d" % number) for number in range(TAGS)]
    for step in range(points // TAGS):
        texts = [b"%r" % (1 / (1 + step + number)) for number in range(TAGS)]
        items = [part(1, key + part(16, text)) for key, text in zip(keys, texts)]
        items += [part(1, part(2, b"_step") + part(16, b"%d" % step))]
        items += [part(1, part(2, b"_timestamp") + part(16, b"%r" % (START_S + step)))]
        yield part(2, b"".join(items) + part(2, b"\x08" + varint(step)))
    yield part(18, b"")


def write_wandb_file(folder: Path, points: int) -> Path:
    """Write a folder of W&B with one run, and return it."""
    path = folder / "wandb" / "offline-run-20240101_000000-bench001" / "run-bench001.wandb"
    path.parent.mkdir(parents=True)
    with open(path, "wb") as file:
        file.writelines(blocks(history(points)))
    return path.parents[1]


def write_old_repository(folder: Path, points: int, python: str | None = None) -> Path:
    """Write a repository of 10 runs of Aim 3, by itself where *python* has it, and return its folder."""
    root = folder / "aim3"
    if python is not None:
        root.mkdir()
        words = [python, "-c", AIM3_WRITER, root, str(RUNS), str(points // RUNS)]
        subprocess.run(words, check=True, cwd=root, env=without_our_path())
        words = [str(Path(python).with_name("aim")), "storage", "--repo", str(root), "reindex"]  # its reader needs that
        subprocess.run(words, check=True, input="y\n", text=True, capture_output=True, env=without_our_path())
        return root
    for number in range(RUNS):
        _write_chunks(root / ".aim", f"{number:024x}", points // RUNS)
    (root / ".aim" / "VERSION").write_text("1.3")
    return root


def _write_chunks(root: Path, run_hash: str, points: int) -> None:
    from rocksdict import Options, Rdict

    for name in ("meta", "seqs"):
        (root / name / "chunks" / run_hash).mkdir(parents=True)
    meta = Rdict(str(root / "meta" / "chunks" / run_hash), Options(raw_mode=True))
    meta[b"meta\xfechunks\xfe" + text_part(run_hash) + b"end_time\xfe"] = b"\x03" + struct.pack("<d", START_S)
    meta.close()
    series = Rdict(str(root / "seqs" / "chunks" / run_hash), Options(raw_mode=True))
    stem = b"seqs\xfev2\xfechunks\xfe" + text_part(run_hash) + int_part(-4504863053055089774) + b"loss\xfe"
    for step in range(points):
        key = int_part(step * 7919 % 2**40)
        series[stem + b"val\xfe" + key] = b"\x03" + struct.pack("<d", 1 / (1 + step))
        series[stem + b"step\xfe" + key] = b"\x02" + struct.pack("<q", step)
        series[stem + b"time\xfe" + key] = b"\x03" + struct.pack("<d", START_S + step)
        series[stem + b"epoch\xfe" + key] = b"\x00"
    series.close()


def write_file_store(folder: Path, points: int) -> Path:
    """Write a file store of MLflow with four metrics, and return it."""
    run = folder / "mlruns" / "1" / RUN_ID
    for name in ("metrics", "params", "tags", "artifacts"):
        (run / name).mkdir(parents=True)
    experiment = "name: e\nexperiment_id: '1'\nlifecycle_stage: active\nartifact_location: /x\n"
    (run.parent / "meta.yaml").write_text(experiment)
    (run / "meta.yaml").write_text(META)
    chance = random.Random(1)
    for number in range(COLUMNS):
        with open(run / "metrics" / f"m{number}", "w") as file:
            for step in range(points // COLUMNS):
                file.write(f"{1_700_000_000_000 + step} {chance.random()!r} {step}\n")
    return folder / "mlruns"


def write_database(folder: Path, points: int) -> Path:
    """Write a database of MLflow with four metrics, and return its folder."""
    chance = random.Random(1)
    (folder / "database").mkdir()
    database = sqlite3.connect(folder / "database" / "mlflow.db")
    database.executescript(TABLES)
    for number in range(COLUMNS):
        rows = ((f"m{number}", chance.random(), step, RUN_ID, step, 0) for step in range(points // COLUMNS))
        database.executemany("insert into metrics values(?, ?, ?, ?, ?, ?)", rows)
    database.commit()
    database.close()
    return folder / "database"


def rows_of(points: int) -> Iterator[list[float]]:
    """Go through the rows of a table of a step and four columns."""
    chance = random.Random(1)
    for step in range(points // COLUMNS):
        yield [step, *(chance.random() for _ in range(COLUMNS))]


def write_csv(folder: Path, points: int) -> Path:
    """Write a wide table, and return its path."""
    path = folder / "table.csv"
    with open(path, "w") as file:
        file.write("step,a,b,c,d\n")
        file.writelines(",".join(map(repr, row)) + "\n" for row in rows_of(points))
    return path


def write_json_lines(folder: Path, points: int) -> Path:
    """Write a table of JSON objects, and return its path."""
    path = folder / "table.jsonl"
    with open(path, "w") as file:
        file.writelines(json.dumps(dict(zip(("step", *"abcd"), row))) + "\n" for row in rows_of(points))
    return path


def write_parquet(folder: Path, points: int) -> Path:
    """Write a table of Parquet, and return its path."""
    import pyarrow as pa
    from pyarrow import parquet

    path = folder / "table.parquet"
    columns = list(zip(*rows_of(points)))
    arrays = [pa.array(columns[0], pa.int64()), *(pa.array(column, pa.float64()) for column in columns[1:])]
    parquet.write_table(pa.table(arrays, names=["step", *"abcd"]), path, row_group_size=64_000)
    return path
