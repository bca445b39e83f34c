"""
Time and processes: the moment of a record, and whether the process that made it still lives.

A process is known by its host, the host's boot id, its pid and its start time in clock ticks since boot: so a pid that was
given again is not taken for the old process. Where the system does not tell boot id or start time (not Linux), they are None
and only the pid is asked for.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass

MICROSECOND_S = 1e-6


def now() -> float:
    """Give the Unix time in seconds."""
    return time.time()


def after(previous_s: float) -> float:
    """
    Give the time in whole microseconds, and at least one after *previous_s*.

    >>> after(4e9)
    4000000000.000001
    """
    return max(round(time.time(), 6), round(previous_s + MICROSECOND_S, 6))


@dataclass(frozen=True)
class Process:
    """One process of one host, since its start."""

    host: str
    boot: str | None
    pid: int
    start: int | None


def this_process() -> Process:
    """Describe the calling process."""
    pid = os.getpid()
    return Process(socket.gethostname(), boot_id(), pid, start_ticks(pid))


def is_alive(process: Process) -> bool | None:
    """
    Say whether *process* still runs; None when it ran on another host and can't be asked for.
    """
    if process.host != socket.gethostname():
        return None
    if process.boot != boot_id():
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return process.start is None or start_ticks(process.pid) == process.start


def boot_id() -> str | None:
    """Give the id of the host's current boot, or None where the system does not tell."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def start_ticks(pid: int) -> int | None:
    """Give the start of a process in clock ticks since boot, or None: proc(5), field 22 of `stat`."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # the second field, the command in parentheses, may hold blanks and parentheses itself
    fields = text[text.rindex(b")") + 2 :].split()
    return None if fields[0] == b"Z" else int(fields[19])
