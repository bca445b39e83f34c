"""
The rows of logged tables, a window at a time. Specified in docs/formats/wire.md, section 6, *Rows of tables*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.core.recent import MEMORY, Recent
from aim.engine.media import check_not_deleted, read_blob
from aim.engine.table_rows import (
    OPERATORS,
    JoinedRows,
    LoggedTable,
    RowClause,
    RowOrder,
    RowsQuestion,
    shortened,
)
from aim.engine.tables import read_table
from aim.server.answers import json_answer, wrong
from aim.server.bodies import Body, read_body
from aim.server.open_repository import OpenRepository
from aim.server.requests import whole_param
from aim.server.server_state import in_thread, repo_of

ROWS_MAX = 1_000
TABLES_MAX = 32
CLAUSES_MAX = 50
TABLES_BYTES_MAX = 256 << 20
CELL_BYTES = 120  # of a cell in memory, about, without its text


@dataclass(frozen=True)
class RowsRequest:
    """The body of `POST …/tables`."""

    blobs: list[str]
    key: str | None
    question: RowsQuestion
    first: int
    count: int
    chars_max: int | None

    @classmethod
    def read(cls, body: Body) -> RowsRequest:
        """Read the body. Raises Refusal."""
        blobs = body.texts("blobs", TABLES_MAX)
        if not blobs:
            raise wrong("`blobs` must have the address of a table at least.")
        order = body.inner("sort")
        return cls(
            blobs,
            body.text_or_none("key"),
            RowsQuestion(
                body.each("where", _read_clause, CLAUSES_MAX) or [],
                body.text("find", chars_max=1_000),
                None if order is None else RowOrder(order.whole("column", 0, 0, 1 << 20), order.flag("descending")),
            ),
            body.whole("from", 0, 0, 1 << 31),
            body.whole("limit", 100, 1, ROWS_MAX),
            body.whole("chars", 0, 1, 1 << 20) if body.raw("chars") is not None else None,
        )


def _read_clause(value: Any, where: str) -> RowClause:
    if not isinstance(value, dict):
        raise wrong(f"`{where}` must be an object.")
    body = Body(value, where)
    return RowClause(body.whole("column", 0, 0, 1 << 20), body.choice("operator", OPERATORS), body.raw("value"))


class TablesInMemory:
    """Tables that were read, so that the next window of their rows is not read again."""

    def __init__(self) -> None:
        self._read: Recent[tuple[str, str], LoggedTable] = Recent(
            TABLES_BYTES_MAX, lambda table: table.size_bytes, bound=MEMORY
        )

    def get(self, repo: OpenRepository, address: str) -> LoggedTable:
        """
        Return a table.

        Raises:
            NotFound, DamagedFile: see `read_blob`.
            Refusal: the object is not a table.
        """
        check_not_deleted(repo.repository, address)
        return self._read.get((repo.id, address), None, lambda: _read(repo, address))


def _read(repo: OpenRepository, address: str) -> LoggedTable:
    blob = read_blob(repo.repository, address)
    if blob.kind != "aim.table":
        raise wrong("This object is not a table.")
    columns, rows = read_table(blob.data)
    return LoggedTable(columns, rows, 2 * len(blob.data) + CELL_BYTES * len(columns) * len(rows))


async def table(request: Request) -> Response:
    """Answer `GET …/tables/<blob>`."""
    first, count = whole_param(request, "from", 0, 0, 1 << 31), whole_param(request, "limit", 100, 1, ROWS_MAX)
    memory: TablesInMemory = request.app.state.tables
    logged = await in_thread(request, memory.get, repo_of(request), request.path_params["blob"])
    rows = logged.rows[first : first + count]
    return json_answer({"columns": logged.columns, "total": len(logged.rows), "from": first, "rows": rows})


async def rows(request: Request) -> Response:
    """Answer `POST …/tables`."""
    rows_request = RowsRequest.read(await read_body(request))
    return await in_thread(request, _rows, request.app.state.tables, repo_of(request), rows_request)


def _rows(memory: TablesInMemory, repo: OpenRepository, request: RowsRequest) -> Response:
    joined = JoinedRows([memory.get(repo, address) for address in request.blobs], request.key)
    question = request.question
    columns = [clause.column for clause in question.clauses]
    for column in columns if question.order is None else [*columns, question.order.column]:
        if column >= len(joined.columns):
            raise wrong(f"There is no column {column}: the tables have {len(joined.columns)} together.")
    numbers = joined.matching(question)
    window = numbers[request.first : request.first + request.count]
    sent = [shortened(joined.row(number), request.chars_max) for number in window]
    return json_answer(
        {
            "columns": joined.columns,
            "total": len(joined),
            "count": len(numbers),
            "from": request.first,
            "numbers": window,
            "rows": [row for row, _ in sent],
            "cut": [[index, column] for index, (_, cut) in enumerate(sent) for column in cut],
        }
    )
