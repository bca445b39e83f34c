"""
The exit code of a program that leaves by `raise SystemExit(n)`, which no code of Python's learns in time.

When the interpreter ends, it drops that exception before it calls anything of ours, and keeps the code to itself. But
it hands it to the system: `exit(code)` of the C library, which calls what was registered by `on_exit` with the code. By
then no Python runs any more, so a function of the C library itself is registered: `fputc(code, pipe)`. At the other end
of the pipe waits a detached process (below: `python -m aim.storage.recording.exit_status <event file> ...`). If the
code is not 0, it adds an `end` line to each event file that ended with the process: the run failed.

Where the C library has no `on_exit` (macOS, musl), such a run stays finished: docs/decisions/exit-codes.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from aim.storage.disk import changes
from aim.storage.disk.files import DISK
from aim.storage.forms.events import encode
from aim.storage.forms.run_log import RunLog
from aim.storage.recording import detached
from aim.storage.recording.process_end import failure_of

LATER_S = 1e-6


def tell(event_files: Sequence[Path]) -> bool:
    """
    At the end of this process, have its exit code told to those that wrote *event_files*; return whether it will be.

    Cost: 10 ms for ctypes, and the start of a process.
    """
    import ctypes  # only here: no start of a training pays for it

    library = ctypes.CDLL(None)
    if not hasattr(library, "on_exit"):
        return False
    try:
        reading, writing = os.pipe()
    except OSError:
        return False
    started = detached.start(
        "aim.storage.recording.exit_status", *(str(path.absolute()) for path in event_files), stdin=reading
    )
    os.close(reading)
    if started is None:
        os.close(writing)
        return False
    library.fdopen.restype = ctypes.c_void_p
    library.on_exit.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    pipe = library.fdopen(writing, b"w")
    return bool(library.on_exit(ctypes.cast(library.fputc, ctypes.c_void_p), pipe) == 0)


def fail(event_file: Path, error: str) -> None:
    """
    Add an `end` to an event file that has one: the run failed by *error*.

    Raises:
        OSError: the disk refuses, or the run is gone.
    """
    info = RunLog(event_file.parent).refresh().writers.get(event_file.name.partition(".")[0])
    if info is None or info.end is None:
        return
    line = encode({"at": round(info.line_at_s + LATER_S, 6), "end": {**info.end, "state": "failed", "error": error}})
    descriptor = os.open(event_file, os.O_WRONLY | os.O_APPEND | getattr(os, "O_CLOEXEC", 0))
    try:
        DISK.write(descriptor, line)
        DISK.sync(descriptor)
    finally:
        os.close(descriptor)
    changes.touch(event_file.parent)


def main(event_files: list[str]) -> None:
    """Read the exit code, one byte, from the standard input; nothing is there if the process was killed."""
    error = failure_of(int.from_bytes(os.read(0, 1), "little"))
    if error is None:
        return
    for path in event_files:
        try:
            fail(Path(path), error)
        except OSError:  # the run is gone, or the folder can't be written: it stays finished
            continue


if __name__ == "__main__":
    main(sys.argv[1:])
