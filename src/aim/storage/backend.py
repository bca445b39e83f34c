"""
What the engine asks of the place where runs are stored.

    engine.repository, scan, documents ...   ->   Backend      a folder: storage/folder.py
                                                  RunFiles     what only a folder has: paths, sealing, check, repair

No module above this one builds the path of a file of a run. A second backend implements `Backend`, returns None as its
`files`, and gives the readers and the catalogue other sources.

Light: a training process imports it, so all that reads points is imported for type checkers only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from aim.core.errors import NotFound
from aim.core.params import Restore
from aim.storage.disk.files import Disk
from aim.storage.forms.history import Rewind
from aim.storage.forms.run_log import RunLog
from aim.storage.forms.state import Damage
from aim.storage.recording.sequences import ReadEarlier
from aim.storage.recording.writer import Writer

if TYPE_CHECKING:
    from aim.storage.care.importing import ImportFollowers, RunImport
    from aim.storage.care.repair import RepairReport
    from aim.storage.catalogue.catalogue_update import CatalogueChanges
    from aim.storage.catalogue.run_table import RunTable
    from aim.storage.forms.artifact_records import ArtifactRecord
    from aim.storage.forms.state import SequenceKey
    from aim.storage.reading.reader import RunReader
    from aim.storage.reading.stored_sequence import StoredSequence
    from aim.storage.shipping.receiving import Receiver

Progress = Callable[[int, int], None]
"""Is called with how many runs were read, and how many there are to read."""


class PartialTable(Protocol):
    """The table of a repository that has too many runs for memory: what is not in it has to be asked for."""

    @property
    def total(self) -> int | None:
        """How many runs there are, about."""

    def narrow(self, condition: tuple[str, str, Mapping[str, str]]) -> bool:
        """Bring the runs that pass a condition (`query.sql.Statement`) into the table; return whether all fit."""

    def include(self, run_hashes: Iterable[str]) -> None:
        """Bring runs into the table, those that there are."""


class ArrivingTable(Protocol):
    """What reads the runs that trainings on other hosts record through a server, apart from a refresh."""

    @property
    def count(self) -> int:
        """How many runs arrive."""

    def changed(self) -> list[str]:
        """Return the runs of which something has arrived that was not read."""

    def read(self, run_hashes: list[str]) -> CatalogueChanges:
        """Read what has arrived of some runs, which `changed` returned."""


class RunCatalogue(Protocol):
    """The columns that queries ask; `storage.catalogue.catalogue.Catalogue` is one."""

    @property
    def table(self) -> RunTable:
        """The columns."""

    @property
    def version(self) -> int:
        """Grows with every change that a refresh finds."""

    @property
    def unread_count(self) -> int:
        """How many runs are still to be read."""

    def refresh(
        self,
        *,
        full: bool = False,
        progress: Progress | None = None,
        within_s: float | None = None,
        arrivals: bool = True,
    ) -> CatalogueChanges:
        """Bring the table up to date, and return which runs changed; without *arrivals* see `arriving`."""

    @property
    def arriving(self) -> ArrivingTable | None:
        """What reads the runs that arrive when a refresh does not; None: it does."""

    @property
    def partial(self) -> PartialTable | None:
        """What brings runs into the table; None: it has all runs that were read."""

    def rebuild(self) -> None:
        """Throw the table away; the next refresh reads all runs."""

    def sole_writer(self, run_hash: str) -> tuple[str, int] | None:
        """Return the writer that has sealed all points of a run, with the stamp of that moment; None: no such one."""

    def close(self) -> None:
        """Release the files."""


class RunFiles(Protocol):
    """What a repository in a folder has besides: its paths, and the care for its files."""

    @property
    def path(self) -> Path:
        """The folder of the repository itself, `.aim`."""

    @property
    def disk(self) -> Disk:
        """The calls that change files."""

    def run_folder(self, run_hash: str) -> Path:
        """Return the folder of a run. Raises RunNotFound."""

    def artifacts_folder(self, run_hash: str) -> Path:
        """Return the folder of the artifacts that are kept with a run. Raises RunNotFound."""

    def check(self) -> Iterator[tuple[str, list[Damage]]]:
        """Go through the repository's own files (as "") and all runs, with the damage of each."""

    def check_run(self, run_hash: str) -> list[Damage]:
        """Return the damage of one run. Raises RunNotFound."""

    def repair_run(self, run_hash: str, target: RunFiles) -> RepairReport:
        """Write a mended copy of a run into another repository. Raises RunNotFound and RunExists."""

    def repair_format(self) -> bool:
        """Write the file that says which format the repository has, if it is damaged; return whether it was."""

    def receiver(self, on_complete: Callable[[Path, str], object] | None = None) -> Receiver:
        """Return what takes the requests of shippers; *on_complete* is called with folder and id of ended writers."""

    def write_archive(
        self,
        target: Path | BinaryIO,
        progress: Callable[[str], None] | None = None,
        *,
        run_hashes: Iterable[str] | None = None,
    ) -> int:
        """Write all runs, or only *run_hashes*, into the ZIP file *target*; return how many they are."""


