"""
The average over seeds, with configs as people have them.
"""

from __future__ import annotations

from playwright import sync_api

from tests.ui.conftest import Open
from tests.ui.sweep import SETTING_COUNT

expect = sync_api.expect
CARD = '.card[data-card^="loss"]'


def test_the_params_that_do_not_count_are_told_and_edited(open_page: Open, sweep_server: str) -> None:
    """
    A sweep of 12 settings with five seeds is 12 curves, though directories and hosts differ too; the pages say which
    params they ignore, and one that is to count tells the runs apart.
    """
    page = open_page(sweep_server + "metrics?agg=seed&color=")
    expect(page.get_by_text("params ignored")).to_be_visible(timeout=60_000)
    expect(page.locator(".card .fault")).to_have_count(0)
    card = page.locator(CARD).first
    card.hover()
    card.get_by_role("button", name="Full screen").click()
    lines = page.get_by_role("dialog").locator(".grid .row")
    expect(lines).to_have_count(SETTING_COUNT, timeout=60_000)

    page.get_by_role("dialog").get_by_title("Draw several runs as one line").click()
    expect(page.locator(".ignored")).to_contain_text("names a seed")
    expect(page.locator(".ignored")).to_contain_text("names a machine")
    page.get_by_role("button", name="Let hparams.seed count").click()
    expect(page.locator(".ignored")).not_to_contain_text("seed")
    assert "ignore=" in page.url
    page.get_by_role("button", name="+ ignore a param").click()
    page.get_by_placeholder("Ignore…").fill("batch")
    page.get_by_role("option").first.click()
    expect(page.locator(".ignored")).to_contain_text("batch_size")
    page.get_by_role("button", name="Choose automatically").click()
    expect(page.locator(".ignored")).not_to_contain_text("batch_size")
    assert "ignore=" not in page.url


SWATCHES = """() => [...document.querySelectorAll(".runlist .run")].map(row => [
    row.querySelector(".name").innerText, getComputedStyle(row.querySelector(".swatch")).backgroundColor
])"""


def test_groups_keep_their_colours_under_a_query_and_after_a_reload(open_page: Open, sweep_server: str) -> None:
    """
    A run has the colour of its batch size also when the query leaves one batch size, and the page was loaded again.
    """
    page = open_page(sweep_server + "metrics?color=hparams.batch_size")
    page.locator(".runlist .group .fold").first.click(timeout=60_000)
    page.locator(".runlist .run").first.wait_for(timeout=60_000)
    every = dict(page.evaluate(SWATCHES))
    name = next(iter(every))
    page.goto(f'{sweep_server}metrics?color=hparams.batch_size&q=run.name == "{name}"')
    expect(page.locator(".runlist .run")).to_have_count(1, timeout=60_000)

    assert {name: every[name]} == dict(page.evaluate(SWATCHES))
