"""
A repository in a folder: what `backend` asks, over store, forms, recording, reading, catalogue and care.

    .aim/runs/<hash>/    recording writes, reading reads, care looks after
    .aim/trash/          <hash>.<8 hex digits>: runs that were deleted
    .aim/views/          documents

Light: a training process imports it. Reading, catalogue and care are imported when they are first asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from aim.core.errors import RunExists, RunNotFound, UsageError
from aim.core.params import Restore
from aim.storage.backend import Backend, DocumentFiles, RunCatalogue, RunFiles, RunTrash
from aim.storage.disk import changes
from aim.storage.disk.files import DISK, Disk
from aim.storage.disk.refusals import explained
from aim.storage.forms import edits, tombstones
from aim.storage.forms.artifact_records import FILES_FOLDER
from aim.storage.forms.history import Rewind
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import Damage
from aim.storage.recording.sequences import ReadEarlier
from aim.storage.recording.writer import Writer
from aim.storage.store import Store, is_repository

if TYPE_CHECKING:
    from aim.storage.care.importing import ImportFollowers, RunImport
    from aim.storage.care.repair import RepairReport
    from aim.storage.reading.reader import RunReader
    from aim.storage.shipping.receiving import Receiver

DOCUMENTS_FOLDER = "views"


class FolderBackend(Backend):
    """
    The repository in the folder *path* (the `.aim`).

    Args:
        create: make it if it is not there.
        seal_later: is told of a run folder and a writer whose journal is to be sealed; nobody is by default.

    Raises:
        RepoNotFound, UnsupportedFormat: see `storage.store.Store`.
    """

    def __init__(
        self,
        path: Path,
        *,
        create: bool = False,
        disk: Disk = DISK,
        seal_later: Callable[[Path, str], object] | None = None,
    ) -> None:
        self._store = Store(path, create=create, disk=disk)
        self._disk = disk
        self._seal_later = seal_later

    @property
    def address(self) -> str:
        return str(self._store.path.parent)

    @property
    def files(self) -> FolderFiles:
        return FolderFiles(self._store)

    @property
    def trash(self) -> FolderTrash:
        return FolderTrash(self._store)

    @property
    def documents(self) -> FolderDocuments:
        return FolderDocuments(self._store.path / DOCUMENTS_FOLDER, self._disk)

    # runs

    def is_available(self) -> bool:
        return is_repository(self._store.path)

    def run_hashes(self) -> list[str]:
        return self._store.run_hashes()

    def has_run(self, run_hash: object) -> bool:
        return self._store.has_run(run_hash)

    def check_exists(self, run_hash: str) -> None:
        if not self._store.has_run(run_hash):
            self._store.run_folder(run_hash)  # raises; of a run that is there its `Path` would cost more than the look

    def delete_run(self, run_hash: str) -> None:
        self._store.delete_run(run_hash)

    def copy_run(self, run_hash: str, target: Backend) -> None:
        if not isinstance(target.files, FolderFiles):
            raise UsageError(f"Runs of a folder are copied into folders only, not to {target.address!r}.")
        self._store.copy_run(run_hash, target.files.store)

    def fork_run(self, run_hash: str, step: int, *, name: str | None = None) -> str:
        from aim.storage.care.forking import fork_run

        return fork_run(self._store, run_hash, step, name=name, disk=self._disk)

    def import_run(self, run_hash: str, *, created_at_s: float | None = None) -> RunImport:
        from aim.storage.care.importing import RunImport

        return RunImport(self._store, run_hash, created_at_s=created_at_s)

    def import_note(self, run_hash: str) -> dict[str, Any] | None:
        from aim.storage.care.importing import read_note

        return read_note(self._store, run_hash)

    def import_followers(self, run_hash: str) -> ImportFollowers:
        from aim.storage.care.importing import ImportFollowers

        return ImportFollowers(self._store, run_hash)

    # reading

    def log(self, run_hash: str, restore: Restore | None = None) -> RunLog:
        return RunLog(self._store.run_folder(run_hash), restore)

    def reader(
        self,
        run_hash: str,
        restore: Restore | None = None,
        *,
        may_seal: bool = True,
        log: RunLog | None = None,
        before: Rewind | None = None,
    ) -> RunReader:
        from aim.storage.reading.folder_source import open_run

        return open_run(
            self._store.run_folder(run_hash),
            restore,
            seal_later=self._seal_later if may_seal and not self._disk.ships else None,
            log=log,
            before=before,
        )

    def catalogue(self, open_reader: Callable[[str], RunReader], *, cache: Path | None = None) -> RunCatalogue:
        from aim.storage.catalogue.catalogue import Catalogue

        return Catalogue(self._store.path, open_reader, cache=cache)

    # recording

    def new_writer(self, run_hash: str | None = None) -> Writer:
        with explained("begin a run", self._store.runs):
            run_folder = self._store.create_run(run_hash)
            return Writer(run_folder, run_folder.name, disk=self._disk)

    def resume_writer(self, run_hash: str, read_earlier: ReadEarlier | None = None) -> Writer:
        run_folder = self._store.run_folder(run_hash)
        with explained("resume a run", run_folder):
            return Writer(run_folder, run_hash, disk=self._disk, read_earlier=read_earlier)

    def edit(self, run_hash: str, change: Mapping[str, Any], *, by: str, seen_at_s: float = 0.0) -> float:
        return edits.write(self._store.run_folder(run_hash), change, by=by, seen_at_s=seen_at_s, disk=self._disk)

    def edit_runs(
        self, run_hashes: Iterable[str], change: Mapping[str, Any], *, by: str, seen_at_s: float = 0.0
    ) -> list[str]:
        folders = [self._store.runs / run_hash for run_hash in run_hashes if self._store.has_run(run_hash)]
        edited = edits.write_shared(folders, change, by=by, seen_at_s=seen_at_s, disk=self._disk)
        return [folder.name for folder in edited]


class FolderFiles(RunFiles):
    """The paths of the repository of *store*, and the care for its files."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def path(self) -> Path:
        return self.store.path

    @property
    def disk(self) -> Disk:
        return self.store.disk

    def run_folder(self, run_hash: str) -> Path:
        return self.store.run_folder(run_hash)

    def artifacts_folder(self, run_hash: str) -> Path:
        return self.store.run_folder(run_hash) / FILES_FOLDER

    def check(self) -> Iterator[tuple[str, list[Damage]]]:
        from aim.storage.care.check import check_store

        return check_store(self.store)

    def check_run(self, run_hash: str) -> list[Damage]:
        from aim.storage.care.check import check_run

        return check_run(self.store.run_folder(run_hash))

    def repair_run(self, run_hash: str, target: RunFiles) -> RepairReport:
        from aim.storage.care.repair import repair_run

        target_folder = target.path / self.store.runs.name / run_hash
        return repair_run(self.store.run_folder(run_hash), target_folder, disk=target.disk)

    def repair_format(self) -> bool:
        return self.store.write_format()

    def receiver(self, on_complete: Callable[[Path, str], object] | None = None) -> Receiver:
        from aim.storage.shipping.receiving import Receiver

        return Receiver(self.store, on_complete)

    def write_archive(
        self,
        target: Path | BinaryIO,
        progress: Callable[[str], None] | None = None,
        *,
        run_hashes: Iterable[str] | None = None,
    ) -> int:
        from aim.storage.care.archive import write_archive

        return write_archive(self.store, target, progress, run_hashes=run_hashes)


