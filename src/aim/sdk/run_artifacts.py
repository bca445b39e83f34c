"""
The artifacts of a run: files that belong to it.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aim.engine.repository import Repository
from aim.storage.forms.state import RunState
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
    from aim.sdk.artifacts import Artifact, ArtifactRecorder

URI_PROPERTY = "artifacts_uri"


class RunArtifactsMixin:
    """The artifacts of a `Run`; see there."""

    hash: str
    _repository: Repository
    _artifact_recorder: ArtifactRecorder | None = None

    @abstractmethod
    def _state(self) -> RunState:
        """Return the run's state as it is now."""

    @abstractmethod
    def _recording(self) -> Writer:
        """Return the writer of a run that records."""

    @abstractmethod
    def _set_property(self, **properties: object) -> None:
        """Set properties, as a writer or by an edit."""

    @property
    def artifacts_uri(self) -> str | None:
        """Where this run's artifacts go; None: into its own folder."""
        base = self._state().properties.get(URI_PROPERTY)
        return None if base is None else f"{str(base).rstrip('/')}/{self.hash}"

    def set_artifacts_uri(self, uri: str) -> None:
        """
        Keep artifacts below *uri* from now on, in a folder of this run's hash.

        Args:
            uri: `file:///folder`, a path, or an address of an object store such as `s3://bucket/prefix`.

        Raises:
            UnknownStore: (a ValueError) there is no store for it.
        """
        from aim.storage.artifacts.registry import check_uri
        from aim.storage.artifacts.stores import folder_of, scheme_of

        check_uri(uri)
        self._set_property(**{URI_PROPERTY: folder_of(uri).absolute().as_uri() if scheme_of(uri) == "file" else uri})

    @property
    def artifacts(self) -> Mapping[str, Artifact]:
        """The stored artifacts by name; what is on its way is not among them yet (`flush()` waits for it)."""
        from aim.sdk.artifacts import Artifact
        from aim.storage.forms.artifact_records import FILES_FOLDER

        files = (self._repository.store.run_folder(self.hash) / FILES_FOLDER).absolute()
        return {
            name: Artifact(name, name, record.uri or (files / name).as_uri(), record.sha256, record.size_bytes)
            for name, record in sorted(self._state().artifacts.items())
        }

    def log_artifact(self, path: str | os.PathLike[str], name: str | None = None, *, block: bool = False) -> None:
        """
        Store a file with the run, in the background.

        Args:
            name: what it is called, with slashes for folders; by default the file's own name. An artifact of that
            name is
                replaced.
            block: return when it is stored, and raise what went wrong.

        Raises:
            NoSuchFile: (a ValueError, and a FileNotFoundError) *path* is no file.
            NoArtifact: (a ValueError) *name* leads out of the run's artifacts.
            OSError: with *block*, the file can't be read, or the store refuses.
        """
        from aim.sdk.artifacts import NoSuchFile

        source = Path(path)
        if not source.is_file():
            hint = " It is a folder: use log_artifacts()." if source.is_dir() else ""
            raise NoSuchFile(f"There is no file '{source}' to log.{hint}")
        self._store({name or source.name: source}, block)

    def log_artifacts(self, path: str | os.PathLike[str], name: str | None = None, *, block: bool = False) -> None:
        """
        Store all files of a folder and of those below it, as `<name>/<path below the folder>`.

        Args:
            name: by default the folder's own name.
            block: see `log_artifact`.

        Raises:
            NoSuchFile: (a ValueError, and a FileNotFoundError) *path* is no folder.
            NoArtifact: (a ValueError) *name* leads out of the run's artifacts.
        """
        from aim.sdk.artifacts import NoSuchFile

        folder = Path(path)
        if not folder.is_dir():
            raise NoSuchFile(f"There is no folder '{folder}' to log.")
        start = name or folder.resolve().name
        found = sorted(one for one in folder.rglob("*") if one.is_file())
        self._store({f"{start}/{one.relative_to(folder).as_posix()}": one for one in found}, block)

    def _store(self, files: Mapping[str, Path], block: bool) -> None:
        from aim.sdk.artifacts import clean_name

        named = {clean_name(name): source.absolute() for name, source in files.items()}
        recorder = self._artifacts_of(self._recording())
        base = self._state().properties.get(URI_PROPERTY)
        pending = [recorder.add(source, name, base) for name, source in named.items()]
        for result in pending if block else ():
            result.result()

    def _artifacts_of(self, writer: Writer) -> ArtifactRecorder:
        from aim.sdk.artifacts import ArtifactRecorder

        if self._artifact_recorder is None:
            repository, run_hash = self._repository, self.hash
            self._artifact_recorder = ArtifactRecorder(
                run_hash,
                repository.store.run_folder(run_hash),
                lambda: repository.state(run_hash).artifacts,
                lambda record: writer.add_artifact(record.event()),
            )
            writer.services.add(self._artifact_recorder)
        return self._artifact_recorder
