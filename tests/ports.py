"""
Ports for servers that a test starts by number, where the server can't choose one itself.

A port that was free a moment ago may be taken in the next: the system gives ports of its own range to every connection,
and another process of the tests asks at the same time. So these are below that range, and a lock that this process
holds until it ends keeps each for itself.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import tempfile
from pathlib import Path

FIRST, LAST = 21_000, 31_000  # Linux gives connections ports from 32,768 on, macOS from 49,152 on

_locks: list[int] = []


def own_port(host: str = "127.0.0.1") -> int:
    """Return a port that nothing listens on, and that no other test is told."""
    folder = Path(tempfile.gettempdir(), f"aim-test-ports-{os.getuid()}")
    folder.mkdir(exist_ok=True)
    start = FIRST + os.getpid() * 7 % (LAST - FIRST)
    for port in itertools.chain(range(start, LAST), range(FIRST, start)):
        lock = os.open(folder / str(port), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError:
            os.close(lock)
            continue
        _locks.append(lock)
        return port
    raise AssertionError("every port of the tests is taken")
