"""
`wandb.Table`: rows that a script adds one by one; the `aim.Table` is made when it is logged.

A column whose cells no column of ours holds, such as dicts or a mixture of texts and numbers, is kept as texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from aim.core import configs
from aim.core.errors import UntrackableValue
from aim.sdk.objects.recognise import is_pil_image
from aim.sdk.objects.table import Table
from aim.wandb.media import WandbImage

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

DEFAULT_COLUMNS = ("Input", "Output", "Expected")


class WandbTable:
    """
    A table that grows.

    Args:
        columns: their names.
        data: rows, each a list of cells; an array; a data frame.
        rows: W&B's older name of *data*.
        dataframe: a data frame of pandas, in place of *data* and *columns*.
        dtype, optional, allow_mixed_types, log_mode: ignored; columns get the type of their cells.

    Attributes:
        columns: the names of the columns.
        data: the rows.

    >>> table = WandbTable(columns=["guess", "truth"])
    >>> table.add_data(7, 1)
    >>> table.add_column("sure", [0.9])
    >>> table.columns, table.data, table.stored_table()
    (['guess', 'truth', 'sure'], [[7, 1, 0.9]], <Table of 1 rows: guess, truth, sure>)
    """

    def __init__(
        self,
        columns: Sequence[Any] | None = None,
        data: Any = None,
        rows: Any = None,
        dataframe: Any = None,
        dtype: Any = None,
        optional: Any = True,
        allow_mixed_types: bool = False,
        log_mode: str | None = None,
    ) -> None:
        cells = data if dataframe is None else dataframe
        cells = rows if cells is None else cells
        if hasattr(cells, "columns") and hasattr(cells, "itertuples"):
            columns = list(cells.columns)
            cells = [list(row) for row in cells.itertuples(index=False)]
        self.columns: list[Any] = list(DEFAULT_COLUMNS if columns is None else columns)
        self.data: list[list[Any]] = [list(row) for row in (() if cells is None else cells)]

    def add_data(self, *cells: Any) -> None:
        """
        Add a row.

        Raises:
            UntrackableValue: (a ValueError) there are not as many cells as columns.
        """
        if len(cells) != len(self.columns):
            raise UntrackableValue(f"the row has {len(cells)} cells for {len(self.columns)} columns: {self.columns}.")
        self.data.append(list(cells))

    add_row = add_data

    def add_column(self, name: str, data: Any, optional: bool = False) -> None:
        """
        Add a column with a cell for each row.

        Raises:
            UntrackableValue: (a ValueError) there are not as many cells as rows.
        """
        cells = list(data)
        if self.data and len(cells) != len(self.data):
            raise UntrackableValue(f"the column {name!r} has {len(cells)} cells for {len(self.data)} rows.")
        if not self.data:
            self.data = [[] for _ in cells]
            self.columns = []
        self.columns.append(name)
        for row, cell in zip(self.data, cells):
            row.append(cell)

    def add_computed_columns(self, compute: Any) -> None:
        """Add the columns that `compute(index, row)` returns as a dict, *row* being a dict of the cells by column."""
        computed = [compute(index, dict(zip(self.columns, row))) for index, row in enumerate(self.data)]
        for name in computed[0] if computed else ():
            self.add_column(name, [cells[name] for cells in computed])

    def get_column(self, name: str, convert_to: str | None = None) -> list[Any] | NDArray[Any]:
        """Return the cells of a column as a list, or as an array with `convert_to="numpy"`."""
        index = self.columns.index(name)
        cells = [row[index] for row in self.data]
        if convert_to == "numpy":
            import numpy as np

            return np.array(cells)
        return cells

    def get_index(self) -> list[int]:
        """Return the numbers of the rows."""
        return list(range(len(self.data)))

    def iterrows(self) -> Iterator[tuple[int, list[Any]]]:
        """Go through the rows with their numbers."""
        yield from enumerate(self.data)

    def get_dataframe(self) -> pd.DataFrame:
        """Return the table as a data frame of pandas."""
        import pandas as pd

        return pd.DataFrame(self.data, columns=self.columns)

    def __len__(self) -> int:
        return len(self.data)

    def stored_table(self) -> Table:
        """Return the table as it is stored."""
        names = [str(name) for name in self.columns]
        columns = {name: [_cell(row[index]) for row in self.data] for index, name in enumerate(names)}
        return Table({name: _storable_cells(name, cells) for name, cells in columns.items()})


def _cell(value: Any) -> Any:
    if isinstance(value, WandbTable):
        return value.stored_table()
    return WandbImage(value) if is_pil_image(value) else value


def _storable_cells(name: str, cells: list[Any]) -> list[Any]:
    """Return the cells of a column, as texts where no column holds them as they are."""
    try:
        Table({name: cells})
    except UntrackableValue:
        return [None if cell is None else cell if isinstance(cell, str) else configs.text_of(cell) for cell in cells]
    return cells
