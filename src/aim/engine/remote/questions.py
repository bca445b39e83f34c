"""
Queries over all runs of a project, as `Questions`: the server answers them, and points come as whole sequences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from aim.core import contexts, params
from aim.engine.door import MatchingSequence, Progress, Questions, RunTablePage, SequencePoints
from aim.engine.remote.points import SequenceAddress, read_sequences
from aim.engine.remote.refusals import error_of_body

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from aim.engine.remote.door import ServerRuns
    from aim.query.query import Hint
    from aim.query.reports import Explanation

SUMMARY_SEQUENCES_MAX = 10_000  # whose summaries are asked for at once
BATCH_POINTS = 65_536


class ServerQuestions(Questions):
    """Asks the project of *runs*."""

    def __init__(self, runs: ServerRuns) -> None:
        self._runs = runs
        self._project = runs.project

    def check(self, query_text: str, subject: str = "run", *, zone: tzinfo | None = None) -> str:
        answer = self._project.post("subject", {"query": query_text, "subject": subject}, query=query_text, zone=zone)
        return str(answer["subject"])

    def runs(
        self,
        query_text: str = "",
        *,
        limit: int | None = None,
        offset_hash: str | None = None,
        zone: tzinfo | None = None,
        progress: Progress | None = None,
    ) -> list[str]:
        body = {"query": query_text, "subject": "run", "limit": limit, "after": offset_hash}
        run_hashes: list[str] = self._project.post("query", body, query=query_text, zone=zone)["runs"]
        self._runs.expect(run_hashes)
        return run_hashes

    def sequences(
        self,
        query_text: str = "",
        subject: str = "metric",
        *,
        zone: tzinfo | None = None,
        progress: Progress | None = None,
    ) -> list[MatchingSequence]:
        body = {"query": query_text, "subject": subject}
        columns = self._project.post("query", body, query=query_text, zone=zone)["sequences"]
        columns["contexts"]["of"] = [params.decode_in_order(form) for form in columns["contexts"]["of"]]
        lists = [
            [columns[name]["of"][number] for number in columns[name]["at"]]
            for name in ("runs", "names", "contexts", "kinds", "stored_kinds")
        ]
        sequences = [MatchingSequence(*cells) for cells in zip(*lists, strict=True)]
        self._runs.expect_sequences([_name_of(sequence) for sequence in sequences])
        self._runs.expect(columns["runs"]["of"])
        return sequences

    def explain(self, query_text: str, subject: str = "run", *, zone: tzinfo | None = None) -> Explanation:
        from aim.query.reports import ClauseReport, Explanation

        body = {"query": query_text, "subject": subject}
        answer = self._project.post("explain", body, query=query_text, zone=zone)
        return Explanation(answer["total"], tuple(ClauseReport(**clause) for clause in answer["clauses"]))

    def hints(self, query_text: str, subject: str = "run") -> list[Hint]:
        from aim.query.query import Hint

        answer = self._project.post("hints", {"query": query_text, "subject": subject}, query=query_text)
        return [Hint(**hint) for hint in answer["hints"]]

    def complete(self, prefix: str = "") -> dict[str, list[str]]:
        names: dict[str, list[str]] = self._project.post("names", {"begin": prefix})["names"]
        return names

    def table(
        self,
        columns: Sequence[str],
        query_text: str = "",
        *,
        sort: str = "-created_at",
        offset: int = 0,
        limit: int | None = None,
    ) -> RunTablePage:
        body = {"columns": list(columns), "query": query_text, "sort": sort, "offset": offset, "limit": limit}
        answer = self._project.post("table", body, query=query_text or "True")
        cells = [[params.decode(cell) for cell in column] for column in answer["cells"]]
        names = list(dict.fromkeys(columns))
        rows = [dict(zip(names, line, strict=True)) for line in zip(*cells, strict=True)]
        return RunTablePage(rows or [{} for _ in range(answer["rows"])], answer["total"])

    def summaries(
        self, name: str, context: Mapping[str, Any] | None = None, value: str = "last", *, kind: str = "metric"
    ) -> tuple[list[str], npt.NDArray[np.generic]]:
        import numpy

        body = {"name": name, "context": params.encode(contexts.plain(context)), "values": [value], "kind": kind}
        answer = self._project.post("summaries", body)
        values = [_number(cell) for cell in answer["values"]]
        return answer["runs"], numpy.array(values, numpy.dtype(answer["type"]))

    def summary_rows(
        self, sequences: Iterable[MatchingSequence], values: Sequence[str]
    ) -> list[dict[str, float | int | None]]:
        rows: list[dict[str, float | int | None]] = []
        forms = [
            [sequence.run_hash, sequence.name, params.encode(dict(sequence.context)), sequence.kind]
            for sequence in sequences
        ]
        for start in range(0, len(forms), SUMMARY_SEQUENCES_MAX):
            body = {"sequences": forms[start : start + SUMMARY_SEQUENCES_MAX], "values": list(values)}
            for cells in self._project.post("summaries", body)["rows"]:
                rows.append({} if cells is None else dict(zip(values, map(_number, cells), strict=True)))
        return rows

    def series(self, sequences: Iterable[MatchingSequence]) -> Iterator[SequencePoints]:
        listed = list(sequences)
        by_name = {_name_of(sequence): sequence for sequence in listed}
        for name, sent in read_sequences(self._project, map(_name_of, listed)):
            if sent.points is not None:
                yield SequencePoints(by_name[name], sent.points)
            elif sent.error is not None and sent.error.get("kind") != "not-found":
                error = error_of_body(sent.error)
                if error is not None:
                    raise error

    def point_batches(
        self, query_text: str = "", *, zone: tzinfo | None = None, batch_points: int = BATCH_POINTS
    ) -> Iterator[pa.RecordBatch]:
        from aim.engine import point_tables

        return point_tables.batches(self.series(self.sequences(query_text, zone=zone)), batch_points)

    def points_table(self, query_text: str = "", *, zone: tzinfo | None = None) -> pa.Table:
        import pyarrow

        from aim.engine import point_tables

        return pyarrow.Table.from_batches(self.point_batches(query_text, zone=zone), point_tables.schema())


def _number(cell: Any) -> Any:
    return float(cell) if isinstance(cell, str) else cell  # NaN, Infinity and -Infinity are texts


def _name_of(sequence: MatchingSequence) -> SequenceAddress:
    return SequenceAddress(sequence.run_hash, sequence.name, contexts.text(sequence.context))
