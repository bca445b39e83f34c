"""
A repository in a folder, as a `Door`.

A `Repository` is light: opening one reads a file of 14 bytes. Recording goes straight to `storage.recording.writer`;
what reads points is imported when it is first asked for, so a training process never pays for it.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from aim.core.errors import NotFound, RepoNotFound, RunBusy, RunNotFound, UsageError
from aim.core.params import Restore
from aim.core.statuses import RUNNING
from aim.engine import door, sealing
from aim.engine.door import Door
from aim.engine.open_run import OpenRun
from aim.engine.run_readers import RunReaders
from aim.storage import store
from aim.storage.disk.files import DISK, Disk
from aim.storage.disk.refusals import explained
from aim.storage.forms import edits, history
from aim.storage.forms.history import Rewind
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import RunState
from aim.storage.recording.writer import EarlierWriters, Writer

if TYPE_CHECKING:
    from aim.engine.documents import Documents
    from aim.engine.live_catalogue import LiveCatalogue
    from aim.engine.scan import Scan
    from aim.engine.tags import Tags
    from aim.storage.reading.reader import RunReader

log = logging.getLogger("aim")

_catalogue_lock = threading.Lock()


class Repository:
    """
    The repository in the folder *root*, that is in `<root>/.aim`.

    Attributes:
        readers: read the runs.

    Args:
        create: make it if it is not there.
        restore: makes the objects of runs that are read.
        cache: the folder of the catalogue's file; None: the usual one.

    Raises:
        RepoNotFound, UnsupportedFormat: see `storage.store.Store`.
    """

    def __init__(
        self,
        root: Path,
        *,
        create: bool = False,
        restore: Restore | None = None,
        cache: Path | None = None,
        disk: Disk = DISK,
    ) -> None:
        root = root.absolute()  # a training may change its current folder, as Hydra does
        self.root = root
        if "\0" in str(root):
            raise RepoNotFound(f"{str(root)!r} can't be a folder: there is a NUL character in it.")
        with explained("open a repository", root):
            self.store = store.Store(root / store.folder_name(), create=create, disk=disk)
        self._disk = disk
        self._cache = cache
        self._catalogue: LiveCatalogue | None = None
        weak_self = weakref.ref(self)  # so that the readers do not hold the repository that holds them
        self.readers = RunReaders(self.store, restore, lambda run_hash: _sole_writer(weak_self(), run_hash))

    @property
    def address(self) -> str:
        """What opens it again: the absolute path of its folder."""
        return str(self.root)

    @property
    def can(self) -> frozenset[str]:
        """What it allows: a folder allows everything that the disk does."""
        return frozenset((door.RECORD, door.EDIT, door.DELETE, door.FILES, door.SEAL))

    @property
    def files(self) -> Path:
        """The folder of the repository itself, `.aim`."""
        return self.store.path

    @property
    def path(self) -> Path:
        """The folder of the repository itself, `.aim`."""
        return self.store.path

    @staticmethod
    def exists(root: Path) -> bool:
        """Return whether there is a repository in *root*."""
        return store.is_repository(root / store.folder_name())

    @staticmethod
    def find_root(start: Path) -> Path | None:
        """Return the nearest folder from *start* upward that holds a repository."""
        return store.find_root(start)

    @staticmethod
    def remove(root: Path) -> None:
        """Delete the repository in *root*, with all runs. Raises FileNotFoundError when there is none."""
        folder = root / store.folder_name()
        if not folder.is_dir():
            raise FileNotFoundError(f"There is no repository to remove: '{folder}' does not exist.")
        import shutil  # a training removes nothing

        shutil.rmtree(folder)

    # runs

    def run_count(self) -> int:
        """Count the runs."""
        return len(self.store.run_hashes())

    def run_hashes(self) -> list[str]:
        """List the hashes of all runs, sorted."""
        return sorted(self.store.run_hashes())

    def has_run(self, run_hash: object) -> bool:
        """Return whether there is a run of that hash."""
        return self.store.has_run(run_hash)

    def find_run(self, text: str) -> str:
        """
        Return the hash of the run that *text* names: a whole hash, or the beginning of only one.

        Raises:
            RunNotFound: none, or several, begin so.
        """
        if self.has_run(text):
            return text
        matches = [run_hash for run_hash in self.store.run_hashes() if text and run_hash.startswith(text)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise RunNotFound(
                f"{len(matches)} runs begin with {text!r}: {', '.join(sorted(matches)[:5])} ... Give more digits."
            )
        raise RunNotFound(f"Cannot find run {text!r} in repository '{self.root}'. `aim runs ls` lists the runs.")

    def run(self, run_hash: str) -> OpenRun:
        """Open a run for reading. Raises RunNotFound."""
        return OpenRun(self.readers, run_hash)

    def questions(self) -> Scan:
        """Return what answers queries over all runs."""
        from aim.engine.scan import Scan

        return Scan(self.catalogue)

    @property
    def catalogue(self) -> LiveCatalogue:
        """The catalogue of all runs; the same object while the repository is in use."""
        with _catalogue_lock:
            if self._catalogue is None:
                from aim.engine.live_catalogue import LiveCatalogue

                self._catalogue = LiveCatalogue(self.files, self.readers, cache=self._cache)
            return self._catalogue

    def reader(self, run_hash: str) -> RunReader:
        """Return the reader of a run; the same one while it is in use. Raises RunNotFound."""
        return self.readers.reader(run_hash)

    def reader_before(self, run_hash: str, rewind: Rewind) -> RunReader:
        """Return the reader of a run as it stood just before a rewind; the same one while it is in use."""
        return self.readers.reader_before(run_hash, rewind)

    def log(self, run_hash: str) -> RunLog:
        """Return what reads the state of a run; the same one while it is in use. Raises RunNotFound."""
        return self.readers.log(run_hash)

    def state(self, run_hash: str) -> RunState:
        """Return the state of a run, without its points. Raises RunNotFound."""
        return self.readers.state(run_hash)

    def new_run(self, run_hash: str | None = None) -> Writer:
        """
        Begin to record into a new run, or into the run *run_hash*, which is made if it is not there.

        Raises:
            DiskRefused: (an OSError) the disk has no room, or may not be written to.
        """
        if run_hash is not None and self.has_run(run_hash):
            return self._resumed(run_hash, self.store.create_run(run_hash))
        with explained("begin a run", self.store.runs):
            folder = self.store.create_run(run_hash)
            return Writer(folder, folder.name, disk=self._disk)

    def resume_run(self, run_hash: str) -> Writer:
        """Begin to record into a run that exists. Raises RunNotFound, and DiskRefused as `new_run`."""
        return self._resumed(run_hash, self.store.run_folder(run_hash))

    def _resumed(self, run_hash: str, folder: Path) -> Writer:
        try:
            seen_at_s = RunLog(folder).refresh().latest_at_s
        except OSError:  # deleted meanwhile, or not to be read: it can be recorded into all the same
            seen_at_s = 0.0
        with explained("resume a run", folder):
            writer = Writer(folder, run_hash, disk=self._disk, history=self._history(run_hash))
        writer.advance_clock(seen_at_s)
        return writer

    def _history(self, run_hash: str) -> Callable[[], Mapping[tuple[str, str], EarlierWriters]]:
        def history() -> Mapping[tuple[str, str], EarlierWriters]:
            try:
                return past_of(self, run_hash)
            except (NotFound, FileNotFoundError):  # deleted meanwhile: the training goes on all the same
                return {}

        return history

    def edit(self, run_hash: str, change: Mapping[str, Any], *, by: str, after_s: float = 0.0) -> float:
        """
        Change a run from outside: properties, tags, params (docs/formats/edits.md). Give the edit's time.

        Args:
            after_s: the latest time of the points that it hides; the edit is later, however wrong the clocks are.

        Raises:
            RunNotFound: there is no such run.
        """
        folder = self.store.run_folder(run_hash)
        seen_at_s = max(after_s, RunLog(folder).refresh().latest_at_s)
        return edits.write(folder, change, by=by, seen_at_s=seen_at_s, disk=self._disk)

    def fork_run(self, run_hash: str, step: int, *, name: str | None = None) -> str:
        """
        Make a new run that goes on from what a run shows now up to *step*; give its hash (storage/care/forking.py).

        Raises:
            RunNotFound: there is no such run.
        """
        from aim.storage.care.forking import fork_run

        return fork_run(self.store, run_hash, step, name=name, disk=self._disk)

    def delete_run(self, run_hash: str) -> None:
        """Delete a run. Raises RunNotFound."""
        self.store.delete_run(run_hash)
        self.readers.forget(run_hash)

    def is_recording(self, run_hash: str) -> bool:
        """Return whether some process records into a run now. Raises RunNotFound."""
        return self.state(run_hash).status()[0] == RUNNING

    def copy_run(self, run_hash: str, target: Door) -> bool:
        """
        Copy a run; give whether it is whole: False when it was still recording, so that the copy has what was there.

        Raises:
            RunNotFound, RunExists: as `storage.store.Store.copy_run`.
        """
        is_whole = not self.is_recording(run_hash)
        self.store.copy_run(run_hash, _folder_behind(target).store)
        return is_whole

    def move_run(self, run_hash: str, target: Door) -> None:
        """
        Move a run.

        Raises:
            RunNotFound, RunExists: as `storage.store.Store.copy_run`.
            RunBusy: some process records into it: what it records from now on would be lost.
        """
        advice = "Close it first, or copy it: the copy gets what is there (`aim runs cp`)."
        if self.is_recording(run_hash):
            raise RunBusy(f"Run {run_hash!r} is still recording, so it is not moved. {advice}")
        self.copy_run(run_hash, target)
        if self.is_recording(run_hash):  # resumed meanwhile
            target.delete_run(run_hash)
            raise RunBusy(f"Run {run_hash!r} began to record again while it was moved; it stays here. {advice}")
        self.delete_run(run_hash)

    def ended(self, writer: Writer) -> None:
        """Have what a closed writer recorded sealed by another process, which this one does not wait for."""
        sealing.seal_soon(writer.folder, writer.id)

    @property
    def documents(self) -> Documents:
        """The saved views, reports and descriptions of tags."""
        from aim.engine.documents import Documents

        return Documents(self.files, self._disk)

    def tags(self, *, by: str) -> Tags:
        """Return the tags of the repository; *by* says in edits who changes them."""
        from aim.engine.tags import Tags

        return Tags(self, by=by)

    def artifact(self, run_hash: str, name: str) -> BinaryIO:
        """Open one artifact of a run. Raises RunNotFound, NotFound."""
        from aim.engine.artifacts import find_artifact

        return find_artifact(self.run(run_hash).artifact_folder(), self.state(run_hash).artifacts, name).open()

    def empty_trash(self) -> None:
        """Remove what interrupted deletions and copies left."""
        self.store.empty_trash()

    def states(self, run_hashes: Iterable[str] | None = None) -> Iterator[RunState]:
        """
        Go through the states of runs, all of them by default; runs deleted meanwhile are left out, and with a warning
        those that may not be read.
        """
        for run_hash in self.store.run_hashes() if run_hashes is None else run_hashes:
            try:
                yield self.state(run_hash)
            except (NotFound, FileNotFoundError):
                continue
            except OSError as error:
                log.warning("Aim can't read run %s and leaves it out: %s.", run_hash, error.strerror or error)


def _sole_writer(repository: Repository | None, run_hash: str) -> tuple[str, int] | None:
    catalogue = None if repository is None else repository._catalogue
    return None if catalogue is None else catalogue.sole_writer(run_hash)


def _folder_behind(target: Door) -> Repository:
    if not isinstance(target, Repository):
        raise UsageError(f"{target.address}: runs are copied and moved between folders only.")
    return target


def past_of(repository: Repository, run_hash: str) -> Mapping[tuple[str, str], EarlierWriters]:
    """
    Return what the writers of a run recorded of each sequence, so that a new writer goes on where they are.

    Cost: of writers that ended properly, one line; of others their points are read.
    """
    state = repository.state(run_hash)
    past: dict[tuple[str, str], EarlierWriters] = {}
    for key, facts in state.sequences.items():
        upcoming = 0
        unknown = False
        rewinds = state.rewinds if facts.is_rewound else ()
        for part in facts.parts:
            writer = state.writers[part.writer]
            next_steps = writer.end.get("next", ()) if writer.end else ()
            if 0 < part.number <= len(next_steps):
                later = [rewind for rewind in rewinds if rewind.time_s > (writer.ended_at_s or 0.0)]
                upcoming = max(upcoming, history.next_step(next_steps[part.number - 1], later))
            else:
                unknown = True
        if unknown:  # what rewinds hide is left out here
            points = repository.reader(run_hash).points(key)
            if points is not None and len(points):
                upcoming = max(upcoming, int(points.steps[-1]) + 1)
        past[key] = EarlierWriters(frozenset(part.kind for part in facts.parts), upcoming)
    return past
