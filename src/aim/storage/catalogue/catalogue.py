"""
The catalogue: all runs of a repository as columns, kept up to date, with a cache on the reader's machine.

    CatalogueFile (a file of the user's cache)  ->  TableFiller, RunTable (memory)  <-  RunFolders (which have changed)

It is only a cache: when its file is deleted, damaged, old or missing, it is made again from the runs. A process that
records never uses it. Specified in docs/formats/catalogue.md; why, in docs/decisions/catalogue.md.

Rule 1: `refresh` before a query; then the query sees what any process recorded or changed before it.
Rule 2: one thread at a time refreshes; callers that share the catalogue (`engine.scan`) hold a lock for that. A table
that is read (`RunTable.reading`) is not changed: `table` is a copy from then on.
"""

from __future__ import annotations

from pathlib import Path

from aim.storage.catalogue import snapshot
from aim.storage.catalogue.catalogue_arrivals import CatalogueArrivals
from aim.storage.catalogue.catalogue_file import NOT_A_SNAPSHOT, CatalogueFile, LoadedTable
from aim.storage.catalogue.catalogue_update import CatalogueChanges, CatalogueUpdate, Progress
from aim.storage.catalogue.point_lookups import OpenReader
from aim.storage.catalogue.run_folders import OPEN_STAMP, RunFolders
from aim.storage.catalogue.run_table import RunTable
from aim.storage.catalogue.table_filler import TableFiller

CHANGES_MAX = 256  # changed runs that are added to the file one by one, and 1 % of all runs; more: a new file


class Catalogue:
    """
    The catalogue of the repository in *repository* (the `.aim`).

    Args:
        open_reader: opens the reader of a run, for points.
        cache: the folder of its file; None: the usual one.
        progress: called while many runs are read.

    Cost of opening: with a file 5 us a run, without one 0.4 ms a run, at the first `refresh`.
    """

    def __init__(
        self, repository: Path, open_reader: OpenReader, *, cache: Path | None = None, progress: Progress | None = None
    ) -> None:
        self._repository = repository
        self._open_reader = open_reader
        self._progress = progress
        cache = snapshot.folder_of(repository) if cache is None else cache
        self._file = CatalogueFile(repository, cache, open_reader)
        self._clear()

    def _clear(self) -> None:
        filler = TableFiller(RunTable(self._open_reader))
        self._folders = RunFolders(self._repository, {}, filler.table.kinds)
        self._update = CatalogueUpdate(filler, self._folders, self._file)
        self._is_loaded = False

    @property
    def filler(self) -> TableFiller:
        """What changes the table."""
        return self._update.filler

    @property
    def table(self) -> RunTable:
        """What queries ask; another object after a refresh that found something while it was read."""
        return self._update.filler.table

    @property
    def partial(self) -> None:
        """None: all runs that were read are in the table."""
        return None

    @property
    def unread_count(self) -> int:
        """How many runs are still to be read: the table lacks them."""
        return self._update.unread_count

    @property
    def version(self) -> int:
        """Grows with every change that a refresh finds."""
        return self.table.version

    # keeping up to date

    def refresh(
        self,
        *,
        full: bool = False,
        progress: Progress | None = None,
        within_s: float | None = None,
        arrivals: bool = True,
    ) -> CatalogueChanges:
        """
        Bring the table up to date.

        Args:
            full: ask all folders now, not only those that are likely to have changed.
            progress: called while many runs are read.
            within_s: after so many seconds, read no more runs but those that are open. The next refresh goes on with
                the others, which `unread_count` counts. The table is whole at any time; the newest runs come first.
            arrivals: read also what has arrived of runs from other hosts; without it `arriving` does.

        Cost: 10 us when nothing changed and no run is open; 0.1 ms for each open run, or 5 us for one that arrives and
        has not changed; about 1 ms for a changed one.
        """
        if not self._is_loaded:
            self._load()
            full = True
        changes, read_count = self._update.run(
            full=full, progress=progress or self._progress, within_s=within_s, arrivals=arrivals
        )
        if read_count:
            self._store(read_count, changes)
        return changes

    @property
    def arriving(self) -> CatalogueArrivals:
        """What reads the runs that arrive when a refresh does not."""
        return CatalogueArrivals(self._folders.arriving, self._update, self._store)

    def sole_writer(self, run_hash: str) -> tuple[str, int] | None:
        """Return the writer that has sealed all points of a run, and the time of the folder then; None: unknown."""
        # the time first: a refresh in another thread sets it last, and what is older than its time is asked again
        stamp = self._folders.stamp(run_hash)
        slot = self.table.runs.slot_of(run_hash)
        if stamp == OPEN_STAMP or slot is None:
            return None
        writer = self.table.fields["sole_writer"].value(slot)
        return (writer, stamp) if isinstance(writer, str) else None

    def rebuild(self) -> None:
        """Discard the file and all that is known, and begin anew at the next `refresh`."""
        version = self.table.version
        self._file.discard()
        self._clear()
        self.filler.table.version = version + 1

    # the file

    def _load(self) -> None:
        self._is_loaded = True
        loaded = self._file.load(self.table.kinds)
        if loaded is not None:
            self._go_on_with(loaded, self.table.version + 1)

    def _go_on_with(self, loaded: LoadedTable, version: int) -> None:
        loaded.filler.table.version = version
        self._update.go_on_with(loaded.filler)
        self._folders.restart(loaded.stamps, loaded.filler.table.kinds)

    def _store(self, read_count: int, changes: CatalogueChanges) -> None:
        """Add few changes to the file; write a new file for many, or when there is none."""
        changes_max = CHANGES_MAX + self.table.run_count // 100
        if not self._file.is_open:
            is_due = read_count > len(self._folders.followed())
        else:
            is_due = read_count > changes_max or self._file.unsaved_count > changes_max
            is_due = is_due or self._file.add_changes(self.table.kinds) > changes_max
        if is_due:
            self.save(changes)

    def adopt(self, run_hash: str, stamp: int) -> None:
        """Note that what was put into the table is what the run's folder of that time holds."""
        self._folders.set_stamp(run_hash, stamp)
        self._is_loaded = True

    def save(self, changes: CatalogueChanges | None = None) -> bool:
        """
        Write all that is known to a new file, and go on with that. Return whether the disk took it.

        Args:
            changes: of the refresh so far; open runs are read once more here, and may have changed again.

        Cost: 1 us a run and 0.1 us a sequence.
        """
        version = self.table.version
        try:
            loaded = self._file.save(self.table, self._folders.stamp)
        except NOT_A_SNAPSHOT:
            self.rebuild()
            return False
        if loaded is None:
            return False
        self._go_on_with(loaded, version)
        # the file does not have the runs that are read at every refresh as they are now
        followed = self._folders.followed()
        if followed:
            self._update.read_batch(followed, changes or CatalogueChanges())
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._clear()
