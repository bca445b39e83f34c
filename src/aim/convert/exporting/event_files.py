"""
Runs as event files of TensorBoard: a folder a run, one event file in it.

    metric           a tensor with the plugin `scalars`: a double, or an int64 for an integer; so no digit is lost
    context          a suffix of the tag: `loss/val`
    params           the plugin `hparams`
    images, audio    the plugins of these names, the encoded bytes as they are
    text             the plugin `text`
    distribution     the plugin `histograms`: left edge, right edge and count of each bin

A record is  length <u64>, CRC of the length <u32>, event, CRC of the event <u32>; the CRCs are CRC-32C, rotated right
by 15 bits, plus a constant. Events are messages of protobuf; the few fields that are written are encoded here, since a
writer needs three of protobuf's wire types and no message classes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from aim.convert.crc32c import crc32c
from aim.convert.exporting.series_names import FlatNames, folder_names
from aim.core import params
from aim.core.reserved import SYSTEM_PARAMS
from aim.core.values import EXACT_INT_MAX, INT_MAX, INT_MIN

if TYPE_CHECKING:
    from aim.convert.exporting.export_report import ExportReport
    from aim.convert.exporting.exported_run import ExportedObject, ExportedRun, ExportedRuns

MASK_ADDEND = 0xA282EAD8
DOUBLE, INT64, STRING = 2, 9, 7  # numbers of types of tensors
KINDS = {
    "aim.image": "images",
    "aim.audio": "audio",
    "aim.text": "text",
    "aim.distribution": "histograms",
}
"""The plugin that shows a kind of object."""


def masked_crc(data: bytes) -> int:
    """
    Return the checksum of a record.

    >>> hex(masked_crc(b"123456789"))
    '0xc78ab0e5'
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK_ADDEND) & 0xFFFFFFFF


def varint(number: int) -> bytes:
    r"""
    Return a whole number as protobuf writes it: 7 bits a byte, the lowest first; a negative one as 64 bits.

    >>> varint(300), varint(-1)
    (b'\xac\x02', b'\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01')
    """
    number &= 2**64 - 1
    content = bytearray()
    while number > 0x7F:
        content.append(number & 0x7F | 0x80)
        number >>= 7
    content.append(number)
    return bytes(content)


def field(number: int, content: bytes | str | int | float) -> bytes:
    r"""
    Return one field of a message: a double, a whole number, or bytes, texts and messages with their length.

    >>> field(1, "ab"), field(2, 3)
    (b'\n\x02ab', b'\x10\x03')
    """
    if isinstance(content, float):
        return varint(number << 3 | 1) + struct.pack("<d", content)
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(dtype: int, shape: Iterable[int], content: bytes | Iterable[bytes]) -> bytes:
    """Return a tensor of numbers, as their bytes, or of strings."""
    sizes = b"".join(field(2, field(1, size)) for size in shape)
    values = field(4, content) if isinstance(content, bytes) else b"".join(field(8, text) for text in content)
    return field(1, dtype) + field(2, sizes) + values


def summary_value(tag: str, plugin: str, content: bytes, plugin_content: bytes = b"") -> bytes:
    """Return a value of a summary: *content* is the tensor, *plugin* what shows it."""
    plugin_data = field(1, plugin) + (field(2, plugin_content) if plugin_content else b"")
    return field(1, tag) + field(8, content) + field(9, field(1, plugin_data))


class EventFile:
    """An event file that is written from its begin to its end."""

    def __init__(self, file: IO[bytes], at_s: float) -> None:
        self._file = file
        self._write(field(1, at_s) + field(3, "brain.Event:2"))

    def add(self, at_s: float, step: int, value: bytes) -> None:
        """Write one value of a summary, see `summary_value`."""
        self._write(field(1, at_s) + field(2, step) + field(5, field(1, value)))

    def _write(self, event: bytes) -> None:
        length = struct.pack("<Q", len(event))
        checks = struct.pack("<I", masked_crc(length)), struct.pack("<I", masked_crc(event))
        self._file.write(b"".join((length, checks[0], event, checks[1])))


def write_event_files(runs: ExportedRuns, folder: Path, report: ExportReport) -> None:
    """Write a folder a run into *folder*."""
    names = folder_names({run.run_hash: str(run.record["name"] or run.run_hash) for run in runs})
    for run in runs:
        below = folder / names[run.run_hash]
        below.mkdir()
        created_at_s = run.state.created_at_s
        with open(below / f"events.out.tfevents.{int(created_at_s)}.aim.{run.run_hash}", "wb") as file:
            _write_run(run, EventFile(file, created_at_s), report)
        report.runs += 1


