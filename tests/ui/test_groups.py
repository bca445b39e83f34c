"""
Groups on the page of charts: their legend, their colours, and the difference between two of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright import sync_api

from tests.ui.conftest import Open, in_both_themes
from tests.ui.sweep import BATCH_SIZES, LEARNING_RATES

expect = sync_api.expect
Page = sync_api.Page
ENTRY = ".group-legend .entry"


@in_both_themes
def test_two_groups_are_compared_with_an_interval(
    open_page: Open, sweep_server: str, shot: Callable[[Page], None]
) -> None:
    """
    The legend has each batch size with its number of runs and its best value, and draws one alone; two are compared,
    with the interval, the method and what weakens it.
    """
    page = open_page(sweep_server + "metrics?color=hparams.batch_size")
    expect(page.locator(ENTRY)).to_have_count(len(BATCH_SIZES), timeout=90_000)
    expect(page.locator(ENTRY).first).to_contain_text(re.compile(r"20 · "))
    expect(page.locator(".runlist .run")).to_have_count(0)
    expect(page.locator(".runlist .group")).to_have_count(len(BATCH_SIZES))
    page.locator(ENTRY).first.get_by_role("button").last.click()
    expect(page.locator(f"{ENTRY}.off")).to_have_count(len(BATCH_SIZES) - 1)
    assert "only=" in page.url
    page.get_by_role("button", name="all groups").click()
    expect(page.locator(f"{ENTRY}.off")).to_have_count(0)

    page.get_by_role("button", name="Compare groups").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("95 % interval", timeout=90_000)
    expect(dialog).to_contain_text("Welch's t for 20 and 20 independent runs")
    expect(dialog).to_contain_text("hparams.lr, so the spread is not of the seeds alone")
    shot(page)


def test_groups_of_seeds_have_a_legend_and_are_paired(open_page: Open, sweep_server: str) -> None:
    """
    Runs that are averaged over seeds are groups too: two settings of five seeds are compared in pairs.
    """
    page = open_page(sweep_server + "metrics?agg=seed&color=")
    expect(page.locator(".group-legend")).to_contain_text("more", timeout=90_000)
    page.get_by_role("button", name=f"+ {len(LEARNING_RATES) * len(BATCH_SIZES) - 10} more").click()
    expect(page.locator(ENTRY)).to_have_count(len(LEARNING_RATES) * len(BATCH_SIZES))
    page.get_by_role("button", name="Compare groups").click()
    expect(page.get_by_role("dialog")).to_contain_text("5 pairs of runs, paired by hparams.seed", timeout=90_000)


def test_a_group_gets_another_colour(open_page: Open, sweep_server: str) -> None:
    """
    The colour that the reader chooses is that of the legend and of the list, also after a reload.
    """
    page = open_page(sweep_server + "metrics?color=hparams.batch_size")
    entry = page.locator(ENTRY).first
    entry.get_by_role("button", name="Colour of").click(timeout=90_000)
    page.get_by_role("button", name="#8f7cfb").click()
    color = "rgb(143, 124, 251)"
    expect(entry.locator(".swatch")).to_have_css("background-color", color)
    expect(page.locator(".runlist .group .swatch").first).to_have_css("background-color", color)
    page.reload()
    expect(page.locator(ENTRY).first.locator(".swatch")).to_have_css("background-color", color, timeout=90_000)
