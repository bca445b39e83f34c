"""
Alerts, as the pages ask for them.
"""

from __future__ import annotations

import math

from tests.server.conftest import Browser, MakeBrowser, MakeRun


def test_an_alert_says_where_to_look(make_run: MakeRun, make_browser: MakeBrowser) -> None:
    """
    An alert of a metric with NaN has its run, context, step and the steps around it.
    """
    run = make_run("a", lr=0.1)
    run.name = "odd"
    for step in range(100):
        run.track(math.nan if step > 70 else 1.0, name="loss", step=step, context={"subset": "val"})
    answer = make_browser().get("alerts")
    [alert] = answer["alerts"]

    assert alert.pop("time") > 0
    assert {
        "id": "a nan 71",
        "run": "a",
        "name": "odd",
        "kind": "nan",
        "level": 1,
        "metric": {"name": "loss", "context": {"subset": "val"}},
        "step": 71,
        "window": [62, 80],
        "value": "NaN",
        "best": None,
        "pause": None,
        "error": None,
        "others": 0,
    } == alert
    assert answer["cursor"]


def test_healthy_runs_have_no_alerts(browser: Browser) -> None:
    """
    A repository whose runs ended normally has no alerts.
    """
    assert [] == browser.get("alerts")["alerts"]
