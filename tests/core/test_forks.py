"""
Forks wait for sections that a thread must not leave half done.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from aim.core import forks

WAIT_S = 60.0

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork")


def test_sections_of_several_threads_overlap() -> None:
    """
    The section of one thread does not keep another thread out of its own.
    """
    both = threading.Barrier(2, timeout=WAIT_S)
    reached = []

    def section() -> None:
        with forks.whole(), forks.whole():
            reached.append(both.wait())

    threads = [threading.Thread(target=section) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)

    assert [0, 1] == sorted(reached)


def test_a_fork_waits_for_a_section() -> None:
    """
    A fork waits until no other thread is in a section, such as an import.
    """
    program = (
        "import os, sys, threading, time\nfrom aim.core import forks\n"
        "within, state = threading.Event(), []\n"
        "def section():\n"
        "    with forks.whole():\n"
        "        within.set()\n        time.sleep(0.3)\n        state.append('whole')\n"
        "thread = threading.Thread(target=section)\nthread.start()\nwithin.wait()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    with forks.whole(): os._exit(state != ['whole'])\n"
        "with forks.whole(): sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=False, timeout=60)

    assert 0 == done.returncode


def test_a_fork_within_ones_own_section_is_not_held_up() -> None:
    """
    A thread that forks within its section does not wait for itself.
    """
    program = (
        "import os, sys, time\nfrom aim.core import forks\nbegin = time.monotonic()\n"
        "with forks.whole():\n"
        "    pid = os.fork()\n"
        "    if pid == 0: os._exit(0)\n"
        "os.waitpid(pid, 0)\nsys.exit(time.monotonic() - begin > 3)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=False, timeout=60)

    assert 0 == done.returncode


def test_a_lock_that_another_thread_held_is_free_in_the_child() -> None:
    """
    A child can take a lock that a thread of the parent held when it forked.
    """
    program = (
        "import os, sys, threading, time\nfrom aim.core import forks\n"
        "lock, within, leave = forks.ForkedLock(), threading.Event(), threading.Event()\n"
        "def section():\n"
        "    with lock:\n"
        "        within.set()\n        leave.wait()\n"
        "thread = threading.Thread(target=section)\nthread.start()\nwithin.wait()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    with lock: os._exit(0)\n"
        "code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\nleave.set()\nsys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=False, timeout=60)

    assert 0 == done.returncode


def test_a_thread_that_forks_while_it_holds_a_lock_can_leave_it_in_the_child() -> None:
    """
    The thread that forks keeps its lock in the child, where it may take it again and leaves it as usual.
    """
    program = (
        "import os, sys\nfrom aim.core import forks\nlock = forks.ForkedLock()\n"
        "with lock:\n"
        "    pid = os.fork()\n"
        "    with lock: pass\n"
        "if pid == 0: os._exit(0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=False, timeout=60)

    assert 0 == done.returncode
