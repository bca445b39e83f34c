"""
Paths of repositories: from the path that a caller names to the folder that holds `.aim`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aim.core.addresses import folder_of_address, has_scheme, is_server, server_address
from aim.engine.opening import server_has
from aim.storage.store import find_root, folder_name, is_repository

REMOTE_PREFIXES = ("aim://", "http://", "https://")


def clean_repo_path(repo_path: str | os.PathLike[str]) -> str:
    """
    Return the folder of a repository as an absolute path; *repo_path* is that folder or the `.aim` in it.

    `~` is the home folder, and `file:///data` is `/data`. An address of a server is returned in its one form; other
    addresses, and an empty path, unchanged.

    >>> clean_repo_path("/data/runs/.aim"), clean_repo_path("/data/../data/runs/"), clean_repo_path("aim://Host")
    ('/data/runs', '/data/runs', 'aim://host:53800')
    """
    text = os.fspath(repo_path)
    if is_server(text):
        return str(server_address(text))
    if not text or (has_scheme(text) and not text.lower().startswith("file:")):
        return text
    folder = os.path.abspath(folder_of_address(text))
    return os.path.dirname(folder) if os.path.basename(folder) == folder_name() else folder


def real_address(address: str | os.PathLike[str]) -> str:
    """Return the address of a repository in a form that is the same for all that lead to it, such as links."""
    return clean_repo_path(address) if is_server(address) else os.path.realpath(address)


def search_aim_repo(path: str | os.PathLike[str]) -> tuple[str | None, bool]:
    """
    Find the repository that holds *path*: in that folder, or in the nearest one upward; or the repository of a server.

    Returns:
        (the folder that holds `.aim`, or the address; True), or (None, False).

    >>> import tempfile
    >>> search_aim_repo(tempfile.mkdtemp())
    (None, False)
    """
    cleaned = clean_repo_path(path)
    if is_server(cleaned):
        return (cleaned, True) if server_has(cleaned) else (None, False)
    start = Path(cleaned)
    root = start if is_repository(start / folder_name()) else find_root(start)
    return (None, False) if root is None else (str(root), True)


@contextmanager
def work_directory(path: str | os.PathLike[str]) -> Iterator[None]:
    """Make *path* the current folder within a `with` block."""
    previous = os.getcwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(previous)
