"""
Whole files of a run that are new: sealed points, edits, and the artifacts that are kept with the run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aim.storage.disk import layout
from aim.storage.disk.digests import digest_of
from aim.storage.shipping import frames as wire
from aim.storage.shipping.new_lines import LocalArtifact
from aim.storage.shipping.progress import FileKey, FilePart, WriterProgress


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
            key = (wire.ARTIFACT, name)
            label = FileLabel(name, artifact.sha256, artifact.size_bytes)
            if self._labels.setdefault(key, label) != label:  # another file of that name
                progress.forget(key)
                self._labels[key] = label
            if progress.file(key).sent.prefix < max(1, label.size_bytes):
                parts = self._part(key, self._folder / name, progress, budget_bytes)
                if parts:
                    return parts
        return []

    def _part(self, key: FileKey, path: Path, progress: WriterProgress, budget_bytes: int) -> list[FilePart]:
        start = progress.file(key).sent.prefix
        try:
            with open(path, "rb") as file:
                data = os.pread(file.fileno(), max(1, min(budget_bytes, wire.FRAME_BYTES_MAX)), start)
        except FileNotFoundError:  # removed here meanwhile
            return []
        return [FilePart(key, start, start + len(data), data)] if data else []
