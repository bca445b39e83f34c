"""
Groups of runs: how many there are, and what each has. Specified in docs/formats/wire.md, section 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from aim.engine.listing import SummaryField
from aim.engine.matching import ask, hashes_of, newest_first
from aim.engine.run_groups import FieldDigest, digests, run_groups
from aim.server.answers import json_answer, wire_number, wire_value
from aim.server.bodies import read_body
from aim.server.columns import plain
from aim.server.open_repository import OpenRepository
from aim.server.requests import GroupsRequest
from aim.server.runs import selected_rows
from aim.server.server_state import in_thread, repo_of
from aim.storage.catalogue.run_table import RunTable


async def groups(request: Request) -> Response:
    """Answer `POST …/groups`."""
    groups_request = GroupsRequest.read(await read_body(request))
    return await in_thread(request, _groups, repo_of(request), groups_request)


def _groups(repo: OpenRepository, request: GroupsRequest) -> Response:
    question = ask(request.query, zone=request.zone)

    def read(table: RunTable) -> dict[str, Any]:
        rows = newest_first(table, selected_rows(table, question, request.runs))
        grouped = run_groups(table, rows, request.by)
        cells = [
            [_wire_digest(digest, isinstance(field, SummaryField)) for digest in digests(table, rows, grouped, field)]
            for field in request.fields
        ]
        first_of = np.unique(grouped.indices, return_index=True)[1]
        return {
            "cursor": repo.watch.cursor_of(table),
            "total": table.run_count,
            "count": len(rows),
            "groups": [
                {
                    "key": [wire_value(plain(value)) for value in key],
                    "runs": count,
                    "first": first,
                    "cells": list(digested),
                }
                for key, count, first, *digested in zip(
                    grouped.keys, grouped.counts(), hashes_of(table, rows[first_of]), *cells, strict=True
                )
            ],
        }

    return json_answer(repo.ask(read))


def _wire_digest(digest: FieldDigest, is_summary: bool) -> dict[str, Any]:
    spread = None if digest.spread is None else [wire_number(number) for number in digest.spread]
    cell: dict[str, Any] = {"spread": spread, "numeric": digest.is_numeric, "distinct": digest.distinct_count}
    if not is_summary or digest.distinct_count == 1:
        cell["values"] = [wire_value(plain(value)) for value in digest.values]
    return cell
