"""
One run without its points: what its page shows first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aim.core import params
from aim.core.reserved import SYSTEM_PARAMS
from aim.core.summaries import BY_NAME, PAGE_SUMMARIES
from aim.core.values import Loader, Stored
from aim.engine.backend_repository import BackendRepository
from aim.storage.catalogue.pair_arrays import STORED_KIND
from aim.storage.catalogue.pair_columns import small_pairs
from aim.storage.catalogue.run_table import RunTable
from aim.storage.forms.state import RunState


class _Described:
    """An object among the params, without its bytes."""

    def __init__(self, kind: str, fields: Mapping[str, Any], load: Loader) -> None:
        self._kind = kind
        self._fields = dict(fields)

    def stored(self) -> Stored:
        return Stored(self._kind, self._fields)


@dataclass(frozen=True)
class RunOverview:
    """
    One run.

    Attributes:
        params: their JSON form of events.md, without those of the system.
        system: the environment that was recorded, or None.
        status, end_s: see `RunState.status`.
    """

    state: RunState
    params: Any
    system: Any
    status: str
    end_s: float | None

    @property
    def duration_s(self) -> float:
        """From the making to the end, or to now."""
        return max(0.0, (time.time() if self.end_s is None else self.end_s) - self.state.created_at_s)


@dataclass(frozen=True)
class SummarizedSequence:
    """One sequence of a run; *values* are by the names of `PAGE_SUMMARIES`, without those that are looked up."""

    name: str
    context: Mapping[str, Any]
    kind: str
    values: Mapping[str, float | int]


def overview_of_run(repository: BackendRepository, run_hash: str) -> RunOverview:
    """
    Return a run.

    Raises:
        RunNotFound: there is no such run.

    Cost: reading the lines that are new since anybody asked for the run, and those that set params.
    """
    log = repository.readers.reader(run_hash).log  # the reader is kept, and its log with it
    state = log.refresh()
    tree = params.encode(log.params_with(_Described), strict=False)
    members = dict(tree["$dict"]) if isinstance(tree, dict) and set(tree) == {"$dict"} else tree
    system = members.pop(SYSTEM_PARAMS, None) if isinstance(members, dict) else None
    status, end_s = state.status()
    if isinstance(members, dict) and any(not isinstance(key, str) for key in members):
        members = {"$dict": [list(pair) for pair in members.items()]}
    return RunOverview(state, members, system, status, end_s)


def sequences_of_run(table: RunTable, run_hash: str) -> list[SummarizedSequence]:
    """
    List the sequences of a run with their summaries, by name, then context.

    Cost: 5 us a sequence, and 0.5 us for each pair of the table.
    """
    row = table.row_of(run_hash)
    if row is None:
        return []
    sequences = [*_sequences_of_columns(table, row), *_sequences_of_pairs(table, row, small_pairs(table).others)]
    pairs = table.pairs
    sequences.sort(key=lambda member: (member[1].name, pairs[member[0]].context_text, member[0]))
    return [sequence for _, sequence in sequences]


def _summary_names(*, is_numeric: bool) -> dict[str, str]:
    """Return the summaries that need no look-up, by the names on pages, of sequences of numbers or of objects."""
    return {
        page_name: name
        for page_name, name in PAGE_SUMMARIES.items()
        if not BY_NAME[name].is_looked_up and (BY_NAME[name].of_metrics if is_numeric else BY_NAME[name].of_objects)
    }


def _sequences_of_columns(table: RunTable, row: int) -> Iterator[tuple[int, SummarizedSequence]]:
    slot = table.runs.slots.slot_of(row)
    names_of = {is_numeric: _summary_names(is_numeric=is_numeric) for is_numeric in (False, True)}
    for part in small_pairs(table).parts:
        positions = np.flatnonzero(part.slots == slot)
        if not len(positions):
            continue
        indices = part.pair_indices[positions].tolist()
        kinds = [table.kinds.names[number] for number in part.column(STORED_KIND, positions).tolist()]
        columns = {
            page_name: part.column(BY_NAME[name].field, positions).tolist()
            for page_name, name in (names_of[False] | names_of[True]).items()
        }
        for position, (index, kind) in enumerate(zip(indices, kinds, strict=True)):
            pair = table.pairs[index]
            values = {page_name: columns[page_name][position] for page_name in names_of[pair.is_numeric]}
            yield index, SummarizedSequence(pair.name, pair.context, kind, values)


def _sequences_of_pairs(
    table: RunTable, row: int, pair_indices: Sequence[int]
) -> Iterator[tuple[int, SummarizedSequence]]:
    for pair_index in pair_indices:
        pair, rows = table.pairs[pair_index], table.rows(pair_index)
        index = int(np.searchsorted(rows, row))
        if index == len(rows) or rows[index] != row:
            continue
        values = {}
        for page_name, name in _summary_names(is_numeric=pair.is_numeric).items():
            column = table.summary(pair_index, name)
            if column is not None:
                values[page_name] = column[index].item()
        kind = table.stored_kinds(np.array([pair_index]), np.array([row]))[0]
        yield pair_index, SummarizedSequence(pair.name, pair.context, kind, values)
