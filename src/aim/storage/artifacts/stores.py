"""
Stores of artifacts: a folder, or an object store such as S3.

    file:///data/models            a folder; also without a scheme
    s3://bucket/prefix, gs://, az://, memory://, http(s)://     through `obstore` (pip install "aim[s3]")

A store has four methods, so another one is a class of some lines, which `registry.register` adds.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Protocol

from aim.core.errors import UsageError
from aim.storage.disk.digests import DigestedParts, FileDigest, digest_of
from aim.storage.disk.files import DISK

CHUNK_BYTES = 1 << 20
TRIES = 3  # to store a file that changes meanwhile
PART_BYTES = 8 << 20  # of an upload in parts; a smaller file is one request
OBJECT_SCHEMES = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "memory", "http", "https")


class ArtifactStore(Protocol):
    """Stores files under paths with slashes. Any thread may use it."""

    def put(self, source: Path, path: str) -> FileDigest | None:
        """
        Store a file under *path*, whole or not at all, in place of the one of that path.

        Returns:
            The digest of the bytes that were stored; the file may have others by now. None: the store can't tell.
        """

    def get(self, path: str, target: Path) -> None:
        """Write the file under *path* to *target*. Raises FileNotFoundError."""

    def size_bytes(self, path: str) -> int | None:
        """Return the size of the file under *path*; None: there is none, or the store cannot tell."""

    def delete(self, path: str) -> None:
        """Remove the file under *path*; nothing happens when there is none."""


class UnknownStore(UsageError, ValueError):
    """An address of artifacts that no store understands."""


class ChangingFile(UsageError, OSError):
    """A file that changed each time that it was stored."""


class FolderStore(ArtifactStore):
    """
    Stores files in a folder, each under its own name.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_text("hello")
    >>> store = FolderStore(folder / "kept")
    >>> store.put(folder / "a.txt", "run/a.txt").size_bytes
    5
    >>> store.size_bytes("run/a.txt"), store.size_bytes("run/b.txt")
    (5, None)
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, source: Path, path: str) -> FileDigest:
        target = self.root / path
        self.make_folder(target.parent)
        scratch = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
        try:
            with open(source, "rb") as file, open(scratch, "wb") as copied:
                parts = DigestedParts(file)
                copied.writelines(parts)
                copied.flush()
                os.fsync(copied.fileno())
            os.replace(scratch, target)
            DISK.sync_folder(target.parent)  # the name as well, not only the content
            return parts.digest()
        finally:
            with contextlib.suppress(OSError):
                scratch.unlink(missing_ok=True)

    def make_folder(self, folder: Path) -> None:
        """Make *folder* and those above it; wait until the names of the new ones are on the disk."""
        above = folder.parent
        if not folder.is_dir():
            self.make_folder(above)
            folder.mkdir(exist_ok=True)
            DISK.sync_folder(above)

    def get(self, path: str, target: Path) -> None:
        shutil.copyfile(self.root / path, target)

    def size_bytes(self, path: str) -> int | None:
        try:
            return (self.root / path).stat().st_size
        except OSError:
            return None

    def delete(self, path: str) -> None:
        (self.root / path).unlink(missing_ok=True)


class ObjectStore(ArtifactStore):
    """
    Stores files in an object store, through `obstore`: large files in parts, several at a time, with retries.

    Args:
        uri: such as `s3://bucket/prefix`. Keys and endpoint are taken from the environment, as for the store's own
            tools (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, ...), unless given.
        options: of `obstore.store.from_url`.

    Raises:
        UnknownStore: `obstore` is not installed, or does not understand the address.
    """

    def __init__(self, uri: str, **options: Any) -> None:
        try:
            import obstore
            import obstore.exceptions
            import obstore.store
        except ImportError:
            raise UnknownStore(f'{uri}: object stores need the package obstore: pip install "aim[s3]".') from None
        self._obstore = obstore
        try:
            self._store = obstore.store.from_url(uri, **options)
        except (ValueError, obstore.exceptions.BaseError) as error:
            reason = str(error).partition("\n")[0]
            raise UnknownStore(f"{uri}: artifacts can't be kept there: {reason}") from None

    def put(self, source: Path, path: str) -> FileDigest:
        with open(source, "rb") as file:
            parts = DigestedParts(file, PART_BYTES)
            first = next(iter(parts), b"")
            content = first if len(first) < PART_BYTES else itertools.chain([first], parts)
            self._obstore.put(self._store, path, content, chunk_size=PART_BYTES)
            return parts.digest()

    def get(self, path: str, target: Path) -> None:
        answer = self._obstore.get(self._store, path)
        with open(target, "wb") as file:
            for chunk in answer.stream(min_chunk_size=CHUNK_BYTES):
                file.write(chunk)

    def size_bytes(self, path: str) -> int | None:
        try:
            return int(self._obstore.head(self._store, path)["size"])
        except FileNotFoundError:
            return None

    def delete(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._obstore.delete(self._store, path)


def put_digested(store: ArtifactStore, source: Path, path: str) -> FileDigest:
    """
    Store a file; return the digest of the bytes that were stored.

    For a store that can't tell it the digest is computed afterwards. If the file has changed since, it is stored again.

    Raises:
        ChangingFile: the file changed during each of three tries.
        OSError: the file can't be read, or stored.
    """
    for _ in range(TRIES):
        before = _change_of(source)
        digest = store.put(source, path)
        if digest is not None:
            return digest
        digest = digest_of(source)
        if _change_of(source) == before:
            return digest
    raise ChangingFile(f"{source} changes while it is stored: log it when it is complete.")


def _change_of(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def scheme_of(uri: str) -> str:
    """
    Return the scheme of an address; a path of this machine has `file`.

    >>> scheme_of("s3://bucket/runs"), scheme_of("/data/runs"), scheme_of("C:\\\\runs")
    ('s3', 'file', 'file')
    """
    scheme = urllib.parse.urlsplit(uri).scheme.lower()
    return scheme if len(scheme) > 1 else "file"


def folder_of(uri: str) -> Path:
    """
    Return the folder that a `file://` address or a path names.

    >>> folder_of("file:///data/my%20runs").as_posix()
    '/data/my runs'
    """
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme.lower() == "file":
        return Path(urllib.request.url2pathname(parts.path))
    return Path(os.path.expanduser(uri))
