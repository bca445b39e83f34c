"""
One run without its points: what its page shows first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aim.core import params
from aim.core.reserved import SYSTEM_PARAMS
from aim.core.summaries import BY_NAME, PAGE_SUMMARIES
from aim.core.values import Loader, Stored
from aim.engine.repository import Repository
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


def overview_of_run(repository: Repository, run_hash: str) -> RunOverview:
    """
    Return a run.

    Raises:
        RunNotFound: there is no such run.
    """
    log = repository.backend.log(run_hash, _Described)
    state = log.refresh()
    tree = params.encode(log.params, strict=False)
    members = dict(tree["$dict"]) if isinstance(tree, dict) and set(tree) == {"$dict"} else tree
    system = members.pop(SYSTEM_PARAMS, None) if isinstance(members, dict) else None
    status, end_s = state.status()
    if isinstance(members, dict) and any(not isinstance(key, str) for key in members):
        members = {"$dict": [list(pair) for pair in members.items()]}
    return RunOverview(state, members, system, status, end_s)


def sequences_of_run(table: RunTable, run_hash: str) -> list[SummarizedSequence]:
    """List the sequences of a run with their summaries, by name, then context."""
    row = table.row_of(run_hash)
    if row is None:
        return []
    sequences: list[tuple[str, SummarizedSequence]] = []
    for pair_index, pair in enumerate(table.pairs):
        rows = table.rows(pair_index)
        index = int(np.searchsorted(rows, row))
        if index == len(rows) or rows[index] != row:
            continue
        values = {
            page_name: column[index].item()
            for page_name, name in PAGE_SUMMARIES.items()
            if not BY_NAME[name].is_looked_up and (column := table.summary(pair_index, name)) is not None
        }
        kind = table.stored_kinds(np.array([pair_index]), np.array([row]))[0]
        sequences.append((pair.context_text, SummarizedSequence(pair.name, pair.context, kind, values)))
    sequences.sort(key=lambda sequence: (sequence[1].name, sequence[0]))
    return [sequence for _, sequence in sequences]
