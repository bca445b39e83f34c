"""
Stores of artifacts: a folder, and an object store in memory; both do the same.
"""

from __future__ import annotations

import builtins
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aim.storage.artifacts import stores
from aim.storage.artifacts.stores import (
    ArtifactStore,
    ChangingFile,
    FolderStore,
    ObjectStore,
    UnknownStore,
    put_digested,
)
from aim.storage.disk.digests import DigestedParts, digest_of
from aim.storage.disk.files import DISK


@pytest.fixture(name="store", params=["folder", "memory"])
def _store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    """
    An empty store.
    """
    return FolderStore(tmp_path / "store") if request.param == "folder" else ObjectStore("memory:///")


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    """
    A file to store.
    """
    source = tmp_path / "source"
    source.write_bytes(b"hello")
    return source


def test_what_is_stored_comes_back(store: ArtifactStore, source: Path, tmp_path: Path) -> None:
    """
    Content and size are those of the file, whatever is in it.
    """
    contents = [b"", b"hello", bytes(range(256)) * 9000]
    for number, content in enumerate(contents):
        source.write_bytes(content)
        store.put(source, f"run/model {number}.pt")
    for number, content in enumerate(contents):
        store.get(f"run/model {number}.pt", tmp_path / "copy")
        assert (content, len(content)) == ((tmp_path / "copy").read_bytes(), store.size_bytes(f"run/model {number}.pt"))


def test_the_digest_is_that_of_the_stored_bytes(
    store: ArtifactStore, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A file that grows and changes while it is stored has the digest of what came to the store.
    """
    source.write_bytes(b"a" * (20 << 20))  # more than one part of an upload
    given = DigestedParts.__iter__

    def changing(parts: DigestedParts) -> Iterator[bytes]:
        for number, part in enumerate(given(parts)):
            if number == 0:
                with open(source, "r+b") as file:
                    file.write(b"b" * (15 << 20))
                    file.seek(0, os.SEEK_END)
                    file.write(b"more")
            yield part

    monkeypatch.setattr(DigestedParts, "__iter__", changing)
    digest = store.put(source, "model.pt")
    monkeypatch.undo()
    store.get("model.pt", tmp_path / "copy")

    assert digest == digest_of(tmp_path / "copy")
    assert digest != digest_of(source)


def test_a_store_that_can_not_tell_is_asked_again_for_a_file_that_changes(source: Path, tmp_path: Path) -> None:
    """
    What it has at last is what the digest says; a file that always changes is an error that says what to do.
    """

    class Silent(FolderStore):
        """A store as one writes it: `put` returns nothing; the file changes as often as *changes* says."""

        changes = 1

        def put(self, source: Path, path: str) -> None:  # type: ignore[override]
            super().put(source, path)
            self.changes -= 1
            if self.changes >= 0:
                source.write_bytes(source.read_bytes() + b"!")

    store = Silent(tmp_path / "store")
    digest = put_digested(store, source, "a.txt")
    store.changes = 100

    assert digest == digest_of(tmp_path / "store" / "a.txt")
    with pytest.raises(ChangingFile, match="changes while it is stored: log it when it is complete"):
        put_digested(store, source, "a.txt")


def test_a_path_has_the_file_that_was_stored_last(store: ArtifactStore, source: Path, tmp_path: Path) -> None:
    """
    A second file of a path takes the place of the first one.
    """
    store.put(source, "a.txt")
    source.write_bytes(b"again, and longer")
    store.put(source, "a.txt")
    store.get("a.txt", tmp_path / "copy")

    assert b"again, and longer" == (tmp_path / "copy").read_bytes()


def test_what_is_not_there_is_no_file(store: ArtifactStore, source: Path, tmp_path: Path) -> None:
    """
    Getting it is an error, its size is None, and deleting it does nothing, also after it was deleted.
    """
    store.put(source, "run/a.txt")
    for _ in range(2):
        store.delete("run/a.txt")
        assert store.size_bytes("run/a.txt") is None
        with pytest.raises(FileNotFoundError):
            store.get("run/a.txt", tmp_path / "copy")


def test_a_file_that_can_not_be_read_leaves_nothing(tmp_path: Path) -> None:
    """
    A source that is not there is an error, and no scratch file stays.
    """
    store = FolderStore(tmp_path / "store")
    with pytest.raises(FileNotFoundError):
        store.put(tmp_path / "missing", "run/a.txt")

    assert [] == list((tmp_path / "store" / "run").iterdir())


def test_a_refused_file_leaves_the_one_before(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the disk refuses the sync, the path has what it had, and no scratch file stays.
    """
    store = FolderStore(tmp_path / "store")
    store.put(source, "a.txt")
    source.write_bytes(b"new")

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        store.put(source, "a.txt")

    assert ["a.txt"] == os.listdir(tmp_path / "store")
    assert b"hello" == (tmp_path / "store" / "a.txt").read_bytes()


def test_a_stored_file_is_on_the_disk_with_all_its_names(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    New folders, content and name are synced: those above first, each once.
    """
    synced: list[str] = []
    monkeypatch.setattr(DISK, "sync_folder", lambda path: synced.append(path.name))
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append("content"))
    store = FolderStore(tmp_path / "store")
    store.put(source, "run/deep/a.txt")
    assert [tmp_path.name, "store", "run", "content", "deep"] == synced
    synced.clear()
    store.put(source, "run/deep/b.txt")

    assert ["content", "deep"] == synced


def test_a_long_name_has_a_scratch_file_of_its_own(tmp_path: Path, source: Path) -> None:
    """
    A name of 255 characters leaves no room for a longer one beside it.
    """
    FolderStore(tmp_path / "store").put(source, "x" * 255)

    assert ["x" * 255] == os.listdir(tmp_path / "store")


# addresses


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [
        ("s3://bucket/a", "s3"), ("S3://bucket", "s3"), ("file:///data", "file"), ("/data", "file"), ("data", "file"),
        ("C:\\runs", "file"), ("c:/runs", "file"), ("gs://b", "gs"), ("", "file"),
    ],
)  # fmt: skip
def test_an_address_has_a_scheme(uri: str, scheme: str) -> None:
    """
    A path of this machine is a file, also one that begins with the letter of a drive.
    """
    assert scheme == stores.scheme_of(uri)


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("file:///data/my%20runs", "/data/my runs"), ("FILE:///data", "/data"), ("/data/my%20runs", "/data/my%20runs"),
        ("~/runs", f"{Path.home()}/runs"), ("runs", "runs"),
    ],
)  # fmt: skip
def test_an_address_names_a_folder(uri: str, folder: str) -> None:
    """
    Escapes are of URIs only, and a home is of paths only.
    """
    assert folder == stores.folder_of(uri).as_posix()


@pytest.mark.parametrize("uri", ["unknown://bucket", "s3://", "no address at all"])
def test_an_address_that_no_store_understands_is_an_error(uri: str) -> None:
    """
    The error names the address and says in one line why.
    """
    with pytest.raises(UnknownStore, match="can't be kept there: .") as caught:
        ObjectStore(uri)

    assert (uri, 1) == (str(caught.value).split(": ")[0], len(str(caught.value).splitlines()))


def test_without_obstore_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The package is optional; who needs it is told its name.
    """
    whole = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name.startswith("obstore"):
            raise ImportError(name)
        return whole(name, *arguments)

    for name in [name for name in sys.modules if name.startswith("obstore")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UnknownStore, match=r"s3://bucket: .*pip install \"aim\[s3\]\""):
        ObjectStore("s3://bucket")
