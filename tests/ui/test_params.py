"""
The params page: brushes, colours, and what they leave.
"""

from __future__ import annotations

import re

from playwright import sync_api

from tests.ui.conftest import Open

expect = sync_api.expect

SIDE_PX = 64
TOP_PX, BOTTOM_PX = 44, 18


def test_a_brush_leaves_the_runs_within_it(open_page: Open, server: str) -> None:
    """
    A drag along the last axis leaves the best runs everywhere on the page, in the address, and selects them on demand.
    """
    page = open_page(server + "params")
    canvas = page.locator(".parallel canvas").last
    expect(page.locator(".params-table .row").first).to_be_visible()
    box = canvas.bounding_box()
    assert box is not None
    x, top = box["x"] + box["width"] - SIDE_PX, box["y"] + TOP_PX
    page.mouse.move(x, top)
    page.mouse.down()
    page.mouse.move(x, top + 0.2 * (box["height"] - TOP_PX - BOTTOM_PX), steps=4)
    page.mouse.up()

    pill = page.get_by_role("button", name="in the brushes")
    expect(pill).to_be_visible()
    count = int(re.findall(r"\d+", pill.inner_text())[0])
    assert 0 < count < 25
    expect(page.locator(".params-table .row")).to_have_count(count)
    assert "brush=" in page.url
    page.get_by_role("button", name="Select", exact=True).click()
    expect(page.locator(".selection")).to_contain_text(f"{count} runs selected")
    pill.click()
    expect(pill).to_have_count(0)


def test_runs_are_coloured_by_a_field(open_page: Open, server: str) -> None:
    """
    Lines and dots take the colours of a chosen field, and a legend says which is which.
    """
    page = open_page(server + "params")
    expect(page.locator(".params-table .row").first).to_be_visible()
    page.get_by_role("button", name="+ colour").click()
    page.keyboard.type("model")
    page.keyboard.press("Enter")
    expect(page.locator(".legend > span")).to_have_count(4)  # three models, and the run that has none
    expect(page.locator(".legend")).to_contain_text("vit-s")
    assert "color=hparams.model" in page.url
