"""
The catalogue in memory: runs, their fields and params as columns, and their sequences by pair.

`RunTable` is an `aim.query.table.QueryTable`. It changes by `put` and `remove` only, never while a query reads
it: then a copy is changed. So any number of threads may read one table.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aim.core import params
from aim.core.params import Key
from aim.core.params import Path as ParamPath
from aim.storage.catalogue.catalogue_row import FIELD_NAMES, CatalogueRow, KindNumbers, PairKey
from aim.storage.catalogue.columns import Column, SlotArray, Slots
from aim.storage.catalogue.pairs import Load, Pair
from aim.storage.catalogue.summaries import UNKNOWN_LENGTH
from aim.storage.reading.reader import RunReader

OpenReader = Callable[[str], RunReader]
"""Gives the reader of a run, for what columns can't answer."""


class HashColumn:
    """The column of run hashes: all are distinct."""

    def __init__(self, hashes: list[str]) -> None:
        self.codes = np.arange(len(hashes), dtype=np.int32)
        self.values: Sequence[object] = hashes
        self.numbers: npt.NDArray[np.float64] | None = None
        self.is_number: npt.NDArray[np.bool_] | None = None


class RunTable:
    """
    Runs and their sequences as columns.

    Attributes:
        version: grows with every change.
        kinds: the stored kinds of sequences, by number.

    Args:
        open_reader: opens the reader of a run, for `points`.
        hashes: of the base's runs, by slot.
    """

    def __init__(self, open_reader: OpenReader, hashes: Sequence[str] = (), kinds: KindNumbers | None = None) -> None:
        self._open_reader = open_reader
        self.slots = Slots(len(hashes))
        self.kinds = kinds or KindNumbers()
        self.version = 0
        self.fields: dict[str, Column] = {name: Column(self.slots) for name in FIELD_NAMES if name != "hash"}
        self.params: dict[ParamPath, Column] = {}
        self._pairs: list[Pair] = []
        self._pair_places: dict[PairKey, int] = {}
        self._by_slot = list(hashes)
        self._slot_of = {run_hash: slot for slot, run_hash in enumerate(hashes)}
        self._followed: dict[int, CatalogueRow] = {}
        self._hash_column: tuple[int, HashColumn] = (-1, HashColumn([]))
        self._rows_version = 0
        self._times_version = 0
        self._ranks: SlotArray = np.empty(0, np.int64)
        self._newest: tuple[int, SlotArray] | None = None
        self._reading = threading.Lock()  # a run's reader serves one thread at a time
        self._reader_count = 0
        self._counting = threading.Lock()

    def copied(self) -> RunTable:
        """
        Return a copy to change while this one is read.

        Cost: some 2 us a column and pair, and 20 ns a run; arrays are copied when they change.
        """
        other = copy.copy(self)
        other._reader_count = 0
        with self.slots.lock:
            slots = other.slots = self.slots.copied()
            other.fields = {name: column.copied(slots) for name, column in self.fields.items()}
            other.params = {path: column.copied(slots) for path, column in self.params.items()}
            other._pairs = [pair.copied(slots) for pair in self._pairs]
        other._pair_places, other._slot_of = dict(self._pair_places), dict(self._slot_of)
        other._by_slot, other._followed = list(self._by_slot), dict(self._followed)
        return other

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Keep the table as it is within the context: the catalogue changes a copy meanwhile."""
        with self._counting:
            self._reader_count += 1
        try:
            yield
        finally:
            with self._counting:
                self._reader_count -= 1

    @property
    def is_read(self) -> bool:
        """Whether anybody is within `reading`."""
        return self._reader_count > 0

    # changes

    def add_base_column(self, path: ParamPath, column: Column) -> None:
        """Add the column of a param that the snapshot has."""
        self.params[path] = column

    def add_pair(self, key: PairKey, context: Mapping[str, Any], load: Load | None = None, base_count: int = 0) -> Pair:
        """Add a pair; give it."""
        name, text, kind = key
        pair = Pair(self.slots, name, context, text, kind, load, base_count)
        self._pair_places[key] = len(self._pairs)
        self._pairs.append(pair)
        return pair

    def put(self, facts: CatalogueRow, *, follow: bool = False) -> bool:
        """
        Take in a run as it is now, in the place of what was known of it. Say whether anything changed.

        Args:
            follow: the run will be put again soon: then only what differs is taken in.
        """
        slot = self._slot_of.get(facts.run_hash)
        is_new = slot is None
        if slot is None:
            slot = self.slots.add()
            self._by_slot.append(facts.run_hash)
            self._slot_of[facts.run_hash] = slot
            self._rows_version += 1
        before = self._followed.pop(slot, None)
        with self.slots.lock:  # one value may be looked up meanwhile (`sole_writer`)
            if before is None:
                self.slots.make_stale(slot)
            changed = self._put_fields(slot, facts, before)
            if before is None or _differ(before.params, facts.params):
                self._put_leaves(slot, facts.params, is_new)
                changed = True
            if before is None or before.sequences is not facts.sequences:
                changed = self._put_sequences(slot, facts, before, is_new) or changed
        if follow:
            self._followed[slot] = facts
        self.version += changed
        return changed

    def _put_fields(self, slot: int, facts: CatalogueRow, before: CatalogueRow | None) -> bool:
        if before is not None and before.fields == facts.fields:
            return False
        for name, column in self.fields.items():
            value = facts.fields.get(name)
            if value is None:
                column.clear(slot)
            else:
                column.set(slot, value)
        if before is None or before.fields.get("creation_time") != facts.fields.get("creation_time"):
            self._times_version += 1
        return True

    def _put_leaves(self, slot: int, leaves: dict[ParamPath, object], is_new: bool) -> None:
        if not is_new:
            for path, column in self.params.items():
                if path not in leaves:
                    column.clear(slot)
        columns = self.params
        for path in sorted(leaves.keys() - columns.keys(), key=_place_in_order):
            columns[path] = Column(self.slots)
        for path, leaf in leaves.items():
            columns[path].set(slot, leaf)

    def _put_sequences(self, slot: int, facts: CatalogueRow, before: CatalogueRow | None, is_new: bool) -> bool:
        if is_new:
            pass  # nobody has said anything of this slot
        elif before is None:
            for key, place in self._pair_places.items():
                if key not in facts.sequences:
                    self._pairs[place].clear(slot)
        else:
            for key in before.sequences.keys() - facts.sequences.keys():
                self._pairs[self._pair_places[key]].clear(slot)
        for key, summary in facts.sequences.items():
            known = self._pair_places.get(key)
            pair = self.add_pair(key, facts.contexts[key[1]]) if known is None else self._pairs[known]
            pair.set(slot, summary)
        return before is None or _differ(before.sequences, facts.sequences)

    def remove(self, run_hash: str) -> None:
        """Take a run away, if it is there."""
        slot = self._slot_of.pop(run_hash, None)
        if slot is not None:
            self.slots.remove(slot)
            self._followed.pop(slot, None)
            self._rows_version += 1
            self._times_version += 1
            self.version += 1

    def pack(self) -> None:
        """Pack all that was put, when nothing comes from a file: 100 bytes a sequence instead of 1,000."""
        with self.slots.lock:
            for column in (*self.fields.values(), *self.params.values()):
                column.apply_changes()
            for pair in self._pairs:
                pair.pack()
            self.slots.rebase()
        # the base speaks of these too now: so they are put as a whole the next time
        self._followed.clear()

    # runs by hash and in order

    def hashes(self) -> list[str]:
        """Return the hash of each row."""
        if self._hash_column[0] != self._rows_version:
            found = self._by_slot
            if self.slots.dead_count:
                found = [self._by_slot[slot] for slot in self.slots.slots().tolist()]
            self._hash_column = (self._rows_version, HashColumn(list(found)))
        return self._hash_column[1].values  # type: ignore[return-value]

    def __contains__(self, run_hash: object) -> bool:
        return run_hash in self._slot_of

    def row_of(self, run_hash: str) -> int | None:
        """Return the row of a run, or None."""
        slot = self._slot_of.get(run_hash)
        return None if slot is None else int(self.slots.rows_of(np.array([slot]))[0])

    def sole_writer(self, run_hash: str) -> str | None:
        """Return the writer whose sealed file alone holds the points of a run; None where that is not known."""
        slot = self._slot_of.get(run_hash)
        found = None if slot is None else self.fields["sole_writer"].value_or_none(slot)
        return found if isinstance(found, str) else None

    def newest_first(self) -> SlotArray:
        """Return all rows, the newest run first; of runs of one moment, by hash."""
        if self._newest is None or self._newest[0] != self._times_version:
            column = self.fields["creation_time"]
            distinct = [value if isinstance(value, float) else 0.0 for value in column.values]
            times = np.array([*distinct, 0.0])[column.codes]
            order = np.argsort(-times, kind="stable")
            ordered = times[order]
            if (ordered[1:] == ordered[:-1]).any():
                order = np.lexsort((np.array(self.hashes()), -times))
            self._newest = (self._times_version, order)
        return self._newest[1]

    # what a query asks: aim.query.table.QueryTable

    @property
    def run_count(self) -> int:
        """The number of runs."""
        return self.slots.row_count

    @property
    def pairs(self) -> Sequence[Pair]:
        """The distinct (name, context, kind) of all sequences."""
        return self._pairs

    def pair_index(self, key: PairKey) -> int | None:
        """Return the place of a pair in `pairs`, or None."""
        return self._pair_places.get(key)

    def pair_ranks(self) -> SlotArray:
        """Return the rank of each pair in the order in which a run's sequences are listed: by context, then name."""
        if len(self._ranks) != len(self._pairs):
            order = sorted(range(len(self._pairs)), key=lambda place: self._pairs[place].order)
            ranks = np.empty(len(order), np.int64)
            ranks[order] = np.arange(len(order))
            self._ranks = ranks
        return self._ranks

    def stored_kinds(self, places: npt.NDArray[Any], rows: npt.NDArray[Any]) -> list[str]:
        """Return the stored kind of each sequence, such as `int` or `list(aim.image)`."""
        numbers = np.zeros(len(places), np.int64)
        for place in np.unique(places).tolist():
            chosen = places == place
            pair = self._pairs[place]
            numbers[chosen] = pair.stored_kinds()[np.searchsorted(pair.rows(), rows[chosen])]
        names = self.kinds.names
        return [names[number] for number in numbers.tolist()]

    def field(self, name: str) -> Column | HashColumn:
        """Return the column of a fact about the run; KeyError when there is no such fact."""
        if name == "hash":
            self.hashes()
            return self._hash_column[1]
        return self.fields[name]

    def param(self, path: ParamPath) -> Column | None:
        """Return the column of the leaves at *path*; None when no run has a leaf there."""
        column = self.params.get(path)
        return None if column is None or column.is_empty() else column

    def leaf_paths(self, path: ParamPath) -> Sequence[ParamPath]:
        """Return the full paths of all leaves below *path*."""
        depth = len(path)
        return [
            known
            for known, column in self.params.items()
            if len(known) > depth and known[:depth] == path and not column.is_empty()
        ]

    def document(self, row: int) -> Mapping[Key, object]:
        """Return all params of one run, nested, keys in order. Cost: reads all columns the first time."""
        slot = self.slots.slot_of(row)
        tree: dict[Key, Any] = {}
        for path, column in self.params.items():
            if column.has(slot):
                place = tree
                for key in path[:-1]:
                    place = place.setdefault(key, {})
                place[path[-1]] = column.value(slot)
        return _ordered(tree)

    def rows(self, pair: int) -> SlotArray:
        """Return the rows of the runs that have this sequence, increasing."""
        return self._pairs[pair].rows()

    def summary(self, pair: int, name: str) -> npt.NDArray[Any] | None:
        """Return one summary value for each of `rows(pair)`; None where this kind has no such value."""
        found = self._pairs[pair].summary(name)
        if name == "record_max_length" and found is not None and (found <= UNKNOWN_LENGTH).any():
            self._look_up_lengths(self._pairs[pair], found)
            found = self._pairs[pair].summary(name)
        return found

    def _look_up_lengths(self, pair: Pair, lengths: npt.NDArray[Any]) -> None:
        rows = pair.rows()[lengths <= UNKNOWN_LENGTH]
        hashes = self.hashes()
        for row in rows.tolist():
            try:
                with self._reading:
                    length = _longest(self._open_reader(hashes[row]), (pair.name, pair.context_text))
            except (FileNotFoundError, LookupError):
                length = 0
            pair.set_length(self.slots.slot_of(row), length)

    def points(self, pair: int, row: int, name: str) -> Sequence[float | int | None] | None:
        """Return the values, steps, epochs or timestamps of one sequence, by step; of objects there are no values."""
        known = self._pairs[pair]
        if name == "values" and not known.is_numeric:
            return None
        with self._reading:
            found = self._open_reader(self.hashes()[row]).points((known.name, known.context_text))
            if found is None:
                return []
            if name == "epochs":
                return [None if epoch != epoch else epoch for epoch in found.epochs.tolist()]
            array = {"values": found.values, "steps": found.steps, "timestamps": found.times_s}[name]
            given: list[float | int | None] = array.tolist()
            return given


def _differ(before: Mapping[Any, object], after: Mapping[Any, object]) -> bool:
    # NaN is unequal to itself, and 1 equal to True: so compare what is printed
    return before is not after and sorted(map(repr, before.items())) != sorted(map(repr, after.items()))


def _longest(reader: RunReader, key: tuple[str, str]) -> int:
    points = reader.points(key)
    if points is None:
        return 0
    return max((len(reader.record(points, index)["items"]) for index in range(len(points))), default=0)


def _place_in_order(path: ParamPath) -> tuple[tuple[bool, bool, int, str], ...]:
    # as params are: strings, then 0, 1, 2 ..., then the negatives
    return tuple((False, False, 0, key) if isinstance(key, str) else (True, key < 0, key, "") for key in path)


def _ordered(tree: dict[Key, Any]) -> dict[Key, Any]:
    return params.ordered({key: _ordered(item) if isinstance(item, dict) else item for key, item in tree.items()})
