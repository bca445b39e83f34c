"""
The file of a catalogue: what is saved, added and loaded again says what the rows say.
"""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from aim.storage.catalogue import columns, distinct_values, pair_blocks, snapshot
from aim.storage.catalogue.catalogue_file import CatalogueFile
from aim.storage.catalogue.catalogue_row import KindNumbers
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.snapshot import DamagedSnapshot
from aim.storage.catalogue.table_filler import TableFiller
from tests.storage.catalogue.table_model import Model, changed, check, no_reader, random_row


def stamp(run_hash: str) -> int:
    """Return the stamp of a run: its length and last letter."""
    return 1000 * len(run_hash) + ord(run_hash[-1])


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> CatalogueFile:
    return CatalogueFile(tmp_path / ".aim", tmp_path / "cache", no_reader)


@pytest.fixture(name="rows")
def _rows() -> Model:
    """
    Some runs, of which one is removed from the table before it is saved.
    """
    chance, kind_numbers = random.Random(7), KindNumbers(["float", "int", "list(aim.image)", "aim.text"])
    return {name: random_row(chance, name, kind_numbers) for name in ("run-a", "gone", "run-b", "run-c", "run-d")}


@pytest.fixture(name="filler")
def _filler(rows: Model) -> TableFiller:
    """
    A table of those runs.
    """
    filler = TableFiller(RunTable(no_reader, kinds=KindNumbers(["float", "int", "list(aim.image)", "aim.text"])))
    for row in rows.values():
        filler.put(row)
    filler.remove("gone")
    del rows["gone"]
    return filler


def again(file: CatalogueFile, tmp_path: Path) -> tuple[TableFiller, dict[str, int]]:
    """Load the file as another process does; close the first one."""
    file.close()
    loaded = CatalogueFile(tmp_path / ".aim", tmp_path / "cache", no_reader).load(KindNumbers())
    assert loaded is not None
    return loaded.filler, loaded.stamps


def files(tmp_path: Path) -> list[str]:
    """Return the names of the files of the cache."""
    return sorted(path.name for path in (tmp_path / "cache").iterdir())


@pytest.mark.parametrize("shared_rows_max", [0, 2, 1024])
def test_what_was_saved_is_loaded(
    file: CatalogueFile, filler: TableFiller, rows: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    shared_rows_max: int,
) -> None:  # fmt: skip
    """
    Tables and stamps are the same, in this process at once and in the next one.
    """
    monkeypatch.setattr(pair_blocks, "SHARED_ROWS_MAX", shared_rows_max)
    assert (None, False) == (file.load(KindNumbers()), file.is_open)
    saved = file.save(filler.table, stamp)

    assert saved is not None
    assert (True, 0) == (file.is_open, file.unsaved_count)
    check(saved.filler.table, rows)
    loaded, stamps = again(file, tmp_path)
    check(loaded.table, rows)
    assert {run_hash: stamp(run_hash) for run_hash in rows} == stamps == saved.stamps


def test_an_empty_table_is_loaded_as_one(file: CatalogueFile, tmp_path: Path) -> None:
    """
    A repository without runs has a file too.
    """
    assert file.save(RunTable(no_reader), stamp) is not None
    filler, stamps = again(file, tmp_path)

    assert ({}, []) == (stamps, filler.table.hashes())


def test_changes_are_added_to_the_file(file: CatalogueFile, filler: TableFiller, rows: Model, tmp_path: Path) -> None:
    """
    Runs that were read again lie beside the arrays, with their stamps: each counts as it was noted last.
    """
    saved = file.save(filler.table, stamp)
    assert saved is not None
    chance, table = random.Random(1), saved.filler.table
    for number in (1, 2):
        for run_hash in ("run-a", "run-c"):
            rows[run_hash] = changed(chance, rows[run_hash], table.kinds)
            file.note(rows[run_hash], number)
    rows["new"] = random_row(chance, "new", table.kinds)
    file.note(rows["new"], 5)
    file.note(random_row(chance, "deleted", table.kinds), 6)
    file.forget("deleted")
    file.forget("never noted")
    assert 3 == file.unsaved_count
    assert [3, 0] == [file.add_changes(table.kinds), file.add_changes(table.kinds)]
    loaded, stamps = again(file, tmp_path)

    assert {"run-a": 2, "run-b": stamp("run-b"), "run-c": 2, "run-d": stamp("run-d"), "new": 5} == stamps
    check(loaded.table, rows)


