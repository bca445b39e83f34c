"""
Time, and whether a process still runs.
"""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import time

import pytest

from aim.core import clock
from aim.core.clock import Process

HAS_PROC = os.path.exists("/proc/self/stat")


@pytest.fixture(name="child")
def _child() -> Process:
    """
    A process that has ended and was waited for.
    """
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    return clock.this_process()._replace(pid=child.pid)


def test_now_is_unix_time() -> None:
    """
    The clock is the system's.
    """
    assert abs(time.time() - clock.now()) < 60


def test_a_moment_is_after_the_one_before() -> None:
    """
    Moments are whole microseconds and increase, however fast they follow each other and whatever the clock says.
    """
    moments = [0.0]
    for _ in range(10_000):
        moments.append(clock.after(moments[-1]))
    ahead = clock.after(4e9)

    assert all(round(moment * 1e6) == moment * 1e6 or abs(round(moment, 6) - moment) == 0 for moment in moments)
    assert all(later > earlier for earlier, later in itertools.pairwise(moments[1:]))
    assert 4000000000.000001 == ahead
    assert 4000000000.000002 == clock.after(ahead)


def test_this_process_is_alive() -> None:
    """
    The calling process is described by `this_process`, and is alive.
    """
    process = clock.this_process()

    assert (os.getpid(), socket.gethostname()) == (process.pid, process.host)
    assert clock.is_alive(process) is True


def test_a_process_that_has_ended_is_not_alive(child: Process) -> None:
    """
    A pid that is not in use is not a process.
    """
    assert clock.is_alive(child) is False


@pytest.mark.skipif(not HAS_PROC, reason="this system does not tell starts, boots and namespaces")
def test_a_pid_that_was_given_again_is_another_process() -> None:
    """
    The same pid with another start, or on another boot, is not the process; without a start only the pid is
    compared.
    """
    process = clock.this_process()

    assert clock.is_alive(process._replace(start=5)) is False
    assert clock.is_alive(process._replace(boot="another")) is False
    assert clock.is_alive(process._replace(start=None)) is True


@pytest.mark.skipif(not HAS_PROC, reason="this system does not tell starts, boots and namespaces")
def test_a_zombie_is_not_alive() -> None:
    """
    A process that has ended and was not waited for yet has ended.
    """
    child = subprocess.Popen([sys.executable, "-c", "pass"], stdout=subprocess.PIPE)
    process = clock.this_process()._replace(pid=child.pid, start=clock.start_ticks(child.pid))
    assert child.stdout is not None
    child.stdout.read()
    until_s = time.monotonic() + 60
    while clock.start_ticks(child.pid) != clock.ZOMBIE:
        assert time.monotonic() < until_s

    assert clock.is_alive(process) is False
    assert clock.is_alive(process._replace(start=None)) is False
    child.stdout.close()
    child.wait()


def test_a_process_elsewhere_can_not_be_asked_for() -> None:
    """
    Nothing is known of a process on another host or in another container.
    """
    process = clock.this_process()

    assert clock.is_alive(process._replace(host="elsewhere")) is None
    assert clock.is_alive(process._replace(namespace="pid:[1]")) is None


@pytest.mark.parametrize("pid", [0, -1, -(2**40)])
def test_what_is_no_pid_asks_for_no_group(pid: int) -> None:
    """
    A damaged pid never stands for a group of processes.
    """
    assert clock.is_alive(clock.this_process()._replace(pid=pid)) is None


def test_a_pid_beyond_all_is_nobody() -> None:
    """
    A pid beyond the largest of the system is not a process.
    """
    assert clock.is_alive(clock.this_process()._replace(pid=2**70)) is False


@pytest.mark.skipif(not HAS_PROC or os.getuid() != 0, reason="only root may become another user")
def test_a_process_of_another_user_is_alive() -> None:
    """
    A process that may not be signalled still counts as alive.
    """
    code = (
        "import os, sys; sys.path[:] = sys.argv[1:]\n"
        "from aim.core import clock; clock.this_process(); os.setuid(65534)\n"
        f"print(clock.is_alive(clock.{clock.this_process()!r}))"
    )
    found = subprocess.run([sys.executable, "-c", code, *sys.path], capture_output=True, text=True, check=True)

    assert "True\n" == found.stdout


@pytest.mark.skipif(not HAS_PROC, reason="this system does not tell starts, boots and namespaces")
def test_a_name_with_parentheses_does_not_confuse(tmp_path: os.PathLike[str]) -> None:
    """
    The start is read correctly after a command with blanks and parentheses.
    """
    command = os.path.join(tmp_path, "a) R (b c")
    os.symlink(sys.executable, command)
    child = subprocess.Popen([command, "-S", "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE,
                             env={**os.environ, "PYTHONHOME": sys.base_prefix})  # fmt: skip
    ticks = clock.start_ticks(child.pid)
    own = clock.start_ticks(os.getpid())
    child.communicate(b"")

    assert ticks is not None
    assert own is not None
    assert ticks >= own
