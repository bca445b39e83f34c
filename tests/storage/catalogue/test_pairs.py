"""
Values of a pair that are unknown until somebody looks them up, while runs come, change and go.
"""

from __future__ import annotations

import random

import pytest

from aim.core import kinds
from aim.core.summaries import NAN, Summary
from aim.storage.catalogue import pair_arrays
from aim.storage.catalogue.catalogue_row import CatalogueRow, CatalogueSequence, PairKey
from aim.storage.catalogue.pairs import Pair
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.table_filler import TableFiller
from tests.storage.catalogue.table_model import no_reader, random_summary

KEY: PairKey = ("loss", "{}", kinds.METRIC)


def sequence(median: float, last: float = 0.5) -> CatalogueSequence:
    """Return a sequence whose median is known, or NaN: unknown."""
    summary = random_summary(random.Random(1), True)
    return CatalogueSequence(summary._replace(median=median, last=last, min=-1.0), 0)


def row(run_hash: str, each: CatalogueSequence | None) -> CatalogueRow:
    """Return a run with that sequence, or without one."""
    sequences = {} if each is None else {KEY: each}
    return CatalogueRow(run_hash, {"creation_time": 1.0}, {}, sequences, {"{}": {}})


@pytest.fixture(name="filler")
def _filler() -> TableFiller:
    """
    Five runs: the medians of b and e are unknown, and c has no such sequence.
    """
    filler = TableFiller(RunTable(no_reader))
    medians: dict[str, float | None] = {"a": 1.0, "b": NAN, "c": None, "d": 4.0, "e": NAN}
    for run_hash, median in medians.items():
        filler.put(row(run_hash, None if median is None else sequence(median)), follow=True)
    return filler


def pair_of(filler: TableFiller) -> Pair:
    """Return the only pair."""
    (pair,) = filler.table.pairs
    return pair


def unknown(filler: TableFiller) -> list[str]:
    """Return the runs whose median is unknown."""
    return [filler.table.hashes()[index] for index in pair_of(filler).unknown_rows("median").tolist()]


def medians(filler: TableFiller) -> dict[str, str]:
    """Return the medians by run, as texts."""
    values = pair_of(filler).summary("median")
    assert values is not None
    hashes = [filler.table.hashes()[index] for index in pair_of(filler).rows().tolist()]
    return dict(zip(hashes, map(repr, values.tolist()), strict=True))


def look_up(filler: TableFiller, run_hash: str, value: float) -> None:
    """Set the median of a run."""
    index = filler.table.row_of(run_hash)
    assert index is not None
    pair_of(filler).set_looked_up("median", index, value)


@pytest.mark.parametrize("is_read_before", [False, True])
def test_a_value_that_was_looked_up_is_known(filler: TableFiller, is_read_before: bool) -> None:
    """
    Also NaN is known once it was looked up, whether the arrays are in memory or are made later.
    """
    if is_read_before:
        medians(filler)
    assert ["b", "e"] == unknown(filler)
    look_up(filler, "e", 5.0)
    assert ["b"] == unknown(filler)
    look_up(filler, "b", NAN)

    assert [] == unknown(filler)
    assert {"a": "1.0", "b": "nan", "d": "4.0", "e": "5.0"} == medians(filler)


def test_a_run_that_changes_is_looked_up_again(filler: TableFiller) -> None:
    """
    A new summary of a run forgets what was looked up for the old one; the same summary does not.
    """
    look_up(filler, "e", 5.0)
    filler.put(row("e", sequence(NAN)), follow=True)
    assert ["b"] == unknown(filler)
    filler.put(row("e", sequence(NAN, last=0.25)), follow=True)

    assert ["b", "e"] == unknown(filler)
    assert "nan" == medians(filler)["e"]


def test_rows_that_move_keep_their_values(filler: TableFiller) -> None:
    """
    When a run leaves, the rows of the others count down, and what was looked up goes with them.
    """
    look_up(filler, "e", 5.0)
    filler.remove("a")
    assert (["b"], {"b": "nan", "d": "4.0", "e": "5.0"}) == (unknown(filler), medians(filler))
    look_up(filler, "b", 2.0)
    filler.remove("e")

    assert ([], {"b": "2.0", "d": "4.0"}) == (unknown(filler), medians(filler))


def test_a_copy_is_looked_up_by_itself(filler: TableFiller) -> None:
    """
    While a table is read, values are looked up in the copy without a change of the first.
    """
    medians(filler)
    look_up(filler, "b", 2.0)
    table = filler.table
    with table.reading():
        filler.begin_change()
        look_up(filler, "e", 5.0)
        assert [] == unknown(filler)
        before = TableFiller(table)
        assert (["e"], "nan", "2.0") == (unknown(before), medians(before)["e"], medians(before)["b"])

    assert "5.0" == medians(filler)["e"]


@pytest.mark.parametrize("pack_min", [0, 64])
def test_packing_keeps_what_was_looked_up(filler: TableFiller, monkeypatch: pytest.MonkeyPatch, pack_min: int) -> None:
    """
    Packed or left as they are, the values are those of before, and unknown ones stay unknown.
    """
    monkeypatch.setattr(pair_arrays, "PACK_MIN", pack_min)
    look_up(filler, "e", 5.0)
    before = medians(filler)
    filler.pack()

    assert (before, ["b"]) == (medians(filler), unknown(filler))
    filler.put(row("b", sequence(7.0)))
    assert {**before, "b": "7.0"} == medians(filler)


def test_what_a_file_keeps_of_a_pair(filler: TableFiller) -> None:
    """
    Few rows are kept as rows, or with looked-up values as arrays; both have every value.
    """
    rows, before = pair_of(filler).compact_rows()
    look_up(filler, "b", 2.0)
    same_rows, after = pair_of(filler).compact_rows()
    position = Summary._fields.index("median")

    assert [0, 1, 3, 4] == rows == same_rows
    assert ["1.0", "nan", "4.0", "nan"] == [repr(float(values[position])) for values, _ in before]
    assert ["1.0", "2.0", "4.0", "nan"] == [repr(float(values[position])) for values, _ in after]
    assert [0] * 8 == [stored_kind for _, stored_kind in (*before, *after)]
