"""
Queries of pages are on the clock of the browser, which sends its zone with each request.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.server.conftest import Browser, MakeBrowser, MakeRun

ZONES = {"UTC": 0.0, "Asia/Kolkata": 5.5, "Asia/Atlantis,-03:30": -3.5}


@pytest.mark.parametrize("zone", ZONES)
def test_each_request_with_a_query_is_asked_on_the_browser_s_clock(
    make_run: MakeRun, make_browser: MakeBrowser, zone: str
) -> None:
    """
    Runs, fields, curves, objects, exports and the clauses of an empty answer read `zone`.
    """
    run = make_run("a")
    run.track(0.5, name="loss", step=0)
    run.close()
    shown = datetime.fromtimestamp(run.creation_time, timezone(timedelta(hours=ZONES[zone])))
    right = f"run.created_at.hour == {shown.hour} and run.created_at.minute == {shown.minute}"
    wrong = f"run.created_at.hour == {(shown.hour + 1) % 24}"
    browser = make_browser()
    asked: dict[str, Any] = {"params": {"zone": zone}}

    assert ["a"] == browser.post("runs", {"query": right}, **asked)["hash"]
    assert 1 == browser.post("fields", {"query": right}, **asked)["count"]
    assert 0 == browser.post("fields", {"query": wrong}, **asked)["count"]
    clauses = browser.post("runs", {"query": f"{right} and {wrong}"}, **asked)["clauses"]
    assert [1, 1, 0] == [clause["count"] for clause in clauses]
    assert [1, 0] == [count_of_curves(browser, query, zone) for query in (right, wrong)]
    for query, lines in ((right, 2), (wrong, 1)):
        answer = browser.client.get(
            f"{browser.base}export/runs.csv", params={"request": f'{{"query":"{query}"}}', "zone": zone}
        )
        assert lines == len(answer.text.splitlines())


def count_of_curves(browser: Browser, query: str, zone: str) -> int:
    """Return how many curves match."""
    answer = browser.client.post(f"{browser.base}series", json={"query": query}, params={"zone": zone})
    header = answer.content[8 : 8 + int.from_bytes(answer.content[4:8], "little")]
    return int(header.split(b'"total":')[1].split(b",")[0])


def test_a_zone_that_is_not_there_is_refused(browser: Browser) -> None:
    """
    The answer is 400 and says what a zone may be.
    """
    answer = browser.post("runs", {"query": ""}, status=400, params={"zone": "Asia/Atlantis"})

    assert ("request", True) == (answer["kind"], "such as Europe/Berlin" in answer["message"])
