"""
What other trackers wrote beside the repository, for the page that has no runs yet. Specified in docs/formats/wire.md,
section 4, *Beside the repository*.
"""

from __future__ import annotations

import shlex

from starlette.requests import Request
from starlette.responses import Response

from aim.engine import importing
from aim.server.answers import json_answer
from aim.server.open_repository import OpenRepository
from aim.server.server_state import in_thread, repo_of


async def neighbours(request: Request) -> Response:
    """Answer `GET …/importable`."""
    return await in_thread(request, _neighbours, repo_of(request))


def _neighbours(repo: OpenRepository) -> Response:
    root = repo.folder().root
    return json_answer(
        {
            "sources": [
                {"title": title, "command": f"aim import {shlex.quote(str(path))} --repo {shlex.quote(str(root))}"}
                for title, path in importing.beside(root)
            ]
        }
    )
