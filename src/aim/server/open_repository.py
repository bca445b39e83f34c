"""
Open repositories, each with all that the endpoints ask of it: its catalogue, its points, its alerts, its changes that
can be undone, and its documents.
"""

from __future__ import annotations

import importlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar

from aim.core.errors import AimError, RepoNotFound
from aim.core.recent import MEMORY, Recent
from aim.engine.alerts import Alerts
from aim.engine.backend_repository import BackendRepository
from aim.engine.opening import repository_exists
from aim.engine.points import PointStore
from aim.engine.repository import Repository
from aim.engine.run_states import RunStates
from aim.engine.sealing import seal_soon
from aim.engine.tail import Watch
from aim.engine.undo import Changes
from aim.query.query import Query
from aim.server.answers import Refusal
from aim.server.room import Room
from aim.storage.catalogue.catalogue_update import CatalogueChanges
from aim.storage.catalogue.run_table import RunTable

Result = TypeVar("Result")
Progress = Callable[[str, int, int], None]
"""Is called with the id of a repository, how many of its runs were read, and how many there are."""
FRAMES_BYTES_MAX = 64 << 20  # frames that are kept, of one repository

log = logging.getLogger("aim.server")


class Receiving(Protocol):
    """What takes the requests of trainings, and once a second puts on the disk what it took."""

    def receive(self, body: bytes) -> dict[str, Any]:
        """Take a request; return the answer."""

    def sync(self) -> None:
        """Put everything that was received so far on the disk."""

    def doubt(self, refusal: Exception) -> None:
        """Have everything that is not durable sent again."""

    def close(self) -> None:
        """Put all on the disk, and close the files."""


class OpenRepository:
    """
    A repository and what the endpoints ask of it.

    Attributes:
        title: its name for people.
        location: where it is, for people.
    """

    def __init__(self, repo_id: str, repository: BackendRepository, title: str) -> None:
        self.id = repo_id
        self.title = title
        self.repository = repository
        self.location = repository.address
        self.catalogue = self.repository.questions().catalogue
        self.watch = Watch(self.catalogue)
        self.points = PointStore(self.repository, self.watch)
        self.alerts = Alerts(self.points)
        self.changes = Changes(self.repository)
        self.documents = self.repository.documents
        self.room = Room(None)
        self.states = RunStates(self.repository.backend)
        self.frames: Recent[str, bytes] = Recent(FRAMES_BYTES_MAX, len, bound=MEMORY)

    def check_exists(self) -> None:
        """Raise RepoNotFound when the repository is gone; without this it would look as if it had no runs."""

    def read_only_reason(self) -> str | None:
        """Return why the repository can't be changed; None when it can be."""
        return None

    def folder(self) -> OpenFolder:
        """Return the repository with its files. Raises Refusal: (404) it is not in a folder."""
        raise Refusal(404, "not-found", f"{self.location} is not in a folder, which this needs.")

    def receiver(self) -> Receiving:
        """Return what takes the requests of trainings."""
        raise NotImplementedError

    def write_archive(self, run_hash: str, target: BinaryIO) -> None:
        """Write a run as an archive."""
        raise NotImplementedError

    def ask(
        self,
        question: Callable[[RunTable], Result],
        *,
        about: Query | Sequence[str] | None = None,
        known: Callable[[RunTable], Result | None] | None = None,
    ) -> Result:
        """
        Return what *question* returns for the table of runs, which is up to date and does not change meanwhile.

        While many runs have yet to be read, the table holds those that were read; see `LiveCatalogue.ask_now`.

        Args:
            about: the query or the runs that the question is about.
            known: see `LiveCatalogue.ask_now`.

        Raises:
            RepoNotFound: the folder of the repository is gone.
        """
        self.check_exists()
        return self.catalogue.ask_now(question, about=about, known=known)

    def ask_all(self, question: Callable[[RunTable], Result], *, about: Query | Sequence[str] | None = None) -> Result:
        """Do as `ask`, but first wait until all runs are read: for what people keep, such as an export."""
        self.check_exists()
        return self.catalogue.ask(question, about=about)

    def run_count(self) -> int:
        """Return how many runs there are, archived ones included."""
        return self.repository.run_count()

    def report_progress(self, progress: Progress) -> None:
        """From now on call *progress* while many runs are read, and once more when all are."""
        total = 0

        def report(refreshed: CatalogueChanges) -> None:
            nonlocal total
            indexing = self.catalogue.indexing
            if indexing is not None and refreshed.unread_count:
                total = indexing[1]
                progress(self.id, *indexing)
            elif total:
                progress(self.id, total, total)
                total = 0

        self.catalogue.listen(report)

    def warm(self) -> None:
        """Read the catalogue now, and load what reads points, so that the first page does not wait for it."""
        try:
            importlib.import_module("pyarrow")  # it takes 0.2 s, which the first curve would wait for
            self.catalogue.refresh_for_now()
        except (AimError, OSError) as error:
            log.warning("Aim can't read the repository in %s: %s", self.location, error)

    def close(self) -> None:
        """Stop reading runs, and empty the trash."""
        self.catalogue.close()
        self.changes.empty_trash(now=True)


