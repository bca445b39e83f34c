"""
Processes of ours that outlive a training: a Python of the same environment, in a session of its own, without output.

It is started with `posix_spawn`, which is safe beside threads and MPI, where a fork is not; nobody waits for it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

WAIT_THEN_RUN = 'sleep "$0"; exec nice -n 19 "$@"'


def start(module: str, *arguments: str, stdin: int | None = None, after_s: float = 0.0) -> int | None:
    """
    Run `python -m <module> <arguments>`; return its process id, or None where that can't be done.

    Args:
        stdin: a descriptor that becomes its standard input; None: it reads nothing.
        after_s: how long a shell waits, which costs 1 ms, before Python is started, at the lowest priority.
    """
    if "python" not in os.path.basename(sys.executable or "").lower() or not hasattr(os, "posix_spawn"):
        return None  # an embedding program: its executable is no Python
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)}
    command = [sys.executable, "-m", module, *arguments]
    if after_s:
        command = ["/bin/sh", "-c", WAIT_THEN_RUN, str(after_s), *command]
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_OPEN, output, os.devnull, os.O_RDWR, 0) for output in (1, 2)]
    if stdin is None:
        actions.append((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0))
    else:
        actions.append((os.POSIX_SPAWN_DUP2, stdin, 0))
    try:
        return _spawn(command, environment, actions)
    except OSError:  # no more descriptors or processes
        return None


def _spawn(command: list[str], environment: dict[str, str], actions: list[tuple[Any, ...]]) -> int:
    try:
        return os.posix_spawn(command[0], command, environment, file_actions=actions, setsid=True)
    except NotImplementedError:  # a system that can't start sessions so: a process group of its own will do
        return os.posix_spawn(command[0], command, environment, file_actions=actions, setpgroup=0)
