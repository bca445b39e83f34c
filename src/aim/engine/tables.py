"""
Tables, read from their stored form: a ZIP with `table.json` and the objects of cells (docs/formats/objects.md).

A cell is null, a JSON value, or an object: `{"kind", "fields", "file"}`, its bytes being the entry `file` of the ZIP.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aim.core.errors import DamagedFile

TABLE_ENTRY = "table.json"
CELLS = "cells/"
ENTRY_BYTES_MAX = 64 << 20  # of one entry; tables are for people to look at

Rows = list[list[Any]]


@dataclass(frozen=True)
class CellObject:
    """An object in a cell."""

    kind: str
    fields: Mapping[str, Any]
    data: bytes


def read_table(data: bytes) -> tuple[list[dict[str, str]], Rows]:
    """
    Return the columns of a table, name and type each, and its rows.

    Raises:
        DamagedFile: these are not the bytes of a table.

    Cost: decodes all of `table.json`, about 1 ms for 1,000 rows of ten; objects in cells are not read.
    """
    try:
        content = json.loads(_entry(data, TABLE_ENTRY))
        return list(content["columns"]), [list(row) for row in content["rows"]]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise DamagedFile("a table", TABLE_ENTRY, f"{type(error).__name__}: {error}") from error


def _entry(data: bytes, name: str) -> bytes:
    """Return an entry of a table's ZIP. A small file can become a large one, so reading has a bound."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(name) as entry:
            content = entry.read(ENTRY_BYTES_MAX + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError) as error:
        raise DamagedFile("a table", name, f"{type(error).__name__}: {error}") from error
    if len(content) > ENTRY_BYTES_MAX:
        raise DamagedFile("a table", name, f"it has more than {ENTRY_BYTES_MAX:,} bytes")
    return content


def cell_object(data: bytes, file: str) -> CellObject | None:
    """
    Return the object whose bytes are the entry *file* of a table; None when there is no such cell.

    Raises:
        DamagedFile: these are not the bytes of a table.
    """
    if not file.startswith(CELLS):
        return None
    cells = (cell for row in read_table(data)[1] for cell in row if isinstance(cell, dict))
    cell = next((cell for cell in cells if cell.get("file") == file), None)
    if cell is None:
        return None
    try:
        return CellObject(str(cell["kind"]), dict(cell["fields"]), _entry(data, file))
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedFile("a table", file, f"{type(error).__name__}: {error}") from error