class FolderTrash(RunTrash):
    """The folder `trash/` of the repository of *store*."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._disk = store.disk

    def put_away(self, run_hash: str) -> str:
        run_folder = self._store.run_folder(run_hash)
        trash_name = f"{run_hash}.{os.urandom(4).hex()}"
        self._disk.make_folder(self._store.trash)
        tombstones.write(self._store.trash, run_hash, self._disk)
        try:
            self._disk.rename(run_folder, self._store.trash / trash_name)
        except FileNotFoundError:
            raise RunNotFound(f"Run {run_hash!r} was deleted by somebody else meanwhile.") from None
        changes.touch(run_folder, self._disk)
        return trash_name

    def bring_back(self, trash_name: str) -> str:
        run_hash = trash_name.rpartition(".")[0]
        run_folder = self._store.runs / run_hash
        if run_folder.exists():
            raise RunExists(f"There is a new run {run_hash!r} by now.")
        try:
            self._disk.rename(self._store.trash / trash_name, run_folder)
        except FileNotFoundError:
            raise RunNotFound(f"Run {run_hash!r} was removed from the trash meanwhile.") from None
        tombstones.write(self._store.trash, run_hash, self._disk, restored=True)
        changes.touch(run_folder, self._disk)
        return run_hash

    def remove(self, trash_name: str) -> None:
        self._disk.remove_folder(self._store.trash / trash_name)

    def empty(self) -> None:
        self._store.empty_trash()


class FolderDocuments(DocumentFiles):
    """The files of *folder*, which is made with the first document."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk

    def stamp(self) -> int:
        try:
            return self._folder.stat().st_mtime_ns  # a document is a rename or a removal in this folder
        except FileNotFoundError:
            return 0

    def names(self) -> list[str]:
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        return sorted(name for name in names if not name.startswith("."))

    def read(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        self._disk.make_folder(self._folder)
        scratch = self._folder / f".{name}-{os.urandom(4).hex()}"
        self._disk.write_new(scratch, content)
        self._disk.rename(scratch, self._folder / name)
