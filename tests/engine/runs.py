"""
Small repositories for tests of the engine: runs from a table of facts, and the catalogue's table of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.repository import Repository
from aim.storage.catalogue.run_table import RunTable

if TYPE_CHECKING:
    from aim.engine.matching import IntArray


@dataclass
class RecordedRun:
    """
    What one run records.

    Attributes:
        metrics: values by name and text of the context, such as `"loss"` or `'loss {"subset":"val"}'`.
        is_open: the run is still being recorded.
    """

    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Sequence[float]] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    is_open: bool = False


class RecordedRuns:
    """
    Runs that were recorded into a folder, oldest first, and their table.

    Attributes:
        hashes: of the runs, in the order in which they were recorded.
    """

    def __init__(self, folder: Path, runs: Iterable[RecordedRun]) -> None:
        self.repository = Repository(folder / "work", create=True)
        self.hashes: list[str] = []
        self._writers = []
        for run in runs:
            writer = self.repository.new_run()
            for name, value in run.params.items():
                writer.lines.set_param((name,), value)
            if run.properties:
                writer.lines.set_property(**run.properties)
            for label, values in run.metrics.items():
                name, _, text = label.partition(" ")
                context = json.loads(text) if text else None
                for step, value in enumerate(values):
                    writer.sequence(name, context).track(value, step=step)
            self.hashes.append(writer.run_hash)
            if run.is_open:
                self._writers.append(writer)
            else:
                writer.close()
        self.catalogue = LiveCatalogue(self.repository.readers, cache=folder / "cache")
        self.table: RunTable = self.catalogue.ask(lambda table: table)

    @property
    def rows(self) -> IntArray:
        """The rows of all runs, in the order of recording."""
        return np.array([self.table.row_of(run_hash) for run_hash in self.hashes], np.int64)

    def numbers(self, rows: Iterable[int]) -> list[int]:
        """Return the numbers of the runs in *rows*, in their order."""
        hashes = self.table.hashes()
        return [self.hashes.index(hashes[row]) for row in rows]

    def close(self) -> None:
        """End the runs that are still open."""
        for writer in self._writers:
            writer.close()
