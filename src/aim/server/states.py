"""
What a client's `Door` and `RunDoor` ask, besides points: hashes, states, sequences, records and bytes of objects, and
what a run needs to be resumed. Specified in docs/formats/wire.md, section 12.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core.errors import AimError, NotFound
from aim.engine.open_run import OpenRun
from aim.engine.resuming import earlier_writers
from aim.engine.state_forms import sequence_form
from aim.server.answers import JSON_TYPE, missing, wrong
from aim.server.bodies import read_body
from aim.server.boundary import refusal_of
from aim.server.files import UNKNOWN_TYPE
from aim.server.open_repository import OpenRepository
from aim.server.server_state import in_thread, repo_of
from aim.storage.forms.history import Rewind
from aim.storage.forms.state import RunState, SequenceState

STATES_MAX = 500
DOOR_RUNS_MAX = 1 << 24
RECORDS_MAX = 1_000
DATA_MAX = 1_000
PAST_PROPERTIES = frozenset({"artifacts_uri"})
DATA_BYTES_MAX = 16 << 20  # of an answer that has more than one entry
ENTRY = struct.Struct("<QI")
REFUSED_ENTRY = (1 << 64) - 1


def exact_json(value: object) -> Response:
    """Return the answer whose body is *value* as JSON in ASCII: halves of surrogate pairs arrive as they are."""
    return Response(json.dumps(value, separators=(",", ":"), allow_nan=False), media_type=JSON_TYPE)


async def hashes(request: Request) -> Response:
    """Answer `POST …/hashes`."""
    body = await read_body(request)
    begin = body.text("begin")
    limit = body.whole("limit", DOOR_RUNS_MAX, 0, DOOR_RUNS_MAX)

    among = body.texts("among")

    def list_hashes(repo: OpenRepository) -> Response:
        if among is not None:
            listed = [run_hash for run_hash in among if repo.repository.has_run(run_hash)]
            return exact_json({"count": len(listed), "runs": listed})
        listed = [run_hash for run_hash in repo.repository.run_hashes() if run_hash.startswith(begin)]
        return exact_json({"count": len(listed), "runs": listed[:limit]})

    return await in_thread(request, list_hashes, repo_of(request))


async def states(request: Request) -> Response:
    """Answer `POST …/states`."""
    body = await read_body(request)
    run_hashes = body.texts("runs", STATES_MAX) or []

    def tell(repo: OpenRepository) -> Response:
        answer = repo.states.forms(run_hashes)
        return exact_json({"states": answer.forms, "unreadable": answer.unreadable})

    return await in_thread(request, tell, repo_of(request))


async def sequences(request: Request) -> Response:
    """Answer `POST …/sequences`."""
    body = await read_body(request)
    run_hash, rewind = body.text("run"), read_rewind(body.raw("before"), "before")

    def tell(repo: OpenRepository) -> Response:
        listed = open_run(repo, run_hash, rewind).sequences().values()
        return exact_json({"sequences": [sequence_form(sequence) for sequence in listed]})

    return await in_thread(request, tell, repo_of(request))


def open_run(repo: OpenRepository, run_hash: str, rewind: Rewind | None = None) -> OpenRun:
    """Return a run, as it stood just before *rewind*. Raises Refusal: (404) there is none."""
    try:
        run = repo.repository.run(run_hash)
    except NotFound:
        raise missing(f"No run {run_hash} in this repository.") from None
    return run if rewind is None else run.before(rewind)


def read_rewind(value: Any, where: str) -> Rewind | None:
    """Return the rewind of a request; None: none. Raises Refusal."""
    match value:
        case None:
            return None
        case [int(step), int() | float() as time_s]:
            return Rewind(step, float(time_s))
    raise wrong(f"`{where}` must be a rewind, such as [50,1795380950.25].")


async def past(request: Request) -> Response:
    """Answer `POST …/past`."""
    run_hash = (await read_body(request)).text("run")

    def tell(repo: OpenRepository) -> Response:
        readers = repo.repository.readers
        open_run(repo, run_hash)
        state = readers.state(run_hash)
        earlier = earlier_writers(readers, run_hash)
        return exact_json(
            {
                "run": run_hash,
                "latest_at": state.latest_at_s,
                "properties": {name: value for name, value in state.properties.items() if name in PAST_PROPERTIES},
                "sequences": [
                    {
                        **_names(state.sequences[key]),
                        "kinds": sorted(writers.kinds),
                        "next_step": writers.next_step,
                    }
                    for key, writers in earlier.items()
                ],
            }
        )

    return await in_thread(request, tell, repo_of(request))


def _names(sequence: SequenceState) -> dict[str, Any]:
    form = sequence_form(sequence)
    return {"name": form["name"], "context": form["context"]}


# objects


def _read_record_key(value: Any, where: str) -> tuple[str, int, int]:
    match value:
        case [str(writer), int(position), int(step)]:
            return writer, position, step
    raise wrong(f'`{where}` must be a record, such as ["8c2f01ab",4096,7].')


async def records(request: Request) -> Response:
    """Answer `POST …/records`."""
    body = await read_body(request)
    run_hash = body.text("run")
    requested = body.each("records", _read_record_key, RECORDS_MAX) or []

    def tell(repo: OpenRepository) -> Response:
        run = open_run(repo, run_hash)
        writers = run.state().writers
        return exact_json({"records": [_record(run, writers, *key) for key in requested]})

    return await in_thread(request, tell, repo_of(request))


def _record(run: OpenRun, writers: Mapping[str, Any], writer: str, position: int, step: int) -> dict[str, Any]:
    if writer not in writers:  # a name from outside never becomes a part of a path
        raise missing(f"The run has no writer {writer!r}.")
    try:
        return {"record": run.record_of_step(writer, position, step), "error": None}
    except (AimError, OSError, ValueError) as error:
        return {"record": None, "error": _error_body(error)}


def _error_body(error: Exception) -> dict[str, Any]:
    if isinstance(error, ValueError):
        return missing(f"The run has no such record: {error}.").body
    return refusal_of(error).body


def _read_data_key(value: Any, where: str) -> tuple[str, int, int]:
    match value:
        case [str(writer), int(number), int(offset)] if number >= 0 and offset >= 0:
            return writer, number, offset
    raise wrong(f'`{where}` must name bytes, such as ["8c2f01ab",0,4096].')


async def data(request: Request) -> Response:
    """Answer `POST …/data`."""
    body = await read_body(request)
    run_hash = body.text("run")
    requested = body.each("data", _read_data_key, DATA_MAX) or []

    def tell(repo: OpenRepository) -> Response:
        run = open_run(repo, run_hash)
        return Response(b"".join(_entries(run, run.state(), requested)), media_type=UNKNOWN_TYPE)

    return await in_thread(request, tell, repo_of(request))


def _entries(run: OpenRun, state: RunState, requested: list[tuple[str, int, int]]) -> Iterator[bytes]:
    """Go through as many entries as fit into an answer, one at least."""
    sent_bytes = 0
    for writer, number, offset in requested:
        if writer not in state.writers:
            raise missing(f"The run has no writer {writer!r}.")
        try:
            content = run.read_data(writer, number, offset)
        except (AimError, OSError) as error:
            refused = json.dumps(_error_body(error)).encode()
            yield ENTRY.pack(REFUSED_ENTRY, len(refused)) + refused
            continue
        if sent_bytes and sent_bytes + len(content) > DATA_BYTES_MAX:
            return
        sent_bytes += len(content)
        yield ENTRY.pack(len(content), 0)
        yield content
