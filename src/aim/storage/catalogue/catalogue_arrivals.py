"""
What of a catalogue is read apart from a refresh: runs that arrive (arriving_runs.py), in parts, by a thread.
"""

from __future__ import annotations

from collections.abc import Callable

from aim.storage.catalogue.arriving_runs import ArrivingRuns
from aim.storage.catalogue.catalogue_update import CatalogueChanges, CatalogueUpdate


class CatalogueArrivals:
    """
    The runs that arrive, for a table that *update* changes.

    Args:
        store: adds to the catalogue's file what was read: how many runs, and what has changed.
    """

    def __init__(
        self, runs: ArrivingRuns, update: CatalogueUpdate, store: Callable[[int, CatalogueChanges], object]
    ) -> None:
        self._runs = runs
        self._update = update
        self._store = store

    @property
    def count(self) -> int:
        """How many runs arrive: trainings on other hosts record them through a server."""
        return len(self._runs)

    def changed(self) -> list[str]:
        """Return the runs of which something has arrived that was not read. Cost: 5 us a run that arrives."""
        return self._runs.changed()

    def read(self, run_hashes: list[str]) -> CatalogueChanges:
        """Read what has arrived of some runs, which `changed` returned. Cost: 0.2 ms a run."""
        changes = self._update.read_arrivals(run_hashes)
        self._store(len(run_hashes), changes)
        return changes
