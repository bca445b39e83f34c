"""
Which formats a folder holds: one walk over its names, in which each importer says what is its own.

Links are not followed: they lead out of the source, or round in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from aim.convert import formats
from aim.convert.errors import SourceNotFound, SourceNotRecognised
from aim.convert.formats import Importer, Source

SKIPPED_FOLDERS = frozenset({".git", ".hg", ".svn", ".venv", "node_modules", "__pycache__", "site-packages"})


def detect(path: str | os.PathLike[str], format_name: str | None = None) -> list[Source]:
    """
    Return what can be imported from a folder or file.

    Args:
        format_name: look for this format only.

    Raises:
        SourceNotFound: there is no such path.
        UsageError: there is no importer of that name.

    Cost: the names of all files below are looked at; some 10 us a file.

    >>> detect("docs")
    []
    """
    root = Path(os.path.abspath(os.path.expanduser(path)))  # without "..": one folder, one name
    if not root.exists():
        raise SourceNotFound(f"There is no file or folder '{root}'.")
    importers = _importers(format_name)
    if not root.is_dir():
        return [Source(each, root, (root,)) for each in importers if each.is_here(root.parent, (), (root.name,))][:1]
    if format_name is None:
        importers = [each for each in importers if not each.is_asked_for]
    return _below(root, importers)


def _importers(format_name: str | None) -> list[Importer]:
    return formats.all_importers() if format_name is None else [formats.importer(format_name)]


def _below(root: Path, importers: Sequence[Importer]) -> list[Source]:
    folders: dict[str, list[Path]] = {each.name: [] for each in importers}
    for folder, names, files in _walk(root, importers):
        for each in importers:
            if each.is_here(folder, names, files):
                folders[each.name].append(folder)
    return [Source(each, root, tuple(folders[each.name])) for each in importers if folders[each.name]]


def recognised(path: str | os.PathLike[str], format_name: str | None = None) -> list[Source]:
    """
    Return what can be imported from a folder or file: one source or more.

    Raises:
        SourceNotRecognised: there is nothing; the message says what was looked for.
        SourceNotFound, UsageError: see `detect`.
    """
    sources = detect(path, format_name)
    if not sources:
        importers = _importers(format_name)
        looked_for = [f"{each.title}: {each.looked_for}" for each in importers]
        raise SourceNotRecognised(Path(os.path.abspath(os.path.expanduser(path))), looked_for)
    return sources


def _walk(root: Path, importers: Sequence[Importer]) -> Iterator[tuple[Path, list[str], list[str]]]:
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        folders: list[str] = []
        files: list[str] = []
        try:
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
                    elif entry.is_file():
                        files.append(entry.name)
        except OSError:  # no right to list it: there is nothing in it for us
            continue
        yield folder, folders, files
        if not any(each.owns_below and each.is_here(folder, folders, files) for each in importers):
            waiting += [folder / name for name in reversed(folders) if name not in SKIPPED_FOLDERS]
