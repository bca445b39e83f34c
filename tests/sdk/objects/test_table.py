"""
Tables: what they are made from, what is in their files, and that they come back.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from hypothesis import given

from aim.core.errors import DamagedFile, UntrackableValue, WrongType
from aim.sdk.objects.audio import Audio
from aim.sdk.objects.distribution import Distribution
from aim.sdk.objects.image import Image
from aim.sdk.objects.registry import restore
from aim.sdk.objects.table import Table

SEVEN = np.full((4, 4), 77, np.uint8)
CELLS = {
    "bool": st.booleans(),
    "int": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False),
    "text": st.text(max_size=9),
}


def again(table: Table) -> Table:
    """Return what a reader gets for *table*."""
    stored = table.stored()
    fields = json.loads(json.dumps(stored.fields, allow_nan=False))
    restored = restore(stored.kind, fields, lambda: stored.data or b"")
    assert isinstance(restored, Table)
    return restored


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Draw columns of one type each, with gaps."""
    names = draw(st.lists(st.text(max_size=5), unique=True, max_size=4))
    row_count = draw(st.integers(0, 5))
    return {
        name: draw(
            st.lists(st.none() | CELLS[draw(st.sampled_from(sorted(CELLS)))], min_size=row_count, max_size=row_count)
        )
        for name in names
    }


@given(tables(), st.text(max_size=5))
def test_a_table_comes_back(columns: dict[str, list[Any]], caption: str) -> None:
    """
    Names, order, types, cells and caption are those that were tracked.
    """
    table = Table(columns, caption=caption)
    restored = again(table)

    assert columns == {name: restored[name] for name in restored.columns}
    assert list(columns) == restored.columns == table.columns
    assert (table.types, caption, len(table)) == (restored.types, restored.caption, len(restored))
    assert table == restored
    assert table.json() == restored.json()
    assert list(table) == list(restored)


def test_objects_in_a_table_come_back() -> None:
    """
    Images, sounds and distributions keep their fields and bytes, beside rows that have none.
    """
    rows = [
        {
            "guess": 7,
            "digit": Image(SEVEN, caption="7 or 1?"),
            "sound": Audio([0.0, 0.5]),
            "spread": Distribution([1, 2]),
        },
        {"guess": None, "digit": None, "sound": None, "spread": None},
    ]
    restored = again(Table(rows))

    assert {"guess": "int", "digit": "aim.image", "sound": "aim.audio", "spread": "aim.distribution"} == restored.types
    assert (Image(SEVEN), "7 or 1?") == (restored[0]["digit"], restored[0]["digit"].caption)
    assert [0.0, 0.5] == restored[0]["sound"].to_numpy()[1].tolist()
    assert 64 == restored[0]["spread"].bin_count
    assert rows[1] == restored[1]


def test_the_file_of_a_table_opens_anywhere() -> None:
    """
    It is a ZIP of one JSON and one file for each object, and the same for the same table.
    """
    rows = [[7, Image(SEVEN)], [1, Image(SEVEN, format="jpg")]]
    data = Table(rows, columns=["guess", "digit"]).stored().data or b""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert ["table.json", "cells/0-1.png", "cells/1-1.jpg"] == archive.namelist()
        assert Image(SEVEN).stored().data == archive.read("cells/0-1.png")
        content = json.loads(archive.read("table.json"))

    assert {"name": "digit", "type": "aim.image"} == content["columns"][1]
    assert [7, 1] == [row[0] for row in content["rows"]]
    assert {"kind", "fields", "file"} == set(content["rows"][0][1])
    assert data == Table(rows, columns=["guess", "digit"]).stored().data


