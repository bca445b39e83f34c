"""
Made-up repositories of any size, with params and curves as people have them.

    python -m bench repository FOLDER --runs 1000 --params 50 --sequences 20 --points 100

`build` writes run folders through the package's own encoders, without a recording process, some thousand a second.
`fill_catalogue` makes only the runs' (empty) folders and the catalogue's file, for sizes that a disk should not hold
for a benchmark. Everything follows from the seed.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aim.core import contexts
from aim.core.summaries import Summary
from aim.engine.repository import Repository
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.catalogue.catalogue_row import CatalogueRow, CatalogueSequence
from aim.storage.catalogue.catalogue_update import PACK_RUNS
from aim.storage.disk import layout
from aim.storage.disk.freshness import folder_time
from aim.storage.forms import events, journal
from aim.storage.forms.records import RECORD_DTYPE
from aim.storage.sealing import seal

BEGIN_S = 1_760_000_000.0  # the oldest run
RUN_EVERY_S = 60.0
STEP_S = 0.05
OPTIMIZERS = ("adam", "adamw", "sgd", "lion")
MODELS = ("vit_s", "vit_b", "vit_l", "resnet18", "resnet50", "convnext_t", "mlp", "unet")
SUBSETS = ("train", "val", "test")
NAMES = ("loss", "accuracy", "f1", "recall", "precision", "lr", "grad_norm", "perplexity", "bleu", "auc")


@dataclass(frozen=True)
class Size:
    """How much to make."""

    runs: int
    params: int = 50
    sequences: int = 20
    points: int = 100


def params_of(number: int, count: int, chance: np.random.Generator) -> dict[str, Any]:
    """Return the params of a run: a few that all ask for, of many types, then fillers up to *count* leaves."""
    hparams: dict[str, Any] = {
        "lr": float(10 ** chance.uniform(-5, -1)),
        "optimizer": OPTIMIZERS[int(chance.integers(len(OPTIMIZERS)))],
        "batch_size": int(2 ** chance.integers(4, 10)),
        "dropout": round(float(chance.integers(0, 10)) / 20, 2),
        "seed": number,
        "warmup": (100, 0.1, "10%", None, True)[int(chance.integers(5))],
        "layers": [64] * int(chance.integers(1, 5)),
        "scheduler": {"name": ("cosine", "step")[number % 2], "gamma": float(chance.integers(1, 10)) / 10},
        "amp": bool(chance.integers(2)),
    }
    model = {"name": MODELS[int(chance.integers(len(MODELS)))], "depth": int(chance.integers(2, 24))}
    if number % 7 == 0:
        hparams["note"] = f"try {number // 100}"
    tree: dict[str, Any] = {"hparams": hparams, "model": model}
    for place in range(max(0, count - 12)):
        value = (
            int(chance.integers(50)),
            float(chance.random()),
            f"choice {int(chance.integers(9))}",
            bool(chance.integers(2)),
        )
        tree.setdefault(f"group_{place // 10}", {})[f"option_{place % 10}"] = value[place % 4]
    return tree


def sequences_of(count: int) -> list[tuple[str, dict[str, str]]]:
    """Return *count* sequences by name and context."""
    found = []
    for place in range(count):
        subset = SUBSETS[place % 3]
        number, name = divmod(place // 3, len(NAMES))
        found.append((NAMES[name] + (f"_{number}" if number else ""), {"subset": subset}))
    return found


class RunMaker:
    """Writes runs that ended, as a recording process would have left them."""

    def __init__(self, size: Size, seed: int = 7) -> None:
        self.size = size
        self.chance = np.random.default_rng(seed)
        self.sequences = sequences_of(size.sequences)
        points = size.points * size.sequences
        template = np.zeros(points, RECORD_DTYPE)
        template["step"] = np.repeat(np.arange(size.points), size.sequences)
        template["sequence"] = np.tile(np.arange(1, size.sequences + 1), size.points)
        template["epoch"] = template["step"] // 10
        self.template = template
        self.decay = 1.0 / (1.0 + template["step"] / 10.0)

    def write(self, runs: Path, number: int) -> str:
        """Write the run *number*; give its hash."""
        run_hash = f"{number:08x}{int(self.chance.integers(1 << 62)):016x}"
        writer = f"{int(self.chance.integers(1 << 31)):08x}"
        folder = runs / run_hash
        folder.mkdir()
        begin_s = round(BEGIN_S + number * RUN_EVERY_S, 6)
        records = self.template.copy()
        records["time"] = begin_s + 1 + records["step"] * STEP_S
        records["value"] = self.decay * self.chance.uniform(0.5, 3.0) + self.chance.random(len(records)) * 0.1
        segments = self._write_segments(folder, run_hash, writer, records)
        lines = b"".join(events.encode(event) for event in self._events(number, run_hash, writer, begin_s, segments))
        layout.events_file(folder, writer).write_bytes(lines)
        return run_hash

    def _events(
        self, number: int, run_hash: str, writer: str, begin_s: float, segments: int
    ) -> Iterator[dict[str, Any]]:
        begin = {
            "format": 1,
            "run": run_hash,
            "writer": writer,
            "host": "node7",
            "pid": 4711,
            "boot": None,
            "process": None,
        }
        yield {"at": begin_s, "begin": {**begin, "python": "3.11.4", "command": ["train.py"]}}
        tree = params_of(number, self.size.params, self.chance)
        for place, (key, value) in enumerate(tree.items(), start=1):
            yield {"at": round(begin_s + place * 1e-6, 6), "set": [key], "value": value}
        if number % 20 == 0:
            yield {"at": round(begin_s + 0.0001, 6), "property": {"archived": True}}
        if number % 10 == 0:
            yield {"at": round(begin_s + 0.0002, 6), "tags": {"add": ["best" if number % 20 else "old"], "remove": []}}
        yield {"at": round(begin_s + 0.0003, 6), "property": {"experiment": f"study {number // 1000}"}}
        for place, (name, context) in enumerate(self.sequences, start=1):
            at_s = round(begin_s + 0.001 + place * 1e-6, 6)
            yield {"at": at_s, "sequence": place, "name": name, "context": context, "kind": "float"}
        end = {
            "state": "failed" if number % 25 == 0 else "finished",
            "error": "ValueError" if number % 25 == 0 else None,
        }
        counts = {"segments": segments, "points": len(self.template), "blobs": 0}
        upcoming = {"next": [self.size.points] * len(self.sequences)}
        yield {"at": round(begin_s + 2 + self.size.points * STEP_S, 6), "end": {**end, **counts, **upcoming}}

    def _write_segments(self, folder: Path, run_hash: str, writer: str, records: Any) -> int:
        start = segment = 0
        while start < len(records):
            size_bytes = journal.segment_size(segment)
            room = (size_bytes - journal.PAGE_BYTES) // journal.RECORD_BYTES
            content = records[start : start + room].tobytes()
            head = journal.header(size_bytes, segment, writer, run_hash).ljust(journal.PAGE_BYTES, b"\0")
            body = content.ljust(size_bytes - journal.PAGE_BYTES, b"\0")
            layout.segment_file(folder, writer, segment).write_bytes(head + body)
            start, segment = start + room, segment + 1
        return segment


def build(root: Path, size: Size, seed: int = 7) -> Repository:
    """Make a repository in *root* with runs on disk. Cost: 0.3 ms a run and 40 ns a point."""
    repository = Repository(root, create=True)
    maker = RunMaker(size, seed)
    for number in range(size.runs):
        maker.write(repository.files / "runs", number)
    return repository


def seal_all(repository: Repository) -> None:
    """Seal all runs, as `close` has it done in the background. Cost: 3 ms a run."""
    for folder in (repository.files / "runs").iterdir():
        state = repository.readers.state(folder.name)
        for writer in state.writers:
            seal.seal_writer(folder, writer, state)


def fill_catalogue(root: Path, size: Size, cache: Path, seed: int = 7) -> Repository:
    """
    Make a repository in *root* whose runs are empty folders, and a catalogue's file in *cache* that knows all about
    them.
    """
    repository = Repository(root, create=True)
    catalogue = Catalogue(repository.files, repository.readers.reader, cache=cache)
    runs = repository.files / "runs"
    for number, row in enumerate(catalogue_rows(size, catalogue.table.kinds.number("float"), seed)):
        os.mkdir(runs / row.run_hash)
        catalogue.filler.put(row)
        if (number + 1) % PACK_RUNS == 0:
            catalogue.filler.pack()
    for run_hash in catalogue.table.hashes():
        catalogue.adopt(run_hash, folder_time(runs / run_hash).stamp)
    catalogue.save()
    catalogue.close()
    return repository


def catalogue_rows(size: Size, kind: int, seed: int = 7) -> Iterator[CatalogueRow]:
    """Go through what a catalogue keeps of runs that ended; *kind* is its number of the kind `float`."""
    chance = np.random.default_rng(seed)
    keys = [(name, contexts.text(context), "metric") for name, context in sequences_of(size.sequences)]
    used: dict[str, Mapping[str, Any]] = {
        contexts.text(context): context for _, context in sequences_of(size.sequences)
    }
    for number in range(size.runs):
        run_hash = f"{number:08x}{int(chance.integers(1 << 62)):016x}"
        values = chance.random((len(keys), 2)).tolist()
        sequences = {
            key: CatalogueSequence(_summary(a, b, size.points), kind) for key, (a, b) in zip(keys, values, strict=True)
        }
        row = CatalogueRow(run_hash, _fields(number, run_hash, BEGIN_S + number * RUN_EVERY_S), {}, sequences, used)
        tree = params_of(number, size.params, chance)
        row.params = {(group, *path): leaf for group, inner in tree.items() for path, leaf in _leaves(inner)}
        yield row


def _summary(last: float, mean: float, points: int) -> Summary:
    return Summary(
        first=1.0,
        last=last,
        min=min(last, mean),
        max=1.0,
        mean=mean,
        std=mean,
        median=mean,
        point_count=points,
        first_step=0,
        last_step=points - 1,
        argmin=points - 1,
        argmax=0,
        has_nan=False,
        record_max_length=0,
    )


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            for path, leaf in _leaves(value):
                yield (key, *path), leaf
        else:
            yield (key,), value


def _fields(number: int, run_hash: str, begin_s: float) -> dict[str, object]:
    return {
        "hash": run_hash,
        "name": f"Run: {run_hash}",
        "experiment": f"study {number // 1000}",
        "tags": ["best"] if number % 10 == 0 else [],
        "archived": number % 20 == 0,
        "notes": [],
        "creation_time": begin_s,
        "update_time": begin_s + 7,
        "end_time": begin_s + 7,
        "status": "failed" if number % 25 == 0 else "finished",
    }


def main(arguments: list[str] | None = None) -> None:
    """Make a repository, as the command line says."""
    parser = argparse.ArgumentParser(prog="bench repository", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--params", type=int, default=50)
    parser.add_argument("--sequences", type=int, default=20)
    parser.add_argument("--points", type=int, default=100)
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    build(chosen.folder, Size(chosen.runs, chosen.params, chosen.sequences, chosen.points))
    print(f"{chosen.runs:,} runs in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
