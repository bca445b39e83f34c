"""
Whole files of a run that are new: sealed points, edits, and the artifacts that are kept with the run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from aim.storage.disk import layout
from aim.storage.disk.digests import FileDigest, digest_of, digest_of_open
from aim.storage.shipping import frames as wire
from aim.storage.shipping.new_lines import LocalArtifact
from aim.storage.shipping.progress import FileKey, FilePart, WriterProgress

FileIdentity = tuple[int, int, int]
"""Inode, time of the last change, and size: what is equal while a file has the same bytes."""


class FileLabel(NamedTuple):
    """What a request says of a whole file."""

    name: str
    sha256: str
    size_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the form in the header of a request."""
        return {"name": self.name, "bytes": self.size_bytes, "sha256": self.sha256}


class NewFiles:
    """The whole files of *writer*, and those of its run, in *folder*; the server has it as *remote_writer*."""

    def __init__(self, folder: Path, writer: str, remote_writer: str) -> None:
        self._folder = folder
        self._sealed = layout.sealed_file(folder, writer)
        self._remote_name = layout.sealed_file(folder, remote_writer).name
        self._labels: dict[FileKey, FileLabel] = {}
        self._artifact_keys: dict[str, FileKey] = {}
        self._digests: dict[str, tuple[FileIdentity, FileDigest]] = {}

    def label(self, key: FileKey) -> FileLabel:
        """Return what a request says of a whole file."""
        return self._labels[key]

    def is_sealed(self) -> bool:
        """Return whether the points of the writer are one file."""
        return self._sealed.exists()

    def read_sealed(self, progress: WriterProgress, budget_bytes: int) -> list[FilePart]:
        """Return the next part of the sealed points."""
        key = (wire.SEALED, self._sealed.name)
        if not self.is_sealed():
            return []
        if key not in self._labels:
            self._labels[key] = FileLabel(self._remote_name, *digest_of(self._sealed))
        return self._part(key, self._sealed, progress, budget_bytes)

    def read_edits(self, progress: WriterProgress) -> list[FilePart]:
        """Return the edits of the run that were not sent."""
        parts: list[FilePart] = []
        for name in sorted(os.listdir(self._folder)):
            key = (wire.EDIT, name)
            if layout.EDIT_FILE.fullmatch(name) and not progress.file(key).sent.count:
                path = self._folder / name
                self._labels[key] = FileLabel(name, *digest_of(path))
                parts += self._part(key, path, progress, wire.FRAME_BYTES_MAX)
        return parts

    def read_artifacts(
        self, progress: WriterProgress, artifacts: Mapping[str, LocalArtifact], budget_bytes: int
    ) -> list[FilePart]:
        """Return the next part of the artifacts."""
        for name, artifact in artifacts.items():
            key = _artifact_key(name, artifact)
            if self._artifact_keys.get(name) != key:
                self._artifact_keys[name] = key
                self._labels[key] = FileLabel(name, artifact.sha256, artifact.size_bytes)
                for other in progress.keys(wire.ARTIFACT):  # former files of that name
                    if other != key and other[1].partition("/")[2] == name:
                        progress.forget(other)
            if progress.file(key).sent.prefix < artifact.size_bytes or not progress.file(key).is_made:
                with self._artifact(name, artifact) as file:
                    if file is not None:
                        return _read(key, file, progress, budget_bytes) or [FilePart(key, 0, 0, b"")]
        return []

    def left_bytes(self, progress: WriterProgress, artifacts: Mapping[str, LocalArtifact]) -> int:
        """Return how many bytes of the artifacts that are here are not durable at the server, at least 1 for each."""
        left = 0
        for name, artifact in artifacts.items():
            file_progress = progress.file(_artifact_key(name, artifact))
            lacking = artifact.size_bytes - file_progress.durable.prefix
            if lacking > 0 or not file_progress.is_confirmed:
                with self._artifact(name, artifact) as file:
                    left += 0 if file is None else max(1, lacking)
        return left

    @contextmanager
    def _artifact(self, name: str, artifact: LocalArtifact) -> Iterator[BinaryIO | None]:
        """
        Open an artifact; give None unless the file is the one of which its line tells: a training that was killed may
        have put another one in its place.
        """
        path = self._folder / name
        if not path.exists():  # removed here meanwhile
            yield None
            return
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            identity = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._digests.get(name, (None, None))[0] != identity:
                self._digests[name] = (identity, digest_of_open(file))
            is_as_said = self._digests[name][1] == FileDigest(artifact.sha256, artifact.size_bytes)
            yield file if is_as_said else None

    def _part(self, key: FileKey, path: Path, progress: WriterProgress, budget_bytes: int) -> list[FilePart]:
        try:
            with open(path, "rb") as file:
                return _read(key, file, progress, budget_bytes)
        except FileNotFoundError:  # removed here meanwhile
            return []


def _artifact_key(name: str, artifact: LocalArtifact) -> FileKey:
    # what was sent of a former file of that name says nothing of this one, also in the hints of another shipper
    return wire.ARTIFACT, f"{artifact.sha256}/{name}"


def _read(key: FileKey, file: BinaryIO, progress: WriterProgress, budget_bytes: int) -> list[FilePart]:
    start = progress.file(key).sent.prefix
    data = os.pread(file.fileno(), max(1, min(budget_bytes, wire.FRAME_BYTES_MAX)), start)
    return [FilePart(key, start, start + len(data), data)] if data else []
