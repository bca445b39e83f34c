"""
The record of a run in an export, `runs.jsonl`, as neutral events.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from aim.convert.events import Ended, Event, NoteText, ObjectStep, ParamValue, PointBatch, RunFound, TagName
from aim.convert.media import StoredObject
from aim.core import params
from aim.core.reserved import IMPORTED_PARAMS, SYSTEM_PREFIX
from aim.core.values import Stored

SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
EXTENSIONS = {"jpeg": "jpg", "raw_json": "json"}
STATUSES = frozenset({"finished", "failed", "lost"})


class ObjectRow(NamedTuple):
    """One object of an export."""

    name: str
    context: Mapping[str, Any]
    is_list: bool
    step: int
    time_s: float
    epoch: float
    form: Stored


def described(record: Mapping[str, Any]) -> Iterator[Event]:
    """Go through the events of a run that are neither points nor objects, its end left out."""
    yield RunFound(
        name=record.get("name"),
        experiment=record.get("experiment"),
        description=record.get("description"),
        created_at_s=record.get("created_at"),
        is_archived=bool(record.get("archived")),
        tool_version=record.get("aim"),
    )
    tree = params.decode(record.get("params") or {})
    for key, value in tree.items() if isinstance(tree, dict) else ():
        if key != IMPORTED_PARAMS:
            yield ParamValue((key,), value)
    yield from (TagName(str(tag)) for tag in record.get("tags") or ())
    if record.get("notes"):
        yield NoteText(str(record["notes"]))


def ended(record: Mapping[str, Any]) -> Ended:
    """Return the end of a run; one that was still recording is lost."""
    status = record.get("status")
    return Ended(status if status in STATUSES else "lost", record.get("end_time"), record.get("error"))


def number(value: Any) -> Any:
    """
    Return a number of an export.

    >>> number("-Infinity"), number(3), number(None)
    (-inf, 3, nan)
    """
    return math.nan if value is None else SPECIAL.get(value, value) if isinstance(value, str) else value


def batch(name: str, context: Mapping[str, Any], rows: Iterable[tuple[int, float, float, Any]]) -> PointBatch:
    """Return the points of rows: step, time, epoch, value; ints stay ints."""
    steps, times_s, epochs, values = zip(*rows)
    kinds = {type(value) for value in values}
    dtype: Any = np.int64 if kinds == {int} else np.float64 if kinds == {float} else object
    array = np.empty(len(values), dtype)
    array[:] = values
    return PointBatch(
        name,
        context,
        np.array(steps, np.int64),
        array,
        np.array(times_s, np.float64),
        np.array(epochs, np.float64),
        is_system=name.startswith(SYSTEM_PREFIX),
    )


def extension(kind: str, fields: Mapping[str, Any]) -> str:
    """Return the extension of the bytes of an object."""
    name = str(fields.get("format") or ("zip" if kind == "aim.table" else "bin")).lower()
    return EXTENSIONS.get(name, name)


def object_steps(rows: Iterable[ObjectRow]) -> Iterator[ObjectStep]:
    """Go through objects, those of one step of a sequence together."""
    for _, group in itertools.groupby(rows, key=lambda row: (row.name, repr(row.context), row.step)):
        items = list(group)
        first = items[0]
        forms = [StoredObject(row.form) for row in items]
        yield ObjectStep(
            first.name, first.context, first.step, forms, first.time_s, first.epoch, first.is_list or len(items) > 1
        )
