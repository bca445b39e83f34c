"""
A repository in a folder, as a `Door`.

A `Repository` is light: opening one reads a file of 14 bytes. Recording goes straight to `storage.recording.writer`;
what reads points is imported when it is first asked for, so a training process never pays for it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from aim.core.errors import RepoNotFound, RunNotFound, UsageError
from aim.core.params import Restore
from aim.engine import door, sealing
from aim.engine.backend_repository import BackendRepository
from aim.engine.door import Door
from aim.engine.moving import is_recording, move_run
from aim.engine.resuming import resume_run
from aim.storage.disk.files import DISK, Disk
from aim.storage.disk.refusals import explained
from aim.storage.folder import FolderBackend
from aim.storage.recording.writer import Writer
from aim.storage.store import folder_name

if TYPE_CHECKING:
    from aim.engine.scan import Scan


class Repository(BackendRepository):
    """
    The repository in the folder *root*, that is in `<root>/.aim`.

    Attributes:
        backend: where the runs are.
        readers: read the runs.

    Args:
        create: make it if it is not there.
        restore: makes the objects of runs that are read.

    Raises:
        RepoNotFound, UnsupportedFormat: see `storage.store.Store`.
    """

    can = frozenset((door.RECORD, door.EDIT, door.DELETE, door.FILES, door.SEAL))

    def __init__(self, root: Path, *, create: bool = False, restore: Restore | None = None, disk: Disk = DISK) -> None:
        root = root.absolute()  # a training may change its current folder, as Hydra does
        if "\0" in str(root):
            raise RepoNotFound(f"{str(root)!r} can't be a folder: there is a NUL character in it.")
        with explained("open a repository", root):
            backend = FolderBackend(root / folder_name(), create=create, disk=disk, seal_later=sealing.seal_soon)
        super().__init__(backend, restore)
        self.backend: FolderBackend = backend

    @property
    def files(self) -> Path:
        return self.backend.files.path

    def questions(self) -> Scan:
        """
        Return what answers queries over all runs; the same object for all who open this folder in this process.

        A notebook that makes a new `Repo` in each cell so pays for the catalogue once. A folder that was deleted and
        made again at the same path has other questions.
        """
        if self._scan is None:
            from aim.engine.shared_scans import shared_scan

            self._scan = shared_scan(self.backend, self.readers.restore)
        return self._scan

    # recording

    def new_run(self, run_hash: str | None = None) -> Writer:
        if run_hash is not None and self.has_run(run_hash):
            with contextlib.suppress(RunNotFound):  # deleted meanwhile: it is made again
                return self.resume_run(run_hash)
        return self.backend.new_writer(run_hash)

    def resume_run(self, run_hash: str) -> Writer:
        return resume_run(self.backend, self.readers, run_hash)

    def ended(self, writer: Writer) -> None:
        sealing.seal_soon(writer.files.folder, writer.id)

    def copy_run(self, run_hash: str, target: Door) -> bool:
        is_whole = not is_recording(self, run_hash)
        if not isinstance(target, Repository):
            raise UsageError(f"{target.address}: runs are copied and moved into folders only.")
        self.backend.copy_run(run_hash, target.backend)
        return is_whole

    def move_run(self, run_hash: str, target: Door) -> None:
        move_run(self, run_hash, target)

    def artifact(self, run_hash: str, name: str) -> BinaryIO:
        from aim.engine.artifacts import find_artifact

        folder = self.backend.files.artifacts_folder(run_hash)
        return find_artifact(folder, self.readers.state(run_hash).artifacts, name).open()
