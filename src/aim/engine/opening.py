"""
From an address to a `Door`; `core/addresses.py` has the forms of addresses.

A training imports this module, so it imports the standard library only, but for light modules of ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aim.core.addresses import ServerAddress, folder_of_address, is_server, server_address
from aim.core.errors import OldRepository, RepoNotFound
from aim.core.logs import log
from aim.core.params import Restore
from aim.storage.store import (
    SIBLING,
    find_root,
    folder_name,
    is_old_repository,
    is_repository,
    old_repository_text,
)

REPO_VARIABLE = "AIM_REPO"

if TYPE_CHECKING:
    from aim.engine.door import Door

_announced: set[str] = set()


def open_door(
    address: str | os.PathLike[str], *, create: bool = False, restore: Restore | None = None, offline: bool = False
) -> Door:
    """
    Open the repository at *address*.

    Args:
        address: the folder that contains `.aim`, or its `file://` address; or the address of a server, such as
            `aim://host:53800/project`.
        create: make the repository if there is none; beside one of Aim 3, see `current_root`. That of a server is
            opened without asking for it: the server makes it with the first run.
        restore: makes the objects of runs that are read.
        offline: record runs of a server into the spool only; `aim sync` sends them.

    Raises:
        UsageError: the address names no folder and no server.
        ServerUnreachable, ServerRefused, InsecureAddress: the server can't be asked.
        RepoNotFound: there is no repository, and *create* is not asked for.
        UnsupportedFormat: a newer version of Aim wrote it.
        OldRepository: Aim 3 wrote it.

    >>> import tempfile
    >>> open_door(tempfile.mkdtemp(), create=True).run_count()
    0
    """
    if is_server(address):
        return _server_door(server_address(address), restore, create=create, offline=offline)
    root = current_root(folder_of_address(address), create=create)
    from aim.engine.repository import Repository

    return Repository(root, create=create, restore=restore)


def current_root(root: Path, *, create: bool = False, warn: Callable[[str], None] | None = None) -> Path:
    """
    Return the folder to open for *root*: *root* itself or, where Aim 3 has its repository there, the folder beside it
    that this version records into, if that is there or is to be made. *warn* is called once for it in a process.
    """
    old = root.absolute() / folder_name()
    beside = root.absolute() / SIBLING
    if not is_old_repository(old) or not (create or repository_exists(beside)):
        return root
    if str(beside) not in _announced:
        _announced.add(str(beside))
        (warn or log.warning)(old_repository_text(old))
    return beside


def _server_door(address: ServerAddress, restore: Restore | None, *, create: bool, offline: bool) -> Door:
    from aim.engine.remote.door import ServerRepository, check_project

    door = ServerRepository(address, restore, offline=offline)
    if not create:
        check_project(door.project.connection)
    return door


def server_has(address: str | os.PathLike[str]) -> bool:
    """
    Return whether a server has the repository of *address*.

    Raises:
        ServerUnreachable, ServerRefused, InsecureAddress: the server can't be asked.
    """
    try:
        open_door(address)
    except RepoNotFound:
        return False
    return True


def default_address() -> str:
    """
    Return the repository that is meant when none is named: that of `AIM_REPO`, a folder or the address of a server;
    else the nearest folder from the current one upward that holds one; else the current one.
    """
    chosen = os.environ.get(REPO_VARIABLE)
    if chosen:
        return chosen if is_server(chosen) else str(_without_repository_name(folder_of_address(chosen)))
    return str(find_root(Path.cwd()) or Path.cwd())


def _without_repository_name(folder: Path) -> Path:
    return folder.parent if folder.name == folder_name() else folder


def repository_exists(root: Path) -> bool:
    """Return whether there is a repository in the folder *root*."""
    return is_repository(root / folder_name())


def find_repository(start: Path) -> Path | None:
    """
    Return the nearest folder from *start* upward that holds a repository of this version or of Aim 3; None when there
    is none.
    """
    return find_root(start)


def check_not_old(root: Path) -> None:
    """Raise OldRepository when there is a repository of Aim 3 in the folder *root*."""
    folder = root / folder_name()
    if is_old_repository(folder):
        raise OldRepository(old_repository_text(folder))


def remove_repository(root: Path) -> None:
    """Delete the repository in the folder *root*, with all runs. Raises FileNotFoundError when there is none."""
    folder = root / folder_name()
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no repository to remove: '{folder}' does not exist.")
    import shutil  # a training removes nothing

    shutil.rmtree(folder)