@pytest.mark.parametrize(("look_up_max", "numbers_min"), [(0, 1), (32, 1), (1, 32)])
def test_a_loaded_table_goes_on(
    file: CatalogueFile, filler: TableFiller, rows: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    look_up_max: int, numbers_min: int,
) -> None:  # fmt: skip
    """
    Runs are put, changed and removed in a table that comes from a file as in one that does not; saved again, too.
    """
    monkeypatch.setattr(columns, "LOOK_UP_MAX", look_up_max)
    monkeypatch.setattr(distinct_values, "NUMBERS_DISTINCT_MIN", numbers_min)
    file.save(filler.table, stamp)
    loaded, _ = again(file, tmp_path)
    chance = random.Random(5)
    for number in range(30):
        run_hash = chance.choice([*rows, f"new-{number}"])
        if run_hash in rows and chance.random() < 0.3:
            loaded.remove(run_hash)
            del rows[run_hash]
            continue
        row = rows.get(run_hash)
        new = (
            random_row(chance, run_hash, loaded.table.kinds)
            if row is None
            else changed(chance, row, loaded.table.kinds)
        )
        rows[run_hash] = new
        loaded.put(new, follow=chance.random() < 0.5)
        if number % 5 == 0:
            check(loaded.table, rows)
    check(loaded.table, rows)
    file.save(loaded.table, stamp)
    check(again(file, tmp_path)[0].table, rows)


def test_without_a_file_nothing_is_noted(file: CatalogueFile, rows: Model) -> None:
    """
    Changes are added to a file that is open, and to no other.
    """
    file.note(rows["run-a"], 1)

    assert (0, 0) == (file.unsaved_count, file.add_changes(KindNumbers()))


def test_a_new_file_takes_the_place_of_the_old_one(file: CatalogueFile, filler: TableFiller, tmp_path: Path) -> None:
    """
    Saving again leaves one file; what was noted for the old one is forgotten.
    """
    file.save(filler.table, stamp)
    file.note(random_row(random.Random(0), "new", filler.table.kinds), 1)
    (before,) = files(tmp_path)
    file.save(filler.table, stamp)

    assert (1, 0) == (len(files(tmp_path)), file.unsaved_count)
    assert before not in files(tmp_path)


def test_a_discarded_file_is_gone(file: CatalogueFile, filler: TableFiller, tmp_path: Path) -> None:
    """
    `discard` removes the file and forgets what was noted; `close` leaves it.
    """
    file.discard()
    file.save(filler.table, stamp)
    file.note(random_row(random.Random(0), "new", filler.table.kinds), 1)
    file.close()
    assert (False, 0, 1) == (file.is_open, file.unsaved_count, len(files(tmp_path)))
    assert file.load(KindNumbers()) is not None
    file.discard()

    assert (False, []) == (file.is_open, files(tmp_path))


@pytest.mark.parametrize(
    "statement",
    [
        "update directory set crc = crc + 1",
        "update blobs set content = x'00'",
        "delete from directory",
        "drop table blobs",
        "insert into changes values ('x', 1, x'7b7d', 2745614147)",
        "insert into changes values ('x', 1, x'7b7d', 1)",
    ],
)
def test_a_damaged_file_is_removed(file: CatalogueFile, filler: TableFiller, tmp_path: Path, statement: str) -> None:
    """
    A file that is not what was written is no error: it goes, and the catalogue is made again.
    """
    file.save(filler.table, stamp)
    file.close()
    path = snapshot.newest(tmp_path / "cache")
    assert path is not None
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()

    assert (None, []) == (file.load(KindNumbers()), files(tmp_path))


def test_a_file_that_lacks_a_stamp_is_damaged(
    file: CatalogueFile, filler: TableFiller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Hashes, stamps and the number of runs have to agree.
    """
    whole = snapshot.SnapshotWriter.finish
    monkeypatch.setattr(
        snapshot.SnapshotWriter,
        "finish",
        lambda writer, directory: whole(writer, {**directory, "run_count": directory["run_count"] + 1}),
    )
    with pytest.raises(DamagedSnapshot, match="4 runs"):
        file.save(filler.table, stamp)
    monkeypatch.undo()

    assert file.load(KindNumbers()) is None


def test_where_no_file_can_be_made_nothing_is_saved(filler: TableFiller, tmp_path: Path) -> None:
    """
    A cache that can't be written is no error.
    """
    (tmp_path / "file").touch()
    file = CatalogueFile(tmp_path / ".aim", tmp_path / "file" / "cache", no_reader)

    assert (None, False) == (file.save(filler.table, stamp), file.is_open)


def test_a_watch_goes_on_with_the_numbers_of_its_kinds(file: CatalogueFile, filler: TableFiller) -> None:
    """
    Where the file has the same kinds, the caller's object stays in use; else there is a new one.
    """
    file.save(filler.table, stamp)
    file.close()
    same, other = KindNumbers(filler.table.kinds.names), KindNumbers(["other"])
    loaded = [file.load(kind_numbers) for kind_numbers in (same, other)]

    assert all(loaded)
    assert [True, False] == [
        each is not None and each.filler.table.kinds is kind_numbers
        for each, kind_numbers in zip(loaded, (same, other))
    ]
    file.close()
