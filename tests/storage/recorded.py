"""
Runs for the tests of sealing, checking and repairing, recorded by the real writer, with a bit of everything.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aim.core.errors import DamagedFile
from aim.core.values import Stored
from aim.storage.disk import layout
from aim.storage.forms import blobs, edits, events
from aim.storage.forms.run_log import RunLog
from aim.storage.reading.folder_source import open_run
from aim.storage.reading.reader import RunReader
from aim.storage.recording.writer import Writer
from aim.storage.sealing import seal

RUN = "3df703c1b2a94c5d8e6f7a80"
PICTURE_BYTES = b"\x89PNG\r\n\x1a\n" + bytes(range(60))
READINGS = itertools.count()
PointKey = tuple[str, str, int]
"""Name and context of a sequence, and a step."""


@dataclass
class Picture:
    """An object with bytes."""

    caption: str

    def stored(self) -> Stored:
        """Return a picture's fields and bytes."""
        return Stored("aim.image", {"caption": self.caption}, PICTURE_BYTES + self.caption.encode(), "png")


@dataclass
class Words:
    """An object that is all fields."""

    text: str

    def stored(self) -> Stored:
        """Return a text's fields."""
        return Stored("aim.text", {"text": self.text})


def record(folder: Path, *, losses: int = 300) -> tuple[str, str]:
    """Record a run with two writers into *folder*, which is made; return the writers' ids."""
    folder.mkdir(parents=True)
    first = Writer(folder, folder.name)
    first.lines.set_param(("hparams",), {"lr": 0.01, "layers": [1, 2]})
    first.lines.set_property(name="baseline")
    loss = first.sequence("loss", {"subset": "train"})
    count = first.sequence("count", None)
    for step in range(losses):
        loss.track(1 / (step + 1), step=step, epoch=step // 100)
        if step % 3 == 0:
            count.track(step * 7, step=step)
    count.track(2**60 + 1, step=losses)
    for step in range(3):
        first.sequence("pictures", {"subset": "val"}).track([Picture(f"a{step}"), Picture(f"b{step}")], step=step)
        first.sequence("one", None).track(Picture(f"one {step}"), step=step)
        first.sequence("words", None).track(Words(f"step {step}"), step=step)
    first.close()
    second = Writer(folder, folder.name)
    again = second.sequence("loss", {"subset": "train"})
    for step in range(losses - 5, losses + 40):
        again.track(-float(step), step=step * 2 if step % 2 else step)
    second.close()
    for writer in (first.id, second.id):
        _of_an_earlier_boot(layout.events_file(folder, writer))
    edits.write(folder, {"property": {"archived": True}}, by="test", seen_at_s=4e9)
    edits.write(folder, {"tags": {"add": ["paper"], "remove": []}}, by="test", seen_at_s=4e9)
    return first.id, second.id


def _of_an_earlier_boot(path: Path) -> None:
    """Make the process that wrote an event file one that is gone; in truth it is the one that runs the tests."""
    begin, *rest = events.read(path).events
    begin["begin"]["boot"] = "an earlier one"
    path.write_bytes(b"".join(events.encode(line) for line in [begin, *rest]))


def seal_all(folder: Path) -> None:
    """Seal every writer of the run."""
    state = RunLog(folder).refresh()
    for writer in state.writers:
        seal.seal_writer(folder, writer, state)


def points(folder: Path) -> dict[PointKey, tuple[Any, ...]]:
    """
    Read all points of a run as a user does: value, time and epoch by name, context and step; of objects their content.
    """
    # points of sealed files are cached by folder, so each reading is of a folder of its own
    moved = folder.parent.with_name(f"{folder.parent.name}-{next(READINGS)}")
    folder.parent.rename(moved)
    try:
        return points_in_place(moved / folder.name)
    finally:
        moved.rename(folder.parent)


def points_in_place(folder: Path) -> dict[PointKey, tuple[Any, ...]]:
    """Return as `points` does, with what an earlier reading has cached."""
    return points_of_reader(open_run(folder))


def points_of_reader(reader: RunReader) -> dict[PointKey, tuple[Any, ...]]:
    """Return what `points` does, of a run wherever it is."""
    read: dict[PointKey, tuple[Any, ...]] = {}
    for key, sequence in reader.sequences().items():
        sequence_points = reader.points(key)
        assert sequence_points is not None
        for row, step in enumerate(sequence_points.steps.tolist()):
            value: Any = sequence_points.values[row]
            if sequence.is_numeric or not sequence.kind:
                value = float(value) if isinstance(value, float) else int(value)
            else:
                value = _content_of(reader, sequence_points, row)
            moment = float(sequence_points.times_s[row])
            read[(*key, step)] = (value, moment, repr(float(sequence_points.epochs[row])))
    return read


def _content_of(reader: RunReader, sequence_points: Any, row: int) -> tuple[Any, ...]:
    """Return captions and bytes of the objects of a point; `damaged` for a damaged one."""
    try:
        stored = reader.record(sequence_points, row)
    except DamagedFile:
        return ("damaged",)
    writer = sequence_points.writer_ids[int(sequence_points.writers[row])]
    file_number = blobs.split_position(int(sequence_points.values[row]))[0]
    return tuple(_item(reader, writer, file_number, item) for item in stored["items"])


def _item(reader: RunReader, writer: str, file_number: int, item: Mapping[str, Any]) -> tuple[Any, ...]:
    text = item.get("caption", item.get("text"))
    if item.get("data") is None:
        return (text,)
    try:
        return (text, reader.read_data(writer, file_number, item["data"]))
    except DamagedFile:
        return (text, "damaged")


def copied(folder: Path, target: Path) -> Path:
    """Copy a run's folder, with the times of its files."""
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(folder, target)
    return target


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def spread(size: int, every: int, *, dense: Sequence[range] = ()) -> Iterator[int]:
    """Go through 0, every, 2 * every ... and all of *dense*, below *size*, each once."""
    chosen = {*range(0, size, every), size - 1}
    for part in dense:
        chosen.update(part)
    return iter(sorted(offset for offset in chosen if 0 <= offset < size))
