"""
A reader's own arrangement of the cards: dragged, widened, in sections of their own; kept in the address and in views.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright import sync_api

from tests.ui.conftest import Open, in_both_themes

Shot = Callable[["sync_api.Page"], None]
expect = sync_api.expect
ACCURACY = 'accuracy{"subset":"val"}'
VAL_LOSS = 'loss{"subset":"val"}'
TRAIN_LOSS = 'loss{"subset":"train"}'


def cards(page: sync_api.Page, section: str) -> list[str | None]:
    """Return the cards of a section, in their order."""
    found = page.get_by_role("region", name=section).locator(".card")
    return [one.get_attribute("data-card") for one in found.all()]


def head(page: sync_api.Page, card: str) -> sync_api.Locator:
    """Return the part of a card by which it is dragged."""
    return page.locator(f"[data-card='{card}'] header h3")


@in_both_themes
def test_cards_are_dragged_widened_and_kept(open_page: Open, server: str, shot: Shot) -> None:
    """
    A card changes places, another goes to a section of one's own and gets wide; a link and a later visit show the same.
    """
    page = open_page(server + "metrics")
    head(page, ACCURACY).wait_for()
    assert [ACCURACY, VAL_LOSS] == cards(page, "val")

    head(page, ACCURACY).drag_to(head(page, VAL_LOSS), target_position={"x": 30, "y": 5})
    head(page, VAL_LOSS).drag_to(page.locator(f"[data-card='{ACCURACY}']"), target_position={"x": 300, "y": 100})
    head(page, VAL_LOSS).drag_to(page.locator(f"[data-card='{ACCURACY}']"), target_position={"x": 20, "y": 100})
    expect(page.get_by_role("region", name="val").locator(".card").first).to_have_attribute("data-card", VAL_LOSS)
    page.get_by_role("button", name="+ section").click()
    name = page.get_by_label("Name of the section")
    name.fill("Focus")
    name.press("Enter")
    focus = page.get_by_role("region", name="Focus")
    head(page, TRAIN_LOSS).drag_to(focus.locator(".drop-here"))
    expect(focus.locator(".card")).to_have_count(1)
    grip = focus.locator(".span-grip").bounding_box()
    assert grip is not None
    page.mouse.move(grip["x"] + 6, grip["y"] + 6)
    page.mouse.down()
    page.mouse.move(grip["x"] + 6 + grip["x"] - 318, grip["y"] + 6, steps=5)
    page.mouse.up()
    expect(focus.locator(".card")).to_have_class(re.compile("span-2"))
    expect(page).to_have_url(re.compile("own=.*Focus.*wide="))
    focus.locator(".card [data-scales]").wait_for()
    page.get_by_role("button", name="Views").hover()
    shot(page)

    for address in (page.url, server + "metrics"):  # the link, and a visit of the same browser
        page.goto(address)
        expect(page.get_by_role("region", name="Focus").locator(".card.span-2")).to_have_count(1)
        assert [VAL_LOSS, ACCURACY] == cards(page, "val")
    link = page.url
    other = open_page(link)
    expect(other.get_by_role("region", name="Focus").locator(".card.span-2")).to_have_count(1)


def test_cards_are_arranged_without_a_mouse(open_page: Open, server: str) -> None:
    """
    The menu of a card moves and widens it, a saved view keeps that, and Reset puts everything back.
    """
    page = open_page(server + "metrics")
    head(page, ACCURACY).wait_for()

    for item in ("Wider", "Move on", "Move to a new section"):
        page.get_by_role("button", name="More for accuracy val").click()
        page.get_by_role("menuitem", name=item).click()
    expect(page.get_by_role("region", name="My section").locator(".card.span-2")).to_have_count(1)
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name of this view").fill("arranged")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Reset cards").click()
    expect(page.get_by_role("region", name="My section")).to_have_count(0)
    assert [ACCURACY, VAL_LOSS] == cards(page, "val")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="arranged").click()
    expect(page.get_by_role("region", name="My section").locator(".card.span-2")).to_have_count(1)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Delete view arranged").click()
    expect(page.get_by_role("menuitem", name="arranged")).to_have_count(0)
