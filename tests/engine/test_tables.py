"""
Tables, read from their stored form.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest

from aim.core.errors import DamagedFile
from aim.engine import tables
from aim.engine.tables import CellObject, cell_object, read_table

COLUMNS = [{"name": "a", "type": "number"}, {"name": "b", "type": "image"}]
CELL = {"kind": "aim.image", "fields": {"format": "png"}, "file": "cells/0-1.png"}
ROWS = [[1, CELL], [None, "text"], [{"no": "object"}, None]]


def stored(table: Any, entries: Mapping[str, bytes] | None = None) -> bytes:
    """Return a ZIP with *table* as JSON, or as it is where it is bytes, and other entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(tables.TABLE_ENTRY, table if isinstance(table, bytes) else json.dumps(table))
        for name, data in (entries or {}).items():
            archive.writestr(name, data)
    return file.getvalue()


TABLE = stored({"columns": COLUMNS, "rows": ROWS}, {"cells/0-1.png": b"PNG", "cells/9-9.png": b"other"})


def test_a_table_has_columns_and_rows() -> None:
    """
    Cells are null, values or what describes an object, in the order of the rows.
    """
    assert (COLUMNS, ROWS) == read_table(TABLE)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("cells/0-1.png", CellObject("aim.image", {"format": "png"}, b"PNG")),
        ("cells/9-9.png", None),
        ("cells/none.png", None),
        ("table.json", None),
        ("../cells/0-1.png", None),
    ],
)
def test_an_object_of_a_cell_is_named_by_its_file(file: str, expected: CellObject | None) -> None:
    """
    Only a file that some cell names is an object; other entries of the ZIP are not.
    """
    assert expected == cell_object(TABLE, file)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "BadZipFile"),
        (TABLE[:40], "BadZipFile"),
        (stored(b"{"), "JSONDecodeError"),
        (stored(b"[]"), "TypeError"),
        (stored({"columns": []}), "KeyError"),
        (stored({"columns": 1, "rows": []}), "TypeError"),
        (stored({"columns": [], "rows": [1]}), "TypeError"),
        (stored(b"[" * 200_000), "RecursionError"),
    ],
    ids=["empty", "cut", "half", "list", "no rows", "no list", "no row", "deep"],  # a ZIP has the time of its making
)
def test_what_is_no_table_is_damaged(data: bytes, message: str) -> None:
    """
    The error says that a table is damaged, and how.
    """
    with pytest.raises(DamagedFile, match=message):
        read_table(data)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"fields": {}, "file": "cells/0.png"}, "KeyError"),
        ({"kind": "aim.image", "fields": 3, "file": "cells/0.png"}, "TypeError"),
        ({"kind": "aim.image", "fields": {}, "file": "cells/0.png"}, "KeyError"),
    ],
)
def test_a_cell_without_what_it_promises_is_damaged(cell: dict[str, Any], message: str) -> None:
    """
    A cell needs a kind, fields, and an entry of the ZIP.
    """
    with pytest.raises(DamagedFile, match=message):
        cell_object(stored({"columns": [], "rows": [[cell]]}), "cells/0.png")
