"""
The query is narrowed by the head of a column, and by what is seen in a chart.
"""

from __future__ import annotations

from playwright import sync_api

from tests.ui.conftest import SCREENSHOTS, Open, in_both_themes

expect = sync_api.expect
LOSS = "metric:loss%7B%22subset%22:%22val%22%7D:min"


@in_both_themes
def test_the_head_of_a_column_has_a_histogram_and_a_range(sweep_server: str, open_page: Open, theme: str) -> None:
    """
    A range that is dragged over the histogram, or typed, becomes clauses of the query.
    """
    page = open_page(f"{sweep_server}runs?cols=hparams.optimizer;{LOSS}")
    page.get_by_role("button", name="Values of loss val min").click()
    histogram = page.locator(".histogram")
    box = histogram.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 1, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=4)
    page.mouse.up()
    page.screenshot(path=SCREENSHOTS / f"head-menu-{theme}.png")
    page.get_by_role("textbox", name="From").fill("")
    page.get_by_role("textbox", name="To").fill("0.16")
    page.get_by_role("button", name="Only these").click()
    query = page.get_by_role("textbox", name="Query")
    expect(query).to_have_value('run.metrics["loss", {"subset": "val"}].min <= 0.16')
    expect(page.locator(".grid .body .row")).to_have_count(11)
    page.get_by_role("button", name="Values of optimizer").click()
    expect(page.get_by_role("menuitem", name="adam 11")).to_be_visible()


def test_a_chart_narrows_the_query_to_its_best_runs_and_to_what_is_seen(server: str, open_page: Open) -> None:
    """
    The menu of a card leaves its best runs only; after a zoom, the runs that have a point there.
    """
    page = open_page(f"{server}metrics")
    card = page.locator(".card", has=page.locator("h3", has_text="accuracy"))
    card.locator("canvas").first.wait_for()
    card.locator(".chart[data-scales]").wait_for()
    card.get_by_role("button", name="More for accuracy val").click()
    page.get_by_role("menuitem", name="Only the 5 best here").click()
    expect(page.locator(".runlist .run")).to_have_count(5)
    expect(page.locator(".runlist .run").first).to_contain_text("vit-s-0.001-0")
    canvas = card.locator("canvas").last
    box = canvas.bounding_box()
    assert box is not None
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + box["width"] - 120, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 30, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    card.get_by_role("button", name="More for accuracy val").click()
    seen = page.get_by_role("menuitem", name="Filter to what is seen here")
    count = int(seen.inner_text().rpartition(": ")[2])
    seen.click()
    expect(page.locator(".runlist .run")).to_have_count(count)
