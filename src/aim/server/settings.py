"""
What the server serves, and how.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aim.engine.alerting.watcher import EVERY_S
from aim.server.people import PeopleSettings
from aim.storage.cluster.settings import ClusterSettings
from aim.storage.store import folder_name

UNSAFE = re.compile(r"[^a-z0-9]+")
HOST_DEFAULT = "127.0.0.1"
PORT_DEFAULT = 43_800  # as in Aim 3
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
LOG_LEVEL_DEFAULT = "warning"
MEMORY_DEFAULT = "2G"
INSECURE_READ, INSECURE_WRITE = "read", "write"
AUTH_FOLDER = ".auth"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

RunsWriter = Callable[[Path, Path, Sequence[str], str], None]
"""Writes runs as one file: given the folder of the repository, the file, the hashes, and the query, for people."""


@dataclass(frozen=True)
class Settings:
    """
    What is served, and how.

    Attributes:
        roots: the folders that hold a `.aim`, one or more.
        host, port: the address to listen on; port 0: any free port.
        read_only: refuse every change.
        base_path: the path under which a proxy shows this server, such as `/aim`; requests may have it or not.
        token: a token of an administrator; None: none but those of *auth*.
        auth: the folder of the token file; None: there are no tokens but *token*.
        insecure: `read` or `write`: what everybody may do who reaches a server that other machines can reach; None:
            nothing.
        trusted_hosts: host names by which browsers may reach the server, besides its own addresses.
        reload_pages: reload open pages when they are built again; for development.
        uds: listen on the Unix socket of this path instead of *host* and *port*.
        certificate, key: PEM files for https; the certificate's file may hold the key too.
        log_level: one of `LOG_LEVELS`; `info` logs a line for each request.
        memory_bytes: the most that is kept in memory of points, curves, pictures and readers of runs; None: each kind
            has its own bound.
        cluster: the cluster whose projects are served, instead of *roots*; None: *roots* are.
        project_root: the folder whose repositories are served, instead of *roots*; None: *roots* are.
        project_bytes_max: the most that a project may hold before nothing more is recorded into it; None: no bound.
        people: how people are recognised, and what each of them may do.
        access_log: the file of a line for each request, or `-` for standard output; None: there is none.
        has_pages: whether the pages are served, and not the data alone.
        workers: how many processes answer on the port; 1 or more.
        watch_every_s: how often it is looked for alerts to deliver.
        writers: write runs as one file, by the ending of its name: `html`, `zip`.
    """

    roots: tuple[Path, ...]
    host: str = HOST_DEFAULT
    port: int = PORT_DEFAULT
    read_only: bool = False
    base_path: str = ""
    token: str | None = None
    auth: Path | None = None
    insecure: str | None = None
    trusted_hosts: tuple[str, ...] = field(default=())
    reload_pages: bool = False
    uds: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    log_level: str = LOG_LEVEL_DEFAULT
    memory_bytes: int | None = None
    cluster: ClusterSettings | None = None
    project_root: Path | None = None
    project_bytes_max: int | None = None
    people: PeopleSettings = field(default_factory=PeopleSettings)
    access_log: str | None = None
    has_pages: bool = True
    workers: int = 1
    watch_every_s: float = EVERY_S
    writers: Mapping[str, RunsWriter] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.uds is not None or is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """
    Return whether only this machine can reach a server that listens on *host*.

    >>> is_loopback("127.0.0.2"), is_loopback("0.0.0.0")
    (True, False)
    """
    return host in LOOPBACK or host.startswith("127.")


def auth_folder(project_root: Path | None, roots: Sequence[Path]) -> Path:
    """
    Return the folder of the tokens of a server: in the folder of its projects, else in the first of its repositories.

    >>> auth_folder(None, (Path("/runs"),)).as_posix(), auth_folder(Path("/data/aim"), ()).as_posix()
    ('/runs/.aim/.auth', '/data/aim/.auth')
    """
    return (roots[0] / folder_name() if project_root is None else project_root) / AUTH_FOLDER


def repo_ids(roots: Iterable[Path]) -> dict[str, Path]:
    """
    Return an id for each repository that is safe in an address and the same at the next start.

    >>> repo_ids([Path("/data/My runs"), Path("/old/my runs")])
    {'my-runs': ...Path('/data/My runs'), 'my-runs-2': ...Path('/old/my runs')}
    """
    named: dict[str, Path] = {}
    for root in roots:
        stem = UNSAFE.sub("-", root.resolve().name.lower()).strip("-") or "repo"
        name, number = stem, 1
        while name in named:
            number += 1
            name = f"{stem}-{number}"
        named[name] = root
    return named


def clean_base_path(text: str) -> str:
    """
    Return a base path with a slash in front and none behind, or nothing for the root.

    >>> clean_base_path("aim/"), clean_base_path("/")
    ('/aim', '')
    """
    inner = text.strip("/")
    return f"/{inner}" if inner else ""
