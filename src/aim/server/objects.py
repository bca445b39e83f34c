"""
Objects by sequence and step: images, audio, video, texts, tables, distributions, figures. Specified in
docs/formats/wire.md, section 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core.errors import NotFound
from aim.engine.matching import hashes_of, sequences_newest_first
from aim.engine.media import OBJECT_TYPES, StepChoice, items_at, longest_list, read_blob, spread
from aim.engine.tables import read_table
from aim.server.answers import json_answer, wire_context, wrong
from aim.server.bodies import Body, Key, read_body, read_key
from aim.server.object_forms import wire_object
from aim.server.open_repository import OpenRepository
from aim.server.run_page import whole
from aim.server.selection import narrowed_sequences
from aim.server.server_state import in_thread, repo_of
from aim.storage.catalogue.run_table import RunTable

STEPS_SHOWN_MAX = 2_000
SEQUENCES_MAX = 5_000
ITEMS_MAX = 50_000
ROWS_MAX = 1_000


@dataclass(frozen=True)
class ObjectsRequest:
    """What `POST …/objects` asks for."""

    query: str
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
            body.text("query"),
            body.texts("runs"),
            body.choice("type", OBJECT_TYPES),
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
class _Sequence:
    run: int
    run_hash: str
    name: str
    context: Mapping[str, Any]
    text: str
    kind: str


async def objects(request: Request) -> Response:
    """Answer `POST …/objects`."""
    wanted = ObjectsRequest.read(await read_body(request))
    return await in_thread(request, _objects, repo_of(request), wanted)


def _objects(repo: OpenRepository, wanted: ObjectsRequest) -> Response:
    cursor, (total, found) = repo.ask(lambda table: (repo.watch.cursor_of(table), _find(table, wanted)))
    runs: list[str] = []
    sequences: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    for one in found:
        if len(items) >= ITEMS_MAX:
            break
        with repo.points.lock_of(one.run_hash):
            described = _describe(repo, one, wanted, len(sequences), items)
        if described is not None:
            if not runs or runs[-1] != one.run_hash:
                runs.append(one.run_hash)
            sequences.append({"run": len(runs) - 1, **described})
    return json_answer({"cursor": cursor, "total": total, "runs": runs, "sequences": sequences, "items": items})


def _find(table: RunTable, wanted: ObjectsRequest) -> tuple[int, list[_Sequence]]:
    places, rows = narrowed_sequences(table, wanted.query, wanted.runs, wanted.sequences, wanted.type)
    total = len(places)
    places, rows = sequences_newest_first(table, places, rows)
    places, rows = places[: wanted.limit], rows[: wanted.limit]
    hashes, kinds = hashes_of(table, rows), table.stored_kinds(places, rows)
    number = {run_hash: place for place, run_hash in enumerate(dict.fromkeys(hashes))}
    pairs = [table.pairs[place] for place in places.tolist()]
    return total, [
        _Sequence(number[run_hash], run_hash, pair.name, pair.context, pair.context_text, kind)
        for run_hash, pair, kind in zip(hashes, pairs, kinds, strict=True)
    ]


def _describe(
    repo: OpenRepository, one: _Sequence, wanted: ObjectsRequest, sequence: int, items: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """Describe a sequence, and add its items; None when its run is gone."""
    try:
        reader = repo.repository.reader(one.run_hash)
        points = reader.points((one.name, one.text))
    except (NotFound, FileNotFoundError):
        return None
    if points is None or not len(points):
        return None
    for position in wanted.steps.indices(points.steps).tolist():
        for item in items_at(reader, points, position, wanted.first, wanted.count):
            items.append({"sequence": sequence, **wire_object(item, wanted.type)})
    is_list = one.kind.startswith("list(")
    return {
        "name": one.name,
        "context": wire_context(one.context),
        "kind": one.kind,
        "count": len(points),
        "steps": points.steps[spread(len(points), STEPS_SHOWN_MAX)].tolist(),
        "index_count": longest_list(reader, points) if is_list else 1,
    }


async def table(request: Request) -> Response:
    """Answer `GET …/tables/<blob>`."""
    first, count = whole(request, "from", 0, 0, 1 << 31), whole(request, "limit", 100, 1, ROWS_MAX)
    found = await in_thread(request, read_blob, repo_of(request).repository, request.path_params["blob"])
    if found.kind != "aim.table":
        raise wrong("This object is no table.")
    columns, rows = read_table(found.data)
    return json_answer({"columns": columns, "total": len(rows), "from": first, "rows": rows[first : first + count]})
