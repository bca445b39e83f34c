"""
Artifacts: files that belong to a run. They are hashed and stored by threads beside the training.

    log_artifact(path)  ->  a queue  ->  4 threads: the store, which hashes what it stores, then a line in the record

* A file is stored whole or not at all: its line is written last, so each artifact that `run.artifacts` lists is stored.
* The digest of the record is that of the stored bytes, also if the file changes while it is copied.
* A file whose content is stored under the same name already is not stored again. So a folder that is logged once more
  after a crash continues where the crash ended it.
* Equal files in the folder of one run are one file with several names (hard links).

A thread reads the file some time after the call. For a file that is about to change, `block=True` waits until it is
stored. `flush()` and `close()` wait for all files.
"""

from __future__ import annotations

import logging
import os
import queue
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from aim.core.errors import UsageError
from aim.core.shield import shielded
from aim.core.words import counted
from aim.sdk.recording import Recording
from aim.sdk.run_source import RunSource
from aim.storage.artifacts.registry import check_uri, store_of
from aim.storage.artifacts.stores import FolderStore, folder_of, put_digested, scheme_of
from aim.storage.disk.digests import FileDigest, digest_of
from aim.storage.disk.files import DISK
from aim.storage.forms.artifact_records import FILES_FOLDER, ArtifactRecord
from aim.storage.forms.state import RunState
from aim.storage.recording.writer import Writer

URI_PROPERTY = "artifacts_uri"
THREADS = 4

log = logging.getLogger("aim")


class NoArtifact(UsageError, ValueError):
    """A file or a name that can't be an artifact."""


class NoSuchFile(NoArtifact, FileNotFoundError):
    """The file or folder to log does not exist."""


@dataclass(frozen=True)
class Artifact:
    """
    A stored file of a run.

    Attributes:
        name: what it was logged as.
        path: its path below the run's artifacts, with slashes: its name.
        uri: the address of the file.
        sha256: SHA-256 of its content, hex.
        size_bytes: the size of its content.
    """

    name: str
    path: str
    uri: str
    sha256: str
    size_bytes: int
    _open: Callable[[], BinaryIO] | None = field(default=None, repr=False, compare=False)

    def download(self, dest_dir: str | os.PathLike[str]) -> str:
        """
        Copy the artifact into the folder *dest_dir*, which is made if needed; return the path of the copy.

        Raises:
            FileNotFoundError: the artifact no longer exists.
            NoArtifact: its content has changed since it was logged.
        """
        folder = Path(dest_dir)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / PurePosixPath(self.name).name
        base_uri, path = self._address()
        if self._open is not None:
            with self._open() as source, open(target, "wb") as copied:
                shutil.copyfileobj(source, copied)
        elif scheme_of(self.uri) == "file":
            FolderStore(Path("/")).get(str(folder_of(self.uri).absolute()), target)
        else:
            store_of(base_uri).get(path, target)
        if digest_of(target).sha256 != self.sha256:
            target.unlink()
            raise NoArtifact(f"{self.uri} is not what was logged as {self.name!r}: its content has changed since.")
        return str(target)

    def _address(self) -> tuple[str, str]:
        # where artifacts are kept, and the path below it: `<hash>/<path>`
        run_uri, slash, tail = self.uri.rpartition(f"/{self.path}")
        if not slash or tail:
            base_uri, _, file_name = self.uri.rpartition("/")
            return base_uri, file_name
        base_uri, _, run_hash = run_uri.rpartition("/")
        return base_uri, f"{run_hash}/{self.path}"


def clean_name(name: str) -> str:
    """
    Return the name of an artifact in its stored form.

    >>> clean_name("models\\\\best.pt"), clean_name("./a//b")
    ('models/best.pt', 'a/b')

    Raises:
        NoArtifact: the name is empty, or leads out of the run's artifacts.
    """
    parts = PurePosixPath(str(name).replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0].startswith("/") or parts[0].endswith(":") or "\0" in name:
        raise NoArtifact(
            f"{name!r} can't name an artifact: use a name, or a path without '..' that does not begin with '/'."
        )
    return "/".join(parts)


