"""
Tables: rows with named, typed columns of numbers, texts and objects such as images.

The bytes of a table are a ZIP that any program opens:

    table.json          {"columns": [{"name": "guess", "type": "int"}, {"name": "digit", "type": "aim.image"}],
                         "rows": [[7, {"kind": "aim.image", "fields": {"format": "png"}, "file": "cells/0-1.png"}]]}
    cells/0-1.png       the bytes of the object in row 0 and column 1, both counted from 0

    field       meaning
    columns     as in table.json
    row_count   how many rows
    caption     left out when it is ''

Types and cells are those of `cells`. Rows and objects are read when they are asked for. The same table gives the same
bytes: entries carry no time of day.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, overload

from aim.core.errors import DamagedFile, UntrackableValue, WrongType
from aim.sdk.objects.cells import json_number, number_of_json, typed_column
from aim.sdk.objects.custom import Captioned, Content, CustomObject, sound_text
from aim.sdk.objects.registry import restore

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

TABLE_ENTRY = "table.json"
# The first day that ZIP can tell, so that equal tables have equal bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)


class Table(Captioned):
    """
    One table.

    Args:
        rows: a list of dicts (their keys are the columns, missing ones None), a list of lists (with *columns*), a dict
            of columns, or a data frame or series of pandas, polars or pyarrow. The index of pandas becomes columns
            unless it only counts the rows.
        columns: names for lists of lists; for the others which columns to take, in this order.
        caption: any text; can be set later.

    Raises:
        UntrackableValue: (a ValueError) a cell or a mixture of types that no column holds, rows of different length.
        WrongType: (a TypeError) *rows* are something else.

    Cost: 0.8 us a cell of numbers and texts; the bytes are made at the first `stored()`, in 0.5 us a cell, and 0.1 ms
    an image of 28 x 28. Measured by bench/objects.py.

    >>> table = Table([{"guess": 7, "truth": 1}, {"guess": 3, "truth": 3, "sure": 0.9}])
    >>> table.types
    {'guess': 'int', 'truth': 'int', 'sure': 'float'}
    >>> table[1], table["sure"]
    ({'guess': 3, 'truth': 3, 'sure': 0.9}, [None, 0.9])
    """

    AIM_NAME: ClassVar[str] = "aim.table"

    _loaded: list[list[Any]] | None = None

    def __init__(self, rows: Any, columns: Sequence[str] | None = None, caption: Any = "") -> None:
        named = _columns_of(rows, None if columns is None else [_column_name(name) for name in columns])
        typed = {name: typed_column(values, name) for name, values in named.items()}
        row_count = max((len(values) for _, values in typed.values()), default=0)
        described = [{"name": name, "type": kind} for name, (kind, _) in typed.items()]
        self._loaded = [list(row) for row in zip(*(values for _, values in typed.values()))]
        content = Content(partial(_zipped, described, self._loaded))
        super().__init__({"columns": described, "row_count": row_count}, content)
        self.caption = caption

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [str(column["name"]) for column in self._fields.get("columns", [])]

    @property
    def types(self) -> dict[str, str]:
        """The type of each column: bool, int, float, text, empty, or a kind of object such as aim.image."""
        return {str(column["name"]): str(column["type"]) for column in self._fields.get("columns", [])}

    def __len__(self) -> int:
        return int(self._fields.get("row_count", 0))

    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> list[Row]: ...
    @overload
    def __getitem__(self, key: str) -> list[Any]: ...
    def __getitem__(self, key: int | slice | str) -> Row | list[Row] | list[Any]:
        if isinstance(key, str):
            if key not in self.columns:
                raise KeyError(f"the table has no column {key!r}; it has {', '.join(map(repr, self.columns))}.")
            column_index = self.columns.index(key)
            return [row[column_index] for row in self._rows()]
        if isinstance(key, slice):
            return [dict(zip(self.columns, row)) for row in self._rows()[key]]
        return dict(zip(self.columns, self._rows()[key]))

    def __iter__(self) -> Iterator[Row]:
        return (dict(zip(self.columns, row)) for row in self._rows())

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a data frame; objects stay what they are."""
        import pandas as pd

        return pd.DataFrame({name: self[name] for name in self.columns}, columns=self.columns)

    def json(self) -> dict[str, Any]:
        """Return caption, columns and row_count."""
        return {"caption": self.caption, "columns": self._fields.get("columns", []), "row_count": len(self)}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return self.types == other.types and len(self) == len(other) and self._entries() == other._entries()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        caption = f" {self.caption!r}" if self.caption != "" else ""
        return f"<Table of {len(self)} rows: {', '.join(self.columns)}{caption}>"

    def _repr_html_(self) -> str:
        from aim.sdk.html import media, parts

        return parts.or_notice(lambda: media.rows(self.columns, self._rows(), self.caption))

    def _rows(self) -> list[list[Any]]:
        if self._loaded is None:
            self._loaded = _unzipped(self._read()) if len(self) else []
        return self._loaded

    def _entries(self) -> dict[str, bytes]:
        # Not the ZIP's own bytes: another version of zlib may have packed it otherwise.
        with zipfile.ZipFile(io.BytesIO(self._read())) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def _extension(self) -> str:
        return "zip"


def _column_name(name: object) -> str:
    return sound_text(name if isinstance(name, str) else str(name))


