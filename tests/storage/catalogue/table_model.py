"""
A table of runs as a dict of rows, which is the oracle for the table of columns; and random rows for both.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aim.core import kinds, params
from aim.core.summaries import SUMMARY_VALUES, Summary
from aim.storage.catalogue.catalogue_row import FIELD_NAMES, CatalogueRow, CatalogueSequence, KindNumbers, PairKey
from aim.storage.catalogue.distinct_values import MISSING
from aim.storage.catalogue.run_table import RunTable
from aim.storage.reading.reader import RunReader

STORED_KINDS = ["float", "int", "list(aim.image)", "aim.text"]
PAIRS: list[tuple[PairKey, dict[str, Any], list[str]]] = [
    (("loss", "{}", kinds.METRIC), {}, ["float", "int"]),
    (("loss", '{"subset":"val"}', kinds.METRIC), {"subset": "val"}, ["float"]),
    (("acc", "{}", kinds.METRIC), {}, ["float"]),
    (("pictures", "{}", "images"), {}, ["list(aim.image)"]),
    (("loss", "{}", "texts"), {}, ["aim.text"]),
]
PATHS: list[tuple[Any, ...]] = [("lr",), ("net", "depth"), ("net", "widths"), ("net", 3), ("seed",)]
VALUES: list[Any] = [1, 1.0, True, None, "adam", [1, 2.5], {}, 2**70, float("inf"), -0.0, 0.0, "", 7, 0.125]

FLOATS = [0.1, 0.2, -0.0, 0.0, float("inf"), float("nan"), 5e-324]
INTS = [0, 1, -7, 2**53, 2**53 + 1, 2**62, -(2**63)]
VALUES_OF: dict[params.Path, list[Any]] = {("lr",): FLOATS, ("seed",): INTS}
"""Params that are all floats, and all ints: these are kept as arrays."""

Model = dict[str, CatalogueRow]
"""Rows by hash, in the order in which the runs were added."""


def no_reader(run_hash: str) -> RunReader:
    """Fail: nothing has to be read for a value that is there."""
    raise AssertionError(f"the points of {run_hash} are read")


def random_row(chance: random.Random, run_hash: str, kind_numbers: KindNumbers) -> CatalogueRow:
    """Return a run with some of all fields, params and sequences."""
    names = [name for name in FIELD_NAMES if name not in ("hash", "creation_time") and chance.random() < 0.6]
    fields: dict[str, object] = {name: chance.choice(["x", "y", 5, 2.5, ["a"], False]) for name in names}
    fields["creation_time"] = float(chance.randrange(6))
    leaves: dict[params.Path, object] = {}
    for path in PATHS:
        if chance.random() < 0.6:
            leaves[path] = chance.choice(VALUES_OF.get(path, VALUES))
    sequences: dict[PairKey, CatalogueSequence] = {}
    contexts: dict[str, Mapping[str, Any]] = {}
    for key, context, stored in PAIRS:
        if chance.random() < 0.6:
            kind = kind_numbers.number(chance.choice(stored))
            sequences[key] = CatalogueSequence(random_summary(chance, key[2] == kinds.METRIC), kind)
            contexts[key[1]] = context
    return CatalogueRow(run_hash, fields, leaves, sequences, contexts)


def random_summary(chance: random.Random, is_numeric: bool) -> Summary:
    """Return a summary in which everything is known."""
    values: dict[str, Any] = {}
    for value in SUMMARY_VALUES:
        if value.value_type is bool:
            values[value.field] = chance.random() < 0.5
        elif value.value_type is int:
            values[value.field] = chance.randrange(1, 9)
        else:
            values[value.field] = chance.choice([0.5, -3.0, 1e300]) if is_numeric else 0.0
    return Summary(**values)


def changed(chance: random.Random, row: CatalogueRow, kind_numbers: KindNumbers) -> CatalogueRow:
    """Return the row as it may be at the next look: the same, or with other fields, params or sequences."""
    other = random_row(chance, row.run_hash, kind_numbers)
    parts = chance.choice([(), ("fields",), ("params",), ("sequences", "contexts"), ("fields", "params")])
    return replace(row, **{part: getattr(other, part) for part in parts})


def check(table: RunTable, model: Model) -> None:
    """Compare all that a query may ask of the table with what the rows say."""
    rows = list(model.values())
    assert (list(model), len(model)) == (table.hashes(), table.run_count)
    assert list(range(len(model))) == [table.row_of(run_hash) for run_hash in model]
    newest = sorted(rows, key=lambda row: (-_number(row.fields["creation_time"]), row.run_hash))
    assert [row.run_hash for row in newest] == [table.hashes()[row] for row in table.newest_first()]
    for name in FIELD_NAMES:
        values = [row.run_hash if name == "hash" else row.fields.get(name, MISSING) for row in rows]
        _check_column(table.field(name), values)
    _check_params(table, rows)
    for key, context, _ in PAIRS:
        _check_pair(table, key, context, rows)
    _check_kinds(table, rows)


def _number(value: object) -> float:
    assert isinstance(value, float)
    return value


def _check_column(column: Any, values: Sequence[object]) -> None:
    codes = column.codes.tolist()
    assert list(map(repr, values)) == [repr(column.values[code] if code >= 0 else MISSING) for code in codes]
    if column.numbers is not None:
        are_numbers = [isinstance(value, (int, float)) for value in values]
        assert are_numbers == column.is_number.tolist()
        expected = [float(value) for value in values if isinstance(value, (int, float))]
        assert repr(expected) == repr(column.numbers[column.is_number].tolist())


def _check_params(table: RunTable, rows: Sequence[CatalogueRow]) -> None:
    used_paths = {path for row in rows for path in row.params}
    assert used_paths == set(table.leaf_paths(()))
    assert {path for path in used_paths if path[0] == "net"} == set(table.leaf_paths(("net",)))
    for path in PATHS:
        column = table.param(path)
        assert (path in used_paths) == (column is not None)
        if column is not None:
            _check_column(column, [row.params.get(path, MISSING) for row in rows])
    for index, row in enumerate(rows):
        slot = table.runs.slots.slot_of(index)
        values = [(path, column.value(slot)) for path, column in table.params.items()]
        assert _texts(row.params) == _texts({path: value for path, value in values if value is not MISSING})
        assert repr(_document(row)) == repr(table.document(index))


def _texts(leaves: dict[Any, object]) -> dict[Any, str]:
    return {path: repr(value) for path, value in leaves.items()}


def _document(row: CatalogueRow) -> Any:
    tree: Any = {}
    for path, value in row.params.items():
        params.set_at(tree, path, value)
    return params.ordered(
        {key: params.ordered(value) if isinstance(value, dict) else value for key, value in tree.items()}
    )


def _check_pair(table: RunTable, key: PairKey, context: dict[str, Any], rows: Sequence[CatalogueRow]) -> None:
    index = table.pair_index(key)
    having = [(number, row.sequences[key].summary) for number, row in enumerate(rows) if key in row.sequences]
    if index is None:
        assert [] == having
        return
    pair = table.pairs[index]
    assert (key, context) == ((pair.name, pair.context_text, pair.kind), pair.context)
    assert (not having) == pair.is_empty()
    assert [number for number, _ in having] == table.rows(index).tolist()
    for value in SUMMARY_VALUES:
        stored = table.summary(index, value.name)
        has_value = value.of_metrics if pair.is_numeric else value.of_objects
        assert has_value == (stored is not None)
        if stored is not None:
            assert repr([getattr(each, value.field) for _, each in having]) == repr(stored.tolist())


def _check_kinds(table: RunTable, rows: Sequence[CatalogueRow]) -> None:
    places = list(_places(table, rows))
    expected = [table.kinds.names[kind] for *_, kind in places]
    indices, numbers = ([place[part] for place in places] for part in (0, 1))
    assert expected == table.stored_kinds(np.array(indices, np.int64), np.array(numbers, np.int64))
    ordered = sorted(range(len(table.pairs)), key=lambda index: table.pairs[index].order)
    assert ordered == sorted(range(len(table.pairs)), key=lambda index: int(table.pairs.ranks()[index]))


def _places(table: RunTable, rows: Sequence[CatalogueRow]) -> Iterator[tuple[int, int, int]]:
    """Go through all sequences: pair, row, and the number of the stored kind; the last run first."""
    for number, row in reversed(list(enumerate(rows))):
        for key, sequence in row.sequences.items():
            index = table.pair_index(key)
            assert index is not None
            yield index, number, sequence.stored_kind
