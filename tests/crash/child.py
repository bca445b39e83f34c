"""
A process that records at full speed until it is killed: `python -m tests.crash.child <mode> <run folder> <page>`.

It acknowledges each call that has returned in a page of its own, by one 8-byte store, so that this is known after
SIGKILL too. What it records follows from the count alone: the functions below say what, and test_kill.py asks them.

The numbers of its sequences have four bytes that all differ from 0, or a torn store of the number could not be seen.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aim.core.values import Stored
from aim.storage.recording.sequence_writer import SequenceWriter
from aim.storage.recording.writer import Writer

PAGE_BYTES = 4096
NUMBERS = (0x01020304, 0xA5B6C7D8)
RUN_POINTS = 500  # of each run of the mode `runs`


def value(count: int) -> float:
    """Return the value of point *count*: no byte of it is 0 for long."""
    return (count + 1) * 1.1


def epoch(count: int) -> float:
    """Return the epoch of point *count*, exact in 32 bits."""
    return count % 1000 + 0.5


@dataclass(frozen=True)
class Picture:
    """Object *count*: some hundred to thousand bytes that follow from it."""

    count: int

    def stored(self) -> Stored:
        """Return the object's stored form."""
        data = bytes([self.count % 251]) * (200 + self.count % 3000)
        return Stored("test.picture", {"caption": f"no. {self.count}"}, data, "raw")


def numbered(handle: SequenceWriter, writer: Writer, number: int) -> SequenceWriter:
    """Return *handle* the sequence number *number*, announced like any other."""
    handle.track(value(0), step=-1)
    event = {"sequence": number, "name": handle.name, "context": handle.context, "kind": "float"}
    writer.lines.log.append(event)
    handle.number = number
    return handle


def main(mode: str, folder: Path, page: Path) -> None:
    """Record in *mode* until killed."""
    with open(page, "r+b") as file:
        acknowledged = memoryview(mmap.mmap(file.fileno(), PAGE_BYTES)).cast("q")
    MODES[mode](folder, acknowledged)


def _points(folder: Path, acknowledged: memoryview) -> None:
    writer = Writer(folder, folder.name)
    handles = [numbered(writer.sequence(f"s{n}"), writer, number) for n, number in enumerate(NUMBERS)]
    track_one, track_other = (handle.track for handle in handles)
    count = 0
    while True:
        track_one(value(count), count, epoch(count))
        acknowledged[0] = count = count + 1
        track_other(value(count), count, epoch(count))
        acknowledged[0] = count = count + 1


def _automatic(folder: Path, acknowledged: memoryview) -> None:
    writer = Writer(folder, folder.name)
    handle = numbered(writer.sequence("s0"), writer, NUMBERS[0])
    count = 0
    while True:
        handle.track(value(count))
        acknowledged[0] = count = count + 1


def _objects(folder: Path, acknowledged: memoryview) -> None:
    writer = Writer(folder, folder.name)
    handle = writer.sequence("pictures")
    count = 0
    while True:
        handle.track(Picture(count), count)
        acknowledged[0] = count = count + 1


def _params(folder: Path, acknowledged: memoryview) -> None:
    writer = Writer(folder, folder.name)
    count = 0
    while True:
        writer.lines.set_param(("count",), {"is": count, "text": "x" * (count % 5000)})
        acknowledged[0] = count = count + 1


def _runs(folder: Path, acknowledged: memoryview) -> None:
    # one short run after the other, so that most kills come while one begins or ends
    count = 0
    while True:
        run_folder = folder.with_name(f"{folder.name}-{count // RUN_POINTS}")
        run_folder.mkdir()
        writer = Writer(run_folder, run_folder.name)
        handle = writer.sequence("s0")
        for _ in range(RUN_POINTS):
            handle.track(value(count), count, epoch(count))
            acknowledged[0] = count = count + 1
        writer.close()
        acknowledged[1] += 1


MODES: dict[str, Callable[[Path, memoryview], None]] = {
    "points": _points,
    "automatic": _automatic,
    "objects": _objects,
    "params": _params,
    "runs": _runs,
}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
