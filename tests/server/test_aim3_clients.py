"""
Trainings of Aim 3 that reach this server are told what to do.
"""

from __future__ import annotations

import json

import pytest

import aim
from tests.server.conftest import MakeBrowser, MakeRun


@pytest.mark.parametrize("base", ["", "vision/", "a/path/"])
@pytest.mark.parametrize("path", ["connect/6f2c/", "reconnect/6f2c/", "heartbeat/6f2c/", "get-version/"])
def test_a_client_of_aim_3_is_told_to_upgrade(
    make_run: MakeRun, make_browser: MakeBrowser, base: str, path: str
) -> None:
    """
    The answer is 426, without a token too, and names the exception that such a client raises: with the version to
    install, as it is told to.
    """
    make_run("a").close()
    client = make_browser(token="secret").client
    answer = client.get(f"{base}client/{path}")

    assert 426 == answer.status_code
    raised = answer.json()["message"]
    assert ("builtins", "RuntimeError") == (raised["module_name"], raised["class_name"])
    (sentence,) = json.loads(raised["args"])
    assert f"pip install 'aim=={aim.__version__}'" in sentence
    assert sentence == raised["message"] == answer.json()["detail"]


@pytest.mark.parametrize("path", ["status", "status/", "vision/status/"])
def test_a_client_of_aim_3_learns_that_there_is_a_server(
    make_run: MakeRun, make_browser: MakeBrowser, path: str
) -> None:
    """
    It looks there first, and would not ask over HTTPS without this answer.
    """
    make_run("a").close()
    answer = make_browser(token="secret").client.get(path)

    assert (200, {"status": "OK"}) == (answer.status_code, answer.json())


def test_a_project_may_have_the_names_of_that_protocol(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    The addresses of a repository are its own, whatever it is called.
    """
    make_run("a").close()
    client = make_browser().client

    assert [404, 404] == [client.get(f"api/repos/{name}/runs/a").status_code for name in ("client", "status")]
