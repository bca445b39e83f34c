"""
Edits of runs, undo, and documents. Specified in docs/formats/wire.md, section 8.

An edit has a name before it changes anything, and is made in a thread of its own. The request waits for its end as long
as it says; a page follows it by its name, and finds it again after it was reloaded.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core.errors import RunExists
from aim.engine.documents import DeletedDocument, Document, StaleRevision
from aim.engine.rewinding import STEPS_MAX
from aim.engine.run_changes import RunsChange, TooLate
from aim.engine.undo import check_properties
from aim.server.answers import Refusal, json_answer, wrong
from aim.server.bodies import Body, read_body, read_key
from aim.server.boundary import refusal_of
from aim.server.open_repository import OpenRepository
from aim.server.server_state import check_change, check_writable, editor_of, in_thread, repo_of, server_of
from aim.storage.forms.state import SequenceKey

TAG_CHARS_MAX = 200
TAGS_MAX = 100
POINTS_MAX = 100
DELETING = frozenset({"deleted", "points"})  # the members of `change` that delete
WAIT_S_MAX = 50.0  # less than what a proxy waits


async def edit(request: Request) -> Response:
    """Answer `POST …/edits`."""
    check_writable(request)
    body = await read_body(request)
    runs = body.texts("runs")
    change = body.inner("change")
    if not runs or change is None or not change.names():
        raise wrong("An edit needs `runs`, a list of hashes, and `change`, what to change in them.")
    if DELETING & set(change.names()):
        check_change(request)
    wait_s = _wait_s(body)
    repo = repo_of(request)
    begun = await in_thread(request, _begin, repo, runs, change)
    begun.by = editor_of(request)
    is_done = await server_of(request).pool.start(begun.make, wait_s)
    if is_done and begun.error is not None:
        refusal = refusal_of(begun.error)
        refusal.body |= {"undo": begun.name, "done": begun.done_count}  # what was changed can be taken back
        raise refusal
    cursor = await in_thread(request, repo.watch.look) if is_done else repo.watch.cursor
    return json_answer({"cursor": cursor, **_wire_change(begun)})


def _wait_s(body: Body) -> float:
    wait_s = body.number("wait_s", WAIT_S_MAX)
    if not 0 <= wait_s <= WAIT_S_MAX:
        raise wrong(f"`wait_s` must be 0 to {WAIT_S_MAX:g}, got {wait_s:g}.")
    return wait_s


def _begin(repo: OpenRepository, runs: list[str], change: Body) -> RunsChange:
    """Check a change and give it a name; nothing is changed yet."""
    if "deleted" in change:
        if change.raw("deleted") is not True or len(change.names()) > 1:
            raise wrong("`deleted` must be true, and stand alone.")
        return repo.changes.begin_deletion(runs)
    if "points" in change:
        if len(runs) != 1 or len(change.names()) > 1:
            raise wrong("`points` must stand alone, and be of one run.")
        return repo.changes.begin_points_deletion(runs[0], change.each("points", _read_points, POINTS_MAX) or [])
    return _begin_properties(repo, runs, change)


def _begin_properties(repo: OpenRepository, runs: list[str], change: Body) -> RunsChange:
    properties: dict[str, Any] = {name: change.raw(name) for name in change.names() if name != "tags"}
    check_properties(properties)
    tags = change.inner("tags") or Body({})
    added, removed = tags.texts("add", TAGS_MAX) or [], tags.texts("remove", TAGS_MAX) or []
    if any(not tag.strip() or len(tag) > TAG_CHARS_MAX for tag in added):
        raise wrong(f"A tag has 1 to {TAG_CHARS_MAX} characters.")
    return repo.changes.begin_edit(runs, properties, added, removed)


def _wire_change(change: RunsChange) -> dict[str, Any]:
    error = change.error
    return {
        "undo": change.name,
        "time": change.at_s,
        "change": list(change.summary),
        "of": change.what,
        "count": change.count,
        "done": change.done_count,
        "state": change.state,
        "error": None if error is None else refusal_of(error).body,
    }


async def edits(request: Request) -> Response:
    """Answer `GET …/edits`."""
    return json_answer({"edits": [_wire_change(change) for change in repo_of(request).changes.recent()]})


async def one_edit(request: Request) -> Response:
    """Answer `GET …/edits/<undo>`."""
    repo = repo_of(request)
    return json_answer({"cursor": repo.watch.cursor, **_wire_change(repo.changes.change(request.path_params["undo"]))})


def _read_points(value: Any, where: str) -> tuple[SequenceKey, list[int], list[int] | None]:
    name, context = read_key(value, where)
    body = Body(value, where)
    steps = body.each("steps", _read_whole, STEPS_MAX)
    if not steps:
        raise wrong(f"`{where}.steps` must name one step or more.")
    return (name, context or "{}"), steps, body.each("items", _read_whole, STEPS_MAX)


def _read_whole(value: Any, where: str) -> int:
    if type(value) is not int:
        raise wrong(f"`{where}` must be an integer.")
    return value


async def undo(request: Request) -> Response:
    """Answer `POST …/undo`."""
    check_writable(request)
    body = await read_body(request)
    name, wait_s = body.text("undo"), _wait_s(body)
    repo = repo_of(request)
    counts: list[int] = []
    by = editor_of(request)
    try:
        change = repo.changes.change(name)
        is_done = await server_of(request).pool.start(lambda: counts.append(repo.changes.undo(name, by)), wait_s)
    except (TooLate, RunExists) as error:
        raise Refusal(409, "conflict", str(error)) from None
    if not is_done:
        return json_answer({"cursor": repo.watch.cursor, **_wire_change(change)})
    return json_answer({"cursor": await in_thread(request, repo.watch.look), "count": counts[0], "state": "undone"})


def _form(document: Document) -> dict[str, Any]:
    return {
        "kind": document.kind,
        "id": document.id,
        "revision": document.revision,
        "updated_at": document.updated_at_s,
        "body": document.body,
    }


async def documents(request: Request) -> Response:
    """Answer `GET …/documents`."""
    kind = request.query_params.get("kind")
    documents = repo_of(request).documents
    if kind is not None:
        return json_answer({"documents": [_form(each) for each in await in_thread(request, documents.list, kind)]})
    stored = await in_thread(request, documents.stored)
    answer: dict[str, Any] = {"documents": [_form(each) for each in stored if isinstance(each, Document)]}
    deleted = [
        {"kind": each.kind, "id": each.id, "deleted_at": each.deleted_at_s}
        for each in stored
        if isinstance(each, DeletedDocument)
    ]
    return json_answer({**answer, "deleted": deleted} if deleted else answer)


async def put_document(request: Request) -> Response:
    """Answer `PUT …/documents/<kind>/<id>`."""
    check_writable(request)
    body = await read_body(request)
    content = body.raw("body")
    if not isinstance(content, dict):
        raise wrong("`body` must be an object.")
    kind, document_id = request.path_params["kind"], request.path_params["id"]
    at_s = body.number("updated_at") if "updated_at" in body else None
    put = partial(repo_of(request).documents.put, at_s=at_s)
    try:
        written = await in_thread(request, put, kind, document_id, body.text_or_none("revision"), content)
    except StaleRevision as error:
        raise Refusal(409, "conflict", str(error)) from None
    return json_answer(_form(written))


async def delete_document(request: Request) -> Response:
    """Answer `DELETE …/documents/<kind>/<id>`."""
    check_writable(request)
    kind, document_id = request.path_params["kind"], request.path_params["id"]
    text = request.query_params.get("deleted_at")
    at_s = None if text is None else Body({"deleted_at": _number_in(text)}).number("deleted_at")
    delete = partial(repo_of(request).documents.delete, at_s=at_s)
    try:
        await in_thread(request, delete, kind, document_id)
    except StaleRevision as error:
        raise Refusal(409, "conflict", str(error)) from None
    return json_answer({})


def _number_in(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
