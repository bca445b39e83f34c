"""
Large answers as JSON, compressed for clients that take it.
"""

from __future__ import annotations

import json

from tests.server.conftest import Browser, MakeBrowser, MakeRun

METRICS = 600


def _browser(make_run: MakeRun, make_browser: MakeBrowser) -> Browser:
    run = make_run("r")
    for number in range(METRICS):
        run.track(number / 7, name=f"layers.{number}/norm", step=0)
    run.close()
    return make_browser()


def test_a_large_answer_is_sent_compressed(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    The page of a run of many metrics takes a fifth of its JSON, and says so; it is the same for all clients.
    """
    browser = _browser(make_run, make_browser)
    address = browser.base + "runs/r"

    packed = browser.client.get(address, headers={"Accept-Encoding": "gzip, br"})
    plain = browser.client.get(address, headers={"Accept-Encoding": "identity"})

    assert ("gzip", "Accept-Encoding") == (packed.headers["content-encoding"], packed.headers["vary"])
    assert "content-encoding" not in plain.headers
    assert json.loads(plain.content)["sequences"] == packed.json()["sequences"]
    assert int(packed.headers["content-length"]) * 5 < int(plain.headers["content-length"])


def test_small_answers_and_refused_encodings_are_sent_plain(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    A small answer gets no smaller by it, and a client may say that it does not take gzip.
    """
    browser = _browser(make_run, make_browser)

    small = browser.client.get("/api/info", headers={"Accept-Encoding": "gzip"})
    refused = browser.client.get(browser.base + "runs/r", headers={"Accept-Encoding": "gzip;q=0"})

    assert "content-encoding" not in small.headers
    assert "content-encoding" not in refused.headers
