"""
Media values of W&B's history: an object with `_type` and the path of a file below `files/`.

    image-file, images/separated     images, with boxes and masks        histogram     edges and counts
    audio-file, video-file           sound, video                        table-file    a table, images as its cells
    plotly-file                      a figure                            html-file     its text
    object3D-file                    a mesh or a scene as it is; `.pts.json` are rows of points, or a scene with them

A file's SHA-256 is checked. A file that is missing, damaged or outside of the folder leaves a text that names it.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aim.convert.media import (
    FigureJson,
    HistogramBins,
    ImageFile,
    Media,
    MeshFile,
    PlainText,
    PointRows,
    SoundFile,
    TableRows,
    VideoFile,
)
from aim.convert.media_files import MediaUnavailable, media_bytes

PACKED_BYTES_MAX = 1 << 26


class MediaValue(NamedTuple):
    """What a value became: objects of one step, and what was wrong with it."""

    items: list[Media]
    is_list: bool = False
    problem: str | None = None


def media_of(value: Mapping[str, Any], folder: Path, labels: Mapping[str, Any]) -> MediaValue:
    """
    Return the objects of a media value.

    Args:
        folder: the run's `files`.
        labels: names of classes by the name of a layer of boxes or masks.
    """
    kind = str(value.get("_type"))
    make = _MAKERS.get(kind)
    if make is None:
        return MediaValue(
            [PlainText(json.dumps(value, ensure_ascii=False))], problem=f"{kind}: kept as its description"
        )
    try:
        items = make(value, folder, labels)
    except (MediaUnavailable, ValueError, TypeError, KeyError, struct.error, zlib.error) as error:
        named = value.get("path") or value.get("filenames") or kind
        return MediaValue([PlainText(f"{kind}: {named}")], problem=f"{kind}: {error}")
    if isinstance(items, MediaValue):
        return items
    return MediaValue(items, is_list=kind == "images/separated" and len(items) != 1)


def _image(value: Mapping[str, Any], folder: Path, labels: Mapping[str, Any]) -> list[Media]:
    data = media_bytes(folder, value.get("path"), value.get("sha256"))
    boxes, names = _boxes(value, folder)
    masks = {
        str(name): _pixels(media_bytes(folder, mask.get("path"), mask.get("sha256")))
        for name, mask in (value.get("masks") or {}).items()
    }
    for layer in masks:
        names.update(_class_names(labels.get(layer)))
    return [ImageFile(data, value.get("caption") or "", boxes or None, masks or None, names or None)]


def _pixels(data: bytes) -> Any:
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(data)) as mask:
        return np.array(mask.convert("L"))


def _boxes(value: Mapping[str, Any], folder: Path) -> tuple[dict[str, list[dict[str, Any]]], dict[int, str]]:
    width, height = float(value.get("width") or 1), float(value.get("height") or 1)
    layers: dict[str, list[dict[str, Any]]] = {}
    names: dict[int, str] = {}
    for name, reference in (value.get("boxes") or {}).items():
        document = json.loads(media_bytes(folder, reference.get("path"), reference.get("sha256")))
        names.update(_class_names(document.get("class_labels")))
        layers[str(name)] = [_box(box, width, height) for box in document.get("box_data", ())]
    return layers, names


def _box(box: Mapping[str, Any], width: float, height: float) -> dict[str, Any]:
    position = box["position"]
    if box.get("domain") == "pixel":
        width = height = 1.0
    if "middle" in position:
        (x, y), across, down = position["middle"], position["width"], position["height"]
        left, top = x - across / 2, y - down / 2
    else:
        left, top = position["minX"], position["minY"]
        across, down = position["maxX"] - left, position["maxY"] - top
    described: dict[str, Any] = {"box": (left * width, top * height, across * width, down * height)}
    if box.get("box_caption") is not None:
        described["label"] = str(box["box_caption"])
    elif box.get("class_id") is not None:
        described["label"] = int(box["class_id"])
    scores = box.get("scores") or {}
    if scores:
        described["score"] = float(next(iter(scores.values())))
    return described


def _class_names(labels: Any) -> dict[int, str]:
    return {int(number): str(name) for number, name in labels.items()} if isinstance(labels, Mapping) else {}


def _images(value: Mapping[str, Any], folder: Path, labels: Mapping[str, Any]) -> list[Media]:
    names = value.get("filenames") or []
    captions = value.get("captions")
    captions = captions if isinstance(captions, list) else [""] * len(names)
    return [ImageFile(media_bytes(folder, name), caption or "") for name, caption in zip(names, captions)]


def _sound(value: Mapping[str, Any], folder: Path, labels: Mapping[str, Any]) -> list[Media]:
    return [SoundFile(media_bytes(folder, value.get("path"), value.get("sha256")), value.get("caption") or "")]


def _video(value: Mapping[str, Any], folder: Path, labels: Mapping[str, Any]) -> list[Media]:
    return [VideoFile(media_bytes(folder, value.get("path"), value.get("sha256")), value.get("caption") or "")]


def _figure(value: Mapping[str, Any], folder: Path, labels: Mapping[str, Any]) -> list[Media]:
    return [FigureJson(media_bytes(folder, value.get("path"), value.get("sha256")).decode("utf-8", "replace"))]


def _html(value: Mapping[str, Any], folder: Path, labels: Mapping[str, Any]) -> list[Media]:
    return [PlainText(media_bytes(folder, value.get("path"), value.get("sha256")).decode("utf-8", "replace"))]


def _object3d(value: Mapping[str, Any], folder: Path, labels: Mapping[str, Any]) -> list[Media] | MediaValue:
    path, caption = str(value.get("path")), value.get("caption") or ""
    data = media_bytes(folder, value.get("path"), value.get("sha256"))
    if not path.endswith(".json"):
        return [MeshFile(data, path.rpartition(".")[2], caption)]
    document = json.loads(data)
    if isinstance(document, list):
        return [PointRows(document, caption)]
    left_out = " and ".join(name for name in ("boxes", "vectors") if document.get(name))
    problem = f"object3D-file: the {left_out} of a scene are left out" if left_out else None
    return MediaValue([PointRows(document["points"], caption)], problem=problem)


def _histogram(value: Mapping[str, Any], folder: Path, labels: Mapping[str, Any]) -> list[Media]:
    counts = _unpacked(value["values"])
    packed = value.get("packedBins")
    if packed:
        first, size, count = float(packed["min"]), float(packed["size"]), int(packed["count"])
        if count != len(counts):
            raise ValueError(f"{count} bins and {len(counts)} counts")
        edges = [first + size * index for index in range(count + 1)]
    else:
        edges = _unpacked(value["bins"])
    return [HistogramBins([float(edge) for edge in edges], counts)]


def _unpacked(numbers: Any) -> list[float]:
    """Return numbers that are a list, or packed: a text of base64 and zlib."""
    if isinstance(numbers, list):
        return numbers
    kind, _, text = str(numbers).partition(";")
    plain = zlib.decompressobj().decompress(base64.b64decode(text or kind), PACKED_BYTES_MAX)
    return list(struct.unpack(f"<{len(plain) // 8}d", plain[: len(plain) // 8 * 8]))


def _table(value: Mapping[str, Any], folder: Path, labels: Mapping[str, Any]) -> list[Media]:
    document = json.loads(media_bytes(folder, value.get("path"), value.get("sha256")))
    rows = [[_cell(cell, folder, labels) for cell in row] for row in document["data"]]
    return [TableRows([str(column) for column in document["columns"]], rows)]


def _cell(cell: Any, folder: Path, labels: Mapping[str, Any]) -> Any:
    if isinstance(cell, Mapping) and cell.get("_type") in ("image-file", "audio-file", "video-file"):
        return media_of(cell, folder, labels).items[0]
    return cell


_MAKERS: dict[str, Callable[[Mapping[str, Any], Path, Mapping[str, Any]], list[Media] | MediaValue]] = {
    "image-file": _image,
    "images/separated": _images,
    "audio-file": _sound,
    "video-file": _video,
    "plotly-file": _figure,
    "html-file": _html,
    "object3D-file": _object3d,
    "histogram": _histogram,
    "table-file": _table,
}
