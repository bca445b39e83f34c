"""
Edits of runs, undo, and documents. Specified in docs/formats/wire.md, section 8.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core.errors import RunExists
from aim.engine.documents import Document, StaleRevision
from aim.engine.rewinding import STEPS_MAX
from aim.engine.undo import TooLate, check_properties
from aim.server.answers import Refusal, json_answer, wrong
from aim.server.bodies import Body, read_body, read_key
from aim.server.open_repository import OpenRepository
from aim.server.server_state import check_writable, in_thread, repo_of
from aim.storage.forms.state import SequenceKey

TAG_CHARS_MAX = 200
TAGS_MAX = 100
POINTS_MAX = 100


async def edit(request: Request) -> Response:
    """Answer `POST …/edits`."""
    check_writable(request)
    body = await read_body(request)
    runs = body.texts("runs")
    change = body.inner("change")
    if not runs or change is None or not change.names():
        raise wrong("An edit needs `runs`, a list of hashes, and `change`, what to change in them.")
    return await in_thread(request, _edit, repo_of(request), runs, change)


def _edit(repo: OpenRepository, runs: list[str], change: Body) -> Response:
    if "deleted" in change:
        if change.raw("deleted") is not True or len(change.names()) > 1:
            raise wrong("`deleted` must be true, and stand alone.")
        count, undo = repo.changes.delete(runs)
    elif "points" in change:
        count, undo = _delete_points(repo, runs, change)
    else:
        count, undo = _edit_properties(repo, runs, change)
    return json_answer({"cursor": repo.watch.look(), "count": count, "undo": undo})


def _edit_properties(repo: OpenRepository, runs: list[str], change: Body) -> tuple[int, str]:
    properties: dict[str, Any] = {name: change.raw(name) for name in change.names() if name != "tags"}
    check_properties(properties)
    tags = change.inner("tags") or Body({})
    added, removed = tags.texts("add", TAGS_MAX) or [], tags.texts("remove", TAGS_MAX) or []
    if any(not tag.strip() or len(tag) > TAG_CHARS_MAX for tag in added):
        raise wrong(f"A tag has 1 to {TAG_CHARS_MAX} characters.")
    return repo.changes.edit(runs, properties, added, removed)


def _delete_points(repo: OpenRepository, runs: list[str], change: Body) -> tuple[int, str]:
    if len(runs) != 1 or len(change.names()) > 1:
        raise wrong("`points` must stand alone, and be of one run.")
    return repo.changes.delete_points(runs[0], change.each("points", _read_points, POINTS_MAX) or [])


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
    name = (await read_body(request)).text("undo")
    return await in_thread(request, _undo, repo_of(request), name)


def _undo(repo: OpenRepository, name: str) -> Response:
    try:
        count = repo.changes.undo(name)
    except (TooLate, RunExists) as error:
        raise Refusal(409, "conflict", str(error)) from None
    return json_answer({"cursor": repo.watch.look(), "count": count})


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
    listed = await in_thread(request, repo_of(request).documents.list, kind)
    return json_answer({"documents": [_form(document) for document in listed]})


async def put_document(request: Request) -> Response:
    """Answer `PUT …/documents/<kind>/<id>`."""
    check_writable(request)
    body = await read_body(request)
    content = body.raw("body")
    if not isinstance(content, dict):
        raise wrong("`body` must be an object.")
    kind, document_id = request.path_params["kind"], request.path_params["id"]
    put = repo_of(request).documents.put
    try:
        written = await in_thread(request, put, kind, document_id, body.text_or_none("revision"), content)
    except StaleRevision as error:
        raise Refusal(409, "conflict", str(error)) from None
    return json_answer(_form(written))


async def delete_document(request: Request) -> Response:
    """Answer `DELETE …/documents/<kind>/<id>`."""
    check_writable(request)
    kind, document_id = request.path_params["kind"], request.path_params["id"]
    await in_thread(request, repo_of(request).documents.delete, kind, document_id)
    return json_answer({})
