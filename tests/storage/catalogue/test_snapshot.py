"""
The catalogue's file: what is damaged is thrown away, and the catalogue made again.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import sqlite3
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from aim.storage.catalogue import snapshot
from aim.storage.catalogue.catalogue import Catalogue
from aim.storage.catalogue.snapshot import DamagedSnapshot, Snapshot, SnapshotWriter
from tests.storage.catalogue_histories import History, catalogue_of, contents, rebuilt

FLIPS = 150


@pytest.mark.parametrize("seed", range(3))
def test_the_file_is_made_again_wherever_it_is_damaged(seed: int, tmp_path: Path) -> None:
    """
    With any byte of the file changed the catalogue still says what the runs say.
    """
    chance = random.Random(seed)
    history = History(tmp_path / "work", chance)
    for _ in range(60):
        history.step()
    history.close()
    expected = rebuilt(history.repository, tmp_path / "cache")
    path = snapshot.newest(tmp_path / "cache")
    assert path is not None
    whole = path.read_bytes()
    for _ in range(FLIPS):
        target = tmp_path / "flipped" / path.name
        target.parent.mkdir(exist_ok=True)
        byte_offset = chance.randrange(len(whole)) if chance.random() < 0.5 else _somewhere_used(whole, chance)
        target.write_bytes(
            whole[:byte_offset] + bytes([whole[byte_offset] ^ (1 << chance.randrange(8))]) + whole[byte_offset + 1 :]
        )
        catalogue = catalogue_of(history.repository, target.parent)

        assert expected == _patient(catalogue), f"byte {byte_offset}"
        catalogue.close()
        for left in target.parent.iterdir():
            left.unlink()


def _somewhere_used(content: bytes, chance: random.Random) -> int:
    for _ in range(1000):
        byte_offset = chance.randrange(len(content))
        if content[byte_offset]:
            return byte_offset
    return 0


def _patient(catalogue: Catalogue) -> dict[str, object]:
    # as engine.scan asks: damage found while a column is read leads to a new catalogue
    for _ in range(2):
        catalogue.refresh()
        try:
            return contents(catalogue)
        except DamagedSnapshot:
            catalogue.rebuild()
    catalogue.refresh()
    return contents(catalogue)


def test_a_damaged_schema_leaves_no_open_connection(tmp_path: Path) -> None:
    """
    What SQLite says of a damaged schema may be no UTF-8; the file counts as damaged, and is closed (3.13 warns if not).
    """
    with snapshot.SnapshotWriter(tmp_path) as writer:
        path = writer.finish({})
    whole = path.read_bytes()
    start = whole.lower().index(b"create table")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for offset in range(start - 100, start + 200):
            path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x80]) + whole[offset + 1 :])
            with contextlib.suppress(DamagedSnapshot):
                snapshot.Snapshot(path).close()

    assert [] == [str(warning.message) for warning in said]


# arrays and files


def written(folder: Path, **parts: Any) -> Snapshot:
    """Write a file of some arrays and JSON values, and open it."""
    with SnapshotWriter(folder) as writer:
        directory = {}
        for name, part in parts.items():
            directory[name] = writer.array(part) if isinstance(part, np.ndarray) else writer.json(part)
        path = writer.finish(directory)
    return Snapshot(path)


@pytest.mark.parametrize(
    ("array", "dtype", "count"),
    [
        (np.array([], np.int64), "<i8", 0),
        (np.array([], np.float64), "<f8", 0),
        (np.array([0, 127, -128]), "|i1", 3),
        (np.array([0, 128]), "<i2", 2),
        (np.array([0, -32769]), "<i4", 2),
        (np.array([0, 2**31]), "<i8", 2),
        (np.array([7] * 1000), "|i1", 1),
        (np.array([0.5] * 1000), "<f8", 1),
        (np.array([np.nan] * 3), "<f8", 1),
        (np.array([0.0, -0.0]), "<f8", 2),
        (np.array([True, False]), "|b1", 2),
        (np.arange(10)[::2], "|i1", 5),
    ],
)
def test_an_array_comes_back_from_as_few_bytes_as_it_needs(
    tmp_path: Path, array: npt.NDArray[Any], dtype: str, count: int
) -> None:
    """
    Integers take the smallest type, and one value that stands for all is written once; the array is the caller's own.
    """
    file = written(tmp_path, part=array)
    number, crc, stored_dtype, length, _ = file.directory["part"]
    again = file.array(file.directory["part"])

    assert (dtype, len(array)) == (stored_dtype, length)
    assert count * np.dtype(dtype).itemsize == len(file.blob(number, crc))
    assert repr(array.tolist()) == repr(again.tolist())
    again[:1] = 1
    assert repr(array.tolist()) == repr(file.array(file.directory["part"]).tolist())
    file.close()


@pytest.mark.parametrize("value", [None, [], {"a": [1, "é", "\ud800"]}, "text"])
def test_a_json_value_comes_back(tmp_path: Path, value: object) -> None:
    """
    Also text of half a surrogate pair, which names of files may hold.
    """
    file = written(tmp_path, part=value)

    assert value == file.json(file.directory["part"])
    file.close()


def test_a_blob_that_is_not_what_was_written_is_damage(tmp_path: Path) -> None:
    """
    Another CRC, another number, another length, and what is no JSON.
    """
    file = written(tmp_path, part=np.arange(5), text="x")
    number, crc, dtype, count, constant = file.directory["part"]

    for reference in ([number, crc + 1, dtype, count, constant], [99, crc, dtype, count, constant],
                      [number, crc, dtype, count + 1, constant]):  # fmt: skip
        with pytest.raises(DamagedSnapshot, match="blob"):
            file.array(reference)
    with pytest.raises(DamagedSnapshot, match="blob"):
        file.json([number, crc])
    file.close()


def test_changes_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    """
    A run has one change, the latest; the count is that of the runs.
    """
    file = written(tmp_path)
    batches: list[list[tuple[str, int, Any]]] = [[("a", 1, {}), ("b", 2, [])], [("a", 5, {"x": "é"})], [("c", -1, 0)]]
    assert [2, 2, 3] == [file.add_changes(batch) for batch in batches]
    assert [(-1, 0), (2, []), (5, {"x": "é"})] == sorted(file.changes(), key=lambda change: change[0])
    file.close()
    again = Snapshot(file.path)
    assert 3 == len(list(again.changes()))
    again.close()


def test_changes_that_can_not_be_added_are_none(tmp_path: Path) -> None:
    """
    A closed file, as one that another process holds, takes nothing, and nothing is raised.
    """
    file = written(tmp_path)
    file.close()

    assert file.add_changes([("a", 1, {})]) is None
    with pytest.raises(DamagedSnapshot):
        list(file.changes())


def test_the_newest_file_has_the_highest_number(tmp_path: Path) -> None:
    """
    Numbers are compared as numbers; names of others are none.
    """
    assert snapshot.newest(tmp_path) is None
    for name in ("9-aaaa.sqlite", "10-0000.sqlite", "x-1.sqlite", "11-a.other", "-1.sqlite"):
        (tmp_path / name).touch()
    assert tmp_path / "10-0000.sqlite" == snapshot.newest(tmp_path)
    (tmp_path / "10-ffff.sqlite").touch()

    assert tmp_path / "10-ffff.sqlite" == snapshot.newest(tmp_path)


def test_a_new_file_has_the_next_number_and_removes_the_older_ones(tmp_path: Path) -> None:
    """
    Each file counts one up; a file that another process has finished under a higher number stays.
    """
    first = written(tmp_path)
    second = written(tmp_path)
    assert ["1-", "2-"] == [file.path.name[:2] for file in (first, second)]
    assert [second.path.name] == [path.name for path in tmp_path.iterdir()]
    (tmp_path / "7-other.sqlite").touch()
    with SnapshotWriter(tmp_path) as writer:
        (tmp_path / "9-other.sqlite").touch()
        writer.finish({})

    assert ["8-", "9-"] == sorted(path.name[:2] for path in tmp_path.iterdir())
    for file in (first, second):
        file.close()


def test_a_file_that_is_left_early_leaves_nothing(tmp_path: Path) -> None:
    """
    When writing is broken off, no scratch file and no file stays.
    """
    with SnapshotWriter(tmp_path) as writer:
        writer.array(np.arange(5))
        assert 1 == len(list(tmp_path.glob(".*.scratch")))

    assert [] == list(tmp_path.iterdir())


def test_scratch_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    """
    An old one goes when the next file is written, one that somebody may still write stays.
    """
    for name, age_s in ((".old.scratch", 3700.0), (".old.scratch-journal", 3700.0), (".young.scratch", 3500.0)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    written(tmp_path).close()

    assert [".young.scratch"] == [path.name for path in tmp_path.glob(".*")]


@pytest.mark.parametrize(
    ("changed", "is_damage"), [({"format": 0}, True), ({"byteorder": "big"}, True), ({"more": 1}, False)]
)
def test_a_file_of_another_kind_is_not_read(tmp_path: Path, changed: dict[str, object], is_damage: bool) -> None:
    """
    Format and order of bytes have to be ours.
    """
    with SnapshotWriter(tmp_path) as writer:
        path = writer.finish(changed)
    if is_damage:
        with pytest.raises(DamagedSnapshot, match="another format"):
            Snapshot(path)
    else:
        Snapshot(path).close()


def test_each_repository_has_its_own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A folder has the same cache by each of its paths; a new one in its place has another; where it lies can be chosen.
    """
    monkeypatch.setenv("AIM_CACHE_DIR", str(tmp_path / "chosen"))
    repository = tmp_path / "a" / ".aim"
    repository.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    first = snapshot.folder_of(repository)
    assert first == snapshot.folder_of(tmp_path / "link" / ".aim")
    assert tmp_path / "chosen" == first.parent
    repository.rename(tmp_path / "moved")
    repository.mkdir()
    assert first != snapshot.folder_of(repository)
    monkeypatch.delenv("AIM_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))

    assert tmp_path / "xdg" / "aim" == snapshot.folder_of(repository).parent


def test_a_file_that_can_not_be_begun_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the disk refuses the first write, the error is raised, no scratch file stays, and no connection is left open.
    """
    monkeypatch.setattr(snapshot, "SCHEMA", "no statement;")

    with pytest.raises(sqlite3.OperationalError):
        snapshot.SnapshotWriter(tmp_path)
    gc.collect()  # an open connection warns when it is collected, which is an error here
    assert [] == list(tmp_path.iterdir())
