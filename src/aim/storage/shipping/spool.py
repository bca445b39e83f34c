"""
Spools: ordinary repositories on the disk of a training, from which its files are shipped to a server.

    $AIM_SPOOL, else $XDG_STATE_HOME/aim/spool, else ~/.local/state/aim/spool
      <BLAKE2b-96 of the address>/
        address            the address, for people and for `aim sync`
        .aim/              the repository
        sent.json          what is durable at the server; a hint
        shipper.pid        the process that ships what no living training does

The files of a spool are the truth until the server has said `durable`; then the server's are.

**Bounds.** All spools of a user together hold at most `AIM_SPOOL_MAX` (20 GiB), and 1 GiB or 2 % of the disk, whichever
is less, stays free. At half of it, what is durable is removed while its run goes on. At nine tenths no objects are
taken, at the whole no points: both are counted and said as on a full disk. The training goes on in every case.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aim.core import clock
from aim.core.errors import UsageError
from aim.storage.disk.files import Disk, path_of
from aim.storage.store import FOLDER_NAME, folder_name, is_repository

SPOOL_VARIABLE = "AIM_SPOOL"
MAX_VARIABLE = "AIM_SPOOL_MAX"
OFFLINE_VARIABLE = "AIM_OFFLINE"
BYTES_MAX = 20 << 30
FREE_BYTES = 1 << 30
FREE_SHARE = 0.02
SCARCE_SHARE, FULL_SHARE, HALF_SHARE = 0.9, 1.0, 0.5
MEASURED_S = 5.0  # how long a measurement holds
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
GONE_KEPT_S = 7 * 86_400.0  # how long a spool keeps a run that was deleted at the server
DONE_KEPT_S = 3600.0


def spool_root() -> Path:
    """Return the folder of this user's spools; it need not exist."""
    named = os.environ.get(SPOOL_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return Path(state).absolute() / "aim" / "spool"


def is_offline() -> bool:
    """Return whether `AIM_OFFLINE` asks for recording without a network."""
    return os.environ.get(OFFLINE_VARIABLE, "") not in ("", "0")


def size_of_text(text: str) -> int:
    """
    Return a number of bytes that a person wrote.

    Raises:
        UsageError: it is none.

    >>> size_of_text("500M"), size_of_text("1.5 GiB"), size_of_text("4096")
    (524288000, 1610612736, 4096)
    """
    match = SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no size; write it as 500M or 20G.")
    return int(float(match[1]) * UNITS[match[2].upper()])


class ShippedFolder:
    """
    A folder of runs that are shipped to *address*.

    Args:
        runs: the folder of the runs.
        hints: the file in which a shipper notes what is durable.
    """

    def __init__(self, address: str, runs: Path, hints: Path) -> None:
        self.address = address
        self.runs = runs
        self._hints = hints

    @classmethod
    def of_repository(cls, root: Path, address: str) -> ShippedFolder:
        """Return the repository in the folder *root*, on its way to *address*."""
        folder = root / folder_name()
        return cls(address, folder / "runs", folder / f"sent-{_key(address)}.json")

    def run_folders(self) -> list[Path]:
        """Return the folders of the runs in it."""
        try:
            return sorted(path for path in self.runs.iterdir() if path.is_dir() and not path.name.startswith("."))
        except OSError:
            return []

    def read_hints(self) -> dict[str, Any]:
        """Return what an earlier shipper has noted; it may be old, or empty."""
        try:
            hints = json.loads(self._hints.read_bytes())
        except (OSError, ValueError):
            return {}
        return hints if isinstance(hints, dict) else {}

    def write_hints(self, hints: dict[str, Any]) -> None:
        """Note what is durable. A disk that refuses costs a later shipper some work, and nothing else."""
        try:
            _replace(self._hints, json.dumps(hints, separators=(",", ":")).encode())
        except OSError:
            pass


class Spool(ShippedFolder):
    """
    The spool of *address* in the folder *root*.

    Attributes:
        folder: of this spool.
    """

    def __init__(self, address: str, root: Path | None = None) -> None:
        self.root = spool_root() if root is None else root
        self.folder = self.root / _key(address)
        super().__init__(address, self.folder / FOLDER_NAME / "runs", self.folder / "sent.json")

    def make(self) -> None:
        """Make the folder, with the address in it. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / "address"
        if not path.exists():
            _replace(path, f"{self.address}\n".encode())

    def exists(self) -> bool:
        """Return whether something was recorded into it."""
        return is_repository(self.folder / FOLDER_NAME)

    # one shipper of what nobody records any more

    def take_turn(self) -> bool:
        """Become the process that ships what no living training does; return False when another one is."""
        path = self.folder / "shipper.pid"
        content = json.dumps(list(clock.this_process())).encode()
        for _ in range(2):
            try:
                descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            except FileExistsError:
                if self.is_shipped():
                    return False
                path.unlink(missing_ok=True)
                continue
            except OSError:
                return False
            with open(descriptor, "wb") as file:
                file.write(content)
            return True
        return False

    def is_shipped(self) -> bool:
        """Return whether a living process ships what no training does."""
        try:
            process = clock.Process(*json.loads((self.folder / "shipper.pid").read_bytes()))
            return clock.is_alive(process) is not False
        except (OSError, ValueError, TypeError):
            return False

    def end_turn(self) -> None:
        """Be no longer that process."""
        try:
            (self.folder / "shipper.pid").unlink(missing_ok=True)
        except OSError:
            pass


def _key(address: str) -> str:
    return hashlib.blake2b(address.encode(), digest_size=12).hexdigest()


def spools(root: Path | None = None) -> Iterator[Spool]:
    """Go through the spools of this user."""
    folder = spool_root() if root is None else root
    for path in sorted(folder.glob("*/address")):
        try:
            address = path.read_text(encoding="utf-8").strip()
        except OSError:
            continue
        spool = Spool(address, folder)
        if spool.folder == path.parent and spool.exists():
            yield spool


def _replace(path: Path, content: bytes) -> None:
    scratch = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    scratch.write_bytes(content)
    os.replace(scratch, path)


class SpoolRoom:
    """How full the spools below *root* are. It is measured at most once in some seconds."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._measured_at_s = -MEASURED_S
        self._share = 0.0
        self._max_bytes = size_of_text(os.environ.get(MAX_VARIABLE) or str(BYTES_MAX))

    def share(self) -> float:
        """Return which share of what they may hold they do. Cost: a look at each file, once in 5 s."""
        moment_s = time.monotonic()
        if moment_s - self._measured_at_s >= MEASURED_S:
            self._measured_at_s = moment_s
            self._share = self._measure()
        return self._share

    def _measure(self) -> float:
        used_bytes = sum(_used_bytes(folder) for folder, _, _ in os.walk(self._root))
        try:
            room = os.statvfs(self._root)
        except (OSError, AttributeError):
            return used_bytes / max(1, self._max_bytes)
        reserved_bytes = min(FREE_BYTES, FREE_SHARE * room.f_blocks * room.f_frsize)
        free_bytes = room.f_bavail * room.f_frsize - reserved_bytes
        return used_bytes / max(1.0, min(self._max_bytes, used_bytes + free_bytes))


def _used_bytes(folder: str) -> int:
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    total += getattr(status, "st_blocks", status.st_size // 512) * 512
    except OSError:  # removed meanwhile
        pass
    return total


class SpoolDisk(Disk):
    """The disk of a spool: it refuses what the spool has no room for, as a full disk does."""

    ships = True

    def __init__(self, room: SpoolRoom) -> None:
        self._room = room

    def allocate(self, descriptor: int, size_bytes: int) -> None:
        """Give a segment its size. Raises OSError: the disk or the spool is full."""
        if self._room.share() >= FULL_SHARE:
            raise _full()
        super().allocate(descriptor, size_bytes)

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        """Write at *offset*. Raises OSError: objects find no room any more."""
        if self._room.share() >= SCARCE_SHARE:
            path = path_of(descriptor)
            if path is not None and path.name.endswith(".zip") and data:
                raise _full()
        super().write_at(descriptor, data, offset)


def _full() -> OSError:
    return OSError(errno.EDQUOT, f"The spool is full ({MAX_VARIABLE}), and the server takes nothing")
