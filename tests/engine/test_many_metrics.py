"""
Runs of many metrics: what lists their sequences at once says the same as asking each pair, and reads each array once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.core.summaries import BY_NAME, PAGE_SUMMARIES
from aim.engine.live_catalogue import LiveCatalogue
from aim.engine.matching import ask, matching_sequences
from aim.engine.overview import sequences_of
from aim.engine.overview_of_run import sequences_of_run
from aim.engine.repository import Repository
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.catalogue.pair_arrays import base_and_changes
from aim.storage.catalogue.pair_blocks import SHARED_ROWS_MAX, BlockPart, PairBlock
from aim.storage.catalogue.run_table import RunTable

METRICS = 200


def record(repository: Repository, chance: random.Random, metrics: int = 30) -> str:
    """Record a run of some metrics, ints or floats, with contexts; return its hash."""
    writer = repository.new_run()
    for number in chance.sample(range(metrics), metrics // 2):
        context = {"layer": number} if number % 3 else None
        track = writer.sequence(f"metric {number % 7}", context).track
        for step in range(chance.randrange(1, 4)):
            track(step if chance.random() < 0.5 else step / 8, step=step)
    writer.close()
    return writer.run_hash


def listed_by_pairs(table: RunTable, run_hash: str) -> list[tuple[Any, ...]]:
    """Return the sequences of a run by asking each pair of the table."""
    row = table.row_of(run_hash)
    sequences = []
    for index, pair in enumerate(table.pairs):
        rows = table.rows(index)
        for position in np.flatnonzero(rows == row).tolist():
            values = {
                page_name: column[position].item()
                for page_name, name in PAGE_SUMMARIES.items()
                if not BY_NAME[name].is_looked_up and (column := table.summary(index, name)) is not None
            }
            (kind,) = table.stored_kinds(np.array([index]), np.array([row]))
            sequences.append((pair.name, pair.context_text, kind, values))
    return sorted(sequences, key=lambda sequence: sequence[:2])


def counted_by_pairs(table: RunTable, chosen: set[tuple[int, int]]) -> list[tuple[Any, ...]]:
    """Return name, context, number of runs and of points of each pair, of the sequences in *chosen* by pair and row."""
    counted = []
    for index, pair in enumerate(table.pairs):
        positions = [position for position, row in enumerate(table.rows(index).tolist()) if (index, row) in chosen]
        counts = table.summary(index, "count")
        if positions and counts is not None:
            kinds = Counter(table.stored_kinds(np.full(len(positions), index), table.rows(index)[positions]))
            kind = "number" if len(kinds) > 1 else next(iter(kinds))
            counted.append((pair.name, pair.context_text, kind, len(positions), int(counts[positions].sum())))
    return sorted(counted)


@pytest.mark.parametrize("seed", range(3))
def test_sequences_listed_at_once_are_those_of_each_pair(tmp_path: Path, seed: int) -> None:
    """
    Whether runs come from the catalogue's file, were read again, deleted or added since, or all of it.
    """
    chance, repository = random.Random(seed), Repository(tmp_path / "work", create=True)
    hashes = [record(repository, chance) for _ in range(8)]
    first = Catalogue(repository.files, repository.readers.reader, cache=tmp_path / "cache")
    first.refresh()
    first.save()
    first.close()
    catalogue = LiveCatalogue(repository.readers, cache=tmp_path / "cache")
    changes: list[Callable[[], object]] = [
        lambda: None,
        lambda: repository.delete_run(hashes.pop(2)),
        lambda: hashes.append(record(repository, chance)),
        lambda: repository.edit(hashes[0], {"tags": {"add": ["seen"], "remove": []}}, by="test"),
        lambda: repository.delete_run(hashes.pop()),
    ]
    for change in changes:
        change()
        table = catalogue.ask(lambda table: table)
        rows = np.arange(table.run_count)
        for run_hash in hashes:
            listed = sequences_of_run(table, run_hash)
            assert listed_by_pairs(table, run_hash) == [
                (sequence.name, pair_text(table, sequence), sequence.kind, sequence.values) for sequence in listed
            ]
        everything = {(index, row) for index in range(len(table.pairs)) for row in table.rows(index).tolist()}
        some = matching_sequences(table, ask("metric.last > 0.5"), "metric")
        for matching, chosen in ((None, everything), (some, set(zip(some[0].tolist(), some[1].tolist(), strict=True)))):
            overviews = sequences_of(table, rows, matching)
            assert counted_by_pairs(table, chosen) == sorted(
                (overview.name, pair_text(table, overview), overview.kind, overview.runs, overview.points)
                for overview in overviews
            )
        assert not sequences_of(table, rows[:0], None)
    catalogue.close()


def pair_text(table: RunTable, sequence: Any) -> str:
    """Return the text of the context of a sequence that is listed."""
    return next(pair.context_text for pair in table.pairs if pair.context == sequence.context)


def block_of(table: RunTable) -> PairBlock:
    """Return the block of the first pair."""
    base, _ = base_and_changes(table.pairs[0].arrays)
    assert isinstance(base, BlockPart)
    return base.block


def test_a_run_of_many_metrics_reads_each_array_once(tmp_path: Path) -> None:
    """
    The sequences of a run, and those of all runs, are read from a dozen arrays, however many metrics there are; no
    pair's own part of them is copied.
    """
    repository = Repository(tmp_path / "work", create=True)
    writer = repository.new_run("many")
    for number in range(METRICS):
        writer.sequence(f"metric {number}").track(0.5, step=0)
    writer.close()
    saved = Catalogue(repository.files, repository.readers.reader, cache=tmp_path / "cache")
    saved.refresh()
    saved.save()  # and goes on with what it wrote
    table = saved.table

    assert METRICS < SHARED_ROWS_MAX
    assert METRICS == len(sequences_of_run(table, "many"))
    assert METRICS == len(sequences_of(table, np.arange(table.run_count), None))
    assert 0 < block_of(table).read_count <= len(PAGE_SUMMARIES) + 2
    assert 0 == block_of(table).part_count
    saved.close()
