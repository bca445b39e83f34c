"""
From the record of a point to its objects: which of them are shown, and what makes them.

The record and the bytes may come from blob files or from a server: the caller reads both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aim.core.params import OWN_KIND, Restore
from aim.storage.forms import blobs
from aim.storage.reading.points import Points

ReadData = Callable[[int], bytes]
"""Returns the bytes of the data entry at an offset of the file that has the record."""


def visible_items(record: Mapping[str, Any], points: Points, index: int) -> list[tuple[int, dict[str, Any]]]:
    """Return the items of the record of the point at *index* that were not deleted, each with its index in the list."""
    hidden = points.hidden_items.get(int(points.steps[index]), frozenset())
    return [(item_index, item) for item_index, item in enumerate(record["items"]) if item_index not in hidden]


def visible_record(record: dict[str, Any], points: Points, index: int) -> dict[str, Any]:
    """Return the record of the point at *index* without its deleted items."""
    if not points.hidden_items:
        return record
    return {**record, "items": [item for _, item in visible_items(record, points, index)]}


def objects_of(record: Mapping[str, Any], read_data: ReadData, restore: Restore) -> Any:
    """Return the object, or list of objects, of a record; their bytes are read when they are asked for."""
    kind: str = record["kind"]
    objects = [_restored(kind, item, read_data, restore) for item in record["items"]]
    return objects if kind.startswith("list") else objects[0]


def _restored(kind: str, item: Mapping[str, Any], read_data: ReadData, restore: Restore) -> Any:
    fields = dict(item)
    offset = fields.pop("data", None)
    fields.pop(OWN_KIND, None)
    return restore(blobs.kind_of_item(kind, item), fields, lambda: b"" if offset is None else read_data(offset))
