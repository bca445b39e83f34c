"""
What a watcher remembers of a repository, across restarts: since when runs match, what was delivered, and what waits.

    ~/.local/state/aim/alerts/<digest of the address>.json        $XDG_STATE_HOME

One process at a time watches for a user: it holds the lock file beside it, so each alert goes out once, however many
servers and watchers there are.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any, TypeVar

from aim.engine.alerting.private_files import write_private

Kind = TypeVar("Kind")

SEEN_MAX = 5_000
LOG_MAX = 200
WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"


@dataclass
class Delivery:
    """
    A message for one channel.

    Attributes:
        at_s: when the first alert of it was seen.
        attempts: how often it was tried.
        next_at_s: when it is tried again.
        state: `WAITING`, `DELIVERED` or `FAILED`.
        error: of the last attempt.
        id: the same with each attempt, so that a receiver can tell a message that it got twice.
    """

    channel: str
    title: str
    lines: list[str]
    level: str
    at_s: float
    attempts: int = 0
    next_at_s: float = 0.0
    state: str = WAITING
    error: str = ""
    id: str = field(default_factory=lambda: secrets.token_hex(8))


@dataclass
class WatchState:
    """
    What is remembered.

    Attributes:
        begun_at_s: alerts from before are not delivered.
        looked_at_s: when somebody last looked.
        seen: ids of alerts that were taken, with the time; the oldest are forgotten.
        since: by rule and run: since when it matches.
        waiting: messages that are not delivered yet.
        log: messages that were delivered or given up, the latest last.
    """

    begun_at_s: float = 0.0
    looked_at_s: float = 0.0
    seen: dict[str, float] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    waiting: list[Delivery] = field(default_factory=list)
    log: list[Delivery] = field(default_factory=list)

    def deliveries(self) -> list[Delivery]:
        """Return the messages that wait, were delivered or given up, the latest last."""
        return sorted([*self.log, *self.waiting], key=lambda delivery: delivery.at_s)


def watched_address(address: str) -> str:
    """Return the one address of a repository for all paths that lead to its folder; that of a server as it is."""
    return os.path.realpath(address) if os.path.isabs(address) else address


def state_path(address: str) -> Path:
    """Return the file of what is remembered of the repository at *address*, see `watched_address`."""
    folder = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    digest = hashlib.blake2b(address.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return Path(folder) / "aim" / "alerts" / f"{digest}.json"


class StateFile:
    """The file of a `WatchState`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_file: IO[bytes] | None = None

    def lock(self) -> bool:
        """Return whether this process is the one that watches; it stays so until it ends or calls `unlock`."""
        if self._lock_file is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.with_suffix(".lock").open("ab")
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows: every watcher delivers
            pass
        except OSError:
            file.close()
            return False
        self._lock_file = file
        return True

    def unlock(self) -> None:
        """Let another process watch."""
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    def read(self) -> WatchState:
        """Return what is remembered; a file that is damaged is as none."""
        try:
            form: dict[str, Any] = json.loads(self.path.read_bytes())
            waiting, log = ([_made(Delivery, each) for each in form.pop(name)] for name in ("waiting", "log"))
            return _made(WatchState, {**form, "waiting": waiting, "log": log})
        except (OSError, ValueError, TypeError, KeyError):
            return WatchState()

    def write(self, state: WatchState) -> None:
        """Write what is remembered, as a whole."""
        state.log = state.log[-LOG_MAX:]
        if len(state.seen) > SEEN_MAX:
            newest = sorted(state.seen.items(), key=lambda pair: pair[1])[-SEEN_MAX:]
            state.seen = dict(newest)
        write_private(self.path, asdict(state))


def _made(kind: type[Kind], form: Mapping[str, Any]) -> Kind:
    """Return an object of a dataclass; what a later version wrote besides is left out."""
    return kind(**{each.name: form[each.name] for each in fields(kind) if each.name in form})  # type: ignore[arg-type]
