"""
Tags in the pages: in the colour that somebody gave them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright import sync_api

from aim import Repo, Run
from aim.core.tags import COLORS, Tag
from tests.ui.conftest import Open, in_both_themes, serving

expect = sync_api.expect
Shot = Callable[["sync_api.Page"], None]


@in_both_themes
def test_a_tag_is_shown_in_its_colour(open_page: Open, tmp_path: Path) -> None:
    """
    What the SDK says of a tag is seen in the table and on the run's page; other tags keep the hue of their name.
    """
    with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.track(1.0, name="loss")
        run.add_tag("paper")
        run.add_tag("odd")
    Repo(str(tmp_path)).set_tag("paper", color="#00aa00", description="is in the paper")
    with serving("--repo", str(tmp_path)) as address:
        page = open_page(f"{address}runs")
        for path in ("runs", f"run/{run.hash}"):
            page.goto(address + path)
            tag = page.locator(".tag", has_text="paper").first
            expect(tag).to_have_class("tag colored")
            expect(tag).to_have_attribute("title", "is in the paper")
            green = tag.evaluate(
                """tag => {
                    const context = document.createElement("canvas").getContext("2d");
                    context.fillStyle = getComputedStyle(tag).color;
                    context.fillRect(0, 0, 1, 1);
                    return [...context.getImageData(0, 0, 1, 1).data];
                }"""
            )
            assert green[1] > green[0] + 50
            assert green[1] > green[2] + 50
            expect(page.locator(".tag", has_text="odd").first).to_have_class("tag")


@in_both_themes
def test_a_colour_is_given_on_the_page_of_a_run(open_page: Open, tmp_path: Path, shot: Shot) -> None:
    """
    A press on a tag offers colours and asks what it means; the SDK and a page loaded later know what was said.
    """
    with Run(repo=str(tmp_path), system_tracking_interval=None, capture_terminal_logs=False) as run:
        run.add_tag("paper")
    with serving("--repo", str(tmp_path)) as address:
        page = open_page(f"{address}run/{run.hash}")
        page.get_by_role("button", name="paper", exact=True).click()
        shot(page)
        page.get_by_role("button", name="teal").click()
        expect(page.locator(".tag", has_text="paper")).to_have_class("tag colored")
        page.get_by_role("button", name="paper", exact=True).click()
        page.get_by_label("What paper means").fill("is in it")
        page.keyboard.press("Enter")
        expect(page.locator(".tag", has_text="paper")).to_have_attribute("title", "is in it")
        assert [Tag("paper", COLORS["teal"], "is in it", 1)] == Repo(str(tmp_path)).tags()
        Repo(str(tmp_path)).set_tag("paper", color="red")
        page.get_by_role("button", name="paper", exact=True).click()
        page.get_by_role("button", name="No colour of its own").click()
        expect(page.locator(".tag", has_text="paper")).to_have_class("tag")
        assert [Tag("paper", None, "is in it", 1)] == Repo(str(tmp_path)).tags()
        page.get_by_role("button", name="Remove tag paper").click()
        expect(page.locator(".tag")).to_have_count(0)
        page.close()
