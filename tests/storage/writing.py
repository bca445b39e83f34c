"""
What the tests of the writer share: an object to track, and what fresh readers find.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aim.core.values import Stored
from aim.storage.forms import blobs, events
from aim.storage.forms.journal import Segment
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.points import Points
from aim.storage.recording.writer import Writer

DEADLINE_S = 60


@dataclass
class Picture:
    """An object to track."""

    data: bytes = b"1234"

    def stored(self) -> Stored:
        """Return the object's stored form."""
        return Stored("test.picture", {"caption": "?"}, self.data, "raw")


@dataclass
class Tensor:
    """What a tensor of another library looks like: known by its name and `item()`."""

    value: Any

    def item(self) -> Any:
        """Return the only element, as torch does, or raise its error."""
        if isinstance(self.value, list):
            raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")
        return self.value


def lines(writer: Writer) -> list[dict[str, Any]]:
    """Return all event lines of a writer; none is bad."""
    parsed = events.read(writer.lines.log.path)
    assert [] == parsed.bad_spans
    return parsed.events


def segment_of(writer: Writer) -> Segment:
    """Return the segment that a writer records into."""
    segment = writer.files.segments.segment
    assert isinstance(segment, Segment)
    return segment


def state(folder: Path) -> RunState:
    """Return the state of a run, freshly read."""
    return RunLog(folder).refresh()


def values(folder: Path, name: str = "loss") -> dict[int, object]:
    """Return values by step of a sequence without context; of a picture its bytes."""
    reader = open_run(folder)
    points = reader.points((name, "{}"))
    if points is None:
        return {}
    if reader.state().sequences[(name, "{}")].is_numeric:
        return dict(zip(points.steps.tolist(), points.values.tolist(), strict=True))
    value_of: dict[int, object] = {}
    for index, step in enumerate(points.steps.tolist()):
        (item,) = reader.record(points, index)["items"]
        number, _ = blobs.split_position(int(points.values[index]))
        value_of[step] = reader.read_data(points.writer_ids[int(points.writers[index])], number, item["data"])
    return value_of


def tracked_points(writer: Writer, name: str = "loss") -> Points:
    """Return the points of a sequence without a context, by a fresh reader."""
    points = open_run(writer.files.folder).points((name, "{}"))
    assert points is not None
    return points


def tracked_values(writer: Writer, name: str = "loss") -> list[object]:
    """Return the values of a sequence in the order of steps; of objects, where they lie."""
    points: list[object] = tracked_points(writer, name).values.tolist()
    return points


def tracked_kind(writer: Writer, name: str = "loss") -> str:
    """Return the kind of a sequence."""
    return open_run(writer.files.folder).state().sequences[(name, "{}")].kind
