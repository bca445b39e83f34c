"""
The files that belong to a run: those in `files/` of its folder, and those that its record says are elsewhere.

    recorded, in the run's folder       sent
    in the run's folder, no record      sent: a person put it there
    recorded, file:// of this machine   sent when its content is the recorded one
    recorded, s3:// and the like        named, never fetched

The process that records writes the address, so an address alone proves nothing. A file elsewhere on this machine's disk
is sent only when its SHA-256, computed of the open file, is the recorded one: then the recorder could read it too. An
object store is never asked, because that would use the keys of the reader. Links are not followed out of the
repository.
"""

from __future__ import annotations

import os
import stat
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from aim.core.errors import NotFound
from aim.storage.disk.digests import digest_of_open
from aim.storage.forms.artifact_records import ArtifactRecord


@dataclass(frozen=True)
class RunFile:
    """
    One file of a run.

    Attributes:
        name: the name under which it was logged; for a file in the run's folder its path there, with slashes.
        uri: its address.
        size_bytes, sha256: of its content, as recorded; None: there is no record.
        path: where it can be read on this machine; None: it can't.
        is_own: whether it is in the run's folder.
    """

    name: str
    uri: str
    size_bytes: int | None
    sha256: str | None
    path: Path | None
    is_own: bool

    @property
    def is_here(self) -> bool:
        """Whether it can be opened."""
        return self.path is not None

    def open(self) -> BinaryIO:
        """
        Open the file.

        Raises:
            NotFound: it is not on this machine, or its content has changed.

        Cost: a file outside the run's folder is read once: 1 s a GB.
        """
        if self.path is None:
            raise NotFound(f"The artifact {self.name!r} is not here, but in {self.uri}.")
        try:
            file = open(self.path, "rb", opener=_no_link)  # noqa: SIM115 - the caller's
        except OSError as error:
            raise NotFound(f"The artifact {self.name!r} can't be read: {error.strerror or error}.") from None
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise NotFound(f"The artifact {self.name!r} is no file.")
        if not self.is_own:
            if digest_of_open(file).sha256 != self.sha256:
                file.close()
                raise NotFound(f"What is in {self.uri} is not what was logged as {self.name!r}: it has changed since.")
            file.seek(0)
        return file


@dataclass(frozen=True)
class ServerFile(RunFile):
    """An artifact that is not in a folder of this machine: a server has it, or an object store, or they know of it."""

    is_sent: bool = False
    open_sent: Callable[[], BinaryIO] | None = None

    @property
    def is_here(self) -> bool:
        return self.is_sent

    def open(self) -> BinaryIO:
        return super().open() if self.open_sent is None or not self.is_sent else self.open_sent()


def _no_link(path: str, flags: int) -> int:
    # O_NONBLOCK: opening a pipe would wait for its other end
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def artifacts_of(folder: Path, records: Mapping[str, ArtifactRecord]) -> list[RunFile]:
    """List the files of a run, by name: those in *folder*, its folder for artifacts, and those that *records* name."""
    files = {name: _in_folder(folder, name, size_bytes, records.get(name)) for name, size_bytes in _own_files(folder)}
    for name, record in records.items():
        if record.uri is not None:
            path = _local_path(record)
            files[name] = RunFile(name, record.uri, record.size_bytes, record.sha256, path, is_own=False)
        elif name not in files:  # removed by hand
            uri = (folder / name).absolute().as_uri()
            files[name] = RunFile(name, uri, record.size_bytes, record.sha256, None, is_own=True)
    return [files[name] for name in sorted(files)]


def _in_folder(folder: Path, name: str, size_bytes: int, record: ArtifactRecord | None) -> RunFile:
    is_recorded = record is not None and record.uri is None and record.size_bytes == size_bytes
    sha256 = record.sha256 if record is not None and is_recorded else None
    path = folder / name
    return RunFile(name, path.absolute().as_uri(), size_bytes, sha256, path, is_own=True)


def stored_artifacts(
    records: Mapping[str, ArtifactRecord], open_stored: Callable[[ArtifactRecord], BinaryIO]
) -> list[RunFile]:
    """List the files of a run that is in no folder, by name; *open_stored* opens one that is kept with the run."""
    return [
        ServerFile(
            name,
            record.uri or "",
            record.size_bytes,
            record.sha256,
            None,
            record.uri is None,
            record.uri is None,
            partial(open_stored, record),
        )
        for name, record in sorted(records.items())
    ]


def _local_path(record: ArtifactRecord) -> Path | None:
    parts = urllib.parse.urlsplit(record.uri or "")
    if parts.scheme.lower() != "file" or parts.netloc not in ("", "localhost"):
        return None
    try:
        path = Path(urllib.request.url2pathname(parts.path))
        status = path.lstat()
    except (OSError, ValueError):
        return None
    # a file of another size has another content, so most wrong files are refused without reading them
    return path if stat.S_ISREG(status.st_mode) and status.st_size == record.size_bytes else None


def _own_files(root: Path) -> Iterator[tuple[str, int]]:
    """Go through the files below *root*: path and size. Links are left out: they may lead anywhere."""
    runs_folder = root.parent.parent.resolve()
    if root.is_symlink() or root.resolve().parent.parent != runs_folder:
        return
    yield from _files(root, root)


def _files(root: Path, folder: Path) -> Iterator[tuple[str, int]]:
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
            yield path.relative_to(root).as_posix(), entry.stat().st_size


def find_artifact(folder: Path, records: Mapping[str, ArtifactRecord], name: str) -> RunFile:
    """
    Return the file of that name.

    Raises:
        NotFound: the run has none, or the name leads out of its folder.
    """
    for artifact in artifacts_of(folder, records):
        if artifact.name == name:
            return artifact
    raise NotFound(f"The run has no artifact {name!r}.")
