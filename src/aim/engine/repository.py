"""
The door: everything that the SDK, the server and the command line ask of a repository.

A `Repository` is light: opening one reads a file of 14 bytes. Recording goes straight to `storage.writer`; what reads
points is imported when it is first asked for, so a training process never pays for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from aim.core.errors import NotFound, RepoNotFound, RunBusy, RunNotFound
from aim.core.params import Restore
from aim.core.recent import Recent
from aim.core.statuses import RUNNING
from aim.storage import store
from aim.storage.disk.files import DISK, Disk
from aim.storage.disk.refusals import explained
from aim.storage.forms import edits, history
from aim.storage.forms.history import Rewind
from aim.storage.forms.state import RunLog, RunState
from aim.storage.recording.writer import EarlierWriters, Writer

if TYPE_CHECKING:
    from aim.storage.reading.reader import RunReader

log = logging.getLogger("aim")

READERS_MAX = 512  # runs whose decoded points are kept
EARLIER_MAX = 64  # earlier states of runs


class Repository:
    """
    The repository in the folder *root*, that is in `<root>/.aim`.

    Attributes:
        sole_writer: who sealed all points of a run, as `storage.catalogue` knows it; set by `engine.scan`.

    Args:
        create: make it if it is not there.
        restore: makes the objects of runs that are read.

    Raises:
        RepoNotFound, UnsupportedFormat: see `storage.store.Store`.
    """

    def __init__(self, root: Path, *, create: bool = False, restore: Restore | None = None, disk: Disk = DISK) -> None:
        root = root.absolute()  # a training may change its current folder, as Hydra does
        self.root = root
        if "\0" in str(root):
            raise RepoNotFound(f"{str(root)!r} can't be a folder: there is a NUL character in it.")
        with explained("open a repository", root):
            self.store = store.Store(root / store.folder_name(), create=create, disk=disk)
        self._restore = restore
        self._disk = disk
        self._readers: Recent[str, RunReader] = Recent(READERS_MAX)
        self._logs: WeakValueDictionary[str, RunLog] = WeakValueDictionary()
        self._lock = threading.Lock()
        self._earlier: Recent[tuple[str, Rewind], RunReader] = Recent(EARLIER_MAX)
        self.sole_writer: Callable[[str], tuple[str, int] | None] = lambda run_hash: None

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

    def reader(self, run_hash: str) -> RunReader:
        """
        Return the reader of a run; the same one for as long as it is in use.

        Raises:
            RunNotFound: there is no such run.
        """
        from aim.storage.reading.reader import RunReader

        folder = self.store.run_folder(run_hash)
        with self._lock:
            reader = self._readers.get(
                run_hash, None, lambda: RunReader(folder, self._restore, log=self._log(run_hash))
            )
        sole = self.sole_writer(run_hash)
        if sole is not None:
            reader.use_sole_writer(*sole)
        return reader

    def reader_before(self, run_hash: str, rewind: Rewind) -> RunReader:
        """
        Return the reader of a run as it stood just before a rewind; the same one for as long as it is in use.

        Raises:
            RunNotFound: there is no such run.
        """
        from aim.storage.reading.reader import RunReader

        folder = self.store.run_folder(run_hash)
        with self._lock:
            return self._earlier.get(
                (run_hash, rewind),
                None,
                lambda: RunReader(folder, self._restore, log=self._log(run_hash), before=rewind),
            )

    def log(self, run_hash: str) -> RunLog:
        """
        Return what reads the state of a run; the same one for as long as it is in use. Raises RunNotFound.
        """
        self.store.run_folder(run_hash)
        with self._lock:
            return self._log(run_hash)

    def _log(self, run_hash: str) -> RunLog:
        log = self._logs.get(run_hash)
        if log is None:
            log = self._logs[run_hash] = RunLog(self.store.runs / run_hash, self._restore)
        return log

    def state(self, run_hash: str) -> RunState:
        """Return what is known of a run without its points. Raises RunNotFound."""
        return RunLog(self.store.run_folder(run_hash), self._restore).refresh()

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
        with self._lock:
            self._readers.pop(run_hash)
            self._logs.pop(run_hash, None)
            for key in self._earlier:
                if key[0] == run_hash:
                    self._earlier.pop(key)

    def is_recording(self, run_hash: str) -> bool:
        """Return whether some process records into a run now. Raises RunNotFound."""
        return self.state(run_hash).status()[0] == RUNNING

    def copy_run(self, run_hash: str, target: Repository) -> bool:
        """
        Copy a run; give whether it is whole: False when it was still recording, so that the copy has what was there.

        Raises:
            RunNotFound, RunExists: as `storage.store.Store.copy_run`.
        """
        is_whole = not self.is_recording(run_hash)
        self.store.copy_run(run_hash, target.store)
        return is_whole

    def move_run(self, run_hash: str, target: Repository) -> None:
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
