"""
Objects as they stand in an answer, one form for each kind. Specified in docs/formats/wire.md, section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from aim.core.kinds import OBJECT_KINDS
from aim.engine.media import ObjectItem
from aim.server.answers import wire_number

TEXT_CHARS_MAX = 20_000
EVEN_BINS_MIN = 64  # fewer would hide what narrow bins show
EXTENSION_FORMATS = {"jpg": "jpeg"}


def wire_object(item: ObjectItem, subject: str) -> dict[str, Any]:
    """Return an object of the kind that queries call *subject* as it stands in an answer."""
    return {
        "step": item.step,
        "epoch": None if item.epoch != item.epoch else item.epoch,
        "time": item.time_s,
        "index": item.index,
        **WIRE_FORMS[STORED_OF_SUBJECT[subject]](item),
    }


def format_of(fields: Mapping[str, Any]) -> str:
    """
    Return the format of an image or sound in lower case.

    >>> format_of({"format": "JPEG"}), format_of({"extension": "jpg"})
    ('jpeg', 'jpeg')
    """
    name = str(fields.get("format") or fields.get("extension") or "").lower()
    return EXTENSION_FORMATS.get(name, name)


def _text(item: ObjectItem) -> dict[str, Any]:
    text = str(item.fields.get("text", ""))
    if len(text) <= TEXT_CHARS_MAX and "chars" not in item.fields:
        return {"text": text}
    return {"text": text[:TEXT_CHARS_MAX], "cut": True, "blob": item.address}


def even_weights(weights: Sequence[float], edges: Sequence[float]) -> list[float]:
    """
    Return what bins of equal width hold, where *weights* are between neighbours of *edges*: each spread evenly.

    >>> even_weights([4, 3], [0, 1, 4])
    [5.0, 2.0]
    """
    cumulative = np.concatenate([[0.0], np.cumsum(np.asarray(weights, np.float64))])
    even_edges = np.linspace(edges[0], edges[-1], max(len(weights), EVEN_BINS_MIN if len(weights) > 2 else 2) + 1)
    return [float(weight) for weight in np.diff(np.interp(even_edges, edges, cumulative))]


def _distribution(item: ObjectItem) -> dict[str, Any]:
    low, high = (*item.fields.get("range", ()), 0.0, 1.0)[:2]
    weights = item.fields.get("weights", ())
    edges = item.fields.get("edges")
    if isinstance(edges, list) and len(edges) == len(weights) + 1:
        weights = even_weights(weights, edges)
    return {
        "bin_count": len(weights) if edges else item.fields.get("bin_count", len(weights)),
        "range": [wire_number(low), wire_number(high)],
        "weights": [wire_number(weight) for weight in weights],
    }


def _figure(item: ObjectItem) -> dict[str, Any]:
    return {**_blob(item), "source": str(item.fields.get("source", "plotly"))}


def _table(item: ObjectItem) -> dict[str, Any]:
    fields = item.fields
    return {
        **_blob(item),
        "caption": _caption(fields),
        "columns": fields.get("columns", []),
        "row_count": fields.get("row_count", 0),
    }


def _image(item: ObjectItem) -> dict[str, Any]:
    return _media(item, "width", "height") | _overlays(item.fields)


def _audio(item: ObjectItem) -> dict[str, Any]:
    return _media(item, "rate", "duration_s")


def _video(item: ObjectItem) -> dict[str, Any]:
    return _media(item, "width", "height", "fps", "frame_count")


def _object3d(item: ObjectItem) -> dict[str, Any]:
    return _media(item, "point_count")


def _media(item: ObjectItem, *names: str) -> dict[str, Any]:
    fields = item.fields
    media = {**_blob(item), "caption": _caption(fields), "format": format_of(fields)}
    media |= {name: fields.get(name) for name in names}
    reference = fields.get("reference")
    if isinstance(reference, Mapping):
        media["uri"] = str(reference.get("uri", ""))
        if not _has_bytes(fields):
            del media["blob"]
    return media


def _has_bytes(fields: Mapping[str, Any]) -> bool:
    """Return whether the repository holds a picture or sound; of a referenced image it may hold masks alone."""
    size_bytes = _overlays(fields).get("size", fields.get("size", 0))
    return isinstance(fields.get("data"), int) and bool(size_bytes)


def _blob(item: ObjectItem) -> dict[str, Any]:
    return {"blob": item.address, "size": item.fields.get("size", 0)}


def _caption(fields: Mapping[str, Any]) -> str:
    caption = fields.get("caption")
    return "" if caption is None else str(caption)


def _overlays(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is drawn over an image, and the size of the image without its masks."""
    overlays = {name: fields[name] for name in ("boxes", "labels") if fields.get(name)}
    masks = fields.get("masks") or ()
    if masks:
        overlays["masks"] = [str(mask["name"]) for mask in masks]
        overlays["size"] = min(int(mask["start"]) for mask in masks)
    return overlays


WIRE_FORMS: dict[str, Callable[[ObjectItem], dict[str, Any]]] = {
    "aim.image": _image,
    "aim.text": _text,
    "aim.audio": _audio,
    "aim.distribution": _distribution,
    "aim.figure": _figure,
    "aim.video": _video,
    "aim.table": _table,
    "aim.object3d": _object3d,
}
"""The form of each kind, by its stored name."""
STORED_OF_SUBJECT = {kind.subject: kind.stored for kind in OBJECT_KINDS if not kind.is_log}
