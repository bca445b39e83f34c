"""
What the values of summaries become: numbers, objects, params. One function a kind.

    plugin         value                                      becomes
    scalars        a tensor of one number of any type         a point
    images         strings: width, height, image ...          images as they are encoded
    text           strings                                    a text; of two dimensions: a table
    histograms     k x 3: lower edge, upper edge, count       a distribution with the same edges
    audio          pairs of strings: file, label              sound as it is encoded
    pr_curves      6 x n: counts, precision, recall           a figure, and the raw numbers as a table
    hparams        the content of the metadata                params
    none           the old messages for images, histograms and audio
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from aim.convert.media import FigureJson, HistogramBins, ImageFile, Media, PlainText, SoundFile, TableRows
from aim.convert.protobuf import BadMessage, decode
from aim.convert.tensorboard.messages import HPARAMS
from aim.convert.tensorboard.tensors import BadTensor, numbers, strings

PR_ROWS = ("true positives", "false positives", "true negatives", "false negatives", "precision", "recall")
EXACT_WHOLE_MAX = 2.0**53
_FLOAT32 = struct.Struct("<f")


def scalar(value: Mapping[str, Any]) -> float | int:
    """
    Return the number of a value of the plugin `scalars`; floats of 32 bits and less become doubles.

    Raises:
        BadTensor: it is no number, or several.
    """
    tensor = value.get("tensor")
    if tensor is None:
        raise BadTensor("has no tensor")
    content = tensor.get("content")
    if content is not None and len(content) == 4 and tensor.get("dtype") == 1 and "shape" in tensor:
        single: float = _FLOAT32.unpack(content)[0]
        return single
    array = numbers(tensor)
    if array.size != 1:
        raise BadTensor(f"has {array.size} numbers")
    item: float | int = array.ravel()[0]
    return item.item() if isinstance(item, np.generic) else item


def old_object(value: Mapping[str, Any]) -> list[Media]:
    """Return the object of a value without a plugin; nothing for one that holds none of the old messages."""
    if "image" in value:
        return [ImageFile(value["image"].get("data", b""))]
    if "audio" in value:
        return [SoundFile(value["audio"].get("data", b""))]
    if "histogram" in value:
        return [_old_histogram(value["histogram"])]
    return []


def _old_histogram(histogram: Mapping[str, Any]) -> HistogramBins:
    limits = [float(limit) for limit in histogram.get("limits", ())]
    counts = list(histogram.get("counts", ()))
    if not limits or len(limits) != len(counts):
        raise BadTensor(f"has {len(limits)} limits and {len(counts)} counts")
    lowest, highest = float(histogram.get("min", 0.0)), float(histogram.get("max", 0.0))
    # the last limit stands for "no limit", and the first bin has no lower one; both are the record's own min and max
    upper = [min(limit, max(highest, lowest)) if limit == sys.float_info.max else limit for limit in limits]
    first = min(lowest, upper[0]) if limits[0] != -sys.float_info.max else min(lowest, highest)
    edges = [first, *upper]
    edges[1] = max(edges[0], edges[1])
    return HistogramBins([float(edge) for edge in np.maximum.accumulate(edges)], counts)


def images(value: Mapping[str, Any]) -> list[Media]:
    """Return the images of a value of the plugin `images`. Raises BadTensor."""
    parts, _ = strings(value.get("tensor", {}))
    return [ImageFile(part) for part in parts[2:]]


def sounds(value: Mapping[str, Any]) -> list[Media]:
    """Return the sounds of a value of the plugin `audio`. Raises BadTensor."""
    parts, shape = strings(value.get("tensor", {}))
    if len(shape) == 2 and shape[1] == 2:
        return [SoundFile(data, label.decode("utf-8", "replace")) for data, label in zip(parts[::2], parts[1::2])]
    return [SoundFile(data) for data in parts]


def texts(value: Mapping[str, Any]) -> list[Media]:
    """Return the text, or the table of texts, of a value of the plugin `text`. Raises BadTensor."""
    parts, shape = strings(value.get("tensor", {}))
    decoded = [part.decode("utf-8", "replace") for part in parts]
    if len(shape) != 2:
        return [PlainText("\n".join(decoded))]
    columns = [str(index) for index in range(shape[1])]
    return [TableRows(columns, [decoded[row * shape[1] : (row + 1) * shape[1]] for row in range(shape[0])])]


def histogram(value: Mapping[str, Any]) -> list[Media]:
    """Return the histogram of a value of the plugin `histograms`; nothing for one of no data. Raises BadTensor."""
    table = numbers(value.get("tensor", {}))
    if table.ndim != 2 or table.shape[1] != 3:
        raise BadTensor(f"has the shape {table.shape}, where a histogram has k x 3")
    if not len(table):
        return []
    return [HistogramBins([*table[:, 0].tolist(), float(table[-1, 1])], table[:, 2].tolist())]


def pr_curve(value: Mapping[str, Any]) -> list[Media]:
    """Return the figure and the table of a value of the plugin `pr_curves`. Raises BadTensor."""
    table = numbers(value.get("tensor", {}))
    if table.ndim != 2 or table.shape[0] != len(PR_ROWS):
        raise BadTensor(f"has the shape {table.shape}, where a PR curve has {len(PR_ROWS)} x n")
    line = {"type": "scatter", "mode": "lines", "x": table[5].tolist(), "y": table[4].tolist()}
    layout = {"xaxis": {"title": {"text": "recall"}}, "yaxis": {"title": {"text": "precision"}}}
    finite = json.loads(json.dumps({"data": [line], "layout": layout}), parse_constant=lambda _: None)
    return [FigureJson(json.dumps(finite)), TableRows(PR_ROWS, table.T.tolist())]


def hparams(content: bytes) -> dict[str, Any]:
    """Return the hyperparameters that the content of the plugin's metadata holds; torch writes ints as doubles."""
    try:
        session = decode(content, HPARAMS).get("start", {})
    except BadMessage:
        return {}
    return {str(key): _param(value or {}) for key, value in session.get("params", {}).items()}


def _param(value: Mapping[str, Any]) -> Any:
    if "number" in value:
        number = value["number"]
        return int(number) if abs(number) < EXACT_WHOLE_MAX and number == int(number) else number
    return value.get("text", value.get("flag"))


def number_array(values: list[float | int]) -> Any:
    """Return numbers as an array: float64, int64, or object where both kinds come, or larger ints."""
    kinds = {type(value) for value in values}
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in values):
        return np.array(values, np.int64)
    if int in kinds:
        return np.array([value if -(2**63) <= value < 2**63 else float(value) for value in values], object)
    return np.array(values, np.float64)
