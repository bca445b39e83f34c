"""
What the pages learn of the server before all else: its version, its repositories, the kinds of values, and its limits.
Specified in docs/formats/wire.md, section 3.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aim.__about__ import VERSION
from aim.core.kinds import METRIC, OBJECT_KINDS, QUERY_SUBJECTS, stored_kinds
from aim.server import assets, bodies, object_forms, objects, requests, run_page, tables
from aim.server.answers import json_answer
from aim.server.open_repository import Repositories
from aim.server.roles import Principal
from aim.server.server_state import principal_of, server_of
from aim.server.token_requests import wire_principal
from aim.storage.shipping.frames import PROTOCOL

WIRE = 1
DOOR = (1,)
"""The versions of section 12 of wire.md that are spoken."""
TITLES = {
    METRIC: "Metrics",
    "images": "Images",
    "texts": "Text",
    "audios": "Audio",
    "distributions": "Distributions",
    "figures": "Figures",
    "videos": "Video",
    "tables": "Tables",
    "objects3d": "3D objects",
}
"""What pages call each subject of a query."""
LIMITS = {
    "body_bytes": bodies.BODY_BYTES_MAX,
    "query_chars": bodies.QUERY_CHARS_MAX,
    "runs": bodies.RUNS_MAX,
    "keys": bodies.KEYS_MAX,
    "fields": requests.FIELDS_MAX,
    "series": requests.SERIES_MAX,
    "buckets": requests.BUCKETS_MAX,
    "branches": requests.BRANCHES_MAX,
    "sequences": objects.SEQUENCES_MAX,
    "objects": objects.ITEMS_MAX,
    "steps": objects.STEPS_SHOWN_MAX,
    "text_chars": object_forms.TEXT_CHARS_MAX,
    "table_rows": tables.ROWS_MAX,
    "log_lines": run_page.LINES_MAX,
    "log_records": run_page.RECORDS_MAX,
}
"""The largest that a request may ask for, and that an answer holds."""


async def info(request: Request) -> Response:
    """Answer `GET api/info`."""
    server, principal = server_of(request), principal_of(request)
    is_asked = server.guard.access.asks_for_token
    return json_answer(
        {
            "wire": WIRE,
            "door": list(DOOR),
            "ship": [PROTOCOL],
            "version": str(VERSION),
            "read_only": server.settings.read_only,
            "token": is_asked,
            "you": wire_principal(principal, is_asked=is_asked),
            "provider": server.guard.access.provider is not None,
            "plotly": assets.plotly_file() is not None,
            "exports": sorted(server.settings.writers),
            "kinds": wire_kinds(),
            "limits": LIMITS,
            "project": server.repos.default,
            "repos": await server.pool.run(_wire_repos, server.repos, principal),
        }
    )


def wire_kinds() -> list[dict[str, Any]]:
    """Return the kinds of sequences that a query can be about, as they stand in an answer."""
    aliases = {kind.subject: list(kind.aliases) for kind in OBJECT_KINDS}
    return [
        {
            "subject": subject,
            "title": TITLES[subject],
            "stored": list(stored_kinds(subject)),
            "aliases": aliases.get(subject, []),
        }
        for subject in QUERY_SUBJECTS
    ]


def _wire_repos(repos: Repositories, principal: Principal) -> list[dict[str, Any]]:
    return [
        {**_wire_repo(repos, name), "rights": sorted(principal.rights_in(name))}
        for name in repos.names()
        if principal.covers(name)
    ]


def _wire_repo(repos: Repositories, name: str) -> dict[str, Any]:
    repo = repos.get(name) if repos.is_open(name) else None
    return {
        "id": name,
        "name": name if repo is None else repo.title,
        "path": repos.location(name),
        "runs": repos.run_count(name),
        "indexing": None if repo is None else repo.catalogue.indexing,
        "read_only": None if repo is None else repo.read_only_reason(),
        "full": None if repo is None else repo.room.lack(),
    }
