"""
The runs of a catalogue's file read without numpy: what a catalogue says, or nothing.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import pytest

from aim.core.kinds import METRIC
from aim.engine.repository import Repository
from aim.storage.catalogue import snapshot
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.catalogue.catalogue_row import FIELD_NAMES
from aim.storage.catalogue.distinct_values import MISSING
from aim.storage.catalogue.stored_runs import StoredRuns, open_stored_runs
from tests.storage.catalogue_histories import History, catalogue_of


def age(repository: Repository) -> None:
    """Make all folders so old that their times count."""
    for number, folder in enumerate(sorted((repository.files / "runs").iterdir())):
        os.utime(folder, (1e9 + number, 1e9 + number))


def columns_of(catalogue: Catalogue, stored: StoredRuns) -> dict[str, Any]:
    """Return what a catalogue says of fields, params and last values, in the order of the stored runs."""
    table = catalogue.table
    rows = [table.row_of(run_hash) for run_hash in stored.hashes]
    slots = [table.runs.slots.slot_of(row) for row in rows if row is not None]
    said: dict[str, Any] = {}
    for name in FIELD_NAMES:
        column = table.field(name)
        codes = [int(column.codes[row]) for row in rows if row is not None]
        said[name] = [repr(column.values[code]) if code >= 0 else "None" for code in codes]
    for path, leaf in table.params.items():
        said[repr(path)] = [repr(leaf.value(slot)) for slot in slots]
    for pair_index, pair in enumerate(table.pairs):
        values = table.summary(pair_index, "last")
        if pair.kind == METRIC and values is not None:
            hashes = [table.hashes()[row] for row in table.rows(pair_index)]
            said[f"{pair.name} {pair.context_text}"] = {
                run_hash: repr(value) for run_hash, value in zip(hashes, values.tolist(), strict=True)
            }
    said["order"] = [table.hashes()[row] for row in table.newest_first()]
    return said


def stored_columns(stored: StoredRuns, said: dict[str, Any]) -> dict[str, Any]:
    """Return what the stored runs say of the same, where they say anything."""
    columns: dict[str, Any] = {}
    for name, value in said.items():
        if name == "order":
            columns[name] = [stored.hashes[row] for row in stored.newest_first()]
        elif name in FIELD_NAMES:
            columns[name] = list(map(repr, stored.field(name)))
        elif isinstance(value, dict):
            metric, _, context = name.partition(" ")
            columns[name] = {run: repr(last) for run, last in stored.last_values(metric, context, METRIC).items()}
    return columns


def params_of(stored: StoredRuns, catalogue: Catalogue) -> dict[str, list[str]]:
    """Return the columns of the params that the stored runs tell."""
    columns = {path: stored.param(path, MISSING) for path in catalogue.table.params}
    return {repr(path): list(map(repr, values)) for path, values in columns.items() if values is not None}


@pytest.mark.parametrize("seed", range(6))
def test_stored_runs_say_what_the_catalogue_says(seed: int, tmp_path: Path) -> None:
    """
    Whatever happened to the runs, the file and the changes in it have the same fields, params, last values and order.
    """
    history = History(tmp_path / "work", random.Random(seed))
    for _ in range(60):
        history.step()
    history.close()
    age(history.repository)
    first = catalogue_of(history.repository, tmp_path / "cache")
    first.refresh()
    first.save()
    for _ in range(25):
        history.step()
    history.close()
    age(history.repository)
    catalogue = catalogue_of(history.repository, tmp_path / "cache")
    catalogue.refresh()
    stored = open_stored_runs(history.repository.files, tmp_path / "cache")

    if stored is None:  # a run was removed since the file was written
        catalogue.save()
        stored = open_stored_runs(history.repository.files, tmp_path / "cache")
    assert stored is not None
    said, params = columns_of(catalogue, stored), params_of(stored, catalogue)
    columns = stored_columns(stored, said)
    assert {name: said[name] for name in columns} == columns
    assert {name: said[name] for name in params} == params


@pytest.fixture(name="settled")
def _settled(tmp_path: Path) -> Repository:
    """
    Two ended runs, and the file of a catalogue that has both.
    """
    repository = Repository(tmp_path / "work", create=True)
    for lr in (0.1, 0.2):
        writer = repository.new_run()
        writer.lines.set_param(("hparams", "lr"), lr)
        writer.sequence("loss", None).track(lr * 2)
        writer.close()
    age(repository)
    catalogue = catalogue_of(repository, tmp_path / "cache")
    catalogue.refresh()
    catalogue.save()
    return repository


def test_unchanged_runs_are_told(settled: Repository, tmp_path: Path) -> None:
    """
    Params and last values come from the file.
    """
    stored = open_stored_runs(settled.files, tmp_path / "cache")

    assert stored is not None
    assert [0.1, 0.2] == sorted(stored.param(("hparams", "lr"), None) or [])
    assert [0.2, 0.4] == sorted(stored.last_values("loss", "{}", METRIC).values())
    assert {} == stored.last_values("loss", '{"subset":"val"}', METRIC)
    assert stored.param(("hparams",), None) is None


def test_a_change_of_a_run_is_not_overlooked(settled: Repository, tmp_path: Path) -> None:
    """
    After an edit, with a new run, and without a run that was there, nothing is told.
    """
    edited = settled.run_hashes()[0]
    settled.edit(edited, {"set": ["hparams", "lr"], "value": 5}, by="test")
    after_edit = open_stored_runs(settled.files, tmp_path / "cache")
    catalogue_of(settled, tmp_path / "second").refresh()
    settled.new_run().close()
    after_begin = open_stored_runs(settled.files, tmp_path / "cache")
    settled.delete_run(edited)
    after_delete = open_stored_runs(settled.files, tmp_path / "cache")

    assert [None, None, None] == [after_edit, after_begin, after_delete]


def test_a_damaged_file_tells_nothing(settled: Repository, tmp_path: Path) -> None:
    """
    Without a file, and with one that is cut, nothing is told, and nothing is raised.
    """
    path = snapshot.newest(tmp_path / "cache")
    assert path is not None
    path.write_bytes(path.read_bytes()[:1000])

    assert open_stored_runs(settled.files, tmp_path / "cache") is None
    assert open_stored_runs(settled.files, tmp_path / "none") is None
