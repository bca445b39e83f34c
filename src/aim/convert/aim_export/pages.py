"""
A page in one file, docs/formats/page.md: its runs, its curves as far as it has them, its texts and media.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from aim.convert.aim_export import records
from aim.convert.aim_export.records import ObjectRow
from aim.convert.bounded import RATIO_FROM_BYTES, RATIO_MAX
from aim.convert.errors import DamagedSource
from aim.convert.events import Event, LeftOut, LogLines, PointBatch
from aim.core.clock import MICROSECONDS
from aim.core.kinds import element_of
from aim.core.reserved import SYSTEM_PARAMS
from aim.core.values import Stored

MARK = b'<script type="application/octet-stream" id="answers">'
BLOCK = re.compile(rb'<script type="application/octet-stream" id="(\w+)">([A-Za-z0-9+/=]*)</script>')
FIELDS = (
    "format",
    "width",
    "height",
    "caption",
    "text",
    "bin_count",
    "range",
    "weights",
    "source",
    "rate",
    "duration_s",
)


class PageFile(NamedTuple):
    """What is in a page."""

    answers: Mapping[str, Any]
    columns: Mapping[str, npt.NDArray[Any]]
    media: Mapping[str, bytes]


def open_page(path: Path) -> PageFile:
    """Read a page as a whole. Raises DamagedSource."""
    blocks = dict(BLOCK.findall(path.read_bytes()))
    try:
        answers = json.loads(_inflated(blocks[b"answers"]))
        data = _inflated(blocks[b"curves"])
        columns = {name: _column(data, span) for name, span in answers["curves"]["columns"].items()}
    except (KeyError, TypeError, ValueError, zlib.error, binascii.Error) as error:
        raise DamagedSource(str(path), None, f"its blocks can't be read ({error})") from None
    return PageFile(answers, columns, {name.decode(): block for name, block in blocks.items()})


def _inflated(block: bytes) -> bytes:
    packed = base64.b64decode(block, validate=True)
    size_max = max(RATIO_FROM_BYTES, RATIO_MAX * len(packed))
    unpacked = zlib.decompressobj().decompress(packed, size_max)
    if len(unpacked) >= size_max:
        raise ValueError("a block becomes too large")
    return unpacked


def _column(data: bytes, span: Mapping[str, Any]) -> npt.NDArray[Any]:
    width = int(str(span["type"])[1])
    ranked = np.frombuffer(data, np.uint8, int(span["count"]) * width, int(span["at"])).reshape(width, -1)
    return np.ascontiguousarray(ranked.T).view(f"<{span['type']}").ravel()


def read(page: PageFile, run_hash: str) -> Iterator[Event]:
    """Go through the events of a run of the page."""
    answers = page.answers
    record = answers["pages"][run_hash]
    yield from records.described({**record, "params": _params(record), "aim": answers.get("aim")})
    yield from _curves(page, list(answers["pages"]).index(run_hash), float(record["created_at"]))
    for subject, part in answers["objects"].items():
        yield from records.object_steps(_objects(page, subject, part, run_hash))
    for log in answers["logs"].get(run_hash, {}).values():
        yield LogLines(log["lines"], [math.nan] * len(log["lines"]))
    missing = sum(item["count"] for item in record["sequences"] if element_of(item["kind"]) == "aim.figure")
    if missing:
        yield LeftOut("figures: a page in one file does not have them", missing)
    yield records.ended(record)


def _params(record: Mapping[str, Any]) -> Any:
    tree = record["params"]
    system = record.get("system")
    if system is None:
        return tree
    pairs = tree["$dict"] if set(tree) == {"$dict"} else list(tree.items())
    return {"$dict": [*pairs, [SYSTEM_PARAMS, system]]}


def _array(page: PageFile, name: str, index: int) -> npt.NDArray[Any]:
    lengths = page.answers["curves"]["columns"][name]["lengths"]
    start = sum(lengths[:index])
    return page.columns[name][start : start + lengths[index]]


def _curves(page: PageFile, run_index: int, created_at_s: float) -> Iterator[Event]:
    table = page.answers["curves"]
    reduced = 0
    for index, run in enumerate(table["run"]):
        if run == run_index:
            key = table["metrics"][table["metric"][index]]
            steps = np.cumsum(_array(page, "steps", table["steps_of"][index])).astype(np.int64)
            offsets = np.cumsum(_array(page, "times", table["times_of"][index]).astype(np.float64))
            offsets_us = np.rint(offsets * (table["time_unit_s"] * MICROSECONDS))
            times_s = (round(created_at_s * MICROSECONDS) + offsets_us) / MICROSECONDS
            epochs_of = table["epochs_of"][index]
            epochs = math.nan if epochs_of < 0 else _array(page, "epochs", epochs_of).astype(np.float64)
            values = _array(page, "values", index).astype(np.float64)
            yield PointBatch(
                key["name"],
                key["context"],
                steps,
                values,
                times_s,
                epochs,
                is_system=key["name"].startswith("__system__"),
            )
            reduced += table["points"][index] - len(steps)
    if reduced:
        yield LeftOut("points that the page does not have (aim export --full has all)", reduced)


def _objects(page: PageFile, subject: str, part: Mapping[str, Any], run_hash: str) -> Iterator[ObjectRow]:
    for item in part["items"]:
        sequence = part["sequences"][item["sequence"]]
        if part["runs"][sequence["run"]] != run_hash:
            continue
        form = _stored(page, element_of(sequence["kind"]), item)
        if form is not None:
            is_list = sequence["kind"].startswith("list(")
            epoch, time_s = records.number(item.get("epoch")), records.number(item.get("time"))
            yield ObjectRow(sequence["name"], sequence["context"], is_list, item["step"], time_s, epoch, form)


def _stored(page: PageFile, kind: str, item: Mapping[str, Any]) -> Stored | None:
    fields = {name: item[name] for name in FIELDS if item.get(name) is not None}
    if "blob" not in item:
        return Stored(kind, fields)
    medium = page.answers["media"].get(item["blob"])
    if medium is None:
        return None
    data = base64.b64decode(page.media[medium["id"]])
    name = str(medium["type"]).partition("/")[2]
    if name != "octet-stream":
        fields["format"] = name
    if kind == "aim.image":
        fields.setdefault("mode", "RGB")
    return Stored(kind, fields, data, records.extension(kind, fields))
