"""
Records of SwanLab's files as neutral events.

    run-<time>-<id>/run-<id>.swanlab      records in blocks, as W&B has them (blocks.py), under a header of its own
                    media/<kind>/<file>   images, sounds and texts, each named by a record, with its checksum
                    files/config.yaml     the config: a key's `value`, beside `desc` and `sort`

A number that is not in its record is 0, as in all messages of Protocol Buffers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aim.convert.blocks import BlockGap, BlockReader
from aim.convert.events import Ended, Event, LeftOut, LogLines, ObjectStep, Refused, SourceDamage
from aim.convert.media import ImageFile, Media, PlainText, SoundFile, VideoFile
from aim.convert.media_files import MediaUnavailable, media_bytes
from aim.convert.point_batches import PointBatches
from aim.convert.protobuf import BadMessage, decode
from aim.convert.swanlab import messages
from aim.convert.swanlab.messages import MAGIC, RECORD
from aim.convert.system_names import system_series
from aim.convert.timestamps import seconds

LINES_BATCH = 1000
FIRST_RECORDS = 50
SYSTEM_KEYS = "__swanlab__."  # how keys of the machine's metrics begin


class MediaKind(NamedTuple):
    """Where files of a kind of media lie below `media/`, and what they become."""

    folder: str
    medium: Callable[[bytes, str], Media]


def _text(data: bytes, caption: str) -> PlainText:
    text = data.decode("utf-8", "replace")
    return PlainText(f"{caption}: {text}" if caption else text)


KINDS = {
    messages.IMAGE: MediaKind("image", ImageFile),
    messages.AUDIO: MediaKind("audio", SoundFile),
    messages.VIDEO: MediaKind("video", VideoFile),
    messages.TEXTS: MediaKind("text", _text),
    messages.HTML: MediaKind("html", _text),
}
NEVER_IMPORTED = {
    messages.CHART: "charts of ECharts",
    messages.OBJECT_3D: "3-D objects",
    messages.MOLECULE: "molecules",
}


def start_of(file: Path) -> Mapping[str, Any] | None:
    """Return the record that describes a run, from the first ones of its file; None: there is none. Raises OSError."""
    with open(file, "rb") as stream:
        for number, record in enumerate(BlockReader(stream, MAGIC).records()):
            if number >= FIRST_RECORDS:
                break
            if not isinstance(record, BlockGap):
                try:
                    start: Mapping[str, Any] | None = decode(record.data, RECORD).get("start")
                except BadMessage:
                    continue
                if start is not None:
                    return start
    return None


class FolderReading:
    """
    One folder of a run being read; afterwards *ended* says how it ended.

    Memory: the points and lines of a batch, and the media of one record.
    """

    def __init__(self, folder: Path, file: Path) -> None:
        self._folder = folder
        self._file = file
        self._points = PointBatches()
        self._lines: list[tuple[str, float]] = []
        self._waiting: list[Event] = []
        self._system_keys: set[str] = set()
        self.saved: dict[str, None] = {}
        self.ended = Ended("lost")
        self._take: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "column": self._take_column,
            "scalar": self._take_scalar,
            "media": self._take_media,
            "line": self._take_line,
            "saved": self._take_saved,
            "finish": self._take_finish,
        }

    def events(self) -> Iterator[Event]:
        """Go through the events of the folder's records, in batches."""
        with open(self._file, "rb") as stream:
            for record in BlockReader(stream, MAGIC).records():
                if isinstance(record, BlockGap):
                    size = f" ({record.end - record.offset:,} bytes)"
                    yield SourceDamage(str(self._file), record.offset, record.reason + size)
                    continue
                try:
                    content = decode(record.data, RECORD)
                except BadMessage as error:
                    yield SourceDamage(str(self._file), record.offset, f"not a record: {error}")
                    continue
                for name in content.keys() & self._take.keys():
                    self._take[name](content[name])
                yield from self._waiting
                self._waiting.clear()
                if self._points.is_full:
                    yield from self._points.flushed()
                if len(self._lines) >= LINES_BATCH:
                    yield from self._flushed_lines()
        yield from self._points.flushed()
        yield from self._flushed_lines()

    def _flushed_lines(self) -> Iterator[LogLines]:
        if self._lines:
            yield LogLines([text for text, _ in self._lines], [time_s for _, time_s in self._lines])
            self._lines.clear()

    def _take_column(self, column: Mapping[str, Any]) -> None:
        if column.get("class") == messages.SYSTEM_COLUMN:
            self._system_keys.add(column.get("key", ""))

    def _take_scalar(self, scalar: Mapping[str, Any]) -> None:
        key, time_s = scalar.get("key", ""), _time_s(scalar)
        step, value = scalar.get("step", 0), scalar.get("value", {}).get("number", 0.0)
        if key in self._system_keys:
            name, context = system_series(key.removeprefix(SYSTEM_KEYS))
            self._points.add(name, context, step, value, time_s, is_system=True)
        else:
            self._points.add(key, {}, step, value, time_s)

    def _take_media(self, record: Mapping[str, Any]) -> None:
        key, step, number = record.get("key", ""), record.get("step", 0), record.get("type", 0)
        items = record.get("value", {}).get("items", [])
        kind = KINDS.get(number)
        if kind is None:
            reason = NEVER_IMPORTED.get(number)
            self._waiting.append(LeftOut(reason, len(items)) if reason else Refused(f"media of type {number}"))
            return
        media = []
        for item in items:
            try:
                data = media_bytes(self._folder / "media" / kind.folder, item.get("filename", ""), item.get("sha256"))
            except MediaUnavailable as error:
                self._waiting.append(Refused(f"{key} at step {step}: {error}"))
            else:
                media.append(kind.medium(data, item.get("caption", "")))
        if media:
            self._waiting.append(ObjectStep(key, {}, step, media, _time_s(record), is_list=len(items) > 1))

    def _take_line(self, record: Mapping[str, Any]) -> None:
        self._lines.append((record.get("line", ""), _time_s(record)))

    def _take_saved(self, record: Mapping[str, Any]) -> None:
        if not record.get("type"):  # the others are SwanLab's own
            self.saved[record.get("name", "")] = None

    def _take_finish(self, record: Mapping[str, Any]) -> None:
        state, at_s = record.get("state", messages.RUNNING), seconds(record.get("finished_at"))
        if state == messages.FINISHED:
            self.ended = Ended("finished", at_s)
        elif state == messages.CRASHED:
            self.ended = Ended("failed", at_s, record.get("error", "").strip() or "crashed")
        elif state == messages.ABORTED:
            self.ended = Ended("failed", at_s, record.get("error", "").strip() or "aborted")


def _time_s(record: Mapping[str, Any]) -> float:
    time_s = seconds(record.get("timestamp"))
    return math.nan if time_s is None else time_s