def _base_uri(state: RunState) -> str | None:
    base_uri = state.properties.get(URI_PROPERTY)
    return None if base_uri is None else str(base_uri)


class RunArtifacts:
    """
    The artifacts of one run; `Run` hands its own methods on to this.

    Args:
        recording: the writing side of the run.
        source: the reading side.
    """

    def __init__(self, recording: Recording, source: RunSource) -> None:
        self._recording = recording
        self._source = source
        self._recorder: ArtifactRecorder | None = None
        self._writer: Writer | None = None

    def uri(self) -> str | None:
        """Return where the run's artifacts go; None: into its own folder."""
        base_uri = _base_uri(self._source.state())
        return None if base_uri is None else f"{base_uri.rstrip('/')}/{self._source.run_hash}"

    def set_uri(self, uri: str) -> None:
        """Keep artifacts below *uri* from now on. Raises UnknownStore."""
        check_uri(uri)
        stored_uri = folder_of(uri).absolute().as_uri() if scheme_of(uri) == "file" else uri
        self._recording.set_property(**{URI_PROPERTY: stored_uri})

    def stored(self) -> dict[str, Artifact]:
        """Return the stored artifacts by name."""
        source = self._source
        return {
            name: Artifact(
                name,
                name,
                record.uri or source.artifact_uri(name),
                record.sha256,
                record.size_bytes,
                source.artifact_opener(name, record.uri),
            )
            for name, record in sorted(source.state().artifacts.items())
        }

    def log_file(self, path: Path, name: str | None, *, block: bool) -> None:
        """Store one file; see `Run.log_artifact`."""
        if not path.is_file():
            hint = " It is a folder: use log_artifacts()." if path.is_dir() else ""
            raise NoSuchFile(f"There is no file '{path}' to log.{hint}")
        self._store({name or path.name: path}, block)

    def log_folder(self, folder: Path, name: str | None, *, block: bool) -> None:
        """Store all files of a folder; see `Run.log_artifacts`."""
        if not folder.is_dir():
            raise NoSuchFile(f"There is no folder '{folder}' to log.")
        prefix = name or folder.resolve().name
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self._store({f"{prefix}/{path.relative_to(folder).as_posix()}": path for path in paths}, block)

    def _store(self, paths: Mapping[str, Path], block: bool) -> None:
        paths_by_name = {clean_name(name): path.absolute() for name, path in paths.items()}
        recorder = self._started(self._recording.ready_writer())
        base_uri = _base_uri(self._source.recorded_state())
        pending = [recorder.add(path, name, base_uri) for name, path in paths_by_name.items()]
        for future in pending if block else ():
            future.result()

    def _started(self, writer: Writer) -> ArtifactRecorder:
        if self._recorder is None or self._writer is not writer:  # another one since the run was closed and resumed
            source = self._source
            self._writer = writer
            self._recorder = ArtifactRecorder(
                source.run_hash,
                writer.files.folder / FILES_FOLDER,
                lambda: source.recorded_state().artifacts,
                lambda record: writer.lines.add_artifact(record.event()),
            )
            writer.services.add(self._recorder)
        return self._recorder


