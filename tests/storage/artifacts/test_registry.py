"""
Backends for artifacts that were written for Aim 3, called as Aim 3 calls them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import aim.storage.artifacts
from aim import Run
from aim.storage.artifacts import ArtifactStorage, registry
from aim.storage.artifacts.stores import UnknownStore


@pytest.fixture(name="kept")
def _kept(tmp_path: Path) -> Path:
    """
    Where the backend keeps its files.
    """
    return tmp_path / "kept"


@pytest.fixture(name="calls")
def _calls(kept: Path) -> list[tuple[object, ...]]:
    """
    What a backend of the scheme `shelf`, as its user wrote it for Aim 3, is asked.
    """
    calls: list[tuple[object, ...]] = []

    class Shelf(ArtifactStorage):
        def __init__(self, url: str) -> None:
            super().__init__(url)
            calls.append(("made", url))
            self.folder = kept / url.partition("://")[2]

        def upload_artifact(self, file_path: str, artifact_path: str, block: bool = False) -> None:
            calls.append(("upload", artifact_path, block))
            target = self.folder / artifact_path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file_path, target)

        def download_artifact(self, artifact_path: str, dest_dir: str | None = None) -> str:
            assert dest_dir is not None
            return shutil.copy(self.folder / artifact_path, dest_dir)

        def delete_artifact(self, artifact_path: str) -> None:
            (self.folder / artifact_path).unlink()

    aim.storage.artifacts.registry.register("shelf", Shelf)
    return calls


@pytest.fixture(name="run")
def _run(tmp_path: Path) -> Iterator[Run]:
    """
    A run whose artifacts go to the shelf.
    """
    with Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False) as run:
        yield run


def test_a_backend_written_for_aim_3_keeps_and_gives_artifacts(
    run: Run, tmp_path: Path, kept: Path, calls: list[tuple[object, ...]]
) -> None:
    """
    It is made once with the address of the run's artifacts, uploads by their names, and waits for each.
    """
    run.set_artifacts_uri("shelf://models")
    (tmp_path / "a.bin").write_bytes(b"weights")
    run.log_artifact(tmp_path / "a.bin", "deep/a.bin", block=True)
    run.log_artifact(tmp_path / "a.bin", "deep/b.bin", block=True)

    assert [
        ("made", f"shelf://models/{run.hash}"),
        ("upload", "deep/a.bin", True),
        ("upload", "deep/b.bin", True),
    ] == calls
    assert b"weights" == (kept / "models" / run.hash / "deep" / "b.bin").read_bytes()
    assert b"weights" == Path(run.artifacts["deep/a.bin"].download(tmp_path / "back")).read_bytes()
    registry.store_of("shelf://models").delete(f"{run.hash}/deep/a.bin")
    assert ["b.bin"] == [path.name for path in kept.rglob("*.bin")]


def test_a_function_may_give_the_backend(calls: list[tuple[object, ...]], tmp_path: Path, kept: Path) -> None:
    """
    `register` takes what makes a backend, not only a class.
    """
    shelf: Callable[[str], object] = registry._makers["shelf"]
    registry.register("rack", lambda uri: shelf(uri))  # type: ignore[arg-type, return-value]
    (tmp_path / "a.bin").write_bytes(b"1")
    registry.store_of("rack://models").put(tmp_path / "a.bin", "a.bin")

    assert b"1" == (kept / "models" / "a.bin").read_bytes()
    assert registry.store_of("rack://models").size_bytes("a.bin") is None


def test_a_backend_that_gives_nothing_is_named(tmp_path: Path) -> None:
    """
    A download without a file is no artifact of no bytes.
    """

    class Empty(ArtifactStorage):
        def download_artifact(self, artifact_path: str, dest_dir: str | None = None) -> str:
            return ""

    registry.register("empty", Empty)

    with pytest.raises(FileNotFoundError, match="Empty returned no file for empty://models/run/a.bin"):
        registry.store_of("empty://models").get("run/a.bin", tmp_path / "a.bin")


def test_what_keeps_an_address_is_asked_as_in_aim_3(tmp_path: Path) -> None:
    """
    `get_storage` has the three methods, whatever store is behind it.
    """
    (tmp_path / "a.bin").write_bytes(b"1")
    storage = registry.get_storage(f"file://{tmp_path}/kept")
    storage.upload_artifact(str(tmp_path / "a.bin"), "deep/a.bin", block=True)

    assert b"1" == Path(storage.download_artifact("deep/a.bin")).read_bytes()
    storage.delete_artifact("deep/a.bin")
    with pytest.raises(FileNotFoundError):
        storage.download_artifact("deep/a.bin", str(tmp_path))
    with pytest.raises(UnknownStore):
        registry.get_storage("nowhere://models")
