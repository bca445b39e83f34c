"""
Collections in a notebook: a row for each of the first sequences, or runs, and how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from aim.core.kinds import is_numeric_sequence
from aim.sdk.html.parts import Html, block, code, heading, muted, notice, table
from aim.sdk.html.runs import ShownRun, runs_table
from aim.sdk.html.sequences import context_text, last_of
from aim.storage.context import Context
from aim.storage.reading.points import Points


class ListedRun(Protocol):
    """What a row needs of the run of a sequence."""

    hash: str

    def _read_points_of_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Points]:
        """Return the points of several sequences."""


class ListedSequence(Protocol):
    """What a row needs of a sequence; `Sequence` is one."""

    name: str
    context: Context

    @property
    def _key(self) -> tuple[str, str]:
        """The name and the text of the context."""

    @property
    def dtype(self) -> str:
        """The type of the values."""


def sequences(
    title: str, members: Sequence[tuple[ListedRun, ListedSequence]], more_count: int, *, has_runs: bool
) -> Html:
    """
    Return a row for each sequence: its run with *has_runs*, name, context, and of a metric its curve and last value.

    Cost: reading the points of the sequences that are listed.
    """
    head = heading("sequences", title, muted(f"{len(members) + more_count:,}"))
    if not members:
        return block(head, notice("nothing matches"))
    runs_by_hash = {run.hash: run for run, _ in members}
    keys_by_hash: dict[str, list[tuple[str, str]]] = {}
    for run, sequence in members:
        keys_by_hash.setdefault(run.hash, []).append(sequence._key)
    points_by_hash = {
        run_hash: runs_by_hash[run_hash]._read_points_of_many(keys) for run_hash, keys in keys_by_hash.items()
    }
    rows = []
    for run, sequence in members:
        kind, points = sequence.dtype, points_by_hash[run.hash].get(sequence._key)
        curve, last, step = ["", "", ""] if points is None else last_of(points, is_numeric_sequence(kind))
        row = [sequence.name, muted(context_text(sequence.context.to_dict())), curve or muted(kind), last, step]
        rows.append([code(run.hash[:8]), *row] if has_runs else row)
    columns = ["name", "context", "", "last", "step"]
    return block(head, table(["run", *columns] if has_runs else columns, rows, more_count))


def runs(title: str, listed: Sequence[ShownRun], more_count: int) -> Html:
    """Return a row for each run."""
    head = heading("runs", title, muted(f"{len(listed) + more_count:,}"))
    return block(head, runs_table(listed, more_count) if listed else notice("no run matches"))
