"""
The files that a run keeps beside its points, in `files/` of its folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aim.core.errors import NotFound

FOLDER_NAME = "files"


@dataclass(frozen=True)
class Artifact:
    """One file; *name* is its path within the folder, with slashes."""

    name: str
    path: Path
    size_bytes: int


def artifacts_of(run_folder: Path) -> list[Artifact]:
    """List the files of a run, by name. Links are left out: they may lead anywhere."""
    root = run_folder / FOLDER_NAME
    return sorted(_files(root, root), key=lambda artifact: artifact.name)


def _files(root: Path, folder: Path) -> Iterator[Artifact]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_symlink() or entry.name.startswith("."):
            continue
        path = Path(entry.path)
        if entry.is_dir():
            yield from _files(root, path)
        elif entry.is_file():
            yield Artifact(path.relative_to(root).as_posix(), path, entry.stat().st_size)


def find_artifact(run_folder: Path, name: str) -> Artifact:
    """
    Give the file of that name.

    Raises:
        NotFound: the run has none; so for each name that leads out of its folder, too.
    """
    for artifact in artifacts_of(run_folder):
        if artifact.name == name:
            return artifact
    raise NotFound(f"The run has no artifact {name!r}.")
