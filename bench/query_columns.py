"""
How long queries take over columns in memory: 100,000 runs of 50 params, 5 million sequences.

    python -m bench query_columns [--runs 100000]

The table is made with a fixed seed. It holds what a catalogue would: 20 columns of floats that differ in every run
(with `numbers`), 10 of ints, 10 of texts, 5 of bools, 3 of mixed types, 2 of lists; 50 metrics of every run with their
summaries. Reading them from disk is not measured here. Each query is compiled once and asked 7 times.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aim.query.query import compile_query
from aim.query.table import BoolArray, FloatArray, IntArray, Key, NumberArray, Path
from bench import report

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
            query = compile_query(text, subject)
            select = query.select_runs if subject == "run" else query.select_sequences
            found = query.select_runs(table) if subject == "run" else query.select_sequences(table)[1]
            took = report.timed(lambda select=select: select(table), REPEATS)  # type: ignore[misc]
            compiled = report.timed(lambda text=text, subject=subject: compile_query(text, subject))  # type: ignore[misc]
            row: dict[str, object] = {"subject": subject, "query": text, "found": len(found), "goal_ms": goal_ms}
            results.append({**row, **took, "compile_ms": compiled["median_ms"]})
    return results


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print a table, store bench/results/query_columns.json."""
    parser = argparse.ArgumentParser(prog="bench query_columns", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    options = parser.parse_args(arguments)
    results = measure(BenchTable(options.runs))
    report.table(
        ("query", "found", "ms", "least", "goal", "compile"),
        [
            [
                f"{row['subject']}: {row['query'] or '(everything)'}",
                f"{row['found']:,}",
                f"{row['median_ms']:.2f}",
                f"{row['min_ms']:.2f}",
                f"{row['goal_ms']:.0f}",
                f"{row['compile_ms']:.2f}",
            ]
            for row in results
        ],
    )
    return report.store("query_columns", {"run_count": options.runs, "queries": results})


if __name__ == "__main__":
    main()
