"""
What a client's `Questions` ask of all runs at once, besides points. Specified in docs/formats/wire.md, section 12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core import params
from aim.core.summaries import SUMMARY_VALUES
from aim.engine.door import MatchingSequence
from aim.engine.scan import Scan
from aim.query.names import SUBJECTS
from aim.server.answers import wire_number, wire_value, wrong
from aim.server.bodies import Body, read_body
from aim.server.requests import FIELDS_MAX
from aim.server.server_state import in_long_thread, repo_of
from aim.server.states import DOOR_RUNS_MAX, exact_json

RUN = "run"
ROWS_MAX = 100_000
SUMMARY_NAMES = tuple(summary.name for summary in SUMMARY_VALUES)


async def _answer(request: Request, body: Body, question: Callable[[Scan], Any]) -> Response:
    repo = repo_of(request)
    return await in_long_thread(request, lambda: exact_json(question(repo.repository.questions())))


async def query(request: Request) -> Response:
    """Answer `POST …/query`."""
    body = await read_body(request)
    text, subject = body.text("query"), body.choice("subject", SUBJECTS, RUN)
    limit = None if body.raw("limit") is None else body.whole("limit", 0, 0, DOOR_RUNS_MAX)
    after = body.text_or_none("after")

    def ask(questions: Scan) -> dict[str, Any]:
        if subject != RUN:
            return {"sequences": sequence_columns(questions.sequences(text, subject, zone=body.zone))}
        return {"runs": questions.runs(text, limit=limit, offset_hash=after, zone=body.zone)}

    return await _answer(request, body, ask)


def sequence_columns(sequences: Iterable[MatchingSequence]) -> dict[str, Any]:
    """
    Return sequences as columns: each distinct run, name, context and kind once, and their numbers.

    >>> sequence_columns([MatchingSequence("3df7", "loss", {"subset": "val"}, "metric", "float")])["runs"]
    {'of': ['3df7'], 'at': [0]}
    """
    columns: dict[str, dict[str, Any]] = {}
    listed = list(sequences)
    for column, values in (
        ("runs", [sequence.run_hash for sequence in listed]),
        ("names", [sequence.name for sequence in listed]),
        ("kinds", [sequence.kind for sequence in listed]),
        ("stored_kinds", [sequence.stored_kind for sequence in listed]),
    ):
        numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
        columns[column] = {"of": list(numbers), "at": [numbers[value] for value in values]}
    # the catalogue has each context once, so that its identity tells it
    contexts = {id(sequence.context): sequence.context for sequence in listed}
    numbers_by_id = {identity: number for number, identity in enumerate(contexts)}
    columns["contexts"] = {
        "of": [params.encode(dict(context), strict=False) for context in contexts.values()],
        "at": [numbers_by_id[id(sequence.context)] for sequence in listed],
    }
    return columns


def read_sequence(value: Any, where: str) -> MatchingSequence:
    """Return the sequence of a request: `[run, name, context, kind]`. Raises Refusal."""
    match value:
        case [str(run_hash), str(name), dict(context), str(kind)]:
            return MatchingSequence(run_hash, name, params.decode_in_order(context), kind, "")
    raise wrong(f'`{where}` must be a sequence, such as ["3df7…","loss",{{"subset":"val"}},"metric"].')


async def subject(request: Request) -> Response:
    """Answer `POST …/subject`."""
    body = await read_body(request)
    text, expected = body.text("query"), body.choice("subject", SUBJECTS, RUN)
    return await _answer(request, body, lambda questions: {"subject": questions.check(text, expected, zone=body.zone)})


async def explain(request: Request) -> Response:
    """Answer `POST …/explain`."""
    body = await read_body(request)
    text, subject = body.text("query"), body.choice("subject", SUBJECTS, RUN)

    def ask(questions: Scan) -> dict[str, Any]:
        explanation = questions.explain(text, subject, zone=body.zone)
        return {"total": explanation.total, "clauses": [asdict(clause) for clause in explanation.clauses]}

    return await _answer(request, body, ask)


async def hints(request: Request) -> Response:
    """Answer `POST …/hints`."""
    body = await read_body(request)
    text, subject = body.text("query"), body.choice("subject", SUBJECTS, RUN)
    return await _answer(
        request, body, lambda questions: {"hints": [asdict(hint) for hint in questions.hints(text, subject)]}
    )


async def names(request: Request) -> Response:
    """Answer `POST …/names`."""
    body = await read_body(request)
    prefix = body.text("begin")
    return await _answer(request, body, lambda questions: {"names": questions.complete(prefix)})


async def table(request: Request) -> Response:
    """Answer `POST …/table`."""
    body = await read_body(request)
    columns, text = body.texts("columns", FIELDS_MAX) or [], body.text("query")
    sort, offset = body.text("sort", "-created_at"), body.whole("offset", 0, 0, DOOR_RUNS_MAX)
    limit = None if body.raw("limit") is None else body.whole("limit", 0, 0, DOOR_RUNS_MAX)

    def ask(questions: Scan) -> dict[str, Any]:
        page = questions.table(columns, text, sort=sort, offset=offset, limit=limit)
        cells = [[wire_value(row[column]) for row in page.rows] for column in dict.fromkeys(columns)]
        return {"total": page.total, "rows": len(page.rows), "cells": cells}

    return await _answer(request, body, ask)


async def summaries(request: Request) -> Response:
    """Answer `POST …/summaries`."""
    body = await read_body(request)
    values = body.texts("values", len(SUMMARY_NAMES)) or []
    for value in values:
        if value not in SUMMARY_NAMES:
            raise wrong(f"`values`: {value!r} is none of {', '.join(SUMMARY_NAMES)}.")
    listed = body.each("sequences", read_sequence, ROWS_MAX)
    if listed is not None:
        return await _answer(
            request,
            body,
            lambda questions: {
                "rows": [
                    [wire_number(row.get(value)) for value in values] if row else None
                    for row in questions.summary_rows(listed, values)
                ]
            },
        )
    if len(values) != 1:
        raise wrong("`values` must name one summary, when it is asked of all runs.")
    name, kind = body.text("name"), body.choice("kind", SUBJECTS, "metric")
    context = params.decode_in_order(body.raw("context") or {})

    def ask(questions: Scan) -> dict[str, Any]:
        run_hashes, column = questions.summaries(name, context, values[0], kind=kind)
        return {"runs": run_hashes, "type": column.dtype.str, "values": [wire_number(cell) for cell in column.tolist()]}

    return await _answer(request, body, ask)
