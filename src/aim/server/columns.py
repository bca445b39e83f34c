"""
Columns of the table of runs: what the pages call the fields of a run, and cells as they stand in an answer. Specified
in docs/formats/wire.md, section 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aim.core.summaries import PAGE_SUMMARIES
from aim.engine.listing import Cells, Field, PropertyField
from aim.engine.overview import type_of
from aim.query.columns import RawColumn
from aim.server.answers import wire_number, wire_numbers, wire_value

RUN_COLUMNS = {
    "name": ("Name", "string"),
    "status": ("State", "string"),
    "created_at": ("Started", "time"),
    "end_time": ("Ended", "time"),
    "duration": ("Duration", "duration"),
    "experiment": ("Experiment", "string"),
    "tags": ("Tags", "list"),
    "hash": ("Hash", "string"),
    "description": ("Description", "string"),
    "archived": ("Archived", "bool"),
    "error": ("Error", "string"),
    "losses": ("Losses", "string"),
    "notes": ("Notes", "string"),
    "progress": ("Progress, %", "number"),
    "rate": ("Rate, 1/s", "number"),
    "remaining": ("Remaining", "duration"),
}
"""The fields of a run, in the order of a list to choose from: what people call each, and its type."""


def wire_columns() -> list[dict[str, str]]:
    """Return the fields of a run as they stand in an answer."""
    return [{"key": key, "label": label, "type": type_name} for key, (label, type_name) in RUN_COLUMNS.items()]


def wire_summaries() -> list[str]:
    """Return the names of the summaries of a metric that can be a column."""
    return list(PAGE_SUMMARIES)


def wire_column(field: Field, cells: Cells) -> dict[str, Any]:
    """Return cells as a column of an answer; its type is that of its values."""
    if isinstance(cells, RawColumn):
        is_whole = cells.present is None or bool(cells.present.all())
        is_plain = is_whole and bool(np.isfinite(cells.raw).all())
        return {"type": "number", "values": cells.raw.tolist() if is_plain else wire_numbers(cells.objects())}
    used_codes = [code for code in np.unique(cells.codes).tolist() if code >= 0 and cells.values[code] is not None]
    values = [plain(cells.values[code]) for code in used_codes]
    column_type = type_of(values) if values else _type_without_values(field)
    if column_type == "string":
        wire_codes = np.full(len(cells.values) + 1, -1, np.int64)  # the last one is that of code -1
        wire_codes[used_codes] = np.arange(len(used_codes))
        return {"type": "string", "values": values, "codes": wire_codes[cells.codes].tolist()}
    form = _FORMS.get(column_type, plain)
    wire_values: dict[int, Any] = dict(zip(used_codes, map(form, values), strict=True))
    return {"type": column_type, "values": list(map(wire_values.get, cells.codes.tolist()))}


def _type_without_values(field: Field) -> str:
    is_text = isinstance(field, PropertyField) and RUN_COLUMNS[field.name][1] == "string"
    return "string" if is_text else "json"


def plain(value: object) -> Any:
    """Return a number of numpy as Python's own; any other value as it is."""
    return value.item() if isinstance(value, np.generic) else value


_FORMS = {"number": wire_number, "json": wire_value}
