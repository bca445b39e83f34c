"""
A repository in a folder, as a `Door`.

A `Repository` is light: opening one reads a file of 14 bytes. Recording goes straight to `storage.recording.writer`;
what reads points is imported when it is first asked for, so a training process never pays for it.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from aim.core.errors import NotFound, RepoNotFound, RunNotFound, UsageError
from aim.core.logs import log
from aim.core.params import Restore
from aim.engine import door, sealing
from aim.engine.door import Door
from aim.engine.moving import is_recording, move_run
from aim.engine.open_run import OpenRun
from aim.engine.resuming import resume_run
from aim.engine.run_readers import RunReaders
from aim.storage.disk.files import DISK, Disk
from aim.storage.disk.refusals import explained
from aim.storage.folder import FolderBackend
from aim.storage.forms.state import RunState
from aim.storage.recording.writer import Writer
from aim.storage.store import folder_name

if TYPE_CHECKING:
    from aim.engine.documents import Documents
    from aim.engine.scan import Scan
    from aim.engine.tags import Tags


class Repository(Door):
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
            self.backend = FolderBackend(root / folder_name(), create=create, disk=disk)
        self._scan: Scan | None = None
        weak_self = weakref.ref(self)  # so that the readers do not hold the repository that holds them
        self.readers = RunReaders(self.backend, restore, lambda run_hash: _sole_writer(weak_self(), run_hash))

    @property
    def address(self) -> str:
        return self.backend.address

    @property
    def files(self) -> Path:
        return self.backend.files.path

    # runs

    def run_count(self) -> int:
        return len(self.backend.run_hashes())

    def run_hashes(self) -> list[str]:
        return sorted(self.backend.run_hashes())

    def has_run(self, run_hash: object) -> bool:
        return self.backend.has_run(run_hash)

    def find_run(self, text: str) -> str:
        if self.has_run(text):
            return text
        matches = [run_hash for run_hash in self.backend.run_hashes() if text and run_hash.startswith(text)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise RunNotFound(
                f"{len(matches)} runs begin with {text!r}: {', '.join(sorted(matches)[:5])} ... Give more digits."
            )
        raise RunNotFound(f"Cannot find run {text!r} in repository '{self.address}'. `aim runs ls` lists the runs.")

    def run(self, run_hash: str) -> OpenRun:
        return OpenRun(self.readers, run_hash)

    def states(self, run_hashes: Iterable[str] | None = None) -> Iterator[RunState]:
        for run_hash in self.backend.run_hashes() if run_hashes is None else run_hashes:
            try:
                yield self.readers.state(run_hash)
            except (NotFound, FileNotFoundError):
                continue
            except OSError as error:
                log.warning("Aim can't read run %s and leaves it out: %s.", run_hash, error.strerror or error)

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

    # changes

    def edit(self, run_hash: str, change: Mapping[str, Any], *, by: str, after_s: float = 0.0) -> float:
        latest_at_s = max(after_s, self.readers.state(run_hash).latest_at_s)
        return self.backend.edit(run_hash, change, by=by, seen_at_s=latest_at_s)

    def fork_run(self, run_hash: str, step: int, *, name: str | None = None) -> str:
        return self.backend.fork_run(run_hash, step, name=name)

    def delete_run(self, run_hash: str) -> None:
        self.backend.delete_run(run_hash)
        self.readers.forget(run_hash)
        if self._scan is not None:
            self._scan.catalogue.readers.forget(run_hash)

    def copy_run(self, run_hash: str, target: Door) -> bool:
        is_whole = not is_recording(self, run_hash)
        if not isinstance(target, Repository):
            raise UsageError(f"{target.address}: runs are copied and moved into folders only.")
        self.backend.copy_run(run_hash, target.backend)
        return is_whole

    def move_run(self, run_hash: str, target: Door) -> None:
        move_run(self, run_hash, target)

    # beside the runs

    @property
    def documents(self) -> Documents:
        from aim.engine.documents import Documents

        return Documents(self.backend.documents)

    def tags(self, *, by: str) -> Tags:
        from aim.engine.tags import Tags

        return Tags(self, by=by)

    def artifact(self, run_hash: str, name: str) -> BinaryIO:
        from aim.engine.artifacts import find_artifact

        folder = self.backend.files.artifacts_folder(run_hash)
        return find_artifact(folder, self.readers.state(run_hash).artifacts, name).open()

    def empty_trash(self) -> None:
        self.backend.trash.empty()


def _sole_writer(repository: Repository | None, run_hash: str) -> tuple[str, int] | None:
    scan = None if repository is None else repository._scan
    return None if scan is None else scan.catalogue.sole_writer(run_hash)
