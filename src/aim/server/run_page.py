"""
One run: its properties, its logs, its artifacts. Specified in docs/formats/wire.md, section 4, *One run*.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core import contexts
from aim.core.errors import RunNotFound
from aim.core.statuses import FAILED
from aim.engine import importing
from aim.engine.artifacts import RunFile
from aim.engine.exact_summaries import EXACT_INTEGER_MAX, exact_summary, may_be_longer
from aim.engine.listing import notes_text
from aim.engine.logs import LogInfo, LogMessage, RunLogs
from aim.engine.overview_of_run import RunOverview, SummarizedSequence, overview_of_run, sequences_of_run
from aim.server.answers import json_answer, missing, wire_context, wire_number, wire_value
from aim.server.files import file_answer
from aim.server.open_repository import OpenRepository
from aim.server.requests import whole_param
from aim.server.server_state import in_thread, repo_of
from aim.storage.forms.state import RunState, WriterInfo

LINES_MAX = 20_000
RECORDS_MAX = 5_000
PATTERN_CHARS_MAX = 1_000


def hash_of(request: Request, repo: OpenRepository) -> str:
    """Return the hash of the run that the address names. Raises Refusal: (404) there is none."""
    run_hash = str(request.path_params["run"])
    if not repo.repository.has_run(run_hash):
        raise missing(f"No run {run_hash} in this repository.")
    return run_hash


async def run(request: Request) -> Response:
    """Answer `GET …/runs/<hash>`."""
    repo = repo_of(request)
    return await in_thread(request, _run, repo, hash_of(request, repo))


def _run(repo: OpenRepository, run_hash: str) -> Response:
    cursor, sequences = repo.ask(
        lambda table: (repo.watch.cursor_of(table), sequences_of_run(table, run_hash)), about=[run_hash]
    )
    try:
        overview = overview_of_run(repo.repository, run_hash)
        run_logs = RunLogs(repo.repository.readers.reader(run_hash))
        logs, record_count = run_logs.all(), run_logs.record_count()
        files = repo.repository.run(run_hash).files()
    except (RunNotFound, FileNotFoundError):
        raise missing(f"No run {run_hash} in this repository.") from None
    return json_answer(
        {
            "cursor": cursor,
            **_wire_overview(overview),
            "sequences": [_wire_sequence(repo, run_hash, sequence) for sequence in sequences],
            "log_lines": sum(log.lines for log in logs),
            "log_records": record_count,
            "logs": [_wire_log(log) for log in logs],
            "artifacts": [_wire_artifact(file) for file in files],
            "imported": _wire_import(importing.note_of(repo.repository, run_hash)),
        }
    )


def _wire_overview(overview: RunOverview) -> dict[str, Any]:
    state = overview.state
    properties = state.properties
    writers = sorted(state.writers.values(), key=lambda writer: writer.begun_at_s or 0.0)
    return {
        "hash": state.run_hash,
        "name": state.name,
        "description": properties.get("description"),
        "experiment": state.experiment,
        "status": overview.status,
        "error": state.error() if overview.status == FAILED else None,
        "created_at": state.created_at_s,
        "end_time": overview.end_s,
        "duration": overview.duration_s,
        "archived": bool(properties.get("archived", False)),
        "tags": list(state.tags),
        "notes": notes_text(properties.get("notes")),
        "rewinds": [{"step": rewind.step, "time": rewind.time_s} for rewind in state.rewinds],
        "forked_from": _wire_origin(state),
        "gaps": [gap.to_event() for gap in state.gaps],
        "progress": _wire_progress(state),
        "params": overview.params,
        "system": overview.system,
        "writers": [_wire_writer(writer) for writer in writers],
    }


def _wire_progress(state: RunState) -> dict[str, Any] | None:
    progress = None if state.check_in is None else state.check_in.progress
    if progress is None:
        return None
    return {
        "done": progress.done,
        "total": progress.total,
        "unit": progress.unit,
        "percent": round(progress.percent, 2),
        "rate": progress.rate_per_s,
        "at": progress.at_s,
        "done_at": progress.done_at_s,
    }


def _wire_origin(state: RunState) -> dict[str, Any] | None:
    origin = state.forked_from
    return None if origin is None else {"run": origin.run_hash, "step": origin.step, "time": origin.time_s}


def _wire_import(note: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return where a run was imported from, and the report of it; None for a run that was recorded here."""
    if note is None:
        return None
    described = {key: wire_value(note.get(key)) for key in ("from", "tool_version", "id", "source", "at", "url")}
    report = note.get("report")
    return {**described, "report": report if isinstance(report, dict) else {}}


