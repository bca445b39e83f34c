"""
A repository over a `Backend`, as a `Door`: what is the same for a folder and for a project of a cluster.

`repository.Repository` is one in a folder. A `Repository` is light: what reads points is imported when it is first
asked for, so a training process never pays for it.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from aim.core.errors import NotFound, RunNotFound, UsageError
from aim.core.logs import log
from aim.core.params import Restore
from aim.engine import door
from aim.engine.door import Door
from aim.engine.open_run import OpenRun
from aim.engine.run_readers import RunReaders
from aim.storage.backend import Backend
from aim.storage.forms.state import RunState
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
    from aim.engine.documents import Documents
    from aim.engine.scan import Scan
    from aim.engine.tags import Tags


class BackendRepository(Door):
    """
    The runs of *backend*.

    Attributes:
        backend: where the runs are.
        readers: read the runs.

    Args:
        restore: makes the objects of runs that are read.
    """

    can = frozenset((door.EDIT, door.DELETE))

    def __init__(self, backend: Backend, restore: Restore | None = None) -> None:
        self.backend = backend
        self._scan: Scan | None = None
        weak_self = weakref.ref(self)  # so that the readers do not hold the repository that holds them
        self.readers = RunReaders(backend, restore, lambda run_hash: _sole_writer(weak_self(), run_hash))

    @property
    def address(self) -> str:
        return self.backend.address

    @property
    def files(self) -> Path:
        """The folder. Raises UsageError: there is none."""
        raise UsageError(f"{self.address} is not in a folder, which this needs.")

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
        """Return what answers queries over all runs."""
        if self._scan is None:
            from aim.engine.shared_scans import new_scan

            self._scan = new_scan(self.backend, self.readers.restore)
        return self._scan

    # recording

    def new_run(self, run_hash: str | None = None) -> Writer:
        return self.backend.new_writer(run_hash)

    def resume_run(self, run_hash: str) -> Writer:
        return self.backend.resume_writer(run_hash)

    def ended(self, writer: Writer) -> None:
        """Do nothing: nothing is sealed."""

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
        raise UsageError(f"Copy runs out of {self.address} with: aim sync {self.address} FOLDER")

    def move_run(self, run_hash: str, target: Door) -> None:
        self.copy_run(run_hash, target)

    # beside the runs

    @property
    def documents(self) -> Documents:
        from aim.engine.documents import Documents

        return Documents(self.backend.documents)

    def tags(self, *, by: str) -> Tags:
        from aim.engine.tags import Tags

        return Tags(self, by=by)

    def artifact(self, run_hash: str, name: str) -> BinaryIO:
        for file in self.run(run_hash).files():
            if file.name == name:
                return file.open()
        raise NotFound(f"The run has no artifact {name!r}.")

    def empty_trash(self) -> None:
        self.backend.trash.empty()


def _sole_writer(repository: BackendRepository | None, run_hash: str) -> tuple[str, int] | None:
    scan = None if repository is None else repository._scan
    return None if scan is None else scan.catalogue.sole_writer(run_hash)
