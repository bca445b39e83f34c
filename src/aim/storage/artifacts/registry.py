"""
Which store keeps the artifacts of an address.

    file://, a path                          `stores.FolderStore`
    s3:// gs:// az:// memory:// http://      `stores.ObjectStore`
    what `register` was told                 a store of one's own, or a backend that was written for Aim 3

A backend written for Aim 3 is a class made with the address of one run's artifacts, `<address>/<hash>`, which has
`upload_artifact`, `download_artifact` and `delete_artifact` (`artifact_storage.AbstractArtifactStorage`). It is asked
in the background threads, so it uploads with `block=True`, and can't be asked what it has: a file logged again is
uploaded again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from aim.storage.artifacts.artifact_storage import AbstractArtifactStorage, Backend
from aim.storage.artifacts.stores import (
    OBJECT_SCHEMES,
    ArtifactStore,
    FolderStore,
    ObjectStore,
    UnknownStore,
    folder_of,
    scheme_of,
)

Maker = Callable[[str], "ArtifactStore | Backend"]
"""Makes the store, or the backend, of an address."""

_makers: dict[str, Maker] = dict.fromkeys(OBJECT_SCHEMES, ObjectStore)
_open: dict[str, ArtifactStore] = {}


def register(scheme: str, make: Maker) -> None:
    """
    Let addresses `<scheme>://...` be kept in the store that *make* gives for one.

    Args:
        make: a function or a class; a class written for Aim 3 too.
    """
    _makers[scheme] = make
    for uri in [uri for uri in _open if uri.startswith(f"{scheme}:")]:
        del _open[uri]


def check_uri(uri: str) -> None:
    """Raise `UnknownStore` unless there is a store for *uri*."""
    scheme = scheme_of(uri)
    if scheme != "file" and scheme not in _makers:
        known = ", ".join(f"{name}://" for name in ("file", *sorted(_makers)))
        raise UnknownStore(f"{uri}: artifacts can't be kept there. There are: {known}.")


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
    Return what Aim 3 calls the storage of an address: three methods over its store.

    Raises:
        UnknownStore: (a ValueError) there is none.

    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_text("hello")
    >>> storage = get_storage(f"file://{folder}/kept")
    >>> storage.upload_artifact(str(folder / "a.txt"), "run/a.txt")
    >>> Path(storage.download_artifact("run/a.txt", str(folder / "back"))).read_text()
    'hello'
    """
    return _Storage(url)


def _made(uri: str, make: Maker) -> ArtifactStore:
    if isinstance(make, type) and not hasattr(make, "put"):  # written for Aim 3: made with the address of a run
        return _OfBackends(uri, make)
    made = make(uri)
    return _OfBackends(uri, make) if not hasattr(made, "put") else made  # type: ignore[arg-type, return-value]


class _OfBackends:
    """The store of an address whose scheme is that of a backend written for Aim 3: one backend a run."""

    def __init__(self, uri: str, make: Callable[[str], Backend]) -> None:
        self._uri = uri.rstrip("/")
        self._make = make
        self._backends: dict[str, Backend] = {}

    def _of(self, path: str) -> tuple[Backend, str]:
        run_hash, slash, name = path.partition("/")
        uri, name = (f"{self._uri}/{run_hash}", name) if slash else (self._uri, path)
        backend = self._backends.get(uri)
        if backend is None:
            backend = self._backends.setdefault(uri, self._make(uri))
        return backend, name

    def put(self, source: Path, path: str) -> None:
        """Upload *source*, and wait for it."""
        backend, name = self._of(path)
        backend.upload_artifact(str(source), name, block=True)

    def get(self, path: str, target: Path) -> None:
        """Download into a folder of its own, then to *target*."""
        backend, name = self._of(path)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".artifact-") as folder:
            given = backend.download_artifact(name, folder)
            found = Path(given) if given else next((one for one in Path(folder).rglob("*") if one.is_file()), None)
            if found is None or not found.is_file():
                raise FileNotFoundError(f"{type(backend).__name__} gave no file for {self._uri}/{path}.")
            shutil.move(found, target)

    def size_bytes(self, path: str) -> int | None:
        """Say that it is not known."""
        return None

    def delete(self, path: str) -> None:
        """Remove what is stored."""
        backend, name = self._of(path)
        backend.delete_artifact(name)


class _Storage(AbstractArtifactStorage):
    """Aim 3's three methods over a store."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._store = store_of(url)

    def upload_artifact(self, file_path: str, artifact_path: str, block: bool = False) -> None:
        """Store a file; it is there when this returns, whatever *block* says."""
        self._store.put(Path(file_path), artifact_path)

    def download_artifact(self, artifact_path: str, dest_dir: str | None = None) -> str:
        """Return the path of a copy in *dest_dir*; None: in a new temporary folder."""
        folder = Path(dest_dir or tempfile.mkdtemp(prefix="aim-artifact-"))
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / os.path.basename(artifact_path)
        self._store.get(artifact_path, target)
        return str(target)

    def delete_artifact(self, artifact_path: str) -> None:
        """Remove what is stored."""
        self._store.delete(artifact_path)
