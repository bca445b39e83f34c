"""
Every address, asked by every role, in the own and in a foreign project; and requests that want more than they get.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import psutil
import pytest

from aim.sdk.run import Run
from aim.server.roles import NEEDED, OPEN, RIGHTS
from aim.server.settings import Settings, auth_folder
from aim.server.tokens import TokenFile
from tests.server.conftest import RunningServer

ROLES = (None, *RIGHTS)
STREAMS = frozenset({"GET /api/repos/{repo}/events"})


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, dict[str | None, dict[str, str]]]]:
    """
    A client of a server with the projects `own` and `foreign`, and the headers of each role in `own`.
    """
    root = tmp_path_factory.mktemp("projects")
    for name in ("own", "foreign"):
        run = Run("a", repo=str(root / name), system_tracking_interval=None, capture_terminal_logs=False, create=True)
        run.track(1.0, name="loss")
        run.close()
    auth = auth_folder(root, ())
    file = TokenFile(auth)
    headers: dict[str | None, dict[str, str]] = {None: {}}
    for role in RIGHTS:
        headers[role] = {"Authorization": f"Bearer {file.create(role, role, ['own'], None)}"}
    server = RunningServer(Settings((), port=0, project_root=root, auth=auth))
    with httpx.Client(base_url=server.address, timeout=60) as client:
        yield client, headers
    assert server.stop()


def asked(client: httpx.Client, address: str, project: str, headers: dict[str, str]) -> tuple[int, str]:
    """Ask an address in a project; return the status, and the kind of the error if it is one."""
    method, _, path = address.partition(" ")
    path = re.sub(r"{[^}]*}", "a", path.replace("{repo}", project))
    if address in STREAMS:
        with client.stream(method, path, headers=headers) as answer:
            answer.read() if answer.status_code != 200 else None
            return answer.status_code, "" if answer.status_code == 200 else str(answer.json()["kind"])
    answer = client.request(method, path, headers=headers, json={} if method in ("POST", "PUT") else None)
    is_json = answer.headers.get("content-type", "") == "application/json"
    return answer.status_code, str(answer.json().get("kind", "")) if is_json and answer.status_code >= 400 else ""


@pytest.mark.parametrize("role", ROLES, ids=str)
def test_each_address_answers_each_role_as_the_table_says(
    site: tuple[httpx.Client, dict[str | None, dict[str, str]]], role: str | None
) -> None:
    """
    In the own project a right lets a request through to its answer, and its lack is 403 of kind `role`; a foreign
    project is 404 for every role; without a token all but pages is 401.
    """
    client, headers = site
    wrong: list[str] = []
    for address, right in NEEDED.items():
        for project in ("own", "foreign") if "{repo}" in address else ("own",):
            status, kind = asked(client, address, project, headers[role])
            if right == OPEN:
                is_right = kind != "role" and (status != 401 or address == "POST /api/login")
            elif role is None:
                is_right = (status, kind) == (401, "token")
            elif project == "foreign":
                is_right = status == 404
            elif right in RIGHTS[role]:
                is_right = kind != "role" or address == "POST /api/tokens"  # token_requests.py decides that one
            else:
                is_right = (status, kind) == (403, "role")
            if not is_right:
                wrong.append(f"{address} in {project}: {status} {kind}")

    assert [] == wrong


def test_a_request_of_any_size_takes_bounded_memory(
    site: tuple[httpx.Client, dict[str | None, dict[str, str]]],
) -> None:
    """
    Bodies of 64 MiB, long names and headers, and names with `..` are errors of the request; the server's memory stays,
    and nothing is made outside of the projects.
    """
    client, headers = site
    before = psutil.Process().memory_info().rss
    large = b'{"query":"' + b"x" * (64 << 20) + b'"}'
    sent = {**headers["admin"], "Content-Type": "application/json"}
    for path in ("api/repos/own/runs", "api/repos/own/edits", "api/login", "api/tokens", "api/logout"):
        try:
            status = client.post(path, content=large, headers=sent).status_code
        except httpx.TransportError:  # it hangs up on who goes on sending
            continue
        assert 413 == status, path
    for path in (
        "api/repos/..%2f..%2fetc/runs/a",
        "api/repos/own/runs/..%2f..%2fforeign",
        "api/repos/own/runs/a/artifacts/..%2f..%2f..%2fforeign",
        "api/repos/own/documents/view/..%2fx",
        "assets/..%2f..%2fapp.py",
        f"api/repos/{'a' * 5000}/runs/a",
        f"api/tokens/{'a' * 5000}",
    ):
        assert client.get(path, headers=headers["admin"]).status_code in (400, 404, 405), path
    assert client.get("api/info", headers={"Authorization": "Bearer " + "x" * 60_000}).status_code in (
        400,
        401,
        429,
        431,
    )

    assert psutil.Process().memory_info().rss - before < len(large) * 4
