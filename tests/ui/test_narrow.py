"""
The pages in a window as narrow as a telephone.
"""

from __future__ import annotations

import pytest
from playwright import sync_api

from tests.ui.conftest import Open

WIDTH_PX, HEIGHT_PX = 390, 800


@pytest.mark.parametrize("page_name", ["metrics", "runs", "params", "media", "text"])
def test_a_narrow_window_needs_no_sideways_scrolling(open_page: Open, server: str, page_name: str) -> None:
    """
    The page is as wide as the window.
    """
    page = open_page(server + page_name)
    page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
    page.wait_for_load_state("networkidle")

    assert WIDTH_PX == page.evaluate("document.documentElement.scrollWidth")


def test_the_runs_stand_above_the_cards_in_a_narrow_window(open_page: Open, server: str) -> None:
    """
    On the metrics page the list of runs and the cards are each as wide as the window.
    """
    page = open_page(server + "metrics")
    page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
    card = page.locator(".card").first
    sync_api.expect(card).to_be_visible()
    runs_box, card_box = page.locator(".runlist").bounding_box(), card.bounding_box()

    assert runs_box is not None
    assert card_box is not None
    assert WIDTH_PX == runs_box["width"]
    assert runs_box["y"] + runs_box["height"] <= card_box["y"]
    assert card_box["width"] > 0.8 * WIDTH_PX


def test_everything_is_in_reach_of_a_thumb(open_page: Open, server: str) -> None:
    """
    The query box is as wide as the window, every page is in the navigation, and all buttons of the bar of selected runs
    are on the screen.
    """
    page = open_page(server + "runs")
    page.set_viewport_size({"width": WIDTH_PX, "height": HEIGHT_PX})
    page.locator(".grid .row").first.get_by_role("checkbox").click()
    bar = page.get_by_role("toolbar", name="The selected runs")
    query = page.locator(".query").bounding_box()
    assert query is not None
    assert query["width"] > 0.9 * WIDTH_PX
    for item in [*page.get_by_role("navigation").get_by_role("link").all(), *bar.get_by_role("button").all()]:
        box = item.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= WIDTH_PX, item.inner_text()
        assert box["y"] + box["height"] <= HEIGHT_PX, item.inner_text()
