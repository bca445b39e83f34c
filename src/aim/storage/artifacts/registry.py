"""
The store for each address of artifacts.

    file://, a path                          `stores.FolderStore`
    s3:// gs:// az:// memory:// http://      `stores.ObjectStore`
    schemes that were registered             an `ArtifactStore`, or a backend that was written for Aim 3

A backend written for Aim 3 is a class that is called with the address of one run's artifacts, `<address>/<hash>`, and
has `upload_artifact`, `download_artifact` and `delete_artifact` (`artifact_storage.AbstractArtifactStorage`). It is
called in background threads, so it uploads with `block=True`. It cannot say what it stores, so a file that is logged
again is uploaded again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from aim.storage.artifacts.artifact_storage import AbstractArtifactStorage, Aim3Backend
from aim.storage.artifacts.stores import (
    OBJECT_SCHEMES,
    ArtifactStore,
    FolderStore,
    ObjectStore,
    UnknownStore,
    folder_of,
    scheme_of,
)

Maker = Callable[[str], "ArtifactStore | Aim3Backend"]
"""Makes the store, or the backend, for an address."""

_makers: dict[str, Maker] = dict.fromkeys(OBJECT_SCHEMES, ObjectStore)
_open: dict[str, ArtifactStore] = {}


def register(scheme: str, make: Maker) -> None:
    """
    Use the store that *make* returns for addresses `<scheme>://...`.

    Args:
        make: a function or a class; also a class that was written for Aim 3.
    """
    _makers[scheme] = make
    for uri in [uri for uri in _open if uri.startswith(f"{scheme}:")]:
        del _open[uri]


def check_uri(uri: str) -> None:
    """Raise `UnknownStore` unless there is a store for *uri*."""
    scheme = scheme_of(uri)
    if scheme != "file" and scheme not in _makers:
        schemes = ", ".join(f"{name}://" for name in ("file", *sorted(_makers)))
        raise UnknownStore(f"{uri}: artifacts can't be kept there. There are: {schemes}.")


def store_of(uri: str) -> ArtifactStore:
    """
    Return the store of an address; the same one for the same address.

    Raises:
        UnknownStore: there is none.
    """
    check_uri(uri)
    store = _open.get(uri)
    if store is None:
        store = FolderStore(folder_of(uri)) if scheme_of(uri) == "file" else _made(uri, _makers[scheme_of(uri)])
        _open[uri] = store
    return store


def get_storage(url: str) -> AbstractArtifactStorage:
    """
    Return what Aim 3 calls the storage of an address: an object with three methods that uses its store.

    Raises:
        UnknownStore: (a ValueError) there is none.

    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_text("hello")
    >>> storage = get_storage(f"file://{folder}/kept")
    >>> storage.upload_artifact(str(folder / "a.txt"), "run/a.txt")
    >>> Path(storage.download_artifact("run/a.txt", str(folder / "back"))).read_text()
    'hello'
    """
    return _StorageOfStore(url)


def _made(uri: str, make: Maker) -> ArtifactStore:
    if isinstance(make, type) and not hasattr(make, "put"):  # written for Aim 3: called with the address of a run
        return _StoreOfBackends(uri, make)
    made = make(uri)
    return _StoreOfBackends(uri, make) if not hasattr(made, "put") else made  # type: ignore[arg-type, return-value]


class _StoreOfBackends(ArtifactStore):
    """The store for an address whose scheme has a backend that was written for Aim 3: one backend for each run."""

    def __init__(self, uri: str, make: Callable[[str], Aim3Backend]) -> None:
        self._uri = uri.rstrip("/")
        self._make = make
        self._backends: dict[str, Aim3Backend] = {}

    def _backend_and_name(self, path: str) -> tuple[Aim3Backend, str]:
        run_hash, slash, name = path.partition("/")
        uri, name = (f"{self._uri}/{run_hash}", name) if slash else (self._uri, path)
        backend = self._backends.get(uri)
        if backend is None:
            backend = self._backends.setdefault(uri, self._make(uri))
        return backend, name

    def put(self, source: Path, path: str) -> None:
        backend, name = self._backend_and_name(path)
        backend.upload_artifact(str(source), name, block=True)

    def get(self, path: str, target: Path) -> None:
        backend, name = self._backend_and_name(path)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".artifact-") as folder:
            answer = backend.download_artifact(name, folder)
            copies = [Path(answer)] if answer else [file for file in Path(folder).rglob("*") if file.is_file()]
            if not copies or not copies[0].is_file():
                raise FileNotFoundError(f"{type(backend).__name__} returned no file for {self._uri}/{path}.")
            shutil.move(copies[0], target)

    def size_bytes(self, path: str) -> int | None:
        return None

    def delete(self, path: str) -> None:
        backend, name = self._backend_and_name(path)
        backend.delete_artifact(name)


class _StorageOfStore(AbstractArtifactStorage):
    """Aim 3's three methods, which use a store."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._store = store_of(url)

    def upload_artifact(self, file_path: str, artifact_path: str, block: bool = False) -> None:
        self._store.put(Path(file_path), artifact_path)

    def download_artifact(self, artifact_path: str, dest_dir: str | None = None) -> str:
        folder = Path(dest_dir or tempfile.mkdtemp(prefix="aim-artifact-"))
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / os.path.basename(artifact_path)
        self._store.get(artifact_path, target)
        return str(target)

    def delete_artifact(self, artifact_path: str) -> None:
        self._store.delete(artifact_path)
