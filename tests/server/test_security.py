"""
Which requests are answered, and what errors disclose.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading

import pytest
from starlette.routing import Mount, Route

from aim.server import runs
from aim.server.answers import Refusal
from aim.server.app import routes
from aim.server.pool import WAITING_MAX, Pool
from aim.server.security import folder, host_name
from tests.apart import apart
from tests.server.conftest import Browser, MakeBrowser, MakeRun

TOKEN = {"Authorization": "Bearer secret"}


def test_every_answer_has_the_headers_that_shut_out_foreign_scripts(browser: Browser) -> None:
    """
    Pages, data and errors have the security headers; none allows another origin.
    """
    for path in ("", "api/info", "api/nothing", "api/repos/demo/runs/a", "assets/none.js"):
        headers = browser.client.get(path).headers
        assert "nosniff" == headers["x-content-type-options"]
        assert "no-referrer" == headers["referrer-policy"]
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; ")
        assert not [name for name in headers if name.startswith("access-control-")]


def test_a_foreign_host_name_is_refused(browser: Browser) -> None:
    """
    A page that points its own name at this machine (DNS rebinding) is refused; IP addresses and localhost are accepted.
    """
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:43800", "", "a@b"):
        answer = browser.client.get("api/info", headers={"Host": host})
        assert (403, "origin") == (answer.status_code, answer.json()["kind"])
    for host in ("localhost:1", "127.0.0.1", "[::1]:43800", "app.localhost", "192.168.1.2:80", socket.gethostname()):
        assert 200 == browser.client.get("api/info", headers={"Host": host}).status_code


def test_a_name_can_be_trusted(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A name of --trusted-host is accepted.
    """
    make_run("a").close()
    browser = make_browser(trusted_hosts=("runs.example",))

    assert 200 == browser.client.get("api/info", headers={"Host": "Runs.Example:8080"}).status_code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://{host}"}, 200),
        ({"Origin": "https://public.example", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://{host}.evil.example"}, 403),
    ],
)
def test_only_our_own_pages_may_change(browser: Browser, headers: dict[str, str], status: int) -> None:
    """
    A request that changes something is refused if it comes from a page of another site.
    """
    host = browser.client.base_url.netloc.decode()
    sent = {name: value.format(host=host) for name, value in headers.items()}
    change = {"runs": ["a"], "change": {"name": "x"}}

    assert status == browser.client.post(f"{browser.base}edits", json=change, headers=sent).status_code
    assert ("x" if status == 200 else "run a") == browser.get("runs/a")["name"]


def test_a_form_of_another_page_can_not_post(browser: Browser) -> None:
    """
    A body must have the type of JSON, which a form of another page can't send.
    """
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = browser.client.post(f"{browser.base}edits", content=b"{}", headers={"Content-Type": kind})
        assert 415 == answer.status_code


def test_no_address_takes_a_change_that_a_form_can_send(browser: Browser) -> None:
    """
    Every POST and PUT requires JSON; every DELETE refuses pages of other sites.
    """
    asked = 0
    mounts = [("", routes()), ("/api/repos/demo", next(route.routes for route in routes() if isinstance(route, Mount)))]
    for base, listed in mounts:
        for route in listed:
            methods = (route.methods or set()) - {"GET", "HEAD"} if isinstance(route, Route) else set()
            for method in methods:
                path = base + re.sub(r"{[^}]*}", "view", getattr(route, "path", ""))
                headers = {"Content-Type": "text/plain"} if method != "DELETE" else {"Origin": "http://evil.example"}
                answer = browser.client.request(method, path, content=b"{}", headers=headers)
                assert (403 if method == "DELETE" else 415) == answer.status_code, (method, path)
                asked += 1
    assert asked > 10


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'"x"'])
def test_a_body_that_is_no_object_is_refused(browser: Browser, content: bytes) -> None:
    """
    Anything but a JSON object is an error of the request.
    """
    answer = browser.client.post(f"{browser.base}runs", content=content, headers={"Content-Type": "application/json"})

    assert (400, "request") == (answer.status_code, answer.json()["kind"])


def test_a_body_is_read_up_to_a_bound(browser: Browser) -> None:
    """
    A body of more than 2 MiB is refused.
    """
    answer = browser.client.post(f"{browser.base}runs", json={"query": "x" * (3 << 20)})

    assert 413 == answer.status_code


def test_a_token_is_required(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    With --token the API requires the token in a header or cookie, under any host name; pages need none.
    """
    make_run("a").close()
    browser = make_browser(token="secret")

    assert (401, "token") == _refused(browser, {})
    assert (401, "token") == _refused(browser, {"Authorization": "Bearer wrong"})
    assert (401, "token") == _refused(browser, {"Cookie": "aim_token=wrong"})
    for headers in (TOKEN, {"Cookie": "x=1; aim_token=secret"}, {**TOKEN, "Host": "any.example"}):
        assert 200 == browser.client.get("api/info", headers=headers).status_code
    assert browser.client.get("runs").status_code in (200, 503)
    assert 401 == browser.client.post("api/login", json={"token": "wrong"}).status_code
    login = browser.client.post("api/login", json={"token": "secret"})
    assert "aim_token=secret; HttpOnly; Path=/; SameSite=strict" == login.headers["set-cookie"]
    assert 200 == browser.client.get("api/info").status_code


def _refused(browser: Browser, headers: dict[str, str]) -> tuple[int, str]:
    answer = browser.client.get("api/info", headers=headers)
    return answer.status_code, answer.json()["kind"]


def test_a_token_in_the_address_becomes_a_cookie(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    `?token=` sets the cookie for the folder of the app and is removed from the address; a wrong token does nothing.
    """
    make_run("a").close()
    browser = make_browser(token="secret", base_path="/aim")
    answer = browser.client.get("run/a?token=secret&q=x")

    assert (303, "./a?q=x") == (answer.status_code, answer.headers["location"])
    assert "Path=/aim/;" in answer.headers["set-cookie"]
    assert "set-cookie" not in browser.client.get("run/a?token=wrong").headers


def test_a_bug_discloses_no_trace(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    An unexpected exception is answered with 500 and one sentence; the trace goes to the log.
    """

    def broken(*_: object, **_options: object) -> None:
        raise KeyError("/home/ada/secret")

    monkeypatch.setattr(runs, "ask", broken)
    with caplog.at_level(logging.ERROR, "aim.server"):
        error = browser.post("runs", {}, status=500)

    assert {"kind", "message"} == set(error)
    assert "internal" == error["kind"]
    assert "secret" not in error["message"]
    assert "/home/ada/secret" in caplog.text


def test_too_many_at_once_are_refused() -> None:
    """
    At the limit of waiting requests the next is answered with 503 at once.
    """
    gate = threading.Event()

    async def crowd() -> int:
        pool = Pool()
        waiting = [asyncio.create_task(pool.run(gate.wait)) for _ in range(WAITING_MAX)]
        await asyncio.sleep(0)
        try:
            await pool.run(gate.is_set)
        except Refusal as refusal:
            status = refusal.status
        gate.set()
        await asyncio.gather(*waiting)
        assert await pool.run(gate.is_set)
        pool.close()
        return status

    assert 503 == apart(crowd())


def test_a_host_name_and_a_folder_are_parsed() -> None:
    """
    A host name is without port and brackets, in lower case; a folder ends with a slash.
    """
    assert ["a.b", "::1", "", "localhost"] == [host_name(host) for host in ("A.b.:80", "[::1]:1", "[", "LOCALHOST")]
    assert ["/", "/aim/", "/"] == [folder("/runs"), folder("/aim/run/a", up=1), folder("/x/y", up=5)]
