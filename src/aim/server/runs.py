"""
The table of runs, and what runs have. Specified in docs/formats/wire.md, section 4.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
from starlette.requests import Request
from starlette.responses import Response

from aim.core.errors import InvalidQuery
from aim.engine.exact_summaries import exact_summary, may_be_longer, some_may_be_longer
from aim.engine.listing import SummaryField, cells, sort_rows
from aim.engine.matching import (
    RUN,
    Question,
    ask,
    hashes_of,
    matching_runs,
    matching_sequences,
    newest_first,
    rows_of,
    runs_asked,
)
from aim.engine.overview import ParamOverview, SequenceOverview, facets_of, params_of, sequences_of
from aim.server.answers import json_answer, wire_cell, wire_context
from aim.server.bodies import Body, read_body
from aim.server.columns import plain, wire_column, wire_columns, wire_summaries
from aim.server.open_repository import OpenRepository
from aim.server.requests import RunsRequest
from aim.server.selection import rows_of_group
from aim.server.server_state import in_thread, repo_of
from aim.storage.catalogue.run_table import RunTable

IntArray = npt.NDArray[np.int64]


async def table(request: Request) -> Response:
    """Answer `POST …/runs`."""
    runs_request = RunsRequest.read(await read_body(request))
    return await in_thread(request, _table, repo_of(request), runs_request)


def _table(repo: OpenRepository, request: RunsRequest) -> Response:
    begun_s = time.perf_counter()
    question = ask(request.query, zone=request.zone)

    def read(table: RunTable) -> dict[str, Any]:
        rows = selected_rows(table, question, request.runs)
        if request.group is not None:
            rows = rows_of_group(table, rows, request.group)
        ordered = sort_rows(table, newest_first(table, rows), request.sort)
        page_rows = ordered[request.offset : request.offset + request.limit]
        answer = {
            "cursor": repo.watch.cursor_of(table),
            "elapsed_ms": 0.0,
            "total": table.run_count,
            "count": len(rows),
            "indexing": repo.catalogue.indexing,
            "hash": hashes_of(table, page_rows),
            "columns": [wire_column(field, cells(table, field, page_rows)) for field in request.fields],
        }
        if not len(rows) and request.query.strip():
            answer["clauses"] = _clauses(table, question)
            answer["hints"] = [asdict(hint) for hint in question.query.hints(table)]
        return answer

    answer = repo.ask(read, about=runs_asked(question, request.runs))
    for field, column in zip(request.fields, answer["columns"], strict=True):
        if isinstance(field, SummaryField):
            column["values"] = _with_all_digits(repo, field, column["values"], answer["hash"])
    answer["elapsed_ms"] = round((time.perf_counter() - begun_s) * 1e3, 2)
    return json_answer(answer)


def _with_all_digits(repo: OpenRepository, field: SummaryField, values: list[Any], hashes: list[str]) -> list[Any]:
    if not some_may_be_longer(field.summary, values):
        return values
    key = (field.metric, field.context_text)
    return [
        exact_summary(repo.repository, run_hash, key, field.summary, value)
        if may_be_longer(field.summary, value)
        else value
        for run_hash, value in zip(hashes, values, strict=True)
    ]


def selected_rows(table: RunTable, question: Question, hashes: list[str] | None) -> IntArray:
    """Return the rows that a query and a list of runs select; runs that are listed may be archived."""
    if hashes is None:
        return matching_runs(table, question)
    listed = rows_of(table, hashes)
    if not question.query.text.strip():
        return listed
    return listed[np.isin(listed, matching_runs(table, question.with_archived()))]


def _clauses(table: RunTable, question: Question) -> list[dict[str, int]]:
    """Return how many runs each clause of a query leaves when it stands alone."""
    text = question.query.text
    clauses = []
    for clause in question.query.clauses:
        try:
            count = len(matching_runs(table, ask(text[clause.start : clause.end], zone=question.query.clock.zone)))
        except InvalidQuery:  # the clause uses a name that another clause defines
            continue
        clauses.append({"start": clause.start, "end": clause.end, "count": count})
    return clauses


async def fields(request: Request) -> Response:
    """Answer `POST …/fields`."""
    body = await read_body(request)
    return await in_thread(request, _fields, repo_of(request), body, body.texts("runs"))


def _fields(repo: OpenRepository, body: Body, hashes: list[str] | None) -> Response:
    question = ask(body.query(), zone=body.zone)

    def read(table: RunTable) -> dict[str, Any]:
        rows = selected_rows(table, question, hashes)
        matching = None if question.subject == RUN else matching_sequences(table, question, question.subject)
        return {
            "cursor": repo.watch.cursor_of(table),
            "total": table.run_count,
            "count": len(rows),
            "params": [_wire_param(param) for param in params_of(table, rows)],
            "sequences": [_wire_sequence(sequence) for sequence in sequences_of(table, rows, matching)],
            "facets": facets_of(table, rows),
            "search": body.search(),
            "columns": wire_columns(),
            "summaries": wire_summaries(),
        }

    return json_answer(repo.ask(read, about=runs_asked(question, hashes)))


def _wire_param(param: ParamOverview) -> dict[str, Any]:
    return {
        "path": list(param.path),
        "type": param.type,
        "runs": param.runs,
        "distinct": param.distinct,
        "examples": [wire_cell(plain(value)) for value in param.examples],
    }


def _wire_sequence(sequence: SequenceOverview) -> dict[str, Any]:
    return {
        "name": sequence.name,
        "context": wire_context(sequence.context),
        "kind": sequence.kind,
        "runs": sequence.runs,
        "points": sequence.points,
    }