def _wire_sequence(repo: OpenRepository, run_hash: str, sequence: SummarizedSequence) -> dict[str, Any]:
    return {
        "name": sequence.name,
        "context": wire_context(sequence.context),
        "kind": sequence.kind,
        **{
            # a page has a hundred thousand of these, and nearly all stand in an answer as they are
            name: value
            if value.__class__ is int or (value.__class__ is float and -EXACT_INTEGER_MAX < value < EXACT_INTEGER_MAX)
            else _wire_summary(repo, run_hash, sequence, name, value)
            for name, value in sequence.values.items()
        },
    }


def _wire_summary(
    repo: OpenRepository, run_hash: str, sequence: SummarizedSequence, name: str, value: float | int
) -> float | int | str | None:
    if may_be_longer(name, value):
        key = (sequence.name, contexts.text(sequence.context))
        value = exact_summary(repo.repository, run_hash, key, name, value)
    return wire_number(value)


def _wire_log(log: LogInfo) -> dict[str, Any]:
    return {
        "id": log.id,
        "label": log.label,
        "context": wire_context(log.context),
        "writers": list(log.writers),
        "lines": log.lines,
    }


def _wire_artifact(file: RunFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "path": file.name,
        "uri": file.uri,
        "size": file.size_bytes,
        "sha256": file.sha256,
        "here": file.is_here,
    }


def _wire_writer(writer: WriterInfo) -> dict[str, Any]:
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
    log_id = request.query_params.get("log") or None
    text = request.query_params.get("find")
    start = whole_param(request, "from", 0, -(1 << 40), 1 << 40)
    limit = whole_param(request, "limit", 2000, 1, LINES_MAX)

    def read() -> Response:
        logs = RunLogs(repo.repository.readers.reader(run_hash), log_id)
        if text is not None:
            return json_answer({"total": logs.line_count(), "matches": logs.find(text[:PATTERN_CHARS_MAX])})
        first, total, lines = logs.lines(start, limit)
        return json_answer({"from": first, "total": total, "lines": lines})

    return await in_thread(request, read)


async def records(request: Request) -> Response:
    """Answer `GET …/runs/<hash>/records`."""
    repo = repo_of(request)
    run_hash = hash_of(request, repo)
    start = whole_param(request, "from", 0, 0, 1 << 40)
    limit = whole_param(request, "limit", 500, 1, RECORDS_MAX)
    level = request.query_params.get("level") or None

    def read() -> Response:
        total, messages = RunLogs(repo.repository.readers.reader(run_hash)).records(start, limit, level)
        return json_answer({"from": start, "total": total, "records": [_wire_record(message) for message in messages]})

    return await in_thread(request, read)


def _wire_record(message: LogMessage) -> dict[str, Any]:
    return {
        "time": message.time_s,
        "level": message.level,
        "message": message.message,
        "args": wire_value(message.args),
        "file": message.file,
        "line": message.line,
    }


async def artifact(request: Request) -> Response:
    """Answer `GET …/runs/<hash>/artifacts/<name>`."""
    repo = repo_of(request)
    run_hash, name = hash_of(request, repo), str(request.path_params["name"])

    file = await in_thread(request, repo.repository.artifact, run_hash, name)
    return file_answer(file, name.rpartition("/")[2], request.headers.get("range"))
