"""
The page of a run begins with what the run came to.
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright import sync_api

from aim import Run
from tests.ui.conftest import SCREENSHOTS, Open, in_both_themes, serving
from tests.ui.sweep import NAMES, PICTURES_RUN, SUBSETS

expect = sync_api.expect


def open_run(open_page: Open, address: str, name: str) -> sync_api.Page:
    """Open a run's page from the table."""
    page = open_page(f'{address}runs?q=run.name == "{name}"')
    page.locator(".grid .row .name", has_text=name).first.click()
    page.locator(".run-head h1").wait_for()
    return page


@in_both_themes
def test_a_run_begins_with_its_results(sweep_server: str, open_page: Open, theme: str) -> None:
    """
    The head has the state, the duration and the last and best values of the main metrics; below it a table has those of
    all metrics, and the title of each card the last one.
    """
    page = open_run(open_page, sweep_server, PICTURES_RUN)
    head = page.locator(".run-head")
    expect(head.locator(".title")).to_contain_text("done")
    expect(head.locator(".title")).to_contain_text("took")
    readings = head.get_by_label("Main results").locator("dt")
    expect(readings).to_have_text(["accuracy val", "f1 val", "precision val", "recall val"])
    expect(head.get_by_label("Main results").locator("dd").first).to_contain_text("1.150best 2 ↑ at step 0")

    summary = page.get_by_role("region", name="Values of the metrics").get_by_role("row")
    expect(summary).to_have_count(1 + 8)
    page.get_by_role("button", name="All 28 metrics").click()
    expect(summary).to_have_count(1 + 1 + len(NAMES) * len(SUBSETS))
    loss = page.get_by_role("row", name="loss val")
    expect(loss.get_by_role("cell")).to_have_text(["0.1496", "↓ 0.1496", "19", "0.1496", "1", "0.4543", "20"])
    page.get_by_role("button", name="Only the first").click()
    expect(page.locator("[data-card='loss'] .reading")).to_have_text("0.1496")
    page.locator("[data-card='accuracy'] canvas").first.wait_for()
    page.screenshot(path=SCREENSHOTS / f"run-summary-{theme}.png")


def test_a_metric_of_the_summary_leads_to_its_chart(sweep_server: str, open_page: Open) -> None:
    """
    A press on a name scrolls to the card, which stands out; the address keeps it.
    """
    page = open_run(open_page, sweep_server, "vit-001")
    page.get_by_role("button", name="perplexity val").click()
    expect(page.locator(".card.found")).to_have_attribute("data-card", "perplexity")
    expect(page.locator(".card.found")).to_be_in_viewport()
    assert "card=perplexity" in page.url


def test_a_run_says_how_far_its_work_is(tmp_path: Path, open_page: Open) -> None:
    """
    The head of its page has a bar, the rate and the time left, and follows the reports; the table has columns for them.
    """
    with Run(repo=tmp_path, system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.name = "halfway"
        run.track(1.0, name="loss")
        run.report_progress(done=0, total=1000, unit="steps")
        while run.check_in.progress.rate_per_s is None:
            run.report_progress(done=420, total=1000, unit="steps")
        with serving("--repo", str(tmp_path)) as address:
            page = open_run(open_page, address, "halfway")
            bar = page.locator(".run-head").get_by_role("progressbar")
            expect(bar).to_have_attribute("aria-valuenow", "42")
            expect(page.locator(".progress-line")).to_contain_text(re.compile("42 %420 of 1,000 steps · .* steps a"))
            run.report_progress(done=900, total=1000, unit="steps")
            expect(bar).to_have_attribute("aria-valuenow", "90")
            table = open_page(f"{address}runs?cols=run.progress;run.rate;run.remaining")
            expect(table.locator(".grid .row").get_by_role("progressbar")).to_have_attribute("aria-valuenow", "90")
