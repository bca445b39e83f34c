"""
A repository in a folder, as a `Door`.

A `Repository` is light: opening one reads a file of 14 bytes. Recording goes straight to `storage.recording.writer`;
what reads points is imported when it is first asked for, so a training process never pays for it.
"""

from __future__ import annotations

import contextlib
import logging
import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from aim.core.errors import NotFound, RepoNotFound, RunBusy, RunNotFound, UsageError
from aim.core.params import Restore
from aim.core.statuses import RUNNING
from aim.engine import door, sealing
from aim.engine.door import Door
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

log = logging.getLogger("aim")

BUSY_ADVICE = "Close it first, or copy it: the copy gets what is there (`aim runs cp`)."


class Repository:
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
        """The absolute path of the folder, which opens it again."""
        return self.backend.address

    @property
    def files(self) -> Path:
        """The folder of the repository itself, `.aim`."""
        return self.backend.files.path

    # runs

    def run_count(self) -> int:
        """Count the runs."""
        return len(self.backend.run_hashes())

    def run_hashes(self) -> list[str]:
        """List the hashes of all runs, sorted."""
        return sorted(self.backend.run_hashes())

    def has_run(self, run_hash: object) -> bool:
        """Return whether there is a run of that hash."""
        return self.backend.has_run(run_hash)

    def find_run(self, text: str) -> str:
        """
        Return the hash of the run that *text* names: a whole hash, or the beginning of only one.

        Raises:
            RunNotFound: no run begins so, or several do.
        """
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
        """Open a run for reading. Raises RunNotFound."""
        return OpenRun(self.readers, run_hash)

    def states(self, run_hashes: Iterable[str] | None = None) -> Iterator[RunState]:
        """
        Go through the states of runs, of all by default. Runs deleted meanwhile are left out, and those that can't be
        read with a warning.
        """
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
        """
        Begin to record into a new run, or into the run *run_hash*, which is made if there is none.

        Raises:
            DiskRefused: (an OSError) the disk has no room, or may not be written to.
        """
        if run_hash is not None and self.has_run(run_hash):
            with contextlib.suppress(RunNotFound):  # deleted meanwhile: it is made again
                return self.resume_run(run_hash)
        return self.backend.new_writer(run_hash)

    def resume_run(self, run_hash: str) -> Writer:
        """Begin to record into a run that exists. Raises RunNotFound, and DiskRefused as `new_run`."""
        return resume_run(self.backend, self.readers, run_hash)

    def ended(self, writer: Writer) -> None:
        """Have what a closed writer recorded sealed by another process, which this one does not wait for."""
        sealing.seal_soon(writer.files.folder, writer.id)

    # changes

    def edit(self, run_hash: str, change: Mapping[str, Any], *, by: str, after_s: float = 0.0) -> float:
        """
        Change properties, tags or params of a run (docs/formats/edits.md), and return the time of the edit.

        Args:
            after_s: the latest time of the points that it hides; the edit is later, however wrong the clocks are.

        Raises:
            RunNotFound: there is no such run.
        """
        latest_at_s = max(after_s, self.readers.state(run_hash).latest_at_s)
        return self.backend.edit(run_hash, change, by=by, seen_at_s=latest_at_s)

    def fork_run(self, run_hash: str, step: int, *, name: str | None = None) -> str:
        """
        Return the hash of a new run that has what a run shows now up to *step* (storage/care/forking.py).

        Raises:
            RunNotFound: there is no such run.
        """
        return self.backend.fork_run(run_hash, step, name=name)

    def delete_run(self, run_hash: str) -> None:
        """Delete a run. Raises RunNotFound."""
        self.backend.delete_run(run_hash)
        self.readers.forget(run_hash)
        if self._scan is not None:
            self._scan.catalogue.readers.forget(run_hash)

    def copy_run(self, run_hash: str, target: Door) -> bool:
        """
        Copy a run; return False when it was still recording: the copy then has what was recorded so far.

        Raises:
            RunNotFound, RunExists: see `storage.store.Store.copy_run`.
            UsageError: *target* is no folder.
        """
        is_whole = not _is_recording(self.readers.state(run_hash))
        if not isinstance(target, Repository):
            raise UsageError(f"{target.address}: runs are copied and moved between folders only.")
        self.backend.copy_run(run_hash, target.backend)
        return is_whole

    def move_run(self, run_hash: str, target: Door) -> None:
        """
        Move a run.

        Raises:
            RunNotFound, RunExists, UsageError: see `copy_run`.
            RunBusy: it is still recording: what is recorded from now on would be lost.
        """
        if _is_recording(self.readers.state(run_hash)):
            raise RunBusy(f"Run {run_hash!r} is still recording, so it is not moved. {BUSY_ADVICE}")
        self.copy_run(run_hash, target)
        if _is_recording(self.readers.state(run_hash)):  # resumed meanwhile
            target.delete_run(run_hash)
            raise RunBusy(f"Run {run_hash!r} began to record again while it was moved; it stays here. {BUSY_ADVICE}")
        self.delete_run(run_hash)

    # beside the runs

    @property
    def documents(self) -> Documents:
        """The saved views, reports and descriptions of tags."""
        from aim.engine.documents import Documents

        return Documents(self.backend.documents)

    def tags(self, *, by: str) -> Tags:
        """Return the tags of the repository; *by* says in edits who changes them."""
        from aim.engine.tags import Tags

        return Tags(self, by=by)

    def artifact(self, run_hash: str, name: str) -> BinaryIO:
        """Open one artifact of a run. Raises RunNotFound, NotFound."""
        from aim.engine.artifacts import find_artifact

        folder = self.backend.files.artifacts_folder(run_hash)
        return find_artifact(folder, self.readers.state(run_hash).artifacts, name).open()

    def empty_trash(self) -> None:
        """Remove what interrupted deletions and copies left."""
        self.backend.trash.empty()


def _is_recording(state: RunState) -> bool:
    return state.status()[0] == RUNNING


def _sole_writer(repository: Repository | None, run_hash: str) -> tuple[str, int] | None:
    scan = None if repository is None else repository._scan
    return None if scan is None else scan.catalogue.sole_writer(run_hash)