class OpenFolder(OpenRepository):
    """
    The repository in the folder *root*.

    Raises:
        RepoNotFound, UnsupportedFormat: see `Repository`.
    """

    def __init__(self, repo_id: str, root: Path) -> None:
        repository = Repository(root)
        super().__init__(repo_id, repository, root.resolve().name)
        self.root: Path = root
        self.files = repository.backend.files
        self.location = str(self.files.path)
        self.room = Room(self.files.path)

    def check_exists(self) -> None:
        """Raise RepoNotFound when the folder is gone: it was moved, or its disk is not mounted."""
        if not repository_exists(self.root):
            raise RepoNotFound(f"The repository in {self.root} is gone. Was it moved, or is its disk not mounted?")

    def read_only_reason(self) -> str | None:
        """
        Return why the repository can't be changed: `disk`, it is mounted read-only, or `rights`; None when it can be.

        Cost: 5 us.
        """
        runs = self.files.path / "runs"
        if os.access(runs, os.W_OK):
            return None
        try:
            return "disk" if os.statvfs(runs).f_flag & os.ST_RDONLY else "rights"
        except OSError:  # it is gone, which other requests say
            return None

    def folder(self) -> OpenFolder:
        """Return this."""
        return self

    def receiver(self) -> Receiving:
        """Return what takes the requests of trainings, and seals the runs that have ended."""
        return self.files.receiver(seal_soon)

    def write_archive(self, run_hash: str, target: BinaryIO) -> None:
        """Write a run as an archive."""
        self.files.write_archive(target, run_hashes=[run_hash])


def no_repository(repo_id: str) -> Refusal:
    """Return the error for a repository that is not served, or that a request may not see: the two look alike."""
    return Refusal(404, "not-found", f"No repository {repo_id!r} is served here.", error="RepoNotFound")


class Repositories(Protocol):
    """
    The repositories of a server, by name.

    Attributes:
        default: the one that an address without a name means; None: the address has to name one.
    """

    @property
    def default(self) -> str | None: ...

    def __iter__(self) -> Iterator[OpenRepository]:
        """Yield those that are open."""

    def names(self) -> list[str]:
        """List all names; the first is that of the repository which pages show first."""

    def location(self, name: str) -> str:
        """Return where a repository is, for people."""

    def run_count(self, name: str) -> int:
        """Return how many runs a repository has, archived ones included."""

    def is_open(self, name: str) -> bool:
        """Return whether a repository is open, so that `get` is quick."""

    def get(self, name: str, *, create: bool = False) -> OpenRepository:
        """Return a repository; with *create* make it where that is possible. Raises Refusal: (404) there is none."""

    def is_measured(self, name: str) -> bool:
        """Return whether `check_room` looks at no file at this moment."""

    def check_room(self, name: str) -> None:
        """Check that a repository may grow. Raises Refusal: (507) it may not."""

    def close_idle(self, is_followed: Callable[[OpenRepository], bool]) -> list[str]:
        """Close those that nobody has asked for lately; return their names."""

    def sweep(self) -> None:
        """Remove what other servers have left half done; called every few seconds."""

    def warm(self) -> None:
        """Read the catalogues beforehand, where that is sensible."""

    def close(self) -> None:
        """Close all."""


class OpenRepositories:
    """The repositories that a server was started with; they stay open. The first is what pages show first."""

    def __init__(self, repos: Iterable[OpenRepository]) -> None:
        self._repos = {repo.id: repo for repo in repos}

    def __iter__(self) -> Iterator[OpenRepository]:
        return iter(self._repos.values())

    @property
    def default(self) -> str | None:
        """The only repository; None when there are several."""
        return next(iter(self._repos)) if len(self._repos) == 1 else None

    def names(self) -> list[str]:
        """List the names."""
        return list(self._repos)

    def location(self, name: str) -> str:
        """Return where a repository is, for people."""
        return self.get(name).location

    def run_count(self, name: str) -> int:
        """Return how many runs a repository has, archived ones included."""
        return self.get(name).run_count()

    def is_open(self, name: str) -> bool:
        """Return whether there is a repository of that name: all are open."""
        return name in self._repos

    def get(self, name: str, *, create: bool = False) -> OpenRepository:
        """Return the repository of that name; none is made. Raises Refusal: (404) there is none."""
        repo = self._repos.get(name)
        if repo is None:
            raise no_repository(name)
        return repo

    def is_measured(self, name: str) -> bool:
        """Return True."""
        return True

    def check_room(self, name: str) -> None:
        """Do nothing: only projects have bounds."""

    def close_idle(self, is_followed: Callable[[OpenRepository], bool]) -> list[str]:
        """Close none."""
        return []

    def sweep(self) -> None:
        """Do nothing: what a deletion has left of a folder is removed by `aim storage prune`."""

    def warm(self) -> None:
        """Read all catalogues in a thread that ends by itself."""

        def read() -> None:
            for repo in self:
                repo.warm()

        threading.Thread(target=read, name="aim-warm", daemon=True).start()

    def close(self) -> None:
        """Close all."""
        for repo in self:
            repo.close()
