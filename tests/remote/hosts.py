"""
Hosts of a test: network namespaces of this machine, each joined by a line of its own to the host of a server.

    server   10.77.<n>.1   ---- a line that can be cut ----   10.77.<n>.2   node n

Needs Linux, and root. A host that leaves takes its processes and its line along; its disk is a folder, and stays.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.machine import lacks

SIDES = ("1", "2")
NETWORK = "10.77"


def ip(*words: str) -> None:
    """Run `ip`. Raises CalledProcessError when it refuses."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Host:
    """
    A host with an empty network.

    Attributes:
        environment: of its processes.
    """

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.name = f"aim-{os.getpid()}-{name}"
        self.environment = {**os.environ, **environment}
        self._processes: list[subprocess.Popen[bytes]] = []
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start Python with *words* on the host."""
        return self.start_program(sys.executable, *words)

    def start_program(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a program on the host; its process is the one that is returned."""
        command = ["ip", "netns", "exec", self.name, *words]
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL)
        self._processes.append(process)
        return process

    def kill_all(self) -> None:
        """Kill all processes of the host, also children of those that were started here, and those they fork now."""
        while pids := self._pids():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for process in self._processes:
                process.kill()
                process.wait()

    def _pids(self) -> list[int]:
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False)
        return [int(pid) for pid in listed.stdout.split()]

    def leave(self) -> None:
        """Switch the host off: its processes are killed, and its network is no more."""
        self.kill_all()
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)


class Site:
    """The host of a server, and nodes that are joined to it."""

    def __init__(self) -> None:
        self.server = Host("server", {})
        self._hosts = [self.server]

    def join(self, number: int, disk: Path, **environment: str) -> Host:
        """Make node *number*, whose spools are on *disk*."""
        node = Host(f"node{number}", {"AIM_SPOOL": str(disk), "AIM_SEAL_ON_CLOSE": "0", **environment})
        self._hosts.append(node)
        ends = [f"aim{os.getpid() % 100_000}n{number}{side}" for side in "ab"]
        ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
        for host, end, side in zip((self.server, node), ends, SIDES):
            ip("link", "set", end, "netns", host.name, "name", f"line{number}")
            ip("-n", host.name, "addr", "add", f"{NETWORK}.{number}.{side}/24", "dev", f"line{number}")
            ip("-n", host.name, "link", "set", f"line{number}", "up")
        return node

    def cut(self, number: int) -> None:
        """Cut the line of a node: nothing passes, and nobody is told."""
        ip("-n", self.server.name, "link", "set", f"line{number}", "down")

    def mend(self, number: int, node: Host, side: str = SIDES[1]) -> None:
        """Mend the line of a node, which has another last part of its address then, if *side* says so."""
        if side != SIDES[1]:
            ip("-n", node.name, "addr", "flush", "dev", f"line{number}")
            ip("-n", node.name, "addr", "add", f"{NETWORK}.{number}.{side}/24", "dev", f"line{number}")
        ip("-n", self.server.name, "link", "set", f"line{number}", "up")

    def close(self) -> None:
        """Switch all hosts off."""
        for host in self._hosts:
            host.leave()


@contextmanager
def open_site() -> Iterator[Site]:
    """Make a site, and switch it off in the end; without the right to the test is left out."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        lacks("hosts of a test are network namespaces: they need Linux, `ip`, and root")
    site = Site()
    try:
        yield site
    finally:
        site.close()
