"""
What the pages do with a wide window: the bar above the charts in one row, small sections beside each other, one font on
every machine, and the guides of the installed version.
"""

from __future__ import annotations

import pytest
from playwright import sync_api
from playwright.sync_api import expect

from tests.ui.conftest import Open

WIDE_PX, WIDEST_PX = 1440, 1920
BAR = "How curves are drawn"
TOP_OF_SECTIONS = "elements => elements.map((element) => Math.round(element.getBoundingClientRect().top))"
OUTSIDE_BAR = """bar => [...bar.querySelectorAll("button")]
    .filter((button) => {
        const [inner, outer] = [button.getBoundingClientRect(), bar.getBoundingClientRect()];
        return inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1 || inner.right > outer.right + 1;
    })
    .map((button) => button.textContent)"""


@pytest.mark.parametrize("width", [WIDE_PX, WIDEST_PX])
@pytest.mark.parametrize("grouping", ["", "?color=hparams.model&dash=hparams.lr&agg=seed&smooth=0.5&y=log"])
def test_the_bar_above_the_charts_is_one_row(open_page: Open, server: str, width: int, grouping: str) -> None:
    """
    Its pills stand in two captioned groups and never wrap, whatever they say, and all of them are inside it.
    """
    page = open_page(server + "metrics" + grouping)
    page.set_viewport_size({"width": width, "height": 900})
    bar = page.get_by_role("toolbar", name=BAR)
    expect(page.locator(".card").first).to_be_visible()

    assert ["Group", "Axes"] == [group.get_attribute("aria-label") for group in bar.get_by_role("group").all()]
    assert [] == bar.evaluate(OUTSIDE_BAR)
    box = bar.bounding_box()
    assert box is not None
    assert 40 > box["height"]


def test_small_sections_share_a_row(open_page: Open, server: str) -> None:
    """
    Two sections with one card each begin at the same height.
    """
    page = open_page(server + "metrics")
    page.set_viewport_size({"width": WIDEST_PX, "height": 1080})
    small = page.locator("section.small-1")
    expect(small.nth(1)).to_be_visible()
    tops = small.evaluate_all(TOP_OF_SECTIONS)

    assert len(set(tops)) < len(tops)


def test_the_font_comes_with_the_pages(open_page: Open, server: str) -> None:
    """
    The letters are those of Inter, which the server sends, so that the pages look the same on every machine.
    """
    page = open_page(server + "metrics")
    expect(page.locator(".card").first).to_be_visible()
    page.evaluate("document.fonts.ready.then(() => true)")
    loaded = "[...document.fonts].filter((font) => font.status === 'loaded').map((font) => font.family)"

    assert "Inter" in page.evaluate(loaded)
    assert "Inter" == page.evaluate("getComputedStyle(document.body).fontFamily.split(',')[0]")


def test_docs_help_and_settings_are_words_in_the_top_bar(open_page: Open, server: str) -> None:
    """
    In a wide window each is a button with a word; in a narrower one they are items of a menu.
    """
    page = open_page(server + "metrics")
    bar = page.get_by_role("banner")
    expect(bar.get_by_role("link", name="Settings")).to_be_visible()
    bar.get_by_role("button", name="Help").click()
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1024, "height": 768})
    bar.get_by_role("button", name="Docs, help and settings").click()
    page.get_by_role("menuitem", name="Settings").click()

    expect(page.get_by_role("heading", name="Server")).to_be_visible()


def test_the_guides_are_read_in_the_pages(open_page: Open, server: str) -> None:
    """
    The guides of the installed version are there without a network: found by a word, and linked with each other.
    """
    page = open_page(server + "metrics")
    page.get_by_role("banner").get_by_role("link", name="Docs").click()
    guides = page.get_by_role("navigation", name="Guides")
    expect(page.get_by_role("heading", name="Aim", exact=True)).to_be_visible()
    page.get_by_role("textbox", name="Find in the docs").fill("rewind(step)")
    guides.get_by_role("link", name="Recording a run").click()
    expect(page.get_by_role("heading", name="Recording a run")).to_be_visible()
    page.get_by_role("article").get_by_role("link", name="going back").click()

    expect(guides.locator("[aria-current=page]")).to_have_text("Going back and branching")
    assert "docs?page=guide/history" in page.url


def test_a_reload_of_a_guide_shows_it_again(open_page: Open, server: str) -> None:
    """
    The address of a guide leads to it.
    """
    page: sync_api.Page = open_page(server + "docs?page=query-language")

    expect(page.get_by_role("heading", level=1)).to_contain_text("query language", ignore_case=True)