def _write_run(run: ExportedRun, events: EventFile, report: ExportReport) -> None:
    names = FlatNames()
    _write_params(run, events, report)
    for sequence, points in run.curves():
        tag = names.name_of(sequence.name, sequence.context)
        columns = zip(points.times_s.tolist(), points.steps.tolist(), points.values.tolist())
        for at_s, step, value in columns:
            events.add(at_s, step, _scalar(tag, value))
        report.points += len(points)
        report.leave_out("an epoch", int(np.isfinite(points.epochs).sum()))
        report.leave_out(
            "a context beside `subset`: it is part of the tag", int(bool(set(sequence.context) - {"subset"}))
        )
    pending: list[ExportedObject] = []
    for item in run.objects():
        if pending and (item.sequence is not pending[0].sequence or item.step != pending[0].step):
            _write_objects(names, pending, events, report)
            pending = []
        pending.append(item)
    if pending:
        _write_objects(names, pending, events, report)
    record = run.record
    report.leave_out("a tag of a run", len(record["tags"]))
    report.leave_out("a description, notes, or the experiment of a run", _count_texts(record))
    report.leave_out("an artifact (zip and mlflow have it)", len(run.files()))


def _count_texts(record: Mapping[str, Any]) -> int:
    return sum(bool(record[name]) for name in ("description", "notes")) + int(record["experiment"] != "default")


def _scalar(tag: str, value: float) -> bytes:
    if isinstance(value, int) and INT_MIN <= value <= INT_MAX:
        return summary_value(tag, "scalars", tensor(INT64, (), struct.pack("<q", value)))
    return summary_value(tag, "scalars", tensor(DOUBLE, (), struct.pack("<d", value)))


def _write_params(run: ExportedRun, events: EventFile, report: ExportReport) -> None:
    tree: dict[params.Key, Any] = {key: value for key, value in run.params.items() if key != SYSTEM_PARAMS}
    report.leave_out("the environment of a run (jsonl and zip have it)", int(SYSTEM_PARAMS in run.params))
    entries = b""
    for path, value in params.flatten(tree):
        entries += field(1, field(1, params.dotted(path)) + field(2, _struct_value(value, report)))
    status, end_s = run.state.status()
    created_at_s = run.state.created_at_s
    begin = entries + field(4, run.state.experiment or "") + field(5, created_at_s)
    end = field(1, {"finished": 1, "failed": 2, "running": 3}.get(status, 0)) + field(2, float(end_s or created_at_s))
    for name, number, content in (("session_start_info", 3, begin), ("session_end_info", 4, end)):
        plugin_content = field(1, 0) + field(number, content)
        empty = tensor(DOUBLE, (), struct.pack("<d", 0.0))
        events.add(created_at_s, 0, summary_value(f"_hparams_/{name}", "hparams", empty, plugin_content))


def _struct_value(value: Any, report: ExportReport) -> bytes:
    """Return a value of `google.protobuf.Value`."""
    if isinstance(value, bool):
        return field(4, int(value))
    if isinstance(value, float) or (isinstance(value, int) and abs(value) <= EXACT_INT_MAX):
        return field(2, float(value))
    if isinstance(value, str):
        return field(3, value)
    report.leave_out("the type of a param: it is a text")
    return field(3, params.json_text(value))


def _write_objects(names: FlatNames, items: list[ExportedObject], events: EventFile, report: ExportReport) -> None:
    first = items[0]
    plugin = KINDS.get(first.kind)
    if plugin is None or any(item.kind != first.kind for item in items):
        report.leave_out(f"{first.kind}: TensorBoard has no such kind", len(items))
        return
    tag = names.name_of(first.sequence.name, first.sequence.context)
    for content in _tensors(plugin, items):
        events.add(first.time_s, first.step, summary_value(tag, plugin, content, field(1, 0)))
    report.objects += len(items)
    report.leave_out("a caption", sum(bool(item.fields.get("caption")) for item in items) * (plugin == "images"))
    report.leave_out("boxes and masks of an image", sum(bool({"boxes", "masks"} & set(item.fields)) for item in items))


def _tensors(plugin: str, items: list[ExportedObject]) -> list[bytes]:
    if plugin == "text":
        texts = [str(item.fields.get("text", "")).encode("utf-8", "replace") for item in items]
        return [tensor(STRING, (len(texts),), texts)]
    if plugin == "images":
        sizes = [str(items[0].fields.get(name, 0)).encode() for name in ("width", "height")]
        return [tensor(STRING, (2 + len(items),), [*sizes, *map(_image_file, items)])]
    if plugin == "audio":
        pairs = [text for item in items for text in (item.data or b"", _caption(item))]
        return [tensor(STRING, (len(items), 2), pairs)]
    return [_histogram(item.fields) for item in items]


def _caption(item: ExportedObject) -> bytes:
    return str(item.fields.get("caption") or "").encode("utf-8", "replace")


def _image_file(item: ExportedObject) -> bytes:
    starts = [int(mask["start"]) for mask in item.fields.get("masks") or ()]
    data = item.data or b""
    return data[: min(starts)] if starts else data  # masks stand behind the file of the image


def _histogram(fields: Mapping[str, Any]) -> bytes:
    counts = np.asarray(fields.get("weights") or [], float)
    low, high = fields.get("range") or (0.0, 0.0)
    edges = np.asarray(fields.get("edges") or np.linspace(low, high, len(counts) + 1), float)
    bins = np.column_stack((edges[:-1], edges[1:], counts)) if len(counts) else np.empty((0, 3))
    return tensor(DOUBLE, bins.shape, np.ascontiguousarray(bins, "<f8").tobytes())