def test_listing_a_table_reads_nothing() -> None:
    """
    Names, types and the number of rows are fields; rows are read when asked for.
    """
    stored = Table([{"a": 1}]).stored()
    loads = []

    def load() -> bytes:
        loads.append("load")
        return stored.data or b""

    restored = restore(stored.kind, stored.fields, load)
    assert isinstance(restored, Table)
    assert (["a"], 1, {"a": "int"}, "<Table of 1 rows: a>") == (
        restored.columns,
        len(restored),
        restored.types,
        repr(restored),
    )
    assert [] == loads
    assert {"a": 1} == restored[0]
    assert ["load"] == loads


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": 1, "b": "x"}, {"a": 2, "b": None}],
        [{"a": 1, "b": "x"}, {"a": 2}],
        {"a": [1, 2], "b": ["x", None]},
        {"a": np.array([1, 2]), "b": ("x", None)},
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        polars.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pyarrow.table({"a": [1, 2], "b": ["x", None]}),
        ({"a": place + 1, "b": "x" if place == 0 else None} for place in range(2)),
    ],
    ids=lambda rows: type(rows).__module__ + "." + type(rows).__name__,
)
def test_a_table_is_made_from_rows_columns_and_data_frames(rows: Any) -> None:
    """
    Each way in gives the same table.
    """
    table = Table(rows)

    assert [{"a": 1, "b": "x"}, {"a": 2, "b": None}] == list(table)
    assert {"a": "int", "b": "text"} == table.types


FRAME = pd.DataFrame({"loss": [0.5, 0.25]})


@pytest.mark.parametrize(
    ("frame", "columns"),
    [
        (FRAME, {"loss": [0.5, 0.25]}),
        (FRAME[1:], {"index": [1], "loss": [0.25]}),
        (FRAME.set_axis(["mean", "max"]), {"index": ["mean", "max"], "loss": [0.5, 0.25]}),
        (FRAME.rename_axis("step"), {"step": [0, 1], "loss": [0.5, 0.25]}),
        (FRAME.rename_axis("loss"), {"index_loss": [0, 1], "loss": [0.5, 0.25]}),
        (
            FRAME.set_axis(pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["split", None])),
            {"split": ["a", "b"], "level_1": [1, 2], "loss": [0.5, 0.25]},
        ),
        (pd.Series([1, 2], name="n", index=["a", "b"]), {"index": ["a", "b"], "n": [1, 2]}),
        (polars.Series("n", [1, 2]), {"n": [1, 2]}),
    ],
    ids=["count", "filtered", "texts", "named", "named as a column", "several", "series", "series of polars"],
)
def test_the_index_of_pandas_becomes_columns(frame: Any, columns: dict[str, list[Any]]) -> None:
    """
    An index that says more than the number of the row is kept, under a name that no column has.
    """
    table = Table(frame)

    assert columns == {name: table[name] for name in table.columns}


def test_lists_of_lists_need_names() -> None:
    """
    Rows of lists or of an array take the names of *columns*.
    """
    assert [{"a": 1, "b": 2}, {"a": 3, "b": 4}] == list(Table(np.array([[1, 2], [3, 4]]), columns=["a", "b"]))
    with pytest.raises(UntrackableValue, match="need columns=, a list of names"):
        Table([[1, 2]])


def test_columns_choose_and_order() -> None:
    """
    Of dicts, columns and data frames, *columns* says which are taken, in this order.
    """
    frame = pd.DataFrame({"a": [1], "b": [2], "c": [3]})

    assert ["c", "a"] == Table(frame, columns=["c", "a"]).columns
    assert [{"c": 3, "d": None}] == list(Table([{"a": 1, "c": 3}], columns=["c", "d"]))


def test_a_data_frame_goes_in_and_out() -> None:
    """
    Numbers with gaps, texts and times of pandas come back as a data frame.
    """
    frame = pd.DataFrame({"loss": [0.5, math.nan], "name": ["a", "b"], "ok": [True, False]})

    pd.testing.assert_frame_equal(frame, again(Table(frame)).to_pandas())
    assert ["a", "b"] == list(Table({"a": [], "b": []}).to_pandas().columns)


