"""
What fills a `RunTable`, wherever the rows come from.

    CatalogueRow  ->  TableFiller.put  ->  columns and pairs of the table, which change only where the row differs

Rule: nothing here reads a run; whoever does (catalogue.py for a folder) puts the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aim.core.params import Path as ParamPath
from aim.storage.catalogue.catalogue_row import CatalogueRow, PairKey
from aim.storage.catalogue.columns import Column
from aim.storage.catalogue.pair_arrays import LoadArray
from aim.storage.catalogue.pairs import Pair
from aim.storage.catalogue.run_table import RunTable


class TableFiller:
    """
    Changes a table, or a copy of it while it is read.

    Attributes:
        table: what queries ask; another object after `begin_change` while it was read.
    """

    def __init__(self, table: RunTable) -> None:
        self.table = table
        self._followed: dict[int, CatalogueRow] = {}  # rows that will be put again soon, by slot

    def begin_change(self) -> None:
        """Change a copy of the table from now on if somebody reads it."""
        if self.table.is_read:
            self.table = self.table.copied()

    # from a snapshot

    def add_param(self, path: ParamPath, column: Column) -> None:
        """Add the column of a param that the snapshot has."""
        self.table.params[path] = column

    def add_pair(
        self, key: PairKey, context: Mapping[str, Any], load: LoadArray | None = None, base_count: int = 0
    ) -> Pair:
        """Add a pair, and return it."""
        return self.table.pairs.add(Pair(self.table.runs.slots, key, context, load, base_count))

    # from runs

    def put(self, row: CatalogueRow, *, follow: bool = False) -> bool:
        """
        Put a run as it is now in the place of what the table has of it. Return whether anything changed.

        Args:
            follow: the run will be put again soon: then only what differs is changed.
        """
        runs = self.table.runs
        slot = runs.slot_of(row.run_hash)
        is_new = slot is None
        if slot is None:
            slot = runs.add(row.run_hash)
        before = self._followed.pop(slot, None)
        with runs.slots.lock:  # another thread may look up one value meanwhile (`Catalogue.sole_writer`)
            if before is None:
                runs.slots.make_stale(slot)
            has_changed = self._put_fields(slot, row, before)
            if before is None or _differ(before.params, row.params):
                self._put_params(slot, row.params, is_new)
                has_changed = True
            if before is None or before.sequences is not row.sequences:
                has_changed = self._put_sequences(slot, row, before, is_new) or has_changed
        if follow:
            self._followed[slot] = row
        self.table.version += has_changed
        return has_changed

    def _put_fields(self, slot: int, row: CatalogueRow, before: CatalogueRow | None) -> bool:
        if before is not None and before.fields == row.fields:
            return False
        for name, column in self.table.fields.items():
            value = row.fields.get(name)
            if value is None:
                column.clear(slot)
            else:
                column.set(slot, value)
        if before is None or before.fields.get("creation_time") != row.fields.get("creation_time"):
            self.table.runs.forget_order()
        return True

    def _put_params(self, slot: int, leaves: dict[ParamPath, object], is_new: bool) -> None:
        columns = self.table.params
        if not is_new:
            for path, column in columns.items():
                if path not in leaves:
                    column.clear(slot)
        for path in sorted(leaves.keys() - columns.keys(), key=_param_order):
            columns[path] = Column(self.table.runs.slots)
        for path, leaf in leaves.items():
            columns[path].set(slot, leaf)

    def _put_sequences(self, slot: int, row: CatalogueRow, before: CatalogueRow | None, is_new: bool) -> bool:
        pairs = self.table.pairs
        if before is not None:
            for key in before.sequences.keys() - row.sequences.keys():
                pairs.clear(key, slot)
        elif not is_new:  # nothing is known of a new slot
            for key in pairs.keys() - row.sequences.keys():
                pairs.clear(key, slot)
        for key, sequence in row.sequences.items():
            pair = pairs.get(key) or self.add_pair(key, row.contexts[key[1]])
            pair.arrays.set(slot, sequence)
        return before is None or _differ(before.sequences, row.sequences)

    def remove(self, run_hash: str) -> None:
        """Remove a run, if the table has it."""
        slot = self.table.runs.remove(run_hash)
        if slot is not None:
            self._followed.pop(slot, None)
            self.table.version += 1

    def pack(self) -> None:
        """Pack all that was put, when nothing comes from a file: 100 bytes a sequence instead of 1,000."""
        table = self.table
        with table.runs.slots.lock:
            for column in (*table.fields.values(), *table.params.values()):
                column.apply_changes()
            for pair in table.pairs:
                pair.arrays.pack()
            table.runs.slots.rebase()
        # the base counts for these too now: so they are put as a whole the next time
        self._followed.clear()


def _differ(before: Mapping[Any, object], after: Mapping[Any, object]) -> bool:
    # NaN is unequal to itself, and 1 equal to True: so compare what is printed
    return before is not after and sorted(map(repr, before.items())) != sorted(map(repr, after.items()))


def _param_order(path: ParamPath) -> tuple[tuple[bool, bool, int, str], ...]:
    # as params are: strings, then 0, 1, 2 ..., then the negatives
    return tuple((False, False, 0, key) if isinstance(key, str) else (True, key < 0, key, "") for key in path)
