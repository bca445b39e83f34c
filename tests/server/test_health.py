"""
What monitors learn: whether the server works, its numbers, and a line for each request.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import httpx
import pytest

from aim.server.settings import auth_folder
from aim.server.tokens import TokenFile
from tests.server.conftest import Browser, MakeBrowser, MakeRun

WAIT_S = 60
PROMETHEUS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"}


def test_the_health_of_a_server_is_that_of_its_folder(browser: Browser, root: Path) -> None:
    """
    It needs no token; when the folder is gone it is 503, and when it is back 200.
    """
    assert {"status": "ok"} == browser.client.get("healthz").json()
    shutil.move(root, root.with_name("away"))
    assert 503 == browser.client.get("healthz").status_code
    shutil.move(root.with_name("away"), root)

    assert 200 == browser.client.get("healthz").status_code


def samples(answer: httpx.Response) -> dict[str, float]:
    """Return the samples of an answer to Prometheus, each line of which has to be one or a comment."""
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.text.splitlines() if not line.startswith("# ")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_a_monitor_gets_numbers_and_a_browser_the_page(browser: Browser) -> None:
    """
    At one address: Prometheus accepts plain text, a browser HTML.
    """
    browser.get("runs/a")
    browser.get("runs/nothing", status=404)
    for path in ("metrics", "api/metrics"):
        got = samples(browser.client.get(path, headers=PROMETHEUS))
        assert got['aim_requests_total{method="GET",status="404"}'] >= 1
        assert got["aim_request_seconds_count"] == got['aim_request_seconds_bucket{le="+Inf"}'] >= 2
        assert got["process_resident_memory_bytes"] > 1 << 20
        assert 1 == got["aim_open_repositories"]
    page = browser.client.get("metrics", headers={"Accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")


def test_the_numbers_need_a_token_where_there_are_tokens(
    make_run: MakeRun, make_browser: MakeBrowser, root: Path
) -> None:
    """
    A token of a viewer is enough; health needs none.
    """
    make_run("a").close()
    auth = auth_folder(None, (root,))
    text = TokenFile(auth).create("prometheus", "viewer", ["*"], None)
    client = make_browser(auth=auth).client

    assert [401, 401, 200] == [
        client.get(path, headers=PROMETHEUS).status_code for path in ("metrics", "api/metrics", "healthz")
    ]
    assert 200 == client.get("metrics", headers={**PROMETHEUS, "Authorization": f"Bearer {text}"}).status_code


def lines_of(path: Path, count: int) -> list[str]:
    """Return the lines of a log, when there are so many: a line is written after its answer was sent."""
    until_s = time.monotonic() + WAIT_S
    while not path.exists() or len(path.read_text().splitlines()) < count:
        assert time.monotonic() < until_s
        time.sleep(0.01)
    return path.read_text().splitlines()


def test_each_request_is_a_line_without_its_secrets(
    make_run: MakeRun, make_browser: MakeBrowser, root: Path, tmp_path: Path
) -> None:
    """
    The line says who, what, and with which outcome; no token, query or body is in it. A file that is moved away is made
    anew.
    """
    make_run("a").close()
    auth = auth_folder(None, (root,))
    text = TokenFile(auth).create("me", "editor", ["*"], None)
    path = tmp_path / "access.log"
    browser = make_browser(auth=auth, access_log=str(path))
    headers = {"Authorization": f"Bearer {text}"}
    browser.post("edits", {"runs": ["a"], "change": {"name": "secret name"}}, headers=headers)
    browser.client.get(f"runs?token={text}&q=secret")
    browser.client.get("api/info", headers={"Cookie": f"aim_token={text[:-1]}"})
    lines_of(path, 3)
    path.rename(tmp_path / "access.log.1")
    browser.client.get('api/info%0a"forged')

    lines = [json.loads(line) for line in lines_of(tmp_path / "access.log.1", 3)]
    assert [
        ("me", text.split("_")[1], "POST", "/api/repos/demo/edits", 200, "127.0.0.1"),
        ("", "", "GET", "/runs", 303, "127.0.0.1"),
        ("", "", "GET", "/api/info", 401, "127.0.0.1"),
    ] == [tuple(line[name] for name in ("user", "token", "method", "path", "status", "address")) for line in lines]
    assert all(line["ms"] >= 0 and line["bytes"] >= 0 for line in lines)
    assert "secret" not in (tmp_path / "access.log.1").read_text()
    assert text not in (tmp_path / "access.log.1").read_text()
    assert 1 == len(lines_of(path, 1))


@pytest.mark.parametrize("method", ["BREW", "GET"])
def test_the_names_of_the_numbers_are_bounded(browser: Browser, method: str) -> None:
    """
    A client can't make a series for each method that it thinks of.
    """
    browser.client.request(method, "api/info")
    got = samples(browser.client.get("api/metrics"))

    assert {"GET", "other"} >= {name.split('"')[1] for name in got if name.startswith("aim_requests_total")}
