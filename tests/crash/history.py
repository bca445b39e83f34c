"""
One history of a run, long enough to meet every call of the disk, and what a reader must find after it was cut short.

`Story` plays it and keeps an oracle of dicts: what was asked for, and what was acknowledged. No thread is beside it:
the second's work is done where the history says so, so each replay makes the same calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aim.core.errors import AimError
from aim.core.values import Stored
from aim.storage.disk.files import Disk
from aim.storage.forms import edits
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.reader import RunReader
from aim.storage.recording.writer import Writer
from aim.storage.store import Store

RUN = "run"
Point = tuple[int, object, float]  # step, value (of an object its bytes), epoch or NaN
BIG = 2**53


@dataclass(frozen=True)
class Picture:
    """An object to track."""

    data: bytes

    def stored(self) -> Stored:
        """Return the object's stored form."""
        return Stored("test.picture", {"caption": "?"}, self.data, "raw")


@dataclass
class Facts:
    """What a run holds: points by name of the sequence, params, properties, tags."""

    points: dict[str, dict[int, tuple[object, float]]] = field(default_factory=dict)
    params: dict[str, object] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    name: str | None = None


class Story:
    """
    Plays the history on *disk* in the folder *root*.

    Attributes:
        asked: everything that a call was made for.
        acknowledged: what a call has returned for, with no call of the disk refused meanwhile.
        synced: what was acknowledged when the last second's work began that was done whole.
        seconds: how often a second's work is done: after every n-th point.
    """

    def __init__(self, root: Path, disk: Disk, *, seconds: int = 150, points: int = 700) -> None:
        self.root = root
        self.disk = disk
        self.seconds = seconds
        self.point_count = points
        self.asked = Facts()
        self.acknowledged = Facts()
        self.synced = Facts()
        self.raised: list[BaseException] = []
        self._writer: Writer | None = None

    def play(self) -> None:
        """Play it to its end, or until the disk crashes."""
        store = Store(self.root / ".aim", create=True, disk=self.disk)
        writer = self._writer = Writer(store.create_run(RUN), RUN, disk=self.disk)
        for number in range(self.point_count):
            self._step(writer, number)
            if number % self.seconds == self.seconds - 1:
                self.second(writer)
        with self._said(lambda facts: facts.tags.add("edited")):
            edits.write(writer.files.folder, {"tags": {"add": ["edited"]}}, by="test", disk=self.disk)
        self.close(writer)

    def _step(self, writer: Writer, number: int) -> None:
        self.track(writer, "loss", number, number * 1.1, None if number % 3 else number / 2)
        if number % 100 == 7:
            self.track(writer, "count", number, number, None)
            self.track(writer, "big", number, BIG + number, 1.5)
            self.track(writer, "pictures", number, bytes([number % 256]) * 700, None)
        if number % 250 == 20:
            with self._said(lambda facts: facts.params.update({f"p{number}": number})):
                writer.lines.set_param((f"p{number}",), number)
            with self._said(lambda facts: facts.tags.add(f"t{number}")):
                writer.lines.change_tags(add=[f"t{number}"])
            with self._said(lambda facts: setattr(facts, "name", f"n{number}")):
                writer.lines.set_property(name=f"n{number}")

    def track(self, writer: Writer, name: str, step: int, value: object, epoch: float | None) -> None:
        """Track one point; of bytes a picture."""
        plain = math.nan if epoch is None else epoch
        with self._said(lambda facts: facts.points.setdefault(name, {}).update({step: (value, plain)})):
            shown = Picture(value) if isinstance(value, bytes) else value
            writer.sequence(name, {"of": "test"}).track(shown, step, epoch)

    def second(self, writer: Writer) -> None:
        """Let the writer do a second's work."""
        before, refused = _copied(self.acknowledged), self._refused()
        with self._heard():
            writer.tick()
            if refused == self._refused():
                self.synced = before

    def close(self, writer: Writer) -> None:
        """End the run."""
        before, refused = _copied(self.acknowledged), self._refused()
        with self._heard():
            writer.close()
            if refused == self._refused():
                self.synced = before

    def _refused(self) -> int:
        return int(getattr(self.disk, "refused_count", 0))

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.raised.append(error)

    @contextmanager
    def _said(self, say: Callable[[Facts], Any]) -> Iterator[None]:
        refused = self._refused()
        say(self.asked)
        with self._heard():
            yield
            if refused == self._refused():
                say(self.acknowledged)


def _copied(facts: Facts) -> Facts:
    points = {name: dict(points) for name, points in facts.points.items()}
    return Facts(points, dict(facts.params), set(facts.tags), facts.name)


def found(folder: Path) -> Facts:
    """Return what a fresh reader finds in a run's folder."""
    reader = open_run(folder)
    state = reader.state()
    facts = Facts(params=dict(reader.params()), tags=set(state.tags), name=state.properties.get("name"))
    for key, sequence in reader.sequences().items():
        points = reader.points(key)
        if points is None or not len(points):
            continue
        rows = facts.points.setdefault(sequence.name, {})
        for index, step in enumerate(points.steps.tolist()):
            value = points.values[index]
            shown = _bytes_of(reader, points, index) if sequence.kind == "test.picture" else value.item()
            rows[step] = (shown, float(points.epochs[index]))
    return facts


def _bytes_of(reader: RunReader, points: Any, index: int) -> bytes:
    try:
        (item,) = reader.record(points, index)["items"]
        number = int(points.values[index]) >> 40
        return reader.read_data(points.writer_ids[int(points.writers[index])], number, item["data"])
    except AimError:
        return b""


def missing(expected: Facts, actual: Facts) -> list[object]:
    """List what of *expected* is not in *actual*, or is there with another value."""
    gone: list[object] = []
    for name, points in expected.points.items():
        have = actual.points.get(name, {})
        wrong = {step: point for step, point in points.items() if not _same(have.get(step), point)}
        gone += [(name, step, point, have.get(step)) for step, point in wrong.items()]
    gone += [(key, value) for key, value in expected.params.items() if actual.params.get(key) != value]
    gone += sorted(expected.tags - actual.tags)
    return gone


def _same(one: tuple[object, float] | None, other: tuple[object, float]) -> bool:
    if one is None or one[0] != other[0] or type(one[0]) is not type(other[0]):
        return False
    return one[1] == other[1] or (math.isnan(one[1]) and math.isnan(other[1]))
