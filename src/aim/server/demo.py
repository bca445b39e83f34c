"""
Demo runs for an empty repository. Specified in docs/formats/wire.md, section 8.

`aim demo` records them in a process of its own, since the server may not import the SDK.
"""

from __future__ import annotations

import subprocess
import sys

from starlette.requests import Request
from starlette.responses import Response

from aim.server.answers import Refusal, json_answer
from aim.server.bodies import read_body
from aim.server.open_repository import OpenRepository
from aim.server.server_state import check_writable, in_thread, repo_of

TIME_MAX_S = 120
LIVE_MINUTES = "2"


async def demo(request: Request) -> Response:
    """Answer `POST …/demo`."""
    check_writable(request)
    await read_body(request)  # a form of another page can't send JSON
    return await in_thread(request, _record, repo_of(request))


def _record(repo: OpenRepository) -> Response:
    if repo.run_count():
        raise Refusal(409, "conflict", "This repository has runs. Demo runs are recorded into an empty one only.")
    command = [
        sys.executable,
        "-m",
        "aim.cli",
        "demo",
        "--repo",
        str(repo.folder().root),
        "--live-minutes",
        LIVE_MINUTES,
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_MAX_S, check=False)
    except subprocess.TimeoutExpired:
        raise Refusal(503, "busy", f"The demo runs took over {TIME_MAX_S} s. Try `aim demo`.") from None
    if done.returncode:
        raise Refusal(503, "busy", f"The demo runs could not be recorded: {done.stderr.strip()[-300:]}")
    return json_answer({"cursor": repo.watch.look(), "count": repo.run_count()})
