"""
Artifacts: files that belong to a run. They are hashed and stored beside the training.

    log_artifact(path)  ->  a queue  ->  4 threads: sha256, then the store, then a line in the run's record

* Stored whole or not at all: the line is written last, so what `run.artifacts` lists is there.
* Logged again, a file whose content is stored under that name is not stored again: so logging a folder once more
after a
  crash goes on where it ended.
* Of the files of one run that are kept in its own folder, equal ones are one file with several names (hard links).

The content is that of the moment when the thread gets to it; `block=True` waits, for a file that is about to change.
`flush()` and `close()` wait for all.
"""

from __future__ import annotations

import hashlib
import logging
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aim.core.errors import UsageError
from aim.core.shield import shielded
from aim.core.words import counted
from aim.storage.artifacts.registry import store_of
from aim.storage.artifacts.stores import FolderStore, folder_of, scheme_of
from aim.storage.forms.artifact_records import FILES_FOLDER, ArtifactRecord

THREADS = 4
HASH_CHUNK_BYTES = 1 << 20

log = logging.getLogger("aim")


class NoArtifact(UsageError, ValueError):
    """A file or name that can't be an artifact."""


class NoSuchFile(NoArtifact, FileNotFoundError):
    """What is to be an artifact is not there."""


@dataclass(frozen=True)
class Artifact:
    """
    A stored file of a run.

    Attributes:
        name: what it was logged as.
        path: its path below the run's artifacts, with slashes: its name.
        uri: where it is.
        sha256: of its content, hex.
        size_bytes: of its content.
    """

    name: str
    path: str
    uri: str
    sha256: str
    size_bytes: int

    def download(self, dest_dir: str | os.PathLike[str]) -> str:
        """
        Copy it into the folder *dest_dir*, which is made if it is not there; give the path of the copy.

        Raises:
            FileNotFoundError: it is gone.
            NoArtifact: what is there has another content now.
        """
        folder = Path(dest_dir)
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / PurePosixPath(self.name).name
        start, last = self._place()
        if scheme_of(self.uri) == "file":
            FolderStore(Path("/")).get(str(folder_of(self.uri).absolute()), target)
        else:
            store_of(start).get(last, target)
        if sha256_of(target)[0] != self.sha256:
            target.unlink()
            raise NoArtifact(f"{self.uri} is not what was logged as {self.name!r}: its content has changed since.")
        return str(target)

    def _place(self) -> tuple[str, str]:
        """Return the address that artifacts are kept at, and the path below it: `<hash>/<path>`."""
        run_uri, slash, nothing = self.uri.rpartition(f"/{self.path}")
        if not slash or nothing:
            start, _, last = self.uri.rpartition("/")
            return start, last
        start, _, run_hash = run_uri.rpartition("/")
        return start, f"{run_hash}/{self.path}"


def sha256_of(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file, hex, and its size. Cost: about 1 s a GB, without the GIL."""
    digest = hashlib.sha256()
    size_bytes = 0
    with open(path, "rb") as file:
        while chunk := file.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
    return digest.hexdigest(), size_bytes


def clean_name(name: str) -> str:
    """
    Return the name of an artifact as it is kept.

    >>> clean_name("models\\\\best.pt"), clean_name("./a//b")
    ('models/best.pt', 'a/b')

    Raises:
        NoArtifact: it is empty, or leads out of the run's artifacts.
    """
    parts = PurePosixPath(str(name).replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0].startswith("/") or parts[0].endswith(":") or "\0" in name:
        raise NoArtifact(
            f"{name!r} can't name an artifact: use a name, or a path without '..' that does not begin with '/'."
        )
    return "/".join(parts)


class ArtifactRecorder:
    """
    Stores the artifacts of one run. It is a `services.Service`.

    Args:
        run_hash: part of the addresses.
        run_folder: the run's own folder, for artifacts without an address.
        known: gives what is stored already.
        record: writes the line.
    """

    def __init__(
        self,
        run_hash: str,
        run_folder: Path,
        known: Callable[[], dict[str, ArtifactRecord]],
        record: Callable[[ArtifactRecord], object],
    ) -> None:
        self._run_hash = run_hash
        self._files = FolderStore(run_folder / FILES_FOLDER)
        self._known = known
        self._record = record
        self._forget()

    def _forget(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._count = 0
        self._by_name: dict[str, ArtifactRecord] | None = None

    def add(self, source: Path, name: str, base_uri: str | None) -> Future[ArtifactRecord]:
        """
        Store a file; the future has its record, or the error.

        Args:
            base_uri: where artifacts are kept, without the run's hash; None: in the run's folder.
        """
        result: Future[ArtifactRecord] = Future()

        def failed(error: Exception) -> None:
            log.error("Aim: artifact %r of run %s is not stored: %s", name, self._run_hash, error)
            result.set_exception(error)

        def store() -> None:
            shielded(lambda: result.set_result(self._store(source, name, base_uri)), failed)

        with self._changed:
            self._count += 1
            if len(self._threads) < min(self._count, THREADS):
                thread = threading.Thread(target=self._run, name="aim-artifacts", daemon=True)
                try:
                    thread.start()
                    self._threads.append(thread)
                except RuntimeError:  # no more threads: those that are there do the work, or the caller
                    pass
        if self._threads:
            self._jobs.put(store)
        else:
            self._do(store)
        return result

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
        sha256, size_bytes = sha256_of(source)
        with self._changed:
            if self._by_name is None:
                self._by_name = dict(self._known())
            stored = self._by_name.get(name)
            twins = [one for one in self._by_name.values() if one.sha256 == sha256 and one.uri is None]
        uri = None if base_uri is None else f"{base_uri.rstrip('/')}/{self._run_hash}/{name}"
        if stored is not None and (stored.sha256, stored.uri) == (sha256, uri) and self._is_there(stored, base_uri):
            return stored
        if base_uri is not None:
            store_of(base_uri).put(source, f"{self._run_hash}/{name}")
        elif not any(self._link(twin, name) for twin in twins):
            self._files.put(source, name)
        record = ArtifactRecord(name, uri, size_bytes, sha256, 0.0)
        with self._changed:
            self._by_name[name] = record
        self._record(record)
        return record

    def _is_there(self, record: ArtifactRecord, base_uri: str | None) -> bool:
        if base_uri is None:
            return self._files.size_bytes(record.name) == record.size_bytes
        return store_of(base_uri).size_bytes(f"{self._run_hash}/{record.name}") == record.size_bytes

    def _link(self, twin: ArtifactRecord, name: str) -> bool:
        source, target = self._files.root / twin.name, self._files.root / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if sha256_of(source)[0] != twin.sha256:
                return False
            os.link(source, target)
        except OSError:  # gone, no hard links here, or the name is taken: it is copied
            return False
        return True

    def wait_until_done(self, timeout_s: float | None) -> bool:
        """Wait until all are stored; False: not within *timeout_s*."""
        if threading.current_thread() in self._threads:
            return False
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, timeout_s)

    def record_pending(self, *, wait: bool) -> None:
        """With *wait*: wait until all are stored."""
        if wait:
            self.wait_until_done(None)

    def stop(self, deadline_s: float) -> None:
        """Wait until all are stored, however long: an upload of a model takes its time. Ctrl-C ends the wait."""
        if not self.wait_until_done(deadline_s):
            log.warning("Aim: waiting for %s of run %s to be stored.", counted(self._count, "artifact"), self._run_hash)
            self.wait_until_done(None)

    def forked(self) -> None:
        """In the child of a fork: what waits is the parent's."""
        self._forget()
