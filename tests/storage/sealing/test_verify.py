"""
A whole sealed file checked: what is named for each kind of damage, and for a footer that does not fit its columns.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aim.storage.sealing import file_end, pages
from aim.storage.sealing.verify import verify
from tests.storage.sealing.sealed_files import NAME, content, flipped, forged, opened


def checked(tmp_path: Path, file_content: bytes) -> list[tuple[str, str]]:
    """Return place and problem of each damage of a file."""
    path = tmp_path / NAME
    path.write_bytes(file_content)
    damage = verify(path)
    assert {NAME} >= {item.file for item in damage}
    return [(item.location, item.problem) for item in damage]


def test_a_whole_file_has_no_damage(tmp_path: Path) -> None:
    """
    Nothing is named in a file as it was written.
    """
    assert [] == checked(tmp_path, content())


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """
    A file that is not there can't be checked.
    """
    with pytest.raises(FileNotFoundError):
        verify(tmp_path / NAME)


def test_a_file_that_begins_otherwise_is_named(tmp_path: Path) -> None:
    """
    The first four bytes belong to no page, so they are looked at by themselves.
    """
    assert [("byte 0", "not the beginning of a Parquet file")] == checked(tmp_path, flipped(content(), 2))


@pytest.mark.parametrize("index", range(len(opened(content()).index)))
def test_a_changed_byte_of_a_page_is_named_with_its_page(tmp_path: Path, index: int) -> None:
    """
    Of each page the column, the size and the place are named, once.
    """
    page = opened(content()).index[index]
    ((location, problem),) = checked(tmp_path, flipped(content(), page.offset + page.packed_bytes // 2))
    subject = "a dictionary" if page.kind == pages.DICTIONARY else f"a page of {page.rows:,} rows"

    assert (f"byte {page.offset:,}", True) == (location, problem.startswith(subject))
    assert f" of column {pages.COLUMNS[page.column]} " in problem


def test_a_changed_byte_between_the_pages_costs_nothing(tmp_path: Path) -> None:
    """
    The headers of pages are not needed for reading: only the CRC of everything before the block shows it.
    """
    first = min(opened(content()).index, key=lambda page: page.offset)
    offset = file_end.block_offset(content())

    assert [(f"bytes 0 to {offset:,}", "do not match their CRC; all points are whole")] == checked(
        tmp_path, flipped(content(), first.offset - 3)
    )


@pytest.mark.parametrize("back", [1, 5, 60])
def test_a_file_without_its_end_is_named_and_its_pages_are_checked(tmp_path: Path, back: int) -> None:
    """
    A damaged end is named first, and a damaged page beside it too.
    """
    page = opened(content()).index[-1]
    cut = flipped(content()[:-back], page.offset + 1)
    problems = [problem for _, problem in checked(tmp_path, cut)]

    assert 2 <= len(problems)
    assert any("damaged" in problem or "cut off" in problem for problem in problems)
    assert any(f"of column {pages.COLUMNS[page.column]} " in problem for problem in problems)


def change_of(key: str, index: int, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return what puts another value into one column of the table of sequences."""

    def change(footer: dict[str, Any]) -> None:
        footer["sequences"][key][index] = value

    return change


ROWS = "the rows of sequence {} are not as the footer says"
SUMMARY = "the summary of sequence {} is not that of its points"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (change_of("rows", 2, 6), [("row 47,000", ROWS.format(3)), ("row 47,007", ROWS.format(4))]),
        (change_of("row", 1, 45_001), [("row 45,001", ROWS.format(2))]),
        (change_of("last", 0, 1.0), [("the footer", SUMMARY.format(1))]),
        (change_of("min", 2, 1.0), [("the footer", SUMMARY.format(3))]),
        (change_of("has_nan", 1, True), [("the footer", SUMMARY.format(2))]),
        (change_of("argmax", 2, 2), [("the footer", SUMMARY.format(3))]),
        (change_of("name", 0, "lost"), []),
    ],
)
def test_a_footer_that_does_not_fit_its_columns_is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], expected: list[tuple[str, str]]
) -> None:
    """
    Rows and summaries are compared with the points; names are in the columns, and are not compared.
    """
    assert expected == checked(tmp_path, forged(content(), change))


def test_a_sequence_that_the_footer_does_not_have_is_named(tmp_path: Path) -> None:
    """
    Columns may have a sequence under another number than the footer says.
    """
    problems = [problem for _, problem in checked(tmp_path, forged(content(), change_of("number", 3, 9)))]

    assert ROWS.format(9) in problems
    assert "sequence 4 is in the columns and not in the footer" in problems


def test_a_file_of_an_earlier_version_is_whole(tmp_path: Path) -> None:
    """
    Values that were added to summaries later are not compared.
    """

    def forget(footer: dict[str, Any]) -> None:
        for key in ("std", "median"):
            del footer["sequences"][key]

    assert [] == checked(tmp_path, forged(content(), forget))
