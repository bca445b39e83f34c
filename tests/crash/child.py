"""
A process that records at full speed until it is killed: `python -m tests.crash.child`.

Starting Python takes longer than all that is recorded before a kill. So this process, which has loaded everything,
begins a child for each line `<mode> <run folder> <page>` of its standard input: a fork, which has recorded nothing
before. It prints the child's pid, and then how the child ended, as `os.waitpid` tells.

It acknowledges each call that has returned in a page of its own, by one 8-byte store, so that this is known after
SIGKILL too. What it records follows from the count alone: the functions below say what, and test_kill.py asks them.

The numbers of its sequences have four bytes that all differ from 0, or a torn store of the number could not be seen.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aim.core.values import Stored
from aim.sdk.objects.distribution import Distribution
from aim.sdk.objects.image import Image
from aim.sdk.objects.text import Text
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


def picture(number: int) -> Image:
    """Return image *number*, 4 x 4 pixels."""
    return Image(np.full((4, 4, 3), number % 256, np.uint8))


VALUES: dict[str, Callable[[int], Any]] = {
    "float": value,
    "float32": lambda number: np.float32(number),
    "int": lambda number: -number,
    "exact": lambda number: 2**60 + number,
    "mixed": lambda number: number if number % 2 else number + 0.5,
    "text": lambda number: Text(f"text {number}"),
    "long text": lambda number: Text(f"{number} " * 8000),
    "image": picture,
    "images": lambda number: [picture(number), picture(number + 1)],
    "distribution": lambda number: Distribution(hist=[number, 1], bin_range=(0, 1)),
    "list": lambda number: [number, "two", 3.5],
}
"""What the mode `kinds` tracks in the sequence of each name at step *number*."""

CHANGES: dict[str, Callable[[Writer, int], None]] = {
    "param": lambda writer, number: writer.lines.set_param(("p",), {"is": number, "list": [number] * 3}),
    "tag": lambda writer, number: writer.lines.change_tags(add=[f"t{number % 50}"]),
    "name": lambda writer, number: writer.lines.set_property(name=f"n{number}"),
}
"""What the mode `kinds` changes between them."""


def _kinds(folder: Path, acknowledged: memoryview) -> None:
    writer = Writer(folder, folder.name)
    count = 0
    while True:
        number = count // (len(VALUES) + len(CHANGES))
        for name, make in VALUES.items():
            writer.sequence(name).track(make(number), number, sync=True)
            acknowledged[0] = count = count + 1
        for change in CHANGES.values():
            change(writer, number)
            acknowledged[0] = count = count + 1


MODES: dict[str, Callable[[Path, memoryview], None]] = {
    "points": _points,
    "automatic": _automatic,
    "objects": _objects,
    "params": _params,
    "runs": _runs,
    "kinds": _kinds,
}


def serve() -> None:
    """Begin a child for each line of the standard input; see above."""
    logging.disable()  # lists of plain values are warned of
    picture(0).stored()  # loads the encoder
    for line in sys.stdin:
        mode, folder, page = line.rstrip("\n").split("\t")
        pid = os.fork()
        if not pid:
            with contextlib.suppress(BaseException):
                main(mode, Path(folder), Path(page))
            os._exit(70)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