def _check_distinct(names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise UntrackableValue(f"the columns are {names}; two of them have one name.")


def _columns_of(rows: Any, names: list[str] | None) -> dict[str, list[Any]]:
    _check_distinct(names or [])
    if isinstance(rows, Mapping):
        return _of_columns(rows, names)
    if hasattr(rows, "to_pydict"):  # pyarrow
        return _of_columns(rows.to_pydict(), names)
    if hasattr(rows, "to_frame"):  # a series of pandas or polars
        rows = rows.to_frame()
    if hasattr(rows, "columns") and hasattr(rows, "to_dict"):  # pandas, polars
        return _of_columns(_frame_columns(rows), names)
    if isinstance(rows, (str, bytes)) or not hasattr(rows, "__iter__"):
        raise WrongType(
            f"Table can't be made from a {type(rows).__module__}.{type(rows).__qualname__}. "
            "Pass a list of dicts, a dict of columns, a list of lists with columns=, or a data frame."
        )
    listed = list(rows)
    if all(isinstance(row, Mapping) for row in listed):
        return _of_dicts(listed, names)
    return _of_lists(listed, names)


def _frame_columns(frame: Any) -> dict[str, list[Any]]:
    """Return the columns of a frame of pandas or polars, those of its index first."""
    _check_distinct([_column_name(name) for name in frame.columns])
    columns = {_column_name(name): frame[name].to_list() for name in frame.columns}
    return {**_index_columns(frame, columns), **columns}


def _index_columns(frame: Any, columns: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the levels of the index of a frame of pandas as columns; none of one that only counts the rows from 0."""
    index = getattr(frame, "index", None)
    is_count = getattr(index, "start", None) == 0 and getattr(index, "step", None) == 1
    if index is None or not hasattr(index, "get_level_values") or (is_count and index.name is None):
        return {}
    levels = {}
    for number, name in enumerate(index.names):
        column = "index" if name is None and index.nlevels == 1 else f"level_{number}" if name is None else str(name)
        while column in columns or column in levels:
            column = f"index_{column}"
        levels[column] = index.get_level_values(number).to_list()
    return levels


def _of_columns(columns: Mapping[Any, Any], names: list[str] | None) -> dict[str, list[Any]]:
    _check_distinct([_column_name(name) for name in columns])
    cells_by_name = {_column_name(name): list(values) for name, values in columns.items()}
    lengths = {name: len(values) for name, values in cells_by_name.items()}
    if len(set(lengths.values())) > 1:
        raise UntrackableValue(f"the columns have different lengths: {lengths}.")
    missing = [name for name in names or [] if name not in cells_by_name]
    if missing:
        raise UntrackableValue(f"there is no column {missing[0]!r}; there are {', '.join(map(repr, cells_by_name))}.")
    return cells_by_name if names is None else {name: cells_by_name[name] for name in names}


def _of_dicts(rows: list[Mapping[Any, Any]], names: list[str] | None) -> dict[str, list[Any]]:
    named = [{_column_name(name): value for name, value in row.items()} for row in rows]
    # A dict, because a set would lose the order in which the names come.
    columns = names if names is not None else list(dict.fromkeys(name for row in named for name in row))
    return {column: [row.get(column) for row in named] for column in columns}


def _of_lists(rows: list[Any], names: list[str] | None) -> dict[str, list[Any]]:
    if names is None:
        raise UntrackableValue("rows that are no dicts need columns=, a list of names.")
    lists = []
    for index, row in enumerate(rows):
        if isinstance(row, (str, bytes, Mapping)) or not hasattr(row, "__iter__"):
            raise WrongType(f"row {index} is a {type(row).__module__}.{type(row).__qualname__}; expected a list.")
        lists.append(list(row))
        if len(lists[index]) != len(names):
            raise UntrackableValue(f"row {index} has {len(lists[index])} cells for {len(names)} columns.")
    return {name: [row[index] for row in lists] for index, name in enumerate(names)}


def _zipped(columns: list[dict[str, str]], rows: list[list[Any]]) -> bytes:
    files: dict[str, bytes] = {}
    written = [
        [_written(cell, f"cells/{row_index}-{column_index}", files) for column_index, cell in enumerate(row)]
        for row_index, row in enumerate(rows)
    ]
    text = json.dumps({"columns": columns, "rows": written}, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(TABLE_ENTRY, NO_TIME), text.encode(), zipfile.ZIP_DEFLATED)
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, NO_TIME), data)
    return buffer.getvalue()


def _written(cell: Any, name: str, files: dict[str, bytes]) -> Any:
    if not isinstance(cell, CustomObject):
        return json_number(cell) if isinstance(cell, (int, float)) else cell
    stored = cell.stored()
    file = None
    if stored.data is not None:
        file = f"{name}.{stored.extension}"
        files[file] = stored.data
    return {"kind": stored.kind, "fields": dict(stored.fields), "file": file}


def _unzipped(data: bytes) -> list[list[Any]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        content = json.loads(archive.read(TABLE_ENTRY))
        kinds = [str(column["type"]) for column in content["columns"]]
        return [[_restored(cell, kind, archive) for cell, kind in zip(row, kinds)] for row in content["rows"]]
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise DamagedFile("a table", TABLE_ENTRY, f"{type(error).__name__}: {error}") from error


def _restored(cell: Any, kind: str, archive: zipfile.ZipFile) -> Any:
    if isinstance(cell, dict):
        file = cell["file"]
        return restore(cell["kind"], cell["fields"], partial(archive.read, file) if file is not None else bytes)
    return number_of_json(cell) if kind == "float" else cell
