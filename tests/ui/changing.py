"""
The controls of a page that change something: none of them may be offered to who may change nothing.
"""

from __future__ import annotations

import re

from playwright import sync_api

CHANGING = re.compile(r"^(Tag|Archive|Delete|Save|Edit|New report|Add a tag|Add notes|Change the)")
PAGES = ("runs", "metrics", "reports", "run", "settings")
"""The pages that have such controls; `run` is the page of the first run in the table of `runs`."""

expect = sync_api.expect


def reach_controls(page: sync_api.Page, name: str) -> None:
    """
    Bring everything of a page into view that may have such a control; press the keys for changes.

    Args:
        page: the page *name*; of `run`, the page `runs`.
        name: one of `PAGES`.
    """
    page.locator("main").wait_for()
    if name == "run":
        page.locator(".grid .row .name").first.click()
        page.locator(".run-head h1").wait_for()
    elif name == "runs":
        page.locator(".grid .row").first.get_by_role("checkbox").click()
        expect(page.get_by_role("toolbar", name="The selected runs")).to_be_visible()
        page.keyboard.press("t")
        page.keyboard.press("a")
    if name in ("runs", "metrics"):
        page.get_by_role("button", name="Views").click()
        expect(page.locator(".views")).to_be_visible()


def changing_controls(page: sync_api.Page) -> list[str]:
    """Return the labels of the page's controls that change something, and the texts of places that can be edited."""
    labels = page.locator("button, input, textarea").evaluate_all(
        "(nodes) => nodes.map((node) => node.getAttribute('aria-label') || node.textContent || node.title)"
    )
    assert len(labels) > 3  # a page that shows nothing has no control, and proves nothing
    places = page.locator(".editable, .tag-input, .toast").all_inner_texts()
    return [*filter(CHANGING.match, labels), *places]
