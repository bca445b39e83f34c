"""
Collections in a notebook: a row for each of the first sequences, or runs, and how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from aim.sdk.html.parts import Html, block, code, heading, muted, notice, table
from aim.sdk.html.runs import ShownRun, runs_table
from aim.sdk.html.sequences import context_text, last_of
from aim.sdk.sequence_types import KINDS
from aim.storage.context import Context
from aim.storage.reading.reader import Points


class Owner(Protocol):
    """What is asked of the run of a sequence."""

    hash: str

    def read_points_of_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Points]:
        """Return the points of several sequences."""


class ListedSequence(Protocol):
    """What is asked of a sequence. `Sequence` is one."""

    name: str
    context: Context

    @property
    def key(self) -> tuple[str, str]:
        """The name and the text of the context."""

    @property
    def dtype(self) -> str:
        """The type of the values."""


def sequences(title: str, found: Sequence[tuple[Owner, ListedSequence]], more_count: int, *, has_runs: bool) -> Html:
    """
    Return a row for each sequence: its run with *has_runs*, name, context, and of a metric its curve and last value.

    Cost: reading the points of those that are shown.
    """
    head = heading("sequences", title, muted(f"{len(found) + more_count:,}"))
    if not found:
        return block(head, notice("nothing matches"))
    owners = {owner.hash: owner for owner, _ in found}
    keys: dict[str, list[tuple[str, str]]] = {}
    for owner, one in found:
        keys.setdefault(owner.hash, []).append(one.key)
    read = {run_hash: owners[run_hash].read_points_of_many(of_run) for run_hash, of_run in keys.items()}
    rows = []
    for owner, one in found:
        kind, points = one.dtype, read[owner.hash].get(one.key)
        curve, last, step = ["", "", ""] if points is None else last_of(points, kind in KINDS["metric"])
        row = [one.name, muted(context_text(one.context.to_dict())), curve or muted(kind), last, step]
        rows.append([code(owner.hash[:8]), *row] if has_runs else row)
    columns = ["name", "context", "", "last", "step"]
    return block(head, table(["run", *columns] if has_runs else columns, rows, more_count))


def runs(title: str, found: Sequence[ShownRun], more_count: int) -> Html:
    """Return a row for each run."""
    head = heading("runs", title, muted(f"{len(found) + more_count:,}"))
    return block(head, runs_table(found, more_count) if found else notice("no run matches"))
