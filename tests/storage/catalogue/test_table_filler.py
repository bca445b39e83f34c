"""
Tables of columns after any history of runs that come, change and go: they say what a dict of rows says.
"""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from aim.core import kinds
from aim.core.params import Path
from aim.storage.catalogue import columns, distinct_values, pair_arrays
from aim.storage.catalogue.catalogue_row import CatalogueRow, KindNumbers
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.table_filler import TableFiller
from tests.storage.catalogue.table_model import Model, changed, check, no_reader, random_row


@pytest.fixture(name="filler")
def _filler() -> TableFiller:
    """
    An empty table, and what fills it.
    """
    return TableFiller(RunTable(no_reader))


class History:
    """A table and its oracle; `step` does the same to both."""

    def __init__(self, filler: TableFiller, chance: random.Random) -> None:
        self.filler = filler
        self.chance = chance
        self.model: Model = {}
        self.followed: set[str] = set()
        self.count = 0

    def step(self) -> None:
        """Add, change, or remove a run; seldom pack the table."""
        draw = self.chance.random()
        if draw < 0.35 or not self.model:
            self.count += 1
            run_hash = f"{self.chance.randrange(1000):03d}-{self.count}"
            self.put(random_row(self.chance, run_hash, self.filler.table.kinds))
        elif draw < 0.75:
            row = self.model[self.chance.choice(list(self.model))]
            self.put(changed(self.chance, row, self.filler.table.kinds))
        elif draw < 0.95:
            run_hash = self.chance.choice(list(self.model))
            self.filler.remove(run_hash)
            del self.model[run_hash]
            self.followed.discard(run_hash)
        else:
            self.filler.pack()
            self.followed.clear()

    def put(self, row: CatalogueRow) -> None:
        """Put a row; the answer says whether the table changed, and its version too."""
        follow = self.chance.random() < 0.5
        before, version = self.model.get(row.run_hash), self.filler.table.version
        is_same = row.run_hash in self.followed and repr(_sorted(before)) == repr(_sorted(row))
        assert (not is_same) == self.filler.put(row, follow=follow)
        assert (not is_same) == (self.filler.table.version > version)
        self.model[row.run_hash] = row
        (self.followed.add if follow else self.followed.discard)(row.run_hash)


def _sorted(row: CatalogueRow | None) -> object:
    return row and [sorted(part.items(), key=repr) for part in (row.fields, row.params, row.sequences)]


@pytest.mark.parametrize("seed", range(12))
def test_after_any_history_the_table_says_what_the_rows_say(
    filler: TableFiller, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Runs come, change and go, followed or not, packed in between: the table is checked at random moments.
    """
    chance = random.Random(seed)
    monkeypatch.setattr(pair_arrays, "PACK_MIN", chance.choice([0, 3, 64]))
    monkeypatch.setattr(distinct_values, "NUMBERS_DISTINCT_MIN", seed % 2)
    monkeypatch.setattr(columns, "LOOK_UP_MAX", chance.choice([0, 2, 32]))
    history = History(filler, chance)
    for _ in range(80):
        history.step()
        if chance.random() < 0.25:
            check(filler.table, history.model)
    check(filler.table, history.model)


@pytest.mark.parametrize("seed", range(8))
def test_a_table_that_is_read_stays_as_it_was(filler: TableFiller, seed: int) -> None:
    """
    While somebody reads a table, a copy of it is changed; afterwards both say what they should, whatever was read.
    """
    history = History(filler, random.Random(seed))
    for _ in range(6):
        for _ in range(8):
            history.step()
        table, before = filler.table, dict(history.model)
        if seed % 2:
            check(table, before)  # so that arrays are in memory, which the copy shares
        with table.reading():
            filler.begin_change()
            assert table is not filler.table
            for _ in range(5):
                history.step()
            check(filler.table, history.model)
            check(table, before)
        filler.begin_change()
        assert (table.is_read, table is filler.table) == (False, False)


def test_a_change_of_a_table_that_nobody_reads_makes_no_copy(filler: TableFiller) -> None:
    """
    Readings are counted: the copy is made while at least one goes on.
    """
    tables = [filler.table]
    filler.begin_change()
    tables.append(filler.table)
    with tables[0].reading():
        with tables[0].reading():
            assert tables[0].is_read
        assert tables[0].is_read
        filler.begin_change()
        tables.append(filler.table)

    assert [True, False] == [table is tables[0] for table in tables[1:]]
    assert [False, False] == [table.is_read for table in tables[1:]]


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ({("a",): 1}, {("a",): 1}, False),
        ({("a",): 1}, {("a",): True}, True),
        ({("a",): 1}, {("a",): 1.0}, True),
        ({("a",): float("nan")}, {("a",): float("nan")}, False),
        ({("a",): 0.0}, {("a",): -0.0}, True),
        ({("a",): 1, ("b",): 2}, {("b",): 2, ("a",): 1}, False),
        ({("a",): 1}, {}, True),
    ],
)
def test_a_followed_run_changes_when_a_value_is_written_otherwise(
    filler: TableFiller, before: dict[Path, object], after: dict[Path, object], changes: bool
) -> None:
    """
    NaN is no change, and 1, 1.0 and True are three values.
    """
    row = CatalogueRow("run", {"creation_time": 1.0}, {**before})
    assert filler.put(row, follow=True)

    assert changes is filler.put(replace(row, params={**after}), follow=True)
    assert repr(after.get(("a",))) == repr(filler.table.document(0).get("a"))


def test_columns_of_params_stand_in_the_order_of_params(filler: TableFiller) -> None:
    """
    New params of a run are added with texts first, then 0, 1, 2 ..., then the negatives, as params are listed.
    """
    keys: list[str | int] = [-2, 10, "b", 2, "B", -1, 0]
    filler.put(CatalogueRow("run", {"creation_time": 1.0}, {("a", key): 1 for key in keys}))

    assert ["B", "b", 0, 2, 10, -2, -1] == [path[1] for path in filler.table.params]


def test_removing_a_run_that_is_not_there_changes_nothing(filler: TableFiller) -> None:
    """
    Only a run that the table has makes a new version.
    """
    filler.remove("run")
    assert 0 == filler.table.version
    filler.put(CatalogueRow("run", {"creation_time": 1.0}))
    filler.remove("run")

    assert (2, 0) == (filler.table.version, filler.table.run_count)


def test_kinds_of_objects_are_asked_for_their_own_values(filler: TableFiller) -> None:
    """
    Values that a kind does not have are None, and so are points of a name that objects do not have.
    """
    row = random_row(random.Random(3), "run", KindNumbers())
    filler.put(row)
    for index, pair in enumerate(filler.table.pairs):
        assert (pair.kind == kinds.METRIC) == pair.is_numeric
        assert pair.is_numeric or filler.table.points(index, 0, "values") is None
        assert filler.table.summary(index, "no such value") is None
