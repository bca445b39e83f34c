"""
One event file as what was recorded in it: scalars in batches, objects one by one.

Scalars are most of a file, and those that torch writes differ in three numbers only: the time, the step and the value.
So their bytes are taken apart by hand when they have that form, with the tag looked up by the bytes that stay the same;
every other record is decoded by the tables of `messages`.

What a tag holds is said by the name of a plugin, with every record (tf.summary v2) or with the tag's first one only; so
it is remembered, for all files of a folder.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aim.convert.protobuf import BadMessage, decode, signed, varint
from aim.convert.tensorboard.frames import FrameBatch, FrameGap
from aim.convert.tensorboard.messages import EVENT, SESSION_START

_PREFIX = struct.Struct("<d")
_SIMPLE = struct.Struct("<f")
WALL_TIME_KEY, STEP_KEY, SUMMARY_KEY, SIMPLE_KEY = 0x09, 0x10, 0x2A, 0x15


class ScalarRun(NamedTuple):
    """Scalars of one tag, in the order of the file."""

    tag: str
    steps: list[int]
    values: list[float]
    times_s: list[float]


class TagValue(NamedTuple):
    """One value of a summary that is no simple scalar; *plugin* is what its tag was said to hold."""

    tag: str
    plugin: str
    step: int
    time_s: float
    value: Mapping[str, Any]


class SessionStart(NamedTuple):
    """The program was started again, at a step."""

    step: int
    time_s: float


class OtherRecord(NamedTuple):
    """A record that is never imported."""

    kind: str


class BadRecord(NamedTuple):
    """A record that is whole and still no event, or a gap between records."""

    offset: int
    reason: str


class FirstRecord(NamedTuple):
    """The first record of a file."""

    time_s: float
    file_version: str


Item = ScalarRun | TagValue | SessionStart | OtherRecord | BadRecord | FirstRecord


@dataclass
class TagMemory:
    """What the tags of a folder hold: the name and the content of the plugin that a record named."""

    plugins: dict[str, str] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def note(self, tag: str, value: Mapping[str, Any]) -> str:
        """Return the plugin of a value, and remember it for the tag."""
        metadata = value.get("metadata")
        if metadata is not None:
            plugin = metadata.get("plugin", {})
            if plugin.get("name"):
                self.plugins[tag] = plugin["name"]
                self.contents[tag] = plugin.get("content", b"")
            if metadata.get("display_name"):
                self.names[tag] = metadata["display_name"]
        return self.plugins.get(tag, "")


class EventReader:
    """
    Makes items of the frames of one file.

    Args:
        memory: of the folder's tags.
    """

    def __init__(self, memory: TagMemory) -> None:
        self._memory = memory
        self._tags: dict[bytes, str | None] = {}
        self._scalars: dict[str, ScalarRun] = {}

    def items(self, batch: FrameBatch) -> Iterator[Item]:
        """
        Go through a batch in its order, but that scalars of one tag come together: they are passed on before anything
        that has to come after them, and at the end of the batch.
        """
        gaps = list(batch.gaps)
        for offset, record in zip(batch.offsets, batch.records):
            while gaps and gaps[0].offset < offset:
                yield _bad(gaps.pop(0))
            if not self._take_plain(record):
                yield from self._decoded(offset, record)
        yield from map(_bad, gaps)
        yield from self._flushed()

    def _flushed(self) -> Iterator[ScalarRun]:
        scalars, self._scalars = self._scalars, {}
        yield from scalars.values()

    def _take_plain(self, record: bytes) -> bool:
        """Take a record that is time, step and one simple value with a tag; return False for any other."""
        size = len(record)
        if size < 20 or record[0] != WALL_TIME_KEY:
            return False
        offset, step = 9, 0
        if record[9] == STEP_KEY:
            step = record[10]
            offset = 11
            if step >= 0x80:
                try:
                    step, offset = varint(record, 10)
                except BadMessage:
                    return False
                step = signed(step)
        if offset + 2 > size or record[offset] != SUMMARY_KEY or record[size - 5] != SIMPLE_KEY:
            return False
        stem = record[offset:-4]
        try:
            tag = self._tags[stem]
        except KeyError:
            tag = self._tags[stem] = self._plain_tag(record, stem)
        if tag is None:
            return False
        self._add(tag, step, _SIMPLE.unpack_from(record, size - 4)[0], _PREFIX.unpack_from(record, 1)[0])
        return True

    def _plain_tag(self, record: bytes, stem: bytes) -> str | None:
        """Return the tag of a summary that ends with a simple value, if it holds nothing else; None: it does."""
        if len(self._tags) > 100_000:
            self._tags.clear()
        try:
            event = decode(record, EVENT)
        except BadMessage:
            return None
        values = event.get("summary", {}).get("values", ())
        is_plain = len(values) == 1 and values[0].keys() == {"tag", "simple_value"} and len(event) <= 3
        if not is_plain or event.keys() - {"wall_time", "step", "summary"} or values[0]["tag"] in self._memory.plugins:
            return None
        tag: str = values[0]["tag"]
        return tag

    def _add(self, tag: str, step: int, value: float, time_s: float) -> None:
        scalars = self._scalars.get(tag)
        if scalars is None:
            scalars = self._scalars[tag] = ScalarRun(tag, [], [], [])
        scalars.steps.append(step)
        scalars.values.append(value)
        scalars.times_s.append(time_s)

    def _decoded(self, offset: int, record: bytes) -> Iterator[Item]:
        try:
            event = decode(record, EVENT)
        except BadMessage as error:
            yield BadRecord(offset, f"not an event: {error}")
            return
        time_s, step = event.get("wall_time", 0.0), event.get("step", 0)
        if "file_version" in event:
            yield FirstRecord(time_s, event["file_version"])
        if event.get("session", {}).get("status") == SESSION_START:
            yield from self._flushed()
            yield SessionStart(step, time_s)
        for kind in ("graph", "meta_graph", "log_message"):
            if kind in event:
                yield OtherRecord(kind.replace("_", " "))
        for value in event.get("summary", {}).get("values", ()):
            yield from self._value(value, step, time_s)

    def _value(self, value: Mapping[str, Any], step: int, time_s: float) -> Iterator[Item]:
        tag = value.get("tag", "")
        plugin = self._memory.note(tag, value)
        if "simple_value" in value and plugin in ("", "scalars"):
            self._add(tag, step, value["simple_value"], time_s)
        else:
            yield TagValue(tag, plugin, step, time_s, value)


def _bad(gap: FrameGap) -> BadRecord:
    size = f" ({gap.size_bytes:,} bytes)" if gap.size_bytes else ""
    return BadRecord(gap.offset, f"{gap.reason}{size}")
