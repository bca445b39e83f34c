"""
Tables, read from their stored form: a ZIP with `table.json` and the objects of cells (docs/formats/objects.md).

A cell is null, a JSON value, or an object: `{"kind", "fields", "file"}`, its bytes being the entry `file` of the ZIP.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aim.core.errors import DamagedFile

TABLE_ENTRY = "table.json"
CELLS = "cells/"

Rows = list[list[Any]]


@dataclass(frozen=True)
class CellObject:
    """An object in a cell."""

    kind: str
    fields: Mapping[str, Any]
    data: bytes


def read_table(data: bytes) -> tuple[list[dict[str, str]], Rows]:
    """
    Give the columns of a table, name and type each, and its rows.

    Raises:
        DamagedFile: these are not the bytes of a table.

    Cost: decodes all of `table.json`, about 1 ms for 1,000 rows of ten; objects in cells are not read.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            content = json.loads(archive.read(TABLE_ENTRY))
        return list(content["columns"]), list(content["rows"])
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise DamagedFile("a table", TABLE_ENTRY, f"{type(error).__name__}: {error}") from error


def cell_object(data: bytes, file: str) -> CellObject | None:
    """
    Give the object whose bytes are the entry *file* of a table; None when there is no such cell.

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
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return CellObject(str(cell["kind"]), cell["fields"], archive.read(file))
    except (zipfile.BadZipFile, KeyError) as error:
        raise DamagedFile("a table", file, f"{type(error).__name__}: {error}") from error
