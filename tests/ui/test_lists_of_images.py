"""
Lists of images, of which a page shows some at first.
"""

from __future__ import annotations

from playwright import sync_api

from tests.ui.conftest import Open
from tests.ui.sweep import LIST_LENGTH, PICTURES_RUN

expect = sync_api.expect
FIRST_COUNT = 12


def test_every_image_of_a_list_is_to_be_had(open_page: Open, sweep_server: str) -> None:
    """
    Twelve images of a list of 40 are shown, the others are counted and come with a press; sequences are chosen by name.
    An image has its place before it has come.
    """
    page = open_page(f'{sweep_server}media?q=run.name == "{PICTURES_RUN}"')
    rows = page.locator(".media-row")
    expect(rows).to_have_count(2, timeout=60_000)
    row = rows.filter(has_text="mistakes")
    expect(row.locator(".picture")).to_have_count(FIRST_COUNT)
    row.get_by_role("button", name=f"+{LIST_LENGTH - FIRST_COUNT}").click()
    expect(row.locator(".picture")).to_have_count(LIST_LENGTH, timeout=60_000)
    box = row.locator(".picture img").last.bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 40 / 28) < 0.05

    page.get_by_title("Choose sequences by name").click()
    page.get_by_role("option", name="attention").click()
    expect(rows).to_have_count(1, timeout=60_000)
    expect(rows).to_contain_text("attention")
    assert "seq=attention" in page.url
