"""
What is wrong is seen while it happens: runs that compute no numbers any more, that diverge, that stand still.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright import sync_api

from aim import Run
from tests.ui.conftest import Open, in_both_themes, serving
from tests.ui.recording import record_failure
from tests.ui.test_journeys import wait_drawn

Shot = Callable[["sync_api.Page"], None]
expect = sync_api.expect
STEPS = 200
SEEN_MS = 90_000
CONTEXT = {"subset": "train"}


class Trainings:
    """
    Runs that record beside the pages, as many trainings of one person.
    """

    def __init__(self, repo: Path) -> None:
        self.repo = repo
        self.runs: dict[str, Run] = {}
        for name in ("well", "will-be-nan", "diverging", "overdue"):
            run = Run(repo=str(repo), system_tracking_interval=None, capture_terminal_logs=False)
            run.name = name
            self.runs[name] = run
            for step in range(STEPS):
                run.track(2 * math.exp(-step / 40) + 0.1, name="loss", step=step, context=CONTEXT)
                run.track(1 + math.sin(step / 9) / 4, name="gradient", step=step)

    def go_wrong(self) -> None:
        """Let one become NaN and one diverge, and one break its promise."""
        for step in range(STEPS, STEPS + 60):
            self.runs["will-be-nan"].track(math.nan, name="loss", step=step, context=CONTEXT)
            self.runs["diverging"].track(0.1 + (step - STEPS) ** 2 / 100, name="loss", step=step, context=CONTEXT)
        self.runs["overdue"].report_progress(expect_next_in=0.01)

    def get_worse(self) -> None:
        """Let another metric become NaN."""
        self.runs["will-be-nan"].track(math.nan, name="gradient", step=STEPS + 60)


@pytest.fixture(name="trainings")
def _trainings(tmp_path: Path) -> Iterator[Trainings]:
    """
    Four trainings that are well, and one that has failed before.
    """
    record_failure(tmp_path)
    trainings = Trainings(tmp_path)
    yield trainings
    for run in trainings.runs.values():
        run.close()


@pytest.fixture(name="address")
def _address(trainings: Trainings) -> Iterator[str]:
    """
    The address of a server of their repository; it ends after the pages that look at it.
    """
    with serving("--repo", str(trainings.repo)) as address:
        yield address


@in_both_themes
def test_what_goes_wrong_is_told_while_it_does(trainings: Trainings, address: str, open_page: Open, shot: Shot) -> None:
    """
    The bell counts what goes wrong, a mark stands beside the runs, and the keyboard leads to the place in the chart.
    """
    page = open_page(address)
    wait_drawn(page, 'loss{"subset":"train"}')
    expect(page.locator(".alert-bell b")).to_have_text("1", timeout=SEEN_MS)
    trainings.go_wrong()
    expect(page.locator(".alert-bell b")).to_have_text("4", timeout=SEEN_MS)
    expect(page.locator(".toast").first).to_be_visible()
    expect(page.locator(".runlist .run", has_text="will-be-nan").locator(".alert-mark")).to_be_visible()
    expect(page.locator(".runlist .run", has_text="well").locator(".alert-mark")).to_have_count(0)

    page.keyboard.press("n")
    rows = page.locator(".alert .go")
    expect(rows).to_have_count(4)
    expect(rows.filter(has_text="will-be-nan")).to_contain_text("loss train is NaN since step 200")
    expect(rows.filter(has_text="diverging")).to_contain_text(re.compile("loss train has diverged since step 2"))
    expect(rows.filter(has_text="overdue")).to_contain_text("a check-in is")
    expect(rows.filter(has_text="diverged").last).to_be_visible()
    shot(page)
    rows.filter(has_text="will-be-nan").focus()
    page.keyboard.press("Enter")

    expect(page.locator(".card.found")).to_be_in_viewport()
    assert "card=loss&at=200&win=" in page.url
    expect(page.locator(".run-alerts")).to_contain_text("loss train is NaN since step 200")
    scales = page.locator(".card.found .chart")
    expect(scales).to_have_attribute("data-scales", re.compile(r'"x":\[17\d.*'))


def test_a_dismissed_alert_comes_back_when_it_gets_worse(trainings: Trainings, address: str, open_page: Open) -> None:
    """
    `Delete` puts an alert away, also after a reload; one more metric that is lost brings it back.
    """
    trainings.go_wrong()
    page = open_page(address + "runs")
    bell = page.locator(".alert-bell b")
    expect(bell).to_have_text("4", timeout=SEEN_MS)
    page.keyboard.press("n")
    page.locator(".alert .go", has_text="will-be-nan").focus()
    page.keyboard.press("Delete")
    expect(bell).to_have_text("3")
    expect(page.locator(".alert .go:focus")).to_have_count(1)
    page.reload()
    expect(bell).to_have_text("3", timeout=SEEN_MS)
    expect(page.locator(".grid .row", has_text="will-be-nan").locator(".alert-mark")).to_be_visible()

    trainings.get_worse()
    expect(bell).to_have_text("4", timeout=SEEN_MS)
    page.keyboard.press("n")
    worse = page.locator(".alert .go", has_text="will-be-nan")
    expect(worse).to_contain_text("and 1 more metric")
    page.get_by_role("menuitem", name="Dismiss all").click()
    expect(page.locator(".alerts .nothing")).to_have_text("No new alerts.")
    page.get_by_role("menuitem", name="4 dismissed").click()
    page.get_by_role("menuitem", name="Show dismissed alerts again").click()
    expect(bell).to_have_text("4")
