"""
A sealed file read: at once or in parts, from the disk or from memory, whole or with pages that are damaged.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aim.storage.sealing import file_end, pages, sealed
from aim.storage.sealing.sealed import EMPTY, Columns, Sealed
from tests.storage.sealing.sealed_files import LENGTHS, NAME, STRIDES, content, flipped, opened


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    """
    A whole file on the disk.
    """
    path = tmp_path / NAME
    path.write_bytes(content())
    return path


def lists(columns: Columns) -> list[list[Any]]:
    """Return steps, values, times and epochs."""
    return [array.tolist() for array in columns]


def expected(number: int) -> list[list[Any]]:
    """Return what was written of a sequence."""
    first = sum(length for other, length in LENGTHS.items() if other < number)
    rows = np.arange(first, first + LENGTHS[number])
    steps = [0, 1, 2, 4, 8, 16, 32] if number == 3 else (np.arange(LENGTHS[number]) * STRIDES[number]).tolist()
    times_us = 1795380918_000_000 + rows * 1000
    return [steps, (rows % 1013).astype(float).tolist(), times_us.tolist(), (rows // 10_000).astype(float).tolist()]


@pytest.mark.parametrize("way", ["open", "loaded", "of"])
def test_points_are_those_that_were_written(path: Path, way: str) -> None:
    """
    From the disk, with all bytes in memory, and from bytes: each column of each sequence, in any order of asking.
    """
    file = opened(content()) if way == "of" else Sealed.open(path)
    file = file.loaded() if way == "loaded" else file
    for number in (3, 1, 4, 2, 1):
        assert expected(number) == lists(file.columns(number))
        assert expected(number)[:2] == [array.tolist() for array in file.steps_values(number)]

    assert [] == file.damage


def test_all_points_come_in_the_order_of_the_file(path: Path) -> None:
    """
    `all` has the number of each point, and the points one sequence after the other.
    """
    numbers, columns = Sealed.open(path).all()

    assert np.repeat(list(LENGTHS), list(LENGTHS.values())).tolist() == numbers.tolist()
    for part, column in enumerate(lists(columns)):
        assert column == [value for number in LENGTHS for value in expected(number)[part]]


def test_a_number_that_is_not_there_has_no_points(path: Path) -> None:
    """
    Asking for one costs no error, but for its description.
    """
    file = Sealed.open(path)

    assert lists(EMPTY) == lists(file.columns(9))
    assert [[], []] == [array.tolist() for array in file.steps_values(9)]
    with pytest.raises(LookupError):
        file.sequence(9)
    assert "count" == file.sequence(3).name


def test_a_file_without_sequences_has_no_points() -> None:
    """
    What is left of almost nothing is empty arrays.
    """
    numbers, columns = opened(b"PAR1").all()

    assert ([], lists(EMPTY)) == (numbers.tolist(), lists(columns))


@pytest.mark.parametrize(("small_bytes", "is_in_memory"), [(1 << 20, True), (0, False)])
def test_a_small_file_stays_in_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch, small_bytes: int, is_in_memory: bool
) -> None:
    """
    The points of a small file are there when it is gone; those of another one are read when they are asked for.
    """
    monkeypatch.setattr(sealed, "SMALL_BYTES", small_bytes)
    monkeypatch.setattr(sealed, "TAIL_BYTES", 1 << 20)
    file = Sealed.open(path)
    path.unlink()

    if is_in_memory:
        assert expected(1) == lists(file.columns(1))
    else:
        with pytest.raises(FileNotFoundError):
            file.columns(1)


@pytest.mark.parametrize("tail_bytes", [10, 100, 1 << 20])
def test_an_end_that_is_longer_than_the_tail_is_read_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch, tail_bytes: int
) -> None:
    """
    Where the first read is too short, the whole file is read; nothing is taken for damage.
    """
    monkeypatch.setattr(sealed, "TAIL_BYTES", tail_bytes)
    file = Sealed.open(path)

    assert ([], list(LENGTHS)) == (file.damage, list(file.summaries()))
    assert expected(3) == lists(file.columns(3))


@pytest.mark.parametrize(("loaded_bytes_max", "is_loaded"), [(1 << 30, True), (1000, False)])
def test_a_file_of_some_size_is_loaded_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, loaded_bytes_max: int, is_loaded: bool
) -> None:
    """
    A loaded file needs its path no more; a large one stays as it is; loading a loaded one reads nothing.
    """
    monkeypatch.setattr(sealed, "LOADED_BYTES_MAX", loaded_bytes_max)
    monkeypatch.setattr(sealed, "SMALL_BYTES", 0)
    file = Sealed.open(path)
    loaded = file.loaded()
    assert is_loaded == (loaded is not file)
    path.unlink()

    with pytest.raises(FileNotFoundError):
        file.loaded()
    if is_loaded:
        assert expected(2) == lists(loaded.columns(2))
        assert loaded is loaded.loaded()


def test_no_descriptor_is_held(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Opening, loading and reading release what they open.
    """
    monkeypatch.setattr(sealed, "SMALL_BYTES", 0)
    count = len(os.listdir("/proc/self/fd"))
    file = Sealed.open(path)
    file.loaded()
    file.columns(1)

    assert count == len(os.listdir("/proc/self/fd"))


