"""
docs/query-language.md is true: each example finds what it says, and the page has each name and bound.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from aim.core.errors import InvalidQuery
from aim.core.statuses import STATUSES
from aim.core.zones import read_zone
from aim.query import limits, names, regex
from aim.query.functions import FUNCTIONS, VALUES
from aim.query.methods import ATTRIBUTES, METHODS
from aim.query.query import compile_query
from tests.query.memory_table import MemoryTable, PlainRun, Series

PAGE = Path(__file__).parents[2] / "docs/query-language.md"
NOW = "2024-05-06 12:00"
LONDON = read_zone("Europe/London")


def seconds(moment: str | None) -> float | None:
    """Return a time of the page, in UTC, as seconds since 1970."""
    return None if moment is None else (datetime.fromisoformat(moment) - datetime(1970, 1, 1)).total_seconds()


def table_of_page() -> MemoryTable:
    """The runs that the page shows."""
    (block,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    runs = []
    for record in json.loads(block):
        fields = {key: record[key] for key in ("name", "experiment", "tags", "status")}
        fields["archived"] = record.get("archived", False)
        fields["creation_time"], fields["end_time"] = seconds(record["created_at"]), seconds(record["end_time"])
        series = [
            Series(name, context, values=values, steps=list(range(len(values))))
            for name, context, values in record["metrics"]
        ]
        runs.append(PlainRun(record["params"], series, fields))
    return MemoryTable(runs)


@dataclass(frozen=True)
class Example:
    """One row of a table of the page."""

    line: int
    subject: str
    query: str
    finds: str
    is_refused: bool


def examples() -> list[Example]:
    """Return the rows of all tables whose columns are a query or example and what it finds."""
    found: list[Example] = []
    columns: list[str] = []
    for line, text in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), start=1):
        if not text.startswith("|"):
            columns = []
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", text)[1:-1]]
        if not columns:
            columns = cells
        elif columns[-1] in ("finds", "is refused") and not cells[0].startswith("---"):
            (query,) = re.findall(r"^`(.*)`$", cells[-2])
            subject = "metric" if "for metrics" in columns[-2] else "run"
            found.append(Example(line, subject, query, cells[-1], columns[-1] == "is refused"))
    return found


@pytest.mark.parametrize("example", examples(), ids=lambda example: f"line {example.line}")
def test_an_example_of_the_page_finds_what_it_says(example: Example) -> None:
    """
    A query finds the runs or sequences beside it; a wrong query raises the error beside it.
    """
    if example.is_refused:
        with pytest.raises(InvalidQuery) as caught:
            compile_query(example.query, example.subject)
        assert example.finds == str(caught.value).splitlines()[0]
        return
    query = compile_query(example.query, example.subject, zone=LONDON, now=seconds(NOW))
    table = table_of_page()
    if example.subject == "run":
        found = [table.runs[row].fact("name") for row in query.select_runs(table)]
    else:
        found = [described(table, *place) for place in zip(*query.select_sequences(table))]

    assert sorted(filter(None, example.finds.split(", "))) == sorted(found)


def described(table: MemoryTable, pair: int, row: int) -> str:
    """Return a sequence as the page writes it: run, metric, subset."""
    parts: list[Any] = [table.runs[row].fact("name"), table.pairs[pair].name, table.pairs[pair].context.get("subset")]
    return " ".join(part for part in parts if part)


def test_the_page_has_many_examples() -> None:
    """
    These tests find every table of examples.
    """
    assert len(examples()) > 100


def test_every_name_stands_on_the_page() -> None:
    """
    The page names each field, summary, function, method, attribute and module value.
    """
    text = PAGE.read_text(encoding="utf-8")
    words = {word for code in re.findall(r"`([^`\n]+)`", text) for word in re.findall(r"\w+", code)}
    known = {*names.RUN, *names.PAIR, *names.SUMMARY, *names.POINTS, *names.SUBJECTS, *STATUSES, *METHODS}
    known |= {name.rpartition(".")[2] for name in (*FUNCTIONS, *VALUES)}
    known |= {name for of_type in ATTRIBUTES.values() for name in of_type}

    assert set() == known - words


def test_every_bound_stands_on_the_page() -> None:
    """
    The table of bounds on the page has the numbers of the code.
    """
    text = PAGE.read_text(encoding="utf-8")
    bounds = text[text.index("## Bounds") : text.index("## Order")]
    shown = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", bounds.partition("| --- |")[2])}
    known = {
        limits.TEXT_CHARS_MAX,
        limits.NODES_MAX,
        limits.DEPTH_MAX,
        limits.SIZE_MAX,
        limits.HASHED_MAX,
        limits.INT_BITS_MAX,
        limits.FORMAT_WIDTH_MAX,
        limits.CALL_DEPTH_MAX,
        limits.STEPS_MAX,
        int(limits.TIME_S_MAX),
        regex.PATTERN_CHARS_MAX,
    }

    assert known == shown
