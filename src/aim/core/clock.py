"""
Time and processes: the moment of a record, and whether the process that made it still runs.

A process is identified by its host, the host's boot id, its pid and its start time in clock ticks since boot, so a
reused pid is not taken for the old process. A pid is valid only in its own pid namespace: two containers may have one
host name and a process 7 each. Boot id, start time and namespace exist on Linux only; elsewhere they are None and are
not compared.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache

from aim.core.tuples import NamedTuple

MICROSECOND_S = 1e-6
MICROSECONDS = 1_000_000  # of a second
SECONDS_MAX = 1e12  # in the year 33,658; beyond it a time is damage
ZOMBIE = -1


def now() -> float:
    """Return the Unix time in seconds."""
    return time.time()


def after(previous_s: float) -> float:
    """
    Return the time in whole microseconds, and at least one after *previous_s*.

    A clock that stands beyond `SECONDS_MAX` is not believed.

    >>> after(4e9)
    4000000000.000001
    """
    now_s = time.time()
    return max(round(now_s, 6) if now_s < SECONDS_MAX else 0.0, round(previous_s + MICROSECOND_S, 6))


def host_name() -> str:
    """Return the name of this host, as `socket.gethostname()`."""
    if hasattr(os, "uname"):
        return os.uname().nodename  # `socket` takes 3 ms to import
    import socket

    return socket.gethostname()


class Process(NamedTuple):
    """One process of one host, since its start."""

    host: str
    boot: str | None
    pid: int
    start: int | None
    namespace: str | None = None


def this_process() -> Process:
    """Describe the calling process."""
    pid = os.getpid()
    return Process(host_name(), boot_id(), pid, start_ticks(pid), pid_namespace())


def is_alive(process: Process) -> bool | None:
    """Return whether *process* still runs; None when it ran on another host or in another container."""
    if process.host != host_name():
        return None
    if process.boot != boot_id():
        return False
    if process.namespace is not None and process.namespace != pid_namespace():
        return None
    if process.pid <= 0:  # os.kill would signal a whole group of processes
        return None
    try:
        os.kill(process.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    ticks = start_ticks(process.pid)
    # the start of another user's process may be hidden, but the process exists
    return ticks != ZOMBIE and (process.start is None or ticks is None or ticks == process.start)


@lru_cache(1)
def boot_id() -> str | None:
    """Return the id of the host's current boot; None where the system has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def start_ticks(pid: int) -> int | None:
    """
    Return the start of a process in clock ticks since boot: proc(5), field 22 of `stat`.

    Returns `ZOMBIE` for a process that has ended and was not waited for, and None where the system has no such file.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    # the second field is the command in parentheses, which may contain blanks and parentheses
    fields = text[text.rindex(b")") + 2 :].split()
    return ZOMBIE if fields[0] in (b"Z", b"X") else int(fields[19])


def pid_namespace() -> str | None:
    """Return the id of this process's pid namespace, such as `pid:[4026531836]`, or None: pid_namespaces(7)."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return None
