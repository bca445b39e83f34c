"""
A table as batches of columns. In CSV every cell is a text; a row that does not have the columns of the first one is
damage, and so is a line of JSON that is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aim.convert.events import SourceDamage
from aim.core.errors import AimError

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
LINES, PARQUET = (".jsonl", ".ndjson"), (".parquet", ".pq")
SUFFIXES = (*DELIMITERS, *LINES, *PARQUET)
BATCH_ROWS = 1 << 16
FIRST_ROWS = 1 << 10  # the names of columns are asked for more often than the rows
# Small blocks bound the memory: a block of texts takes ten times its size. A row that does not fit gets a larger one.
BLOCKS_BYTES = (512 << 10, 16 << 20, 512 << 20)
STRADDLES = "straddl"  # of pyarrow's message, which has no class of its own


class UnreadableTable(AimError):
    """A table can't be read at all."""


class TableBatch(NamedTuple):
    """Some rows of a table, and what of it could not be read."""

    columns: dict[str, pa.Array]
    row_count: int
    damage: Sequence[SourceDamage] = ()


def batches(path: Path, encoding: str = "utf-8") -> Iterator[TableBatch]:
    """Go through the rows of a table. Raises UnreadableTable."""
    import pyarrow

    suffix = path.suffix.lower()
    try:
        if suffix in PARQUET:
            yield from _parquet(path)
        elif suffix in LINES:
            yield from _lines(path)
        else:
            yield from _delimited(path, DELIMITERS.get(suffix, ","), encoding)
    except (pyarrow.ArrowException, LookupError, UnicodeError) as error:
        raise UnreadableTable(f"'{path}' can't be read as a table: {error}") from None


def _parquet(path: Path) -> Iterator[TableBatch]:
    import pyarrow
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS):
            columns = {}
            for name, column in zip(batch.schema.names, batch.columns):
                is_coded = pyarrow.types.is_dictionary(column.type)
                columns[name] = column.dictionary_decode() if is_coded else column
            yield TableBatch(columns, batch.num_rows)


def _delimited(path: Path, delimiter: str, encoding: str) -> Iterator[TableBatch]:
    import pyarrow

    names = _names(path, delimiter, encoding)
    if not names:
        return
    rows = _DelimitedRows(path, delimiter, encoding, names)
    for block_bytes in BLOCKS_BYTES:
        try:
            yield from rows.batches(block_bytes)
            return
        except pyarrow.ArrowInvalid as error:
            if STRADDLES not in str(error) or block_bytes == BLOCKS_BYTES[-1]:
                raise


class _DelimitedRows:
    """
    The rows of a CSV file. They can be read on with larger blocks, where a row did not fit into one.
    """

    def __init__(self, path: Path, delimiter: str, encoding: str, names: Sequence[str]) -> None:
        self._path = path
        self._delimiter = delimiter
        self._encoding = encoding
        self._names = names
        self._row_count = 0  # that were passed on
        self._skipped: set[Any] = set()  # numbers of damaged rows that were passed on
        self._damage: list[SourceDamage] = []

    def batches(self, block_bytes: int) -> Iterator[TableBatch]:
        """Go through the rows that were not passed on yet. Raises ArrowInvalid."""
        row_count = 0
        with self._reader(block_bytes) as reader:
            for batch in reader:
                passed_on = min(max(self._row_count - row_count, 0), batch.num_rows)
                row_count += batch.num_rows
                if passed_on < batch.num_rows:
                    self._row_count = row_count
                    new = batch.slice(passed_on)
                    yield TableBatch(dict(zip(new.schema.names, new.columns)), new.num_rows, self._taken_damage())
        if self._damage:
            yield TableBatch({}, 0, self._taken_damage())

    def _taken_damage(self) -> list[SourceDamage]:
        damage, self._damage = self._damage, []
        return damage

    def _reader(self, block_bytes: int) -> Any:
        import pyarrow
        import pyarrow.csv

        return pyarrow.csv.open_csv(
            self._path,
            pyarrow.csv.ReadOptions(block_size=block_bytes, encoding=self._encoding, use_threads=False),
            pyarrow.csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=self._skip
            ),
            pyarrow.csv.ConvertOptions(
                column_types={name: pyarrow.string() for name in self._names},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )

    def _skip(self, row: Any) -> str:
        if row.number is None or row.number not in self._skipped:
            self._skipped.add(row.number)
            counts = f"{row.actual_columns} cells in place of {row.expected_columns}"
            self._damage.append(SourceDamage(str(self._path), None, f"line {row.number or '?'}: {counts}"))
        return "skip"


def _names(path: Path, delimiter: str, encoding: str) -> list[str]:
    import csv

    with open(path, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="", errors="replace") as file:
        return next(csv.reader(file, delimiter=delimiter), [])


def _lines(path: Path) -> Iterator[TableBatch]:
    rows: list[dict[str, Any]] = []
    damage: list[SourceDamage] = []
    offset = 0
    rows_max = FIRST_ROWS
    with open(path, "rb") as file:
        for line in file:
            try:
                row = json.loads(line) if line.strip() else None
                if row is not None and not isinstance(row, dict):
                    raise ValueError
                if row is not None:
                    rows.append(row)
            except (ValueError, RecursionError):
                damage.append(SourceDamage(str(path), offset, "this line is no object of JSON"))
            offset += len(line)
            if len(rows) >= rows_max:
                yield _of_rows(rows, damage)
                rows, damage, rows_max = [], [], BATCH_ROWS
    if rows or damage:
        yield _of_rows(rows, damage)


def _of_rows(rows: list[dict[str, Any]], damage: list[SourceDamage]) -> TableBatch:
    names = dict.fromkeys(name for row in rows for name in row)
    return TableBatch({name: _array([row.get(name) for row in rows]) for name in names}, len(rows), damage)


def _array(values: list[Any]) -> pa.Array:
    """Return values as an array: of texts if they have several types; numbers keep all their digits."""
    import pyarrow

    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowException, OverflowError, UnicodeEncodeError):
        texts = [None if value is None else value if isinstance(value, str) else json.dumps(value) for value in values]
        return pyarrow.array([None if text is None else text.encode("utf-8", "replace").decode() for text in texts])