def test_neighbours_in_a_row_group_are_read_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The columns of small sequences of one group are read together; each column once, whichever is asked first.
    """
    monkeypatch.setattr(sealed, "SMALL_BYTES", 0)
    file = Sealed.open(path)
    small = [sequence.number for sequence in file.sequences if sequence.group == file.sequence(3).group]
    assert {3, 4} <= set(small)
    read: list[int] = []
    whole = sealed.decoded

    def noted(body: memoryview, page: pages.Page) -> Any:
        read.append(page.column)
        return whole(body, page)

    monkeypatch.setattr(sealed, "decoded", noted)
    file.steps_values(4)
    file.columns(3)
    file.columns(4)

    assert sorted(read) == sorted({pages.STEP, pages.VALUE, pages.TIME, pages.EPOCH})


# damage


def damaged(column: int, *, which: int = 0, group: int = 0) -> tuple[Sealed, range]:
    """Return the file with a byte of one page changed, and the rows of that page in its group."""
    of_column = opened(content()).end.pages_of(group, column)
    start = sum(page.rows for page in of_column[:which])
    page = of_column[which]
    return opened(flipped(content(), page.offset + 1)), range(start, start + page.rows)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_points_whose_value_is_damaged_are_left_out(which: int) -> None:
    """
    The other pages of the column are read, and the damage is named once, however often it is met.
    """
    file, lost = damaged(pages.VALUE, which=which)
    steps, values, times_us, epochs = expected(1)
    rows = [row for row in range(LENGTHS[1]) if row not in lost]
    for _ in range(2):
        assert [[part[row] for row in rows] for part in (steps, values, times_us, epochs)] == lists(file.columns(1))

    assert 1 == len(file.damage)
    assert f"a page of {len(lost):,} rows of column {pages.COLUMNS[pages.VALUE]} " in file.damage[0].problem


@pytest.mark.parametrize(("column", "part", "lost_value"), [(pages.TIME, 2, 0), (pages.EPOCH, 3, None)])
def test_points_whose_time_or_epoch_is_damaged_stay(column: int, part: int, lost_value: object) -> None:
    """
    Where only the time is lost it is 0, and where the epoch is lost there is none.
    """
    file, lost = damaged(column)
    columns = lists(file.columns(1))

    assert expected(1)[:2] == columns[:2]
    in_page, behind = columns[part][: len(lost)], columns[part][len(lost) :]
    assert {lost_value} == {None if value != value else value for value in in_page}
    assert expected(1)[part][len(lost) :] == behind


def test_steps_that_are_even_are_not_read() -> None:
    """
    Where the footer says first step and stride, a damaged page of steps costs nothing; else it costs its points.
    """
    even, _ = damaged(pages.STEP)
    assert (expected(1), []) == (lists(even.columns(1)), even.damage)
    group = opened(content()).sequence(3).group
    uneven, _ = damaged(pages.STEP, group=group)

    assert [[], [], [], []] == lists(uneven.columns(3))
    assert 1 == len(uneven.damage)


def test_a_column_that_is_cut_off_has_the_rows_before_the_cut() -> None:
    """
    Of a file that ends within its values, the first page is read, and all behind it is lost.
    """
    first, second = opened(content()).end.pages_of(0, pages.VALUE)[:2]
    cut = content()[: second.offset + 10]
    end = file_end.read_end(content())
    assert end is not None
    file = Sealed(Path(NAME), end._replace(damage=[]), cut)

    assert [part[: first.rows] for part in expected(1)[:2]] == [array.tolist() for array in file.steps_values(1)]


def test_a_file_that_refuses_to_be_read_is_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    What the system refuses after the file was opened is named as pages that can't be read, and nothing is raised.
    """
    monkeypatch.setattr(sealed, "SMALL_BYTES", 0)
    file = Sealed.open(path)

    def refuse(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "pread", refuse)

    assert ([], True) == (file.columns(3).steps.tolist(), bool(file.damage))
