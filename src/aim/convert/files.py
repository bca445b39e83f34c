"""
Files of imported runs: copied, or kept as addresses. No name and no path that a source says leads out of its folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING

from aim.convert.events import ArtifactFile, LeftOut
from aim.storage.disk.digests import digest_of

if TYPE_CHECKING:
    from aim.engine.growing import RunGrowth
    from aim.storage.care.importing import RunImport

COPY, LINK, NONE = ARTIFACT_CHOICES = ("copy", "link", "none")
WITHOUT_COPY = "artifacts (--artifacts copy brings them)"


def take_artifact(event: ArtifactFile, target: RunImport | RunGrowth, root: Path, *, is_copied: bool) -> str | None:
    """
    Keep one artifact with the run; return why not, or None when it was.

    Args:
        root: its file has to lie below it.
        is_copied: copy it into the repository; else keep its address.

    Raises:
        OSError: the disk of the repository refuses.
    """
    name = safe_name(event.name)
    if name is None:
        return f"artifact {event.name!r}: its name leads out of the run"
    if event.path is None:
        target.refer(name, str(event.uri))
        return None
    if not is_below(event.path, root):
        return f"artifact {name!r}: its file lies outside of the source"
    if is_copied:
        try:
            file = event.path.open("rb")
        except OSError as error:
            return f"artifact {name!r}: {error.strerror}"
        with file:
            target.artifact(name, file, at_s=os.fstat(file.fileno()).st_mtime)
        return None
    try:
        digest, size_bytes = digest_of(event.path)
    except OSError as error:
        return f"artifact {name!r}: {error.strerror}"
    target.refer(name, event.path.resolve().as_uri(), size_bytes=size_bytes, sha256=digest)
    return None


def run_files(folders: Sequence[Path], is_artifact: Callable[[PurePath], bool]) -> Iterator[ArtifactFile | LeftOut]:
    """
    Go through the files below the folders of one run, named by their paths there.

    Args:
        folders: in the order in which they were begun; of files with one name the last folder's is the run's.
        is_artifact: whether a file with this path below its folder is an artifact.
    """
    latest: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            if path.is_file() and is_artifact(relative):
                if relative.as_posix() in latest:
                    yield LeftOut("files that a later folder of the run has under the same name")
                latest[relative.as_posix()] = path
    yield from (ArtifactFile(name, path) for name, path in sorted(latest.items()))


def safe_name(name: str) -> str | None:
    """
    Return the name of an artifact as a path below its folder; None when it leads elsewhere.

    >>> safe_name("model/best.pt"), safe_name("../key"), safe_name("/etc/passwd")
    ('model/best.pt', None, None)
    """
    path = PurePosixPath(name.replace(os.sep, "/"))
    is_safe = not path.is_absolute() and path.parts and ".." not in path.parts and "\0" not in name
    return path.as_posix() if is_safe else None


def is_below(path: Path, root: Path) -> bool:
    """Return whether *path*, with its links followed, is *root* or lies below it."""
    resolved, resolved_root = path.resolve(), root.resolve()
    return resolved == resolved_root or resolved_root in resolved.parents