class RunTrash(Protocol):
    """Where deleted runs wait, so that a deletion can be taken back."""

    def put_away(self, run_hash: str) -> str:
        """Take a run out of the repository; return the name under which it waits. Raises RunNotFound."""

    def bring_back(self, trash_name: str) -> str:
        """Put a run back; return its hash. Raises RunNotFound and RunExists."""

    def remove(self, trash_name: str) -> None:
        """Remove a run for good; nothing happens when it is gone."""

    def empty(self) -> None:
        """Remove all that waits, and what interrupted copies left."""


class DocumentFiles(Protocol):
    """Small files beside the runs, each written as a whole."""

    def stamp(self) -> int:
        """Return a number that changes when a document is written or deleted, by anybody; 0 while there was none."""

    def names(self) -> list[str]:
        """List the names of the documents, sorted."""

    def read(self, name: str) -> bytes | None:
        """Return the content of a document; None when there is none."""

    def write(self, name: str, content: bytes) -> None:
        """Write a document in place of the one of that name, as a whole or not at all."""


class Backend(Protocol):
    """
    The runs of one repository.

    Attributes:
        trash: deleted runs.
        documents: small files beside the runs.

    Methods that take a *run_hash* raise RunNotFound when there is no such run.
    """

    @property
    def trash(self) -> RunTrash: ...

    @property
    def documents(self) -> DocumentFiles: ...

    @property
    def address(self) -> str:
        """Where the runs are, for messages."""

    @property
    def files(self) -> RunFiles | None:
        """The files of the repository; None when it is not in a folder."""

    # runs

    def is_available(self) -> bool:
        """Return whether the repository is still there: its disk may be away."""

    def run_hashes(self) -> list[str]:
        """List the runs, in no order."""

    def has_run(self, run_hash: object) -> bool:
        """Return whether there is a run of that hash."""

    def check_exists(self, run_hash: str) -> None:
        """Raise RunNotFound when there is no such run."""

    def delete_run(self, run_hash: str) -> None:
        """Delete a run for good."""

    def copy_run(self, run_hash: str, target: Backend) -> None:
        """Copy a run under the same hash. Raises RunExists too."""

    def fork_run(self, run_hash: str, step: int, *, name: str | None = None) -> str:
        """Make a new run from what a run shows now up to *step*; return its hash."""

    def import_run(self, run_hash: str, *, created_at_s: float | None = None) -> RunImport:
        """Begin to write a run that another program recorded (storage/care/importing.py). Raises OSError."""

    def import_note(self, run_hash: str) -> dict[str, Any] | None:
        """Return what was noted when a run was imported; None when it was not."""

    def import_followers(self, run_hash: str) -> ImportFollowers:
        """Return who records what the source of an imported run still gets."""

    # reading

    def together(self, run_hashes: Sequence[str]) -> AbstractContextManager[None]:
        """Say that this thread reads these runs within a `with` block; a backend may read them together."""
        return nullcontext()

    def log(self, run_hash: str, restore: Restore | None = None) -> RunLog:
        """Return a new reader of a run's state."""

    def reader(
        self,
        run_hash: str,
        restore: Restore | None = None,
        *,
        may_seal: bool = True,
        log: RunLog | None = None,
        before: Rewind | None = None,
    ) -> RunReader:
        """Return a new reader of a run's points; see `storage.reading.reader.RunReader`."""

    def stored_sequence(self, run_hash: str, key: SequenceKey) -> StoredSequence | None:
        """
        Return a sequence of numbers that this place can reduce by itself; None: its points have to be read. Nothing is
        hidden of such a sequence, and one writer has recorded all of it.
        """
        return None

    def open_artifact(self, run_hash: str, record: ArtifactRecord) -> BinaryIO:
        """Open an artifact that is kept with a run, but in no folder. Raises NotFound: its bytes are not there."""
        raise NotFound(f"The artifact {record.name!r} is in the folder of run {run_hash!r}.")

    def catalogue(self, open_reader: Callable[[str], RunReader], *, cache: Path | None = None) -> RunCatalogue:
        """Return a new catalogue of the runs."""

    # recording

    def new_writer(self, run_hash: str | None = None) -> Writer:
        """Make a run, and begin to record into it. Raises DiskRefused."""

    def resume_writer(self, run_hash: str, read_earlier: ReadEarlier | None = None) -> Writer:
        """Begin to record into a run that exists. Raises DiskRefused too."""

    def edit(self, run_hash: str, change: Mapping[str, Any], *, by: str, seen_at_s: float = 0.0) -> float:
        """Add an edit to a run (docs/formats/edits.md); return its time, which is later than *seen_at_s*."""

    def edit_runs(
        self, run_hashes: Iterable[str], change: Mapping[str, Any], *, by: str, seen_at_s: float = 0.0
    ) -> list[str]:
        """Add the same edit to many runs, as one write where that is possible; return those that were there."""
