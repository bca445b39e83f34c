"""
Objects of Aim 3 and their stored form here. The bytes of images, audio and figures stay what they are.

    aim.image, aim.audio, aim.text, aim.figure, aim.distribution, aim.log_line, aim.log_record
    any other         a table of its fields
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aim.convert.aim3.values import StoredFields
from aim.convert.media import (
    HistogramBins,
    ImageFile,
    Media,
    PlainText,
    SoundFile,
    StoredObject,
    TableRows,
    stored,
)
from aim.core import params
from aim.core.errors import UntrackableValue
from aim.core.values import Stored

NUMBER_TYPES = "iufb"

Fields = Mapping[Any, Any]


def media_of(item: StoredFields) -> Media:
    """Return an object as neutral media."""
    make = _MAKERS.get(item.name)
    media = None if make is None else make(item.fields, item.fields.get("data"))
    return _table(item) if media is None else media


def _image(fields: Fields, data: Any) -> Media | None:
    return ImageFile(data, fields.get("caption") or "") if isinstance(data, bytes) else None


def _audio(fields: Fields, data: Any) -> Media | None:
    return SoundFile(data, fields.get("caption") or "") if isinstance(data, bytes) else None


def _text(fields: Fields, data: Any) -> Media:
    return PlainText(str(data))


def _line(fields: Fields, data: Any) -> Media:
    return StoredObject(Stored("aim.log_line", {"text": str(data)}))


def _table(item: StoredFields) -> Media:
    rows = [[str(name), _cell(value)] for name, value in item.fields.items()]
    return TableRows(["field", "value"], rows, f"an object of the type {item.name}")


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    return value if isinstance(value, (str, int, float, bool, type(None))) else json.dumps(value, default=str)


def _distribution(fields: Fields, data: Any) -> Media | None:
    if not isinstance(data, bytes):
        return None
    try:
        counts = np.frombuffer(data, np.dtype(str(fields.get("dtype", "int64"))))
        low, high = (float(edge) for edge in fields.get("range", ()))
    except (TypeError, ValueError):
        counts, low, high = np.empty(0), 0.0, 0.0
    if counts.dtype.kind not in NUMBER_TYPES or not len(counts):
        return HistogramBins([], [])  # refused by `stored`, with a reason
    return HistogramBins(np.linspace(low, high, len(counts) + 1).tolist(), counts.tolist())


def _figure(fields: Fields, data: Any) -> Media | None:
    if not isinstance(data, str):
        return None
    described = {name: str(fields.get(name, "")) for name in ("source", "version", "format")}
    return StoredObject(Stored("aim.figure", described, data.encode("utf-8", "replace"), "json"))


def _log_record(fields: Fields, data: Any) -> Media:
    record: dict[str, Any] = {"message": str(fields.get("message", "")), "level": fields.get("log_level", 20)}
    if fields.get("extra_args"):
        record["args"] = params.encode(fields["extra_args"], strict=False)
    info = fields.get("__logger_info")
    if isinstance(info, list) and len(info) == 2 and isinstance(info[0], str):
        record |= {"file": info[0], "line": info[1]}
    if isinstance(fields.get("timestamp"), (int, float)):
        record["time"] = float(fields["timestamp"])
    return StoredObject(Stored("aim.log_record", record))


_MAKERS: dict[str, Callable[[Fields, Any], Media | None]] = {
    "aim.image": _image,
    "aim.audio": _audio,
    "aim.text": _text,
    "aim.distribution": _distribution,
    "aim.figure": _figure,
    "aim.log_line": _line,
    "aim.log_record": _log_record,
}
"""What makes each type of its fields and its data; None: they are not what they should be."""


class _Param:
    """An object among the params."""

    def __init__(self, form: Stored) -> None:
        self._form = form

    def stored(self) -> Stored:
        """Return the stored form."""
        return self._form


def param(value: Any) -> Any:
    """Return a param with its objects as `params.encode` takes them; one that can't be read becomes its fields."""
    if isinstance(value, dict):
        return {key: param(below) for key, below in value.items()}
    if isinstance(value, list):
        return [param(below) for below in value]
    if isinstance(value, StoredFields):
        try:
            return _Param(stored(media_of(value)))
        except UntrackableValue:
            return {"type": value.name, **{key: _cell(below) for key, below in value.fields.items()}}
    return value


def is_line(value: Any) -> bool:
    """Return whether a value is one line of the terminal."""
    return isinstance(value, StoredFields) and value.name == "aim.log_line"


def text_of(value: Any) -> str:
    """Return the text of a line."""
    return str(value.fields.get("data", ""))