def test_rows_and_columns_are_reached_by_index_slice_and_name() -> None:
    """
    An index gives a dict, a slice a list of them, a name the column.
    """
    table = Table({"a": [1, 2, 3]})

    assert ({"a": 3}, [{"a": 2}, {"a": 3}], [1, 2, 3], 3) == (table[-1], table[1:], table["a"], len(table))
    with pytest.raises(IndexError):
        table[3]
    with pytest.raises(KeyError, match="the table has no column 'z'; it has 'a'"):
        table["z"]


def test_a_table_is_a_snapshot() -> None:
    """
    Neither the caller's lists and images nor a column that was given out are the table's.
    """
    image = Image(SEVEN, caption="before")
    rows = [{"a": 1, "digit": image}]
    table = Table(rows)
    rows[0]["a"] = 5
    image.caption = "after"
    table["a"].append(6)

    assert (1, "before", [1]) == (table[0]["a"], again(table)[0]["digit"].caption, table["a"])


def test_equality_is_of_types_and_cells() -> None:
    """
    Equal are tables of the same columns and cells, whatever their captions.
    """
    table = Table({"a": [1, 2], "b": [Image(SEVEN), None]}, caption="one")

    assert table == Table({"a": [1, 2], "b": [Image(SEVEN), None]}, caption="two")
    assert table != Table({"a": [1, 3], "b": [Image(SEVEN), None]})
    assert table != Table({"a": [1, 2], "b": [Image(SEVEN + np.uint8(1)), None]})
    assert Table({"a": [1]}) != Table({"a": [1.0]})
    assert table != [{"a": 1}]
    with pytest.raises(TypeError, match="unhashable"):
        hash(table)


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        ({"a": [1], "b": [1, 2]}, None, "the columns have different lengths"),
        ({"a": [1]}, ["b"], "there is no column 'b'; there are 'a'"),
        ([[1], [1, 2]], ["a"], "row 1 has 2 cells for 1 columns"),
        ([[1, 2]], ["a", "a"], "two of them have one name"),
        ({1: [1], "1": [2]}, None, "two of them have one name"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), None, "two of them have one name"),
        ({"a": [1, "x"]}, None, "a column has one type"),
    ],
)
def test_wrong_tables_are_value_errors(rows: Any, columns: list[str] | None, message: str) -> None:
    """
    Each message says what does not fit.
    """
    with pytest.raises(ValueError, match=message):
        Table(rows, columns=columns)


@pytest.mark.parametrize(
    ("rows", "columns"), [(5, None), ("text", None), (None, None), ([1, 2], ["a"]), (["ab"], ["a"])]
)
def test_other_values_are_type_errors(rows: Any, columns: list[str] | None) -> None:
    """
    The message says what a table can be made from.
    """
    with pytest.raises(WrongType, match=r"Pass a list of dicts|expected a list"):
        Table(rows, columns=columns)


def test_a_damaged_table_is_named() -> None:
    """
    Bytes that are no table are damage, not a stack of foreign errors.
    """
    fields = Table({"a": [1]}).stored().fields
    for data in (b"", b"no zip", _zip_of(b"{"), _zip_of(b"{}"), _zip_of(b"5")):
        damaged = restore("aim.table", fields, lambda data=data: data)  # type: ignore[misc]
        assert isinstance(damaged, Table)
        with pytest.raises(DamagedFile, match=r"a table is damaged at table\.json"):
            damaged[0]


def _zip_of(text: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("table.json", text)
    return buffer.getvalue()


def test_notebooks_show_tables() -> None:
    """
    A notebook gets the first rows, with small images, escaped.
    """
    shown = Table([{"<a>": "<b>", "n": 0.25, "i": Image(SEVEN)}, {}], caption="c")._repr_html_()

    cells = re.sub(' style="[^"]*"', "", shown)

    assert "<th>&lt;a&gt;</th>" in cells
    assert "<td>&lt;b&gt;</td><td>0.25</td><td><img" in cells
    assert "<div>c</div>" in cells
    assert "more" not in cells
    assert "and 10 more" in Table({"a": range(60)})._repr_html_()
