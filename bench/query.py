"""
How long queries take over columns in memory: 100,000 runs of 50 params, 5 million sequences.

    python bench/query.py [runs] [results.json]

The table is made with a fixed seed. It holds what a catalogue would: 20 columns of floats that differ in every run
(with `numbers`), 10 of ints, 10 of texts, 5 of bools, 3 of mixed types, 2 of lists; 50 metrics of every run with their
summaries.
Each query is compiled once and asked 7 times; the median and the least are reported.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aim.query.query import compile_query
from aim.query.table import BoolArray, FloatArray, IntArray, Key, NumberArray, Path

REPEATS = 7
RUN_GOAL_MS = 20.0
SEQUENCE_GOAL_MS = 50.0
RUN_QUERIES = (
    "",
    "run.archived == False",
    "run.hparams.lr > 0.09 and run.hparams.model == 'vit_b'",
    "run.hparams.lr > 0.01",
    "run.hparams.optimizer == 'adam' and run.hparams.seed in [1, 2, 3]",
    "run.hparams.model.startswith('vit') and run.hparams.nested.depth > 4",
    "run.hparams.warmup > 50",
    "'best' in run.tags",
    "run.hparams.lr * run.hparams.batch_size > 1",
    "run.hparams.lr < run.hparams.dropout and run.hparams.optimizer != 'sgd'",
    "run.created_at > datetime(2024, 1, 1) and run.status == 'finished'",
    "run.duration > 3600 or run.hparams.lr > 0.09",
    "run.name == 'run 777'",
    "run.name.startswith('run 99')",
    "re.match('run 9+$', run.name)",
    "run.metrics['metric 3', {'subset': 'val'}].last < 0.01",
    "not (run.hparams.lr > 0.001 and run.hparams.model == 'vit_b')",
)
SEQUENCE_QUERIES = (
    "metric.name == 'metric 3' and metric.context.subset == 'val'",
    "run.hparams.lr > 0.09 and metric.name == 'metric 3' and metric.context.subset == 'val'",
    "run.hparams.model == 'vit_b' and metric.last < 0.01",
    "metric.name == 'metric 3' and metric.last < run.hparams.dropout",
    "metric.name == 'metric 3' or run.hparams.lr > 0.099",
    "metric.last < 0.001",
    "metric.name.startswith('metric 1') and metric.min < 0.1 and run.hparams.optimizer == 'adam'",
    "",
)


@dataclass
class BenchColumn:
    codes: IntArray
    values: Sequence[object]
    numbers: FloatArray | None = None
    is_number: BoolArray | None = None


@dataclass
class BenchPair:
    name: str
    context: Mapping[str, object]
    kind: str = "metric"


class BenchTable:
    """A made-up table of *run_count* runs."""

    def __init__(self, run_count: int) -> None:
        self.run_count = run_count
        self.chance = np.random.default_rng(7)
        names = [f"metric {number}" for number in range(25)]
        self.pairs = [BenchPair(name, {"subset": subset}) for name in names for subset in ("train", "val")]
        self.fields = self._fields()
        self.params: dict[Path, BenchColumn] = self._params()
        self.every = np.arange(run_count, dtype=np.int32)
        self.summaries = {
            (pair, name): self.chance.exponential(1.0, run_count)
            for pair in range(len(self.pairs))
            for name in ("last", "min", "max", "mean")
        }

    def _distinct(self, values: FloatArray) -> BenchColumn:
        everywhere = np.ones(self.run_count, dtype=bool)
        return BenchColumn(np.arange(self.run_count, dtype=np.int32), values.tolist(), values, everywhere)

    def _among(self, values: Sequence[object], missing: float = 0.0) -> BenchColumn:
        codes = self.chance.integers(0, len(values), self.run_count).astype(np.int32)
        codes[self.chance.random(self.run_count) < missing] = -1
        return BenchColumn(codes, values)

    def _fields(self) -> dict[str, BenchColumn]:
        begin = 1.6e9 + np.sort(self.chance.random(self.run_count)) * 1e8
        every = np.arange(self.run_count, dtype=np.int32)
        return {
            "hash": BenchColumn(every, [f"{row:024x}" for row in range(self.run_count)]),
            "name": BenchColumn(every, [f"run {row}" for row in range(self.run_count)]),
            "description": self._among([None]),
            "experiment": self._among(["default", "vision", "text"]),
            "tags": self._among([[], ["best"], ["paper", "best"], ["old"]]),
            "archived": self._among([False] * 19 + [True]),
            "notes": self._among([[]]),
            "creation_time": self._distinct(begin),
            "update_time": self._distinct(begin),
            "end_time": self._distinct(begin + self.chance.exponential(3600, self.run_count)),
            "status": self._among(["finished", "failed", "lost"]),
        }

    def _params(self) -> dict[Path, BenchColumn]:
        floats = ["lr", "dropout", *(f"float {number}" for number in range(18))]
        params: dict[Path, BenchColumn]
        params = {("hparams", name): self._distinct(self.chance.random(self.run_count) * 0.1) for name in floats}
        params[("hparams", "batch_size")] = self._among([16, 32, 64, 128, 256])
        params[("hparams", "seed")] = self._among(list(range(100)))
        params.update({("hparams", f"int {number}"): self._among(list(range(50))) for number in range(8)})
        params[("hparams", "model")] = self._among(["vit_b", "vit_l", "resnet50", "resnet18", "mlp"])
        params[("hparams", "optimizer")] = self._among(["adam", "sgd", "adamw"], missing=0.1)
        params.update(
            {("hparams", f"text {number}"): self._among([f"choice {n}" for n in range(9)]) for number in range(8)}
        )
        params.update({("hparams", f"bool {number}"): self._among([True, False]) for number in range(5)})
        params[("hparams", "nested", "depth")] = self._among(list(range(1, 9)))
        params[("hparams", "warmup")] = self._among([10, 100, "10%", None, 0.5, 51])
        params[("hparams", "mixed")] = self._among([1, "1", True])
        params[("hparams", "layers")] = self._among([[1, 2], [3], []])
        params[("hparams", "stages")] = self._among([[1], [2]])
        return params

    def field(self, name: str) -> BenchColumn:
        return self.fields[name]

    def param(self, path: Path) -> BenchColumn | None:
        return self.params.get(path)

    def leaf_paths(self, path: Path) -> Sequence[Path]:
        return sorted(leaf for leaf in self.params if len(leaf) > len(path) and leaf[: len(path)] == path)

    def document(self, row: int) -> Mapping[Key, object]:
        raise NotImplementedError("no query of this benchmark needs whole documents")

    def rows(self, pair: int) -> IntArray:
        return self.every

    def summary(self, pair: int, name: str) -> NumberArray | None:
        return self.summaries.get((pair, name))

    def points(self, pair: int, row: int, name: str) -> Sequence[float | int | None] | None:
        return None


def measure(table: BenchTable) -> list[dict[str, object]]:
    """Ask every query REPEATS times."""
    results: list[dict[str, object]] = []
    for subject, queries in (("run", RUN_QUERIES), ("metric", SEQUENCE_QUERIES)):
        goal_ms = RUN_GOAL_MS if subject == "run" else SEQUENCE_GOAL_MS
        for text in queries:
            begin = time.perf_counter()
            query = compile_query(text, subject)
            compile_ms = (time.perf_counter() - begin) * 1e3
            took_ms = []
            for _ in range(REPEATS):
                begin = time.perf_counter()
                found = len(query.select_runs(table) if subject == "run" else query.select_sequences(table)[1])
                took_ms.append((time.perf_counter() - begin) * 1e3)
            median_ms, least_ms = statistics.median(took_ms), min(took_ms)
            row = {"subject": subject, "query": text, "found": found, "compile_ms": round(compile_ms, 2)}
            row |= {"median_ms": round(median_ms, 2), "least_ms": round(least_ms, 2), "goal_ms": goal_ms}
            results.append(row)
            late = "" if median_ms <= goal_ms else "  above the goal"
            print(f"{median_ms:8.2f} ms ({least_ms:7.2f}) {found:>9,}  {subject:6} {text or '(everything)'}{late}")
    return results


def main() -> None:
    """Measure, print, and write the results if a file is named."""
    run_count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    table = BenchTable(run_count)
    results = measure(table)
    if len(sys.argv) > 2:
        machine = {"python": platform.python_version(), "numpy": np.__version__, "machine": platform.machine()}
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            json.dump({"run_count": run_count, **machine, "results": results}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
