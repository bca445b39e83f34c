"""
Whole sequences for clients: a stream of Arrow, a row for each sequence. Specified in docs/formats/wire.md, section 12.

Memory is that of some sequences: each is read when the ones before it have been sent, or are about to be.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from aim.core import contexts, params
from aim.core.errors import AimError, NotFound
from aim.engine import arrow_sequences
from aim.engine.arrow_sequences import SentSequence
from aim.server.answers import Refusal, missing, wrong
from aim.server.bodies import read_body
from aim.server.boundary import refusal_of
from aim.server.open_repository import OpenRepository
from aim.server.server_state import in_long_thread, repo_of, server_of
from aim.server.states import read_rewind
from aim.storage.catalogue.run_table import RunTable
from aim.storage.forms.history import Rewind
from aim.storage.reading.points import Points, last_points

if TYPE_CHECKING:
    import pyarrow as pa

STREAM_TYPE = "application/vnd.apache.arrow.stream"
SEQUENCES_MAX = 1_000
POINTS_MAX = 50_000_000
ALL = 1 << 62
PIECE_BYTES = 1 << 20
BATCH_ROWS_MAX, BATCH_POINTS_MAX = 64, 1 << 15
COMPRESSIONS = ("none", "lz4")


class RequestedSequence(NamedTuple):
    """A sequence that a client asks for; *before*: as it stood just before that rewind."""

    run_hash: str
    name: str
    context_text: str
    before: Rewind | None


def _read_requested(value: Any, where: str) -> RequestedSequence:
    match value:
        case [str(run_hash), str(name), dict() | str() as context, *before] if len(before) <= 1:
            text = context if isinstance(context, str) else contexts.text(params.decode_in_order(context))
            return RequestedSequence(run_hash, name, text, read_rewind(before[0] if before else None, where))
    raise wrong(f'`{where}` must be a sequence, such as ["3df7…","loss",{{"subset":"val"}}].')


async def points(request: Request) -> Response:
    """Answer `POST …/points`."""
    body = await read_body(request)
    requested = body.each("sequences", _read_requested, SEQUENCES_MAX) or []
    compression = body.choice("compression", COMPRESSIONS, "none")
    tail = body.whole("tail", ALL, 1, ALL)
    repo = repo_of(request)
    await in_long_thread(request, _check_count, repo, requested, tail)
    pieces = _pieces(_batches(repo, requested, tail), compression)
    return StreamingResponse(_sent(request, pieces), media_type=STREAM_TYPE)


async def _sent(request: Request, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    pool = server_of(request).pool
    while piece := await pool.run_long(next, pieces, b""):
        yield piece


def _check_count(repo: OpenRepository, requested: Sequence[RequestedSequence], tail: int) -> None:
    """Raise Refusal (413) when the sequences have too many points for one request, by the columns of the catalogue."""

    def count(table: RunTable) -> int:
        pairs = {(pair.name, pair.context_text): index for index, pair in enumerate(table.pairs)}
        rows_by_pair: dict[int, list[int]] = {}
        for sequence in requested:
            row = table.row_of(sequence.run_hash)
            pair_index = pairs.get((sequence.name, sequence.context_text))
            if row is not None and pair_index is not None:
                rows_by_pair.setdefault(pair_index, []).append(row)
        return sum(_counted(table, pair_index, rows, tail) for pair_index, rows in rows_by_pair.items())

    total = repo.ask(count, about=[sequence.run_hash for sequence in requested])
    if total > POINTS_MAX:
        raise Refusal(
            413,
            "request",
            f"These sequences have {total:,} points; at most {POINTS_MAX:,} are sent at once. Ask for fewer sequences.",
            points=total,
        )


def _counted(table: RunTable, pair_index: int, rows: list[int], tail: int) -> int:
    counts, pair_rows = table.summary(pair_index, "count"), table.rows(pair_index)
    if counts is None:
        return 0
    indices = pair_rows.searchsorted(rows)
    return sum(
        min(tail, int(counts[index]))
        for index, row in zip(indices.tolist(), rows, strict=True)
        if index < len(pair_rows) and pair_rows[index] == row
    )


def _batches(repo: OpenRepository, requested: Iterable[RequestedSequence], tail: int) -> Iterator[pa.RecordBatch]:
    """Go through the record batches: of some sequences that are short, or of one that is long."""
    rows: list[SentSequence] = []
    count = 0
    for sent in _rows(repo, requested, tail):
        size = 0 if sent.points is None else len(sent.points)
        if rows and (len(rows) == BATCH_ROWS_MAX or count + size > BATCH_POINTS_MAX):
            yield arrow_sequences.rows(rows)
            rows, count = [], 0
        rows.append(sent)
        count += size
    if rows:
        yield arrow_sequences.rows(rows)


def _rows(repo: OpenRepository, requested: Iterable[RequestedSequence], tail: int) -> Iterator[SentSequence]:
    for index, sequence in enumerate(requested):
        try:
            read = _read(repo, sequence)
        except (NotFound, FileNotFoundError):
            yield SentSequence(index, None, missing(f"No run {sequence.run_hash} in this repository.").body)
        except (AimError, OSError) as error:
            yield SentSequence(index, None, refusal_of(error).body)
        else:
            if read is not None and len(read) > tail:
                yield SentSequence(index, last_points(read, tail), total=len(read), first=read.first())
            elif read is not None:
                yield SentSequence(index, read)


def _read(repo: OpenRepository, sequence: RequestedSequence) -> Points | None:
    readers = repo.repository.readers
    if sequence.before is None:
        reader = readers.reader(sequence.run_hash)
    else:
        reader = readers.reader_before(sequence.run_hash, sequence.before)
    return reader.points((sequence.name, sequence.context_text))


def _pieces(batches: Iterator[pa.RecordBatch], compression: str) -> Iterator[bytes]:
    """Go through the bytes of a stream, in pieces of about a megabyte; none of them is empty."""
    import pyarrow

    sink = io.BytesIO()
    options = pyarrow.ipc.IpcWriteOptions(compression=None if compression == "none" else compression)
    with pyarrow.ipc.new_stream(sink, arrow_sequences.schema(), options=options) as stream:
        for batch in batches:
            stream.write_batch(batch)
            if sink.tell() >= PIECE_BYTES:
                yield sink.getvalue()
                sink.seek(0)
                sink.truncate()
    yield sink.getvalue()
