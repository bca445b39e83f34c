"""
Summary values: what is said of a sequence without its points, such as `last`, `min` and `mean`.

    Summary           the values of one sequence
    SUMMARY_VALUES    the one table of them: their names in queries, on pages and in tables, and their types

A new value is a field of `Summary`, a row of `SUMMARY_VALUES`, and how it is computed: from points
(`storage.sealing.point_summary`), and from the records of many writers (`storage.catalogue.summaries`), where the parts
of several writers are merged too.

NaN is left out of `min`, `max`, `mean`, `std` and `median`, which are NaN when no number is left.

Rule: no other module keeps a list of summary values; one that shows a choice of them takes the names from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

NAN = float("nan")
UNKNOWN_LENGTH = -1
"""Of the longest list of objects: its records were not read yet. All numbers below it say the same."""


class Summary(NamedTuple):
    """
    The values of one sequence. Of several points at one step the latest counts.

    It is made by names only, `Summary(first=0.5, ...)` or `Summary.rows`; a test keeps this. It is a tuple because a
    catalogue makes thousands at once: a frozen dataclass takes 20 times as long.

    Attributes:
        last: the value at the largest step.
        std: the standard deviation of all values, as `numpy.std` has it: 0 for one value. NaN also while it is
            unknown, see `storage.catalogue.summaries`.
        median: NaN also while it is unknown.
        argmin, argmax: the first steps that have the smallest and the largest value.
        record_max_length: of objects: the longest list tracked at one step; UNKNOWN_LENGTH or less while it is unknown.
    """

    first: float
    last: float
    min: float
    max: float
    mean: float
    std: float
    median: float
    point_count: int
    first_step: int
    last_step: int
    argmin: int
    argmax: int
    has_nan: bool
    record_max_length: int

    @classmethod
    def rows(cls, columns: Mapping[str, Sequence[Any]]) -> Iterator[Summary]:
        """
        Go through the summaries of which *columns* has the values, by the names of the fields.

        >>> [summary.last for summary in Summary.rows({name: [1, 2] for name in Summary._fields})]
        [1, 2]
        """
        return map(cls._make, zip(*(columns[name] for name in cls._fields), strict=True))


@dataclass(frozen=True)
class Statistic:
    """
    One value of `Summary`.

    Attributes:
        name: in a query: `metric.<name>`.
        value_type: of the value.
        of_metrics, of_objects: which sequences have it.
        field: of `Summary`.
        page_name: in fields of the pages, `--columns` and the answers of the server; "": it is not shown there.
        is_looked_up: whether it may be unknown until the points are read.
    """

    name: str
    value_type: type
    of_metrics: bool = True
    of_objects: bool = False
    field: str = ""
    page_name: str | None = None
    is_looked_up: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", self.field or self.name)
        object.__setattr__(self, "page_name", self.name if self.page_name is None else self.page_name)


SUMMARY_VALUES = (
    Statistic("first", float),
    Statistic("last", float),
    Statistic("min", float),
    Statistic("max", float),
    Statistic("mean", float),
    Statistic("std", float, is_looked_up=True),
    Statistic("median", float, is_looked_up=True),
    Statistic("count", int, of_objects=True, field="point_count"),
    Statistic("first_step", int, of_objects=True),
    Statistic("last_step", int, of_objects=True),
    Statistic("argmin", int, page_name="min_step"),
    Statistic("argmax", int, page_name="max_step"),
    Statistic("has_nan", bool, page_name=""),
    Statistic("record_max_length", int, of_metrics=False, of_objects=True, page_name="", is_looked_up=True),
)

BY_NAME = {value.name: value for value in SUMMARY_VALUES}

PAGE_SUMMARIES = {str(value.page_name): value.name for value in SUMMARY_VALUES if value.page_name}
"""The values that pages and tables show of a metric: what they call each, and its name in queries."""

COLUMN_SUMMARIES = {**{name: page for page, name in PAGE_SUMMARIES.items()}, **{page: page for page in PAGE_SUMMARIES}}
"""What the end of a column may be, `loss.argmin` or `loss.min_step`: its name on pages, by both of its names."""


def summary_of_objects(point_count: int, first_step: int, last_step: int, *, is_list: bool) -> Summary:
    """Return the summary of a sequence of objects, or of lists of them, whose length is unknown."""
    return Summary(
        first=NAN,
        last=NAN,
        min=NAN,
        max=NAN,
        mean=NAN,
        std=NAN,
        median=NAN,
        point_count=point_count,
        first_step=first_step,
        last_step=last_step,
        argmin=first_step,
        argmax=first_step,
        has_nan=False,
        record_max_length=UNKNOWN_LENGTH if is_list else 1,
    )
