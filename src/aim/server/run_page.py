"""
One run: what it is, what it printed, what it keeps. Specified in docs/formats/wire.md, section 4, *One run*.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

from starlette.requests import Request
from starlette.responses import Response

from aim.core.errors import RunNotFound
from aim.engine.artifacts import artifacts_of, find_artifact
from aim.engine.listing import notes_text
from aim.engine.logs import RunLogs
from aim.engine.overview_of_run import RunOverview, overview_of_run, sequences_of_run
from aim.server.answers import json_answer, missing, wire_context, wire_number, wire_value, wrong
from aim.server.files import file_answer
from aim.server.open_repository import OpenRepository
from aim.server.server_state import in_thread, repo_of
from aim.storage.forms.state import WriterInfo

LINES_MAX = 20_000
RECORDS_MAX = 5_000


def hash_of(request: Request, repo: OpenRepository) -> str:
    """Return the hash of the run that the address names. Raises Refusal: (404) there is none."""
    run_hash = str(request.path_params["run"])
    if not repo.repository.has_run(run_hash):
        raise missing(f"No run {run_hash} in this repository.")
    return run_hash


def whole(request: Request, name: str, default: int, low: int, high: int) -> int:
    """Return an integer of the address. Raises Refusal."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    try:
        number = int(text)
    except ValueError:
        raise wrong(f"`{name}` must be an integer, got {text[:40]!r}.") from None
    if not low <= number <= high:
        raise wrong(f"`{name}` must be {low} to {high}, got {number}.")
    return number


async def run(request: Request) -> Response:
    """Answer `GET …/runs/<hash>`."""
    repo = repo_of(request)
    return await in_thread(request, _run, repo, hash_of(request, repo))


def _run(repo: OpenRepository, run_hash: str) -> Response:
    cursor, sequences = repo.ask(lambda table: (repo.watch.cursor_of(table), sequences_of_run(table, run_hash)))
    try:
        overview = overview_of_run(repo.repository, run_hash)
        with repo.points.lock_of(run_hash):
            logs = RunLogs(repo.repository.reader(run_hash))
            found = logs.all()
            counts = {"log_lines": sum(one.lines for one in found), "log_records": logs.record_count()}
        files = artifacts_of(repo.repository.store.run_folder(run_hash), overview.state.artifacts)
    except (RunNotFound, FileNotFoundError):
        raise missing(f"No run {run_hash} in this repository.") from None
    return json_answer(
        {
            "cursor": cursor,
            **_facts(overview),
            "sequences": [
                {
                    "name": one.name,
                    "context": wire_context(one.context),
                    "kind": one.kind,
                    **{name: wire_number(value) for name, value in one.values.items()},
                }
                for one in sequences
            ],
            **counts,
            "logs": [
                {
                    "id": one.id,
                    "label": one.label,
                    "context": wire_context(one.context),
                    "writers": list(one.writers),
                    "lines": one.lines,
                }
                for one in found
            ],
            "artifacts": [
                {
                    "name": one.name,
                    "path": one.name,
                    "uri": one.uri,
                    "size": one.size_bytes,
                    "sha256": one.sha256,
                    "here": one.path is not None,
                }
                for one in files
            ],
        }
    )


def _facts(overview: RunOverview) -> dict[str, Any]:
    state = overview.state
    given = state.properties
    return {
        "hash": state.run_hash,
        "name": state.name,
        "description": given.get("description"),
        "experiment": state.experiment,
        "status": overview.status,
        "error": state.error() if overview.status == "failed" else None,
        "created_at": state.created_at_s,
        "end_time": overview.end_s,
        "duration": overview.duration_s,
        "archived": bool(given.get("archived", False)),
        "tags": list(state.tags),
        "notes": notes_text(given.get("notes")),
        "rewinds": [{"step": rewind.step, "time": rewind.time_s} for rewind in state.rewinds],
        "forked_from": None
        if state.forked_from is None
        else {
            "run": state.forked_from.run_hash,
            "step": state.forked_from.step,
            "time": state.forked_from.time_s,
        },
        "params": overview.params,
        "system": overview.system,
        "writers": [
            _writer(writer) for writer in sorted(state.writers.values(), key=lambda one: one.begun_at_s or 0.0)
        ],
    }


def _writer(writer: WriterInfo) -> dict[str, Any]:
    begin: Mapping[str, Any] = writer.begin or {}
    end: Mapping[str, Any] = writer.end or {}
    return {
        "writer": writer.id,
        **{name: wire_value(begin.get(name)) for name in ("host", "pid", "command", "python", "aim")},
        "begin": writer.begun_at_s,
        "end": writer.ended_at_s,
        "state": wire_value(end.get("state")),
        "error": wire_value(end.get("error")),
    }


async def log(request: Request) -> Response:
    """Answer `GET …/runs/<hash>/log`."""
    repo = repo_of(request)
    run_hash = hash_of(request, repo)
    which = request.query_params.get("log") or None
    text = request.query_params.get("find")
    start = whole(request, "from", 0, -(1 << 40), 1 << 40)
    limit = whole(request, "limit", 2000, 1, LINES_MAX)

    def read() -> Response:
        with repo.points.lock_of(run_hash):
            logs = RunLogs(repo.repository.reader(run_hash), which)
            if text is not None:
                return json_answer({"total": logs.line_count(), "matches": logs.find(text[:1000])})
            first, total, lines = logs.lines(start, limit)
            return json_answer({"from": first, "total": total, "lines": lines})

    return await in_thread(request, read)


async def records(request: Request) -> Response:
    """Answer `GET …/runs/<hash>/records`."""
    repo = repo_of(request)
    run_hash = hash_of(request, repo)
    start = whole(request, "from", 0, 0, 1 << 40)
    limit = whole(request, "limit", 500, 1, RECORDS_MAX)
    level = request.query_params.get("level") or None

    def read() -> Response:
        with repo.points.lock_of(run_hash):
            total, found = RunLogs(repo.repository.reader(run_hash)).records(start, limit, level)
        shown = [
            {
                "time": one.time_s,
                "level": one.level,
                "message": one.message,
                "args": wire_value(one.args),
                "file": one.file,
                "line": one.line,
            }
            for one in found
        ]
        return json_answer({"from": start, "total": total, "records": shown})

    return await in_thread(request, read)


async def artifact(request: Request) -> Response:
    """Answer `GET …/runs/<hash>/artifacts/<name>`."""
    repo = repo_of(request)
    run_hash, name = hash_of(request, repo), str(request.path_params["name"])

    def find() -> BinaryIO:
        folder = repo.repository.store.run_folder(run_hash)
        return find_artifact(folder, repo.repository.state(run_hash).artifacts, name).open()

    file = await in_thread(request, find)
    return file_answer(file, name.rpartition("/")[2], request.headers.get("range"))
