"""
A repository in a folder, as a `Door`.

A `Repository` is light: opening one reads a file of 14 bytes. Recording goes straight to `storage.recording.writer`;
what reads points is imported when it is first asked for, so a training process never pays for it.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

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
    from datetime import tzinfo

    from aim.engine.door import Progress
    from aim.engine.scan import Scan
    from aim.storage.catalogue.stored_runs import StoredRuns

Answer = TypeVar("Answer")

_asked: set[Path] = set()
"""The repositories that this process has asked something."""


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

    def check_query(self, query_text: str, subject: str = "run") -> str:
        from aim.engine import matching

        return matching.compiled(query_text, subject, None).subject

    def matching_runs(
        self,
        query_text: str = "",
        *,
        limit: int | None = None,
        offset_hash: str | None = None,
        zone: tzinfo | None = None,
        progress: Progress | None = None,
    ) -> list[str]:
        def ask(runs: StoredRuns) -> list[str] | None:
            from aim.engine import first_answers

            return first_answers.matching_runs(runs, query_text, limit=limit, offset_hash=offset_hash, zone=zone)

        answer = self._first_answer(ask)
        if answer is None:
            return super().matching_runs(query_text, limit=limit, offset_hash=offset_hash, zone=zone, progress=progress)
        return answer

    def last_values(self, name: str, context: Mapping[str, Any] | None = None) -> dict[str, float]:
        def ask(runs: StoredRuns) -> dict[str, float]:
            from aim.engine import first_answers

            return first_answers.last_values(runs, name, context)

        answer = self._first_answer(ask)
        return super().last_values(name, context) if answer is None else answer

    def _first_answer(self, ask: Callable[[StoredRuns], Answer | None]) -> Answer | None:
        """Return what *ask* returns; None: this is not the first question, or the stored runs are not enough."""
        if self._scan is not None or self.files in _asked or "aim.engine.shared_scans" in sys.modules:
            return None
        _asked.add(self.files)
        from aim.storage.catalogue.stored_runs import NOT_READABLE, open_stored_runs

        try:
            runs = open_stored_runs(self.files)
            return None if runs is None else ask(runs)
        except NOT_READABLE:  # the catalogue is made again
            return None

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
