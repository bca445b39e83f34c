"""
Queries over all runs of a repository, as `Questions`: the language of `query` over the columns of the catalogue.

    text -> compile_query -> select over the table -> hashes and sequences, newest run first
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from aim.core import contexts
from aim.core.errors import NotFound
from aim.engine import listing, matching, point_tables
from aim.engine.door import MatchingSequence, Progress, Questions, RunTablePage, SequencePoints
from aim.engine.live_catalogue import LiveCatalogue
from aim.query.query import Hint, compile_query
from aim.query.reports import Explanation
from aim.storage.catalogue.run_table import RunTable

if TYPE_CHECKING:
    import pyarrow as pa

RowArray = npt.NDArray[np.integer[Any]]

BATCH_POINTS = 65_536  # of one Arrow record batch, about


class Scan(Questions):
    """
    Asks *catalogue*. It holds nothing else, so making another one costs nothing.
    """

    def __init__(self, catalogue: LiveCatalogue) -> None:
        self.catalogue = catalogue

    def check(self, query_text: str, subject: str = "run", *, zone: tzinfo | None = None) -> str:
        return matching.compiled(query_text, subject, zone).subject

    def runs(
        self,
        query_text: str = "",
        *,
        limit: int | None = None,
        offset_hash: str | None = None,
        zone: tzinfo | None = None,
        progress: Progress | None = None,
    ) -> list[str]:
        question = matching.ask(query_text, zone=zone)

        def ask(table: RunTable) -> list[str]:
            rows = _newest_first(table, matching.matching_runs(table, question))
            hashes = table.hashes()
            last_seen = None if offset_hash is None else table.row_of(offset_hash)
            if last_seen is not None:
                age = _age(table)
                rows = rows[age[rows] > age[last_seen]]
            return [hashes[row] for row in rows[:limit].tolist()]

        return self.catalogue.ask(ask, progress, about=question.query)

    def sequences(
        self,
        query_text: str = "",
        subject: str = "metric",
        *,
        zone: tzinfo | None = None,
        progress: Progress | None = None,
    ) -> list[MatchingSequence]:
        query = compile_query(query_text, subject, zone=zone)

        def ask(table: RunTable) -> list[MatchingSequence]:
            pair_indices, rows = query.select_sequences(table)
            return _found(table, *_sorted(table, pair_indices, rows))

        return self.catalogue.ask(ask, progress, about=query)

    def explain(self, query_text: str, subject: str = "run", *, zone: tzinfo | None = None) -> Explanation:
        query = matching.compiled(query_text, subject, zone)
        return self.catalogue.ask(query.explain, about=query)

    def hints(self, query_text: str, subject: str = "run") -> list[Hint]:
        query = matching.compiled(query_text, subject, None)
        return self.catalogue.ask(query.hints, about=query)

    # values from the columns

    def summaries(
        self, name: str, context: Mapping[str, Any] | None = None, value: str = "last", *, kind: str = "metric"
    ) -> tuple[list[str], npt.NDArray[Any]]:
        def ask(table: RunTable) -> tuple[list[str], npt.NDArray[Any]]:
            text = contexts.text(context)
            pair_index = table.pair_index((name, text, kind))
            values = None if pair_index is None else table.summary(pair_index, value)
            if pair_index is None or values is None:
                return [], np.empty(0)
            hashes, rows = table.hashes(), table.rows(pair_index)
            newest = np.argsort(_age(table)[rows])
            return [hashes[row] for row in rows[newest].tolist()], values[newest]

        return self.catalogue.ask(ask)

    def summary_rows(
        self, sequences: Iterable[MatchingSequence], values: Sequence[str]
    ) -> list[dict[str, float | int | None]]:
        of_runs = list(sequences)

        def ask(table: RunTable) -> list[dict[str, float | int | None]]:
            return [_summary_row(table, sequence, values) for sequence in of_runs]

        return self.catalogue.ask(ask, about=list({sequence.run_hash for sequence in of_runs}))

    def table(
        self,
        columns: Sequence[str],
        query_text: str = "",
        *,
        sort: str = "-created_at",
        offset: int = 0,
        limit: int | None = None,
    ) -> RunTablePage:
        question = matching.ask(query_text)

        def ask(table: RunTable) -> RunTablePage:
            rows = matching.newest_first(table, matching.matching_runs(table, question))
            sort_field = listing.find_field(table, sort.lstrip("-"))
            fields = [listing.find_field(table, column) for column in columns]
            ordered = listing.sort_rows(table, rows, [(sort_field, sort.startswith("-"))])
            page = ordered[offset:] if limit is None else ordered[offset : offset + limit]
            cells = [listing.cells(table, field, page).objects() for field in fields]
            if not columns:
                return RunTablePage([{} for _ in page], len(rows))
            return RunTablePage([dict(zip(columns, line, strict=True)) for line in zip(*cells)], len(rows))

        return self.catalogue.ask(ask, about=question.query)

    def complete(self, prefix: str = "") -> dict[str, list[str]]:
        def ask(table: RunTable) -> dict[str, list[str]]:
            names_by_kind: dict[str, set[str]] = {"param": {_shown(path) for path in table.leaf_paths(())}}
            for pair in table.pairs:
                if not pair.is_empty():
                    names_by_kind.setdefault(pair.kind, set()).add(pair.name)
                    names_by_kind.setdefault("context", set()).update(pair.context)
                    names_by_kind.setdefault("value", set()).update(str(value) for value in pair.context.values())
            return {
                kind: sorted(name for name in names if name.startswith(prefix)) for kind, names in names_by_kind.items()
            }

        return self.catalogue.ask(ask)

    # points

    def series(self, sequences: Iterable[MatchingSequence]) -> Iterator[SequencePoints]:
        for sequence in sequences:
            try:
                points = self.catalogue.readers.reader(sequence.run_hash).points(
                    (sequence.name, contexts.text(sequence.context))
                )
            except (NotFound, FileNotFoundError):
                continue
            if points is not None:
                yield SequencePoints(sequence, points)

    def point_batches(
        self, query_text: str = "", *, zone: tzinfo | None = None, batch_points: int = BATCH_POINTS
    ) -> Iterator[pa.RecordBatch]:
        return point_tables.batches(self.series(self.sequences(query_text, zone=zone)), batch_points)

    def points_table(self, query_text: str = "", *, zone: tzinfo | None = None) -> pa.Table:
        import pyarrow

        batches = self.point_batches(query_text, zone=zone)
        return pyarrow.Table.from_batches(batches, point_tables.schema())


def _shown(path: Sequence[str | int]) -> str:
    return ".".join(str(key) for key in path)


def _newest_first(table: RunTable, rows: RowArray) -> RowArray:
    order = table.newest_first()
    if len(rows) == table.run_count:
        return order
    matches = np.zeros(table.run_count, bool)
    matches[rows] = True
    return order[matches[order]]


def _age(table: RunTable) -> RowArray:
    age = np.empty(table.run_count, np.int64)
    age[table.newest_first()] = np.arange(table.run_count)
    return age


def _sorted(table: RunTable, pair_indices: RowArray, rows: RowArray) -> tuple[RowArray, RowArray]:
    # newest run first; within a run by context, then name
    order = np.argsort(_age(table)[rows] * len(table.pairs) + table.pairs.ranks()[pair_indices], kind="stable")
    return pair_indices[order], rows[order]


def _found(table: RunTable, pair_indices: RowArray, rows: RowArray) -> list[MatchingSequence]:
    hashes, pairs = table.hashes(), table.pairs
    kinds = table.stored_kinds(pair_indices, rows)
    return [
        MatchingSequence(hashes[row], pairs[pair_index].name, pairs[pair_index].context, pairs[pair_index].kind, kind)
        for pair_index, row, kind in zip(pair_indices.tolist(), rows.tolist(), kinds, strict=True)
    ]


def _summary_row(table: RunTable, sequence: MatchingSequence, values: Sequence[str]) -> dict[str, float | int | None]:
    pair = table.pair_index((sequence.name, contexts.text(sequence.context), sequence.kind))
    row = table.row_of(sequence.run_hash)
    if pair is None or row is None:
        return {}
    rows = table.rows(pair)
    index = int(rows.searchsorted(row))
    if index == len(rows) or rows[index] != row:
        return {}
    columns = {value: table.summary(pair, value, np.array([row])) for value in values}
    return {value: None if column is None else column[index].item() for value, column in columns.items()}
