"""
What a client's `Door` changes: an edit of one run, a fork, tags; and a run as an archive, to be copied. Specified in
docs/formats/wire.md, section 12.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core import clock
from aim.core.tags import Tag
from aim.engine.backend_repository import BackendRepository
from aim.server.answers import wrong
from aim.server.bodies import Body, read_body
from aim.server.files import file_answer
from aim.server.open_repository import OpenRepository
from aim.server.run_page import hash_of
from aim.server.server_state import check_change, check_writable, in_long_thread, in_thread, repo_of
from aim.server.states import exact_json, open_run
from aim.storage.forms import edits, fold
from aim.storage.forms.state import RunState

EDIT_KEYS = frozenset(("property", "tags", "set", "value", "del", "drop", "delete", "undelete"))
HIDING_KEYS = frozenset(("drop", "delete", "undelete"))
EDITORS = (edits.BY_PYTHON, edits.BY_SDK, edits.BY_CLI, edits.BY_MCP)


async def edit(request: Request) -> Response:
    """Answer `POST …/edit`."""
    check_writable(request)
    body = await read_body(request)
    run_hash, by, after_s = body.text("run"), body.choice("by", EDITORS, edits.BY_PYTHON), body.number("after")
    change = _read_change(body)
    if HIDING_KEYS & change.keys():
        check_change(request)

    def make(repo: OpenRepository) -> Response:
        open_run(repo, run_hash)
        return exact_json({"at": repo.repository.edit(run_hash, change, by=by, after_s=after_s)})

    return await in_thread(request, make, repo_of(request))


def _read_change(body: Body) -> Mapping[str, Any]:
    inner = body.inner("change") or Body({})
    change = {name: inner.raw(name) for name in inner.names()}
    if not change or not EDIT_KEYS >= change.keys():
        raise wrong(f"`change` must have some of {', '.join(sorted(EDIT_KEYS))}.")
    try:  # what no reader would understand is refused, as it would stay with the run for ever
        fold.apply(RunState(""), (clock.now(), "edit", 0, change), None)
    except fold.MALFORMED as error:
        raise wrong(f"`change` is no edit that can be understood: {error}.") from None
    return change


async def fork(request: Request) -> Response:
    """Answer `POST …/fork`."""
    check_writable(request)
    body = await read_body(request)
    run_hash, name = body.text("run"), body.text_or_none("name")
    step = body.whole("step", 0, -(1 << 63), (1 << 63) - 1)

    def make(repo: OpenRepository) -> Response:
        open_run(repo, run_hash)
        return exact_json({"run": repo.repository.fork_run(run_hash, step, name=name)})

    return await in_long_thread(request, make, repo_of(request))


async def tags(request: Request) -> Response:
    """Answer `GET …/tags`."""
    return await in_thread(request, lambda repo: exact_json({"tags": _tag_forms(repo.repository)}), repo_of(request))


def _tag_forms(repository: BackendRepository) -> list[dict[str, Any]]:
    return [tag._asdict() for tag in repository.tags(by=edits.BY_SDK).all()]


async def change_tag(request: Request) -> Response:
    """Answer `POST …/tags`."""
    check_writable(request)
    body = await read_body(request)
    name, by = body.text("name"), body.choice("by", EDITORS, edits.BY_SDK)
    action = body.choice("action", ("set", "rename", "delete"))

    def make(repo: OpenRepository) -> Response:
        door = repo.repository.tags(by=by)
        if action == "rename":
            return exact_json({"count": door.rename(name, body.text("new_name"))})
        if action == "delete":
            return exact_json({"count": door.delete(name)})
        tag: Tag = door.put(name, color=body.text_or_none("color"), description=body.text_or_none("description"))
        return exact_json({"tag": tag._asdict()})

    return await in_long_thread(request, make, repo_of(request))


async def archive(request: Request) -> Response:
    """Answer `GET …/runs/<hash>/archive`."""
    repo = repo_of(request)
    run_hash = hash_of(request, repo)

    def write() -> Response:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
        repo.write_archive(run_hash, file)
        file.seek(0)
        return file_answer(file, f"{run_hash}.zip", request.headers.get("range"))

    return await in_long_thread(request, write)
