"""
The projects of a server: every repository in a folder, opened when it is asked for, and closed when it is idle.

    /data/aim/vision/.aim      the project `vision`
    /data/aim/nlp-2/.aim       the project `nlp-2`
    /data/aim/.auth/           the tokens of the server

A project is one folder, so a quota, a backup, a move and a deletion are those of a folder, and any of them may happen
while the server runs: it looks with each request whether the folder is still the one that it has opened.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from pathlib import Path

from aim.engine.opening import repository_exists
from aim.engine.repository import Repository
from aim.server.answers import Refusal
from aim.server.open_projects import OpenProjects
from aim.server.open_repository import OpenFolder, OpenRepository, no_repository
from aim.storage.store import folder_name

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
DEFAULT_PROJECT = "default"
PROJECTS_MAX = 1_000  # that a server makes; an administrator may make more with `aim init`
LIST_S = 2.0
SIZE_INTERVAL_S = 10.0
SIZE_SHARE_MAX = 0.05  # the sizes of folders are added up for at most this share of the time

log = logging.getLogger("aim.server")


def is_project_name(name: str) -> bool:
    """
    Return whether a project may have that name.

    >>> is_project_name("vision-2.1"), is_project_name(".."), is_project_name("Vision")
    (True, False, False)
    """
    return NAME.fullmatch(name) is not None


class Projects(OpenProjects):
    """
    The repositories in the folder *root*, by name. Any thread may use it.

    Args:
        bytes_max: the most that a project may hold before nothing more is recorded into it; None: no bound.
    """

    default = DEFAULT_PROJECT

    def __init__(self, root: Path, *, bytes_max: int | None = None) -> None:
        super().__init__()
        self.root = root
        self._bytes_max = bytes_max
        self._inodes: dict[str, int] = {}
        self._sizes: dict[str, FolderSize] = {}
        self._listed: tuple[float, list[str]] = (-LIST_S, [])

    def location(self, name: str) -> str:
        """Return the folder of a project's files."""
        return str(self._folder(name))

    def _folder(self, name: str) -> Path:
        return self.root / name / folder_name()

    def names(self) -> list[str]:
        """List the names of all projects, at most 2 s old."""
        at_s, names = self._listed
        if time.monotonic() - at_s < LIST_S:
            return names
        names = sorted(name for name in os.listdir(self.root) if is_project_name(name) and self._exists(name))
        self._listed = (time.monotonic(), names)
        return names

    def run_count(self, name: str) -> int:
        """Return how many runs a project has, archived ones included. Cost: 0.1 us a run."""
        try:
            return sum(not run.startswith(".") for run in os.listdir(self._folder(name) / "runs"))
        except FileNotFoundError:
            return 0

    def is_open(self, name: str) -> bool:
        """Return whether a project is open and its folder is still there, so that `get` is quick."""
        return name in self._open and self._inode(name) == self._inodes.get(name)

    def get(self, name: str, *, create: bool = False) -> OpenRepository:
        """
        Return a project, opened if it was not.

        Args:
            create: make it if there is none.

        Raises:
            Refusal: (404) there is none; (400) it can't have that name; (507) the server has made too many.
            AimError, OSError: it can't be opened.
        """
        with self._lock:
            self._used_at_s[name] = time.monotonic()
            if self.is_open(name):
                return self._open[name]
            self._close(name)  # its folder was moved away, or another one is there now
            if not self._exists(name):
                self._used_at_s.pop(name, None)
                if not create:
                    raise no_repository(name)
                self._make(name)
            repo = OpenFolder(name, self.root / name)
            self._open[name] = repo
            self._inodes[name] = self._inode(name)
            return repo

    def _make(self, name: str) -> None:
        if not is_project_name(name):
            raise Refusal(
                400,
                "request",
                "The name of a project has 1 to 64 of a-z, 0-9, dots, dashes and underscores, and begins with a letter "
                "or a digit.",
            )
        if len(self.names()) >= PROJECTS_MAX:
            raise Refusal(507, "quota", f"This server has {PROJECTS_MAX:,} projects, and makes no more by itself.")
        Repository(self.root / name, create=True)
        self._listed = (-LIST_S, [])
        self._used_at_s[name] = time.monotonic()
        log.info("made the project %r", name)

    def _exists(self, name: str) -> bool:
        return is_project_name(name) and repository_exists(self.root / name)

    def _inode(self, name: str) -> int:
        try:
            return os.stat(self._folder(name)).st_ino
        except OSError:
            return 0

    def is_measured(self, name: str) -> bool:
        """Return whether `check_room` looks at no file at this moment."""
        size = self._sizes.get(name)
        return self._bytes_max is None or (size is not None and not size.is_due())

    def check_room(self, name: str) -> None:
        """
        Check that a project may grow. Cost: at most 5 % of the time of one core; else nothing.

        Raises:
            Refusal: (507) it holds as much as it may.
        """
        if self._bytes_max is None:
            return
        size = self._sizes.setdefault(name, FolderSize(self.root / name))
        if size.bytes() >= self._bytes_max:
            raise Refusal(507, "quota", f"The project {name!r} is full: it may hold {self._bytes_max:,} bytes.")


class FolderSize:
    """
    How many bytes the files of a folder have, looked at once in 10 s at most. Any thread may use it.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a").write_bytes(bytes(1000))
    >>> FolderSize(folder).bytes()
    1000
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._bytes = 0
        self._next_at_s = 0.0

    def is_due(self) -> bool:
        """Return whether `bytes` adds up at the next call."""
        is_first = not self._next_at_s
        return time.monotonic() >= self._next_at_s and (is_first or not self._lock.locked())

    def bytes(self) -> int:
        """Return the size. The first call waits until all is added up; later ones wait for nothing another one does."""
        if time.monotonic() >= self._next_at_s and self._lock.acquire(blocking=not self._next_at_s):
            try:
                self._add_up()
            finally:
                self._lock.release()
        return self._bytes

    def _add_up(self) -> None:
        begun_s = time.monotonic()
        total = 0
        for folder, _, names in os.walk(self._folder):
            for name in names:
                try:
                    total += os.lstat(os.path.join(folder, name)).st_size
                except FileNotFoundError:  # it was removed meanwhile
                    continue
        self._bytes = total
        took_s = time.monotonic() - begun_s
        self._next_at_s = time.monotonic() + max(SIZE_INTERVAL_S, took_s / SIZE_SHARE_MAX)
