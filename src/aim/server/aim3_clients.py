"""
Trainings of Aim 3 that record to this server: they are told what to do, in the way that their client shows.

The protocol between a client and a server of Aim 3 is not spoken here. Its client asks `status/`, over HTTP and then
over HTTPS, to see which of them the server speaks; then `client/connect/<id>/`, before all else. An answer that is not
200 it raises as the exception that `message` in the JSON names: by module and class, with the arguments, which are JSON
once more. So `message` is no text here, as in other answers, but a RuntimeError with the sentence.
"""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aim.__about__ import __version__
from aim.server.answers import json_answer

UPGRADE_REQUIRED = 426
SENTENCE = (
    "This server is Aim {version}, and does not take what Aim 3 sends. Where this training runs, install the same "
    "version: pip install 'aim=={version}'. The script stays as it is, its aim:// address too. Runs that Aim 3 "
    "recorded come over with `aim storage upgrade 3to4`."
)


async def refuse(request: Request) -> Response:
    """Answer what a client of Aim 3 asks first, and asks again when it has lost the server: 426, with what to do."""
    sentence = SENTENCE.format(version=__version__)
    error = {
        "module_name": "builtins",
        "class_name": "RuntimeError",
        "args": json.dumps([sentence]),
        "message": sentence,
    }
    return json_answer({"kind": "protocol", "message": error, "detail": sentence}, UPGRADE_REQUIRED)


async def status(request: Request) -> Response:
    """Answer the question whether there is a server, by which a client of Aim 3 learns whether to use HTTPS."""
    return json_answer({"status": "OK"})


ROUTES = (
    *(Route(path, status) for path in ("/status", "/status/", "/{base:path}/status/")),
    *(Route(path, refuse) for path in ("/client/{rest:path}", "/{base:path}/client/{rest:path}")),
)
"""The addresses of the protocol, also below a path, as of a project."""
