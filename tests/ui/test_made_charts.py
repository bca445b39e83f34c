"""
Charts that the reader makes: of chosen metrics, of an expression, and over runs and groups.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright import sync_api

from tests.ui.conftest import Open, in_both_themes
from tests.ui.sweep import BATCH_SIZES, LEARNING_RATES

expect = sync_api.expect
Page = sync_api.Page
MADE = '.card[data-card^="chart:"]'


def make(page: Page, kind: str) -> sync_api.Locator:
    """Open the form for a chart of a kind."""
    page.get_by_role("button", name="+ chart").click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name=kind, exact=True).click()
    return form


def choose(page: Page, form: sync_api.Locator, label: str, text: str) -> None:
    """Choose a field of runs in the form."""
    form.get_by_title(label, exact=True).click()
    page.get_by_role("combobox", name=f"{label}…").fill(text)
    page.get_by_role("option").filter(has_text=text).first.click()


@in_both_themes
def test_charts_of_all_kinds_are_made_and_kept(
    open_page: Open, sweep_server: str, shot: Callable[[Page], None]
) -> None:
    """
    Two metrics with a second axis, an expression, a heat map, boxes and a scatter are cards of the workspace, and an
    address that is opened anew has them.
    """
    page = open_page(sweep_server + "metrics?color=hparams.batch_size&agg=group")
    form = make(page, "lines")
    form.get_by_label("Metrics, by name or /pattern/").fill("train/loss, val/loss")
    form.get_by_label("Metrics of a second y axis").fill("tokens")
    form.get_by_role("button", name="Add the chart").click()
    form = make(page, "lines")
    form.get_by_label("Or an expression over curves").fill("val/loss - nothing")
    expect(form.get_by_role("status")).to_contain_text("There is no metric “nothing”")
    form.get_by_label("Or an expression over curves").fill("val/accuracy - val/loss")
    form.get_by_role("button", name="Add the chart").click()
    form = make(page, "heat map")
    choose(page, form, "Columns", "hparams.lr")
    choose(page, form, "Rows", "hparams.batch_size")
    choose(page, form, "Colour: the mean of", "val/loss min")
    form.get_by_role("button", name="Add the chart").click()
    form = make(page, "boxes")
    choose(page, form, "Value", "val/accuracy max")
    form.get_by_role("button", name="Add the chart").click()
    form = make(page, "scatter")
    choose(page, form, "x axis", "hparams.lr")
    choose(page, form, "y axis", "val/loss last")
    form.get_by_label("log x").check()
    form.get_by_role("button", name="Add the chart").click()

    page.goto(page.url)
    expect(page.locator(MADE)).to_have_count(5)
    heat = page.get_by_role("img", name="heat chart")
    expect(heat.locator("rect")).to_have_count(len(LEARNING_RATES) * len(BATCH_SIZES))
    expect(page.get_by_role("img", name="box chart").locator(".mark")).to_have_count(len(BATCH_SIZES))
    expect(page.get_by_role("img", name="scatter chart").locator("circle")).to_have_count(60)
    expect(page.locator(f"{MADE} .chart[data-scales]")).to_have_count(2)
    shot(page)


def test_a_chart_is_changed_and_removed(open_page: Open, sweep_server: str) -> None:
    """
    The menu of its card edits and removes it; a pattern takes all metrics that match.
    """
    page = open_page(sweep_server + "metrics?color=")
    form = make(page, "lines")
    form.get_by_label("Metrics, by name or /pattern/").fill("/^loss/")
    expect(form).to_contain_text("3 metrics")
    form.get_by_role("button", name="Add the chart").click()
    card = page.locator(MADE)
    card.hover()
    card.get_by_role("button", name=re.compile("More for")).click()
    page.get_by_role("menuitem", name="Edit this chart").click()
    page.get_by_role("dialog").get_by_label("Title").fill("All losses")
    page.get_by_role("button", name="Change").click()
    expect(card.get_by_role("heading")).to_have_text(re.compile("All losses"))
    card.hover()
    card.get_by_role("button", name=re.compile("More for")).click()
    page.get_by_role("menuitem", name="Remove this chart").click()
    expect(card).to_have_count(0)


def test_a_chart_over_runs_is_saved_as_a_figure_for_a_paper(
    open_page: Open, sweep_server: str, tmp_path: Path
) -> None:
    """
    The bars of the batch sizes are a PDF of the chosen size and font, with text as text; and an SVG.
    """
    pypdf = pytest.importorskip("pypdf")
    page = open_page(sweep_server + "metrics?color=hparams.batch_size&agg=group")
    form = make(page, "bars")
    choose(page, form, "Value", "val/accuracy max")
    form.get_by_role("button", name="Add the chart").click()
    page.get_by_role("img", name="bar chart").wait_for()
    page.locator(MADE).get_by_role("button", name=re.compile("^More for")).click()
    page.get_by_role("menuitem", name="Figure for a paper or a slide").click()
    page.get_by_role("button", name="two columns").click()
    page.get_by_label("font").select_option("Times")
    page.get_by_label("title").fill("Accuracy")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PDF").click()
    download.value.save_as(tmp_path / "figure.pdf")
    (sheet,) = pypdf.PdfReader(tmp_path / "figure.pdf").pages
    text = sheet.extract_text()

    assert (174, 87) == tuple(round(float(side) / 72 * 25.4) for side in (sheet.mediabox.width, sheet.mediabox.height))
    assert "Accuracy" in text
    assert all(str(size) in text for size in BATCH_SIZES)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save SVG").click()
    svg = Path(download.value.path()).read_text(encoding="utf-8")
    assert 'width="174mm" height="87mm"' in svg
    assert svg.count("<rect") >= len(BATCH_SIZES)
