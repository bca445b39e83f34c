"""
Objects by sequence and step: images, audio, video, texts, tables, distributions, figures, 3D objects. Specified in
docs/formats/wire.md, section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core.errors import NotFound
from aim.engine.matching import ask, hashes_of, runs_asked, sequences_newest_first
from aim.engine.media import StepChoice, items_at, longest_list, spread
from aim.server.answers import json_answer, wire_context, wrong
from aim.server.bodies import Body, Key, read_body, read_key
from aim.server.object_forms import STORED_OF_SUBJECT, wire_object
from aim.server.open_repository import OpenRepository
from aim.server.selection import narrowed_sequences
from aim.server.server_state import in_thread, repo_of
from aim.storage.catalogue.run_table import RunTable

STEPS_SHOWN_MAX = 2_000
SEQUENCES_MAX = 5_000
ITEMS_MAX = 50_000


@dataclass(frozen=True)
class ObjectsRequest:
    """The body of `POST …/objects`."""

    query: str
    zone: tzinfo
    runs: list[str] | None
    type: str
    sequences: list[Key] | None
    steps: StepChoice
    first: int
    count: int
    limit: int

    @classmethod
    def read(cls, body: Body) -> ObjectsRequest:
        """Read the body. Raises Refusal."""
        index = body.inner("index") or Body({})
        return cls(
            body.query(),
            body.zone,
            body.texts("runs"),
            body.choice("type", STORED_OF_SUBJECT),
            body.each("sequences", read_key),
            _read_steps(body.inner("steps") or Body({})),
            index.whole("from", 0, 0, 1 << 31),
            index.whole("count", 16, 1, 10_000),
            body.whole("limit", 500, 1, SEQUENCES_MAX),
        )


def _read_steps(body: Body) -> StepChoice:
    bound = 1 << 62
    if "at" in body:
        return StepChoice(is_at=True, at=None if body.raw("at") is None else body.whole("at", 0, -bound, bound))
    low = None if body.raw("from") is None else body.whole("from", 0, -bound, bound)
    high = None if body.raw("to") is None else body.whole("to", 0, -bound, bound)
    if low is not None and high is not None and low > high:
        raise wrong("`steps.from` must not be above `steps.to`.")
    return StepChoice(low=low, high=high, count=body.whole("count", 8, 1, 1_000))


@dataclass(frozen=True)
class _MatchingObjects:
    """A sequence of objects that matches; *run_index* counts the runs of the answer."""

    run_index: int
    run_hash: str
    name: str
    context: Mapping[str, Any]
    context_text: str
    stored_kind: str


async def objects(request: Request) -> Response:
    """Answer `POST …/objects`."""
    objects_request = ObjectsRequest.read(await read_body(request))
    return await in_thread(request, _objects, repo_of(request), objects_request)


def _objects(repo: OpenRepository, request: ObjectsRequest) -> Response:
    cursor, (match_count, matches) = repo.ask(
        lambda table: (repo.watch.cursor_of(table), _matching_objects(table, request)),
        about=runs_asked(ask(request.query, zone=request.zone), request.runs),
    )
    runs: list[str] = []
    sequences: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    for sequence in matches:
        if len(items) >= ITEMS_MAX:
            break
        description = _describe(repo, sequence, request, len(sequences), items)
        if description is not None:
            if not runs or runs[-1] != sequence.run_hash:
                runs.append(sequence.run_hash)
            sequences.append({"run": len(runs) - 1, **description})
    return json_answer({"cursor": cursor, "total": match_count, "runs": runs, "sequences": sequences, "items": items})


def _matching_objects(table: RunTable, request: ObjectsRequest) -> tuple[int, list[_MatchingObjects]]:
    """Return how many sequences match, and the first of them, newest runs first."""
    question = ask(request.query, zone=request.zone)
    pair_indices, rows = narrowed_sequences(table, question, request.runs, request.sequences, request.type)
    match_count = len(rows)
    pair_indices, rows = sequences_newest_first(table, pair_indices, rows)
    pair_indices, rows = pair_indices[: request.limit], rows[: request.limit]
    hashes, kinds = hashes_of(table, rows), table.stored_kinds(pair_indices, rows)
    run_indices = {run_hash: index for index, run_hash in enumerate(dict.fromkeys(hashes))}
    pairs = [table.pairs[index] for index in pair_indices.tolist()]
    return match_count, [
        _MatchingObjects(run_indices[run_hash], run_hash, pair.name, pair.context, pair.context_text, kind)
        for run_hash, pair, kind in zip(hashes, pairs, kinds, strict=True)
    ]


def _describe(
    repo: OpenRepository,
    sequence: _MatchingObjects,
    request: ObjectsRequest,
    sequence_index: int,
    items: list[dict[str, Any]],
) -> dict[str, Any] | None:
    """Describe a sequence, and add its items to *items*; None when its run is gone."""
    try:
        reader = repo.repository.readers.reader(sequence.run_hash)
        points = reader.points((sequence.name, sequence.context_text))
    except (NotFound, FileNotFoundError):
        return None
    if points is None or not len(points):
        return None
    for point_index in request.steps.indices(points.steps).tolist():
        for item in items_at(reader, points, point_index, request.first, request.count):
            items.append({"sequence": sequence_index, **wire_object(item, request.type)})
    is_list = sequence.stored_kind.startswith("list(")
    return {
        "name": sequence.name,
        "context": wire_context(sequence.context),
        "kind": sequence.stored_kind,
        "count": len(points),
        "steps": points.steps[spread(len(points), STEPS_SHOWN_MAX)].tolist(),
        "index_count": longest_list(reader, points) if is_list else 1,
    }