class ArtifactRecorder:
    """
    Stores the artifacts of one run. It is a `services.Service`.

    Args:
        run_hash: a part of each address.
        folder: for artifacts without an address.
        stored: returns the records of the artifacts that are stored already.
        record: writes the line of a new one.
    """

    def __init__(
        self,
        run_hash: str,
        folder: Path,
        stored: Callable[[], dict[str, ArtifactRecord]],
        record: Callable[[ArtifactRecord], object],
    ) -> None:
        self._run_hash = run_hash
        self._files = FolderStore(folder)
        self._stored = stored
        self._record = record
        self._reset()

    def _reset(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._count = 0
        self._by_name: dict[str, ArtifactRecord] | None = None
        self._latest: dict[str, Future[ArtifactRecord]] = {}

    def add(self, source: Path, name: str, base_uri: str | None) -> Future[ArtifactRecord]:
        """
        Store a file; return a future of its record, or of the error.

        Args:
            base_uri: the address below which artifacts are kept, without the run's hash; None: the run's folder.
        """
        future: Future[ArtifactRecord] = Future()

        def failed(error: Exception) -> None:
            log.error("Aim: artifact %r of run %s is not stored: %s", name, self._run_hash, error)
            future.set_exception(error)

        def store() -> None:
            if earlier is not None:  # what was logged last under a name stays; it was begun before this
                wait([earlier])
            shielded(lambda: future.set_result(self._store(source, name, base_uri)), failed)

        with self._changed:
            earlier = self._latest.get(name)
            self._latest[name] = future
            self._count += 1
            if len(self._threads) < min(self._count, THREADS):
                thread = threading.Thread(target=self._run, name="aim-artifacts", daemon=True)
                try:
                    thread.start()
                    self._threads.append(thread)
                except RuntimeError:  # no more threads: those that run do the work, or the caller does
                    pass
        if self._threads:
            self._jobs.put(store)
        else:
            self._do(store)
        return future

    def _run(self) -> None:
        while True:
            self._do(self._jobs.get())

    def _do(self, job: Callable[[], None]) -> None:
        try:
            job()
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def _store(self, source: Path, name: str, base_uri: str | None) -> ArtifactRecord:
        twins = self._twins(source)
        uri = None if base_uri is None else f"{base_uri.rstrip('/')}/{self._run_hash}/{name}"
        for twin in twins:
            if (twin.name, twin.uri) == (name, uri) and self._is_stored(twin, base_uri):
                return twin
        if base_uri is not None:
            digest = put_digested(store_of(base_uri), source, f"{self._run_hash}/{name}")
        else:
            digest = self._linked(twins, name) or self._files.put(source, name)
        record = ArtifactRecord(name, uri, digest.size_bytes, digest.sha256, 0.0)
        with self._changed:
            self._records()[name] = record
        self._record(record)
        return record

    def _records(self) -> dict[str, ArtifactRecord]:
        if self._by_name is None:
            self._by_name = dict(self._stored())
        return self._by_name

    def _twins(self, source: Path) -> list[ArtifactRecord]:
        """Return the records of files with the content of *source*; it is read only when one has its size."""
        size_bytes = source.stat().st_size
        with self._changed:
            of_equal_size = [record for record in self._records().values() if record.size_bytes == size_bytes]
        sha256 = digest_of(source).sha256 if of_equal_size else ""
        return [record for record in of_equal_size if record.sha256 == sha256]

    def _is_stored(self, record: ArtifactRecord, base_uri: str | None) -> bool:
        if base_uri is None:
            return self._files.size_bytes(record.name) == record.size_bytes
        return store_of(base_uri).size_bytes(f"{self._run_hash}/{record.name}") == record.size_bytes

    def _linked(self, twins: Iterable[ArtifactRecord], name: str) -> FileDigest | None:
        """Give a stored file of the run's folder this name too; return its digest, or None: there is none to link."""
        target = self._files.root / name
        for twin in twins:
            source = self._files.root / twin.name
            try:
                self._files.make_folder(target.parent)
                digest = digest_of(source) if twin.uri is None else None
                if digest is not None and digest.sha256 == twin.sha256:
                    os.link(source, target)
                    DISK.sync_folder(target.parent)
                    return digest
            except OSError:  # the twin is gone, hard links are not supported, or the name is taken: copy
                continue
        return None

    def wait_until_done(self, timeout_s: float | None) -> bool:
        """Wait until all artifacts are stored; return False when that takes longer than *timeout_s*."""
        if threading.current_thread() in self._threads:
            return False
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, timeout_s)

    def record_pending(self, *, wait: bool) -> None:
        """Wait until all artifacts are stored, if *wait*."""
        if wait:
            self.wait_until_done(None)

    def stop(self, deadline_s: float) -> None:
        """Wait until all artifacts are stored, however long the upload of a model takes. Ctrl-C ends the wait."""
        if not self.wait_until_done(deadline_s):
            log.warning("Aim: waiting for %s of run %s to be stored.", counted(self._count, "artifact"), self._run_hash)
            self.wait_until_done(None)

    def forked(self) -> None:
        """Forget what waits, in the child of a fork: the parent stores it."""
        self._reset()
