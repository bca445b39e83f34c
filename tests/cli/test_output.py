"""
Tables on terminals of any width.
"""

from __future__ import annotations

import os
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim.cli import output

COLUMNS = ("hash", "name", "loss.last")


@given(
    names=st.lists(st.text(alphabet="ab ", max_size=48), min_size=1, max_size=4),
    width=st.integers(24, 120),
)
def test_no_line_is_wider_than_the_terminal_and_no_hash_is_cut(names: list[str], width: int) -> None:
    """
    Long names are cut first, then the last columns are left out; hashes stay whole.
    """
    table = [["0123456789abcdef01234567", name, "0.1234"] for name in names]

    widths = output.fitting(COLUMNS, table, width)
    lines = output.aligned(COLUMNS, table, widths)

    assert all(len(line) <= width for line in lines)
    assert all(line.startswith("0123456789abcdef01234567") for line in lines[1:])


def test_columns_without_room_are_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Columns that do not fit the terminal are named in a message.
    """
    monkeypatch.setattr("shutil.get_terminal_size", lambda _fallback: os.terminal_size((40, 24)))
    record = {"hash": "0" * 24, "name": "a run with a long name", "loss.last": 0.5}

    output.rows([record], COLUMNS, form=output.TABLE)

    printed = capsys.readouterr()
    assert "The terminal is too narrow for loss.last. Use --json or a pipe for all columns.\n" == printed.err
    assert [f"{'hash':24}  {'name':14}", f"{'0' * 24}  a run with a …"] == printed.out.splitlines()


def test_a_time_is_shown_without_its_zone() -> None:
    """
    A table for people shows local times without a zone.
    """
    assert "2026-11-23 09:07:29" == output.cell(datetime(2026, 11, 23, 9, 7, 29, tzinfo=timezone.utc))
