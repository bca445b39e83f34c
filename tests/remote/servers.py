"""
Real servers in processes of their own, which tests start, kill and start again, and what runs hold at both ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any

from aim.core import clock
from aim.storage.disk.digests import digest_of
from aim.storage.forms import tombstones
from aim.storage.forms.run_log import RunLog
from aim.storage.shipping.received_slots import sequence_numbers
from aim.storage.shipping.spool import Spool
from aim.storage.store import Store
from tests.ports import own_port
from tests.storage.recorded import points_in_place
from tests.storage.shipping.wires import recorded_bytes, run_bytes

DEADLINE_S = 120


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Wait until *condition* holds, for as long as a machine under heavy load may need."""
    until_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < until_s, f"waited in vain: {what}"
        time.sleep(0.05)


def started(module: str, *words: str) -> subprocess.Popen[bytes]:
    """Start a module as a program, in a group of processes of its own; what it says goes to where the tests say it."""
    command = [sys.executable, "-m", module, *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)


def kill_shipper(spool: Spool) -> bool:
    """Kill the process that ships what killed trainings have left; return whether there was one."""
    try:
        process = clock.Process(*json.loads((spool.folder / "shipper.pid").read_bytes()))
    except (OSError, ValueError):
        return False
    if clock.is_alive(process) is not True:
        return False
    os.kill(process.pid, signal.SIGKILL)
    return True


class Server:
    """
    `aim up` over the repository in *root*, which is made; `start` it, and `kill` it.

    Attributes:
        address: of the repository.
        options: further words of the command.
        log: where what the server says goes; None: to where the tests say it.
    """

    def __init__(self, root: Path, port: int | None = None) -> None:
        self.root = root
        self.port = port or own_port()
        self.address = f"http://127.0.0.1:{self.port}/{root.name}"
        self.store = Store(root / ".aim", create=True)
        self.options: tuple[str, ...] = ()
        self.log: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Server:
        """Start the server, and wait until it answers."""
        self.begin()
        wait_until(self.answers, f"a server on port {self.port}")
        return self

    def begin(self) -> None:
        """Start the server."""
        command = [sys.executable, "-m", "aim.cli", "up", "--repo", str(self.root), "--port", str(self.port)]
        log = None if self.log is None else open(self.log, "ab")  # noqa: SIM115
        self._process = subprocess.Popen([*command, "--no-open", *self.options], stdout=subprocess.DEVNULL, stderr=log)
        if log is not None:
            log.close()

    @property
    def pid(self) -> int:
        """The process of the server, which runs."""
        assert self._process is not None
        return self._process.pid

    def answers(self) -> bool:
        """Return whether the server answers."""
        if self._process is None:
            return False
        assert self._process.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/info", timeout=60) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError:  # it asks for a token
            return True
        except OSError:
            return False

    def info(self) -> dict[str, Any]:
        """Return what the server says of itself."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/info", timeout=60) as answer:
            info: dict[str, Any] = json.load(answer)
        return info

    def kill(self) -> None:
        """Kill the server, as a power cut of the process does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Stop the server in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def points(self, run_hash: str) -> dict[Any, Any]:
        """Return what a reader shows of a run."""
        return points_in_place(self.store.run_folder(run_hash))

    def values(self, run_hash: str, name: str = "loss") -> list[Any]:
        """Return the values of a metric without a context, in the order of steps."""
        if not self.store.has_run(run_hash):
            return []
        points = self.points(run_hash)
        return [points[key][0] for key in sorted(points) if key[:2] == (name, "{}")]


def assert_equal(local: Store, server: Store) -> None:
    """Assert that a server has what a folder has: by the reader, and byte for byte of lines and slots."""
    assert sorted(local.run_hashes()) == sorted(server.run_hashes())
    for run_hash in local.run_hashes():
        assert points_in_place(local.run_folder(run_hash)) == points_in_place(server.run_folder(run_hash))
    assert_held(local, server)


def assert_held(local: Store, server: Store) -> None:
    """Assert that a server has every line and slot of a folder, byte for byte; it may have more."""
    _assert_same_bytes(recorded_bytes(local), recorded_bytes(server))


def _assert_same_bytes(local: Mapping[str, bytes], server: Mapping[str, bytes]) -> None:
    for name, content in local.items():
        if name in server or not name.rpartition(".")[2].startswith("points-"):  # else it was sealed there
            assert content == server[name], name


def assert_received(local: Store, server: Store) -> Counter[str]:
    """
    Assert that a server has all that a folder has, though it was told to delete runs, and made forks of some: what was
    begun before the deletion of its run is gone, and nothing has come twice. Return how much was compared.
    """
    counted: Counter[str] = Counter()
    deleted = tombstones.read(server.trash)
    for run_hash in local.run_hashes():
        state = RunLog(local.run_folder(run_hash)).refresh()
        deleted_at_s = deleted.get(run_hash, 0.0)
        begun = {name: writer.begun_at_s for name, writer in state.writers.items() if writer.begun_at_s is not None}
        living = {name for name, begun_at_s in begun.items() if begun_at_s > deleted_at_s}
        there = server.run_folder(run_hash) if server.has_run(run_hash) else None
        received = set() if there is None else {path.name[:8] for path in there.glob("*.events.jsonl")}
        copies = received - set(begun)
        assert not copies or (there is not None and RunLog(there).refresh().forked_from is not None)
        assert living == received - copies
        counted["writers"] += len(living)
        if there is not None:
            counted.update(_compared(local.run_folder(run_hash), there, living, is_whole=living == set(begun)))
    return counted


def _compared(local: Path, server: Path, writers: Set[str], *, is_whole: bool) -> Counter[str]:
    """Compare what *writers* have recorded into a run; *is_whole*: these are all writers of it."""
    contents = {name: content for name, content in run_bytes(local).items() if name[:8] in writers}
    _assert_same_bytes(contents, run_bytes(server))
    slots = sum(sum(map(bool, sequence_numbers(content))) for name, content in contents.items() if ".points-" in name)
    if not is_whole:
        return Counter(slots=slots)
    points, received = points_in_place(local), points_in_place(server)
    assert points == {key: received.get(key) for key in points}
    files = _logged_files(local)
    assert files == {name: (server / name).read_bytes() for name in files}
    return Counter(slots=slots, points=len(points), files=len(files))


def _logged_files(folder: Path) -> dict[str, bytes]:
    """
    Return the files of a run that lines tell of: a training that is killed after it has stored a file, and before it
    has written the line, leaves a file that was never logged.
    """
    logged = {}
    for path in folder.glob("files/[!.]*"):
        name = path.relative_to(folder).as_posix()
        record = RunLog(folder).refresh().artifacts.get(path.name)
        if record is not None and digest_of(path) == (record.sha256, record.size_bytes):
            logged[name] = path.read_bytes()
    return logged
